"""The strength that suits a pair of models: the one that respects the person most often.

Reads rows of everyday requests; knows nothing of running models.
"""

from __future__ import annotations

from collections.abc import Sequence

from costeer_evals.report.sections import MethodColumn, Section
from costeer_evals.report.texts import changed_percent

GAINS = (0.5, 1.25, 2.5, 3.75)
"""Gains of ``auto`` to try; the default pair's is 2.5."""
CLEAR = 0.03
"""A larger gain must win this share of the requests, because it changes more words."""


def method_names(gains: Sequence[float]) -> list[str]:
    """The methods to run, as ``methods.registry.parse_method`` reads them."""
    return ["llm-without", "llm-with", *(f"guided-auto:gain={gain!r}" for gain in gains)]


def best(section: Section) -> MethodColumn | None:
    """The smallest gain that no larger one clearly beats; None if no gain was run.

    Args:
        section: texts of everyday requests; its columns are in the order of the gains.
    """
    found: MethodColumn | None = None
    for column in section.columns:
        if column.rows[0]["parameters"].get("inner") != "auto":
            continue
        if found is None or _respected(column) > _respected(found) + CLEAR:
            found = column
    return found


def verdict(section: Section) -> str:
    """The result in one line."""
    column = best(section)
    if column is None:
        return "No gain of auto was run."
    gain = column.rows[0]["parameters"]["gain"]
    share, words = 100 * _respected(column), changed_percent(column) or 0.0
    return (
        f"Best here: gain {gain:g} ({share:.0f} % respected, {words:.1f} % of the tokens changed)."
    )


def _respected(column: MethodColumn) -> float:
    values = column.values("respected") or [0.0]
    return sum(values) / len(values)
