"""What stands in a row: scores, hashes, sizes and seconds, and never a text.

A group may be a person's name and is kept as a hash. Numbers that are not finite are null.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from costeer_evals.methods.base import Method
from costeer_evals.metrics.likelihood import TextScores
from costeer_evals.run.experiment import Copying, Experiment
from costeer_evals.run.results import Row
from costeer_evals.samples import EncodedUnit
from costeer_evals.tasks.base import Sample

DIGITS = 6


def row(
    run: str,
    experiment: Experiment,
    encoded: EncodedUnit,
    method: Method | Copying,
    scores: Mapping[str, Any],
    seconds: Mapping[str, Any],
    **more: Any,
) -> Row:
    """One row.

    Args:
        run: the header's id.
        experiment: what was to be done.
        encoded: the sample.
        method: the method.
        scores: what came of it.
        seconds: what took how long.
        more: anything else to keep.
    """
    unit = encoded.unit
    return {
        "run": run,
        "kind": experiment.kind,
        "task": unit.task,
        "sample": unit.sample.id,
        "group": unit.group,
        **{name: value for name, value in _told(unit.sample).items() if value},
        "texts": unit.texts,
        "prompts": encoded.hash,
        "method": method.key(),
        "label": method.label,
        "parameters": _parameters(method),
        "violates_privacy": isinstance(method, Method) and method.violates_privacy,
        "settings": dict(experiment.settings),
        "tokens": {
            "public": len(encoded.prompts.public),
            "private": len(encoded.prompts.private),
            "reference": len(encoded.prompts.reference),
        },
        "scores": {name: plain(value) for name, value in scores.items()},
        **more,
        "seconds": {name: round(value, 4) for name, value in seconds.items()},
    }


def _told(sample: Sample) -> dict[str, str]:
    """What the benchmark says of the sample itself."""
    return {"topic": sample.kind, "half": sample.half}


def _parameters(method: Method | Copying) -> dict[str, Any]:
    return {"name": method.name, **method.parameters} if isinstance(method, Method) else {}


def plain(value: Any) -> Any:
    """A number, a list or an array as JSON has it, six digits after the point."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return round(value, DIGITS) if math.isfinite(value) else None
    return value


def likelihood(scores: TextScores) -> dict[str, Any]:
    """Its fields, as they stand in a row."""
    return asdict(scores)


def read_likelihood(scores: Mapping[str, Any]) -> TextScores:
    """The inverse; a target that was ruled out is -inf again."""
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
