"""What a row of results holds: scores, hashes, sizes and seconds, and never a text.

A group may be a person's name, so it is kept as a hash. Numbers that are not finite are null.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from costeer_evals.methods.base import Method
from costeer_evals.metrics.likelihood import TextScores
from costeer_evals.run.experiment import CopyBaseline, Experiment
from costeer_evals.run.results import ResultRow
from costeer_evals.samples import EncodedSample

DIGITS = 6


@dataclass(frozen=True, slots=True)
class SampleResult:
    """The rows of one sample, or one row and its text for those who keep texts."""

    rows: tuple[ResultRow, ...]
    texts: tuple[ResultRow, ...] = ()


def build_row(
    run: str,
    experiment: Experiment,
    encoded: EncodedSample,
    method: Method | CopyBaseline,
    scores: Mapping[str, Any],
    seconds: Mapping[str, Any],
    **more: Any,
) -> ResultRow:
    """Build one row.

    Args:
        run: the header's id.
        experiment: what was run.
        encoded: the sample.
        method: the method.
        scores: its scores.
        seconds: the time of each part.
        more: anything else to record.
    """
    origin, sample, prompts = encoded.origin, encoded.origin.sample, encoded.prompts
    from_benchmark = {"topic": sample.kind, "half": sample.half}
    return {
        "run": run,
        "kind": experiment.kind,
        "task": origin.task,
        "sample": sample.id,
        "group": origin.group,
        **{name: value for name, value in from_benchmark.items() if value},
        "texts": origin.texts_hash,
        "prompts": encoded.ids_hash,
        "method": method.key(),
        "label": method.label,
        "parameters": _parameters(method),
        "violates_privacy": isinstance(method, Method) and method.violates_privacy,
        "settings": experiment.config.settings(),
        "tokens": {
            "public": len(prompts.public),
            "private": len(prompts.private),
            "reference": len(prompts.reference),
        },
        "scores": {name: to_json(value) for name, value in scores.items()},
        **more,
        "seconds": {name: round(value, 4) for name, value in seconds.items()},
    }


def _parameters(method: Method | CopyBaseline) -> dict[str, Any]:
    return {"name": method.name, **method.parameters} if isinstance(method, Method) else {}


def to_json(value: Any) -> Any:
    """A number, list or array as JSON stores it: six decimals, null where it is not finite."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, float):
        return round(value, DIGITS) if math.isfinite(value) else None
    return value


def likelihood_fields(scores: TextScores) -> dict[str, Any]:
    """The fields of a likelihood, as a row stores them."""
    return asdict(scores)


def parse_likelihood(scores: Mapping[str, Any]) -> TextScores:
    """The inverse of ``likelihood_fields``; a target that was ruled out is -inf again."""
    target, kl = scores["target"], scores["kl"]
    return TextScores(
        tokens=scores["tokens"],
        target=-math.inf if target is None else target,
        log_partition=np.array(scores["log_partition"], dtype=np.float64),
        mean_logprob=np.array(scores["mean_logprob"], dtype=np.float64),
        hits=scores["hits"],
        ruled_out=scores["ruled_out"],
        kl=math.nan if kl is None else kl,
    )
