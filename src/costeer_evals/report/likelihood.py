"""Likelihoods of the references under every method, before and after calibration; the gap closed.

Differences to the LLM without context are between calibrated policies, in nats per token, with
every token counted alike and a bootstrap over samples (or groups of them); the test flips the signs
of whole samples. Negative is better. See ``metrics.calibration``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from costeer_evals.methods.plain import Plain
from costeer_evals.metrics.calibration import (
    FOLDS,
    Likelihood,
    calibrate,
    gap_closed,
    uncalibrated,
)
from costeer_evals.metrics.likelihood import TextScores
from costeer_evals.report.sections import MethodColumn, Section
from costeer_evals.report.table import Column, Table
from costeer_evals.run.row import parse_likelihood
from costeer_evals.statistics import (
    RESAMPLES,
    Interval,
    holm,
    percentile,
    resampled_sums,
    sign_flip_test,
)

BASE = Plain("llm_without").key()
BOUND = Plain("llm_with").key()
COLUMNS = (
    Column("Method"),
    Column("NLL", 3),
    Column("NLL, calibrated", 3),
    Column("temperature"),
    Column("accuracy, %", 1),
    Column("entropy", 2),
    Column("KL to LLM w/", 3),
    Column("gap closed [95 %]"),
    Column("gap closed, uncalibrated"),
    Column("difference to LLM w/o [95 %]", 3),
    Column("p, Holm", 4),
)
NOTES = (
    "NLL: negative log-likelihood of the reference, nats a token. Calibrated: each method with a "
    "temperature of its own, fitted on the other folds.",
    "Gap closed: 0 is the LLM without context, 1 the LLM with it; between calibrated policies.",
)


@dataclass(frozen=True, slots=True)
class MethodScores:
    """One method's likelihoods in a section; ``fitted`` is None if it cannot be calibrated."""

    column: MethodColumn
    texts: Sequence[TextScores]
    plain: Likelihood
    fitted: Likelihood | None

    @property
    def tokens(self) -> int:
        """The tokens of all references."""
        return sum(len(text) for text in self.texts)


def score_methods(section: Section, seed: int = 0) -> dict[str, MethodScores]:
    """Score every method of a section, by key, and calibrate those that can be."""
    folds = min(FOLDS, len(set(section.groups)))
    result = {}
    for column in section.columns:
        texts = [parse_likelihood(row["scores"]) for row in column.rows]
        possible = folds >= 2 and not any(text.ruled_out for text in texts)
        fitted = calibrate(texts, section.groups, folds, seed) if possible else None
        result[column.key] = MethodScores(column, texts, uncalibrated(texts), fitted)
    return result


def difference(
    base: Likelihood, method: Likelihood, groups: Sequence[str], seed: int = 0
) -> tuple[Interval, float]:
    """NLL of a method minus the base's, in nats per token, and the p-value of no difference."""
    gaps = method.nll - base.nll
    columns = np.stack([gaps, base.tokens.astype(np.float64)], axis=1)
    sums = resampled_sums(columns, groups, RESAMPLES, seed)
    estimate = float(gaps.sum() / base.tokens.sum())
    interval = percentile(estimate, sums[:, 0] / sums[:, 1])
    return interval, sign_flip_test(gaps, groups, seed=seed)


def table(section: Section, seed: int = 0) -> Table:
    """A table with one row per method."""
    methods = score_methods(section, seed)
    base, bound = methods.get(BASE), methods.get(BOUND)
    differences: dict[str, tuple[Interval, float]] = {}
    if base is not None and base.fitted is not None:
        differences = {
            key: difference(base.fitted, one.fitted, section.groups, seed)
            for key, one in methods.items()
            if key != BASE and one.fitted is not None
        }
    adjusted = dict(zip(differences, holm([p for _, p in differences.values()]), strict=True))
    rows = []
    notes = [*section.notes, *NOTES]
    for key, one in methods.items():
        interval = differences[key][0] if key in differences else None
        p = float(adjusted[key]) if key in adjusted else None
        rows.append([*_cells(one), *_gaps(base, one, bound, section.groups, seed), interval, p])
        ruled_out = sum(text.ruled_out for text in one.texts)
        if ruled_out:
            notes.append(
                f"{one.column.label} gives no probability at all to {ruled_out / one.tokens:.1%} "
                "of the references' tokens: its likelihood says nothing."
            )
    if base and bound and base.fitted and bound.fitted and bound.fitted.mean >= base.fitted.mean:
        notes.append("The LLM gains nothing from the context here, so there is no gap to close.")
    elif BOUND in differences and differences[BOUND][0].high >= 0:
        notes.append("The gap itself lies within chance here, so shares of it say little.")
    if len(set(section.groups)) < 2:
        notes.append("One sample alone cannot be calibrated.")
    return Table(section.title, COLUMNS, rows, notes)


def _cells(one: MethodScores) -> list[str | float | None]:
    count = one.tokens
    fitted = one.fitted
    return [
        one.column.label,
        one.plain.mean,
        fitted.mean if fitted else None,
        float(fitted.temperatures.mean()) if fitted else None,
        100 * sum(text.hits for text in one.texts) / count,
        sum(text.entropy for text in one.texts) / count,
        sum(text.kl for text in one.texts) / count,
    ]


def _gaps(
    base: MethodScores | None,
    one: MethodScores,
    bound: MethodScores | None,
    groups: Sequence[str],
    seed: int,
) -> tuple[Interval | float | None, float | None]:
    """The gap closed between calibrated policies, with its interval, and between uncalibrated."""
    if base is None or bound is None or one.fitted is None:
        return None, None
    if base.fitted is None or bound.fitted is None or bound.fitted.mean >= base.fitted.mean:
        return None, None
    gap = gap_closed(base.fitted, one.fitted, bound.fitted, groups, seed=seed)
    raw = gap_closed(base.plain, one.plain, bound.plain, groups, resamples=1, seed=seed).estimate
    # The two ends are 0 and 1 by definition; an interval would say nothing.
    return (gap.estimate if one in (base, bound) else gap), raw
