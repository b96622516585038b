"""Baselines that need no model, and how close a reference is to the user's own history.

If copying does well on a task, the task measures copying, and a table should show it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from costeer.exceptions import MissingDependencyError
from costeer_evals.metrics.overlap import rouge_2
from costeer_evals.tasks.base import Sample

TWIN_OVERLAP = 0.5
"""ROUGE-2 F above which a reference is a near-twin of a record."""


def copy_query(sample: Sample) -> str:
    """Answer with the query."""
    return sample.query


def copy_first_record(sample: Sample) -> str:
    """Answer with the first record of the history; empty if there is none."""
    return sample.history[0].text if sample.history else ""


BASELINES: Mapping[str, Callable[[Sample], str]] = {
    "copy-query": copy_query,
    "copy-first-record": copy_first_record,
}


def nearest_record(sample: Sample) -> float:
    """The best ROUGE-2 F of the reference with a record of the history, 0 to 1."""
    reference = sample.reference or ""
    return max((rouge_2(record.text, reference) for record in sample.history), default=0.0)


def nearest_if_known(sample: Sample) -> float | None:
    """``nearest_record``, or None if the package that computes it is not installed."""
    try:
        return nearest_record(sample)
    except MissingDependencyError:
        return None
