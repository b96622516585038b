"""Samples of several tasks, divided into shards, and their token ids.

A sample's identity is its task, its id and a hash of its texts. The hash needs no tokenizer, so
that a finished run is recognised before any model is loaded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from costeer.exceptions import InputError, ParameterError
from costeer.models.base import Tokenizer
from costeer_evals import prompts
from costeer_evals.prompts import TokenPrompts
from costeer_evals.tasks.base import LoadOptions, Sample, Task

HASH = 16
"""Hexadecimal digits kept of a hash."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One sample of one task."""

    task: str
    sample: Sample

    @property
    def texts(self) -> str:
        """A hash of everything that the models read and the metrics compare with."""
        sample = self.sample
        parts: list[object] = [sample.query, sample.context_prompt, sample.reference]
        if sample.needs or sample.options:
            parts += [sample.needs, sample.forbids, sample.options]
        return hash_of(json.dumps(parts))

    @property
    def group(self) -> str:
        """What is resampled together, as a hash: a group may be a person's name."""
        return hash_of(f"{self.task}\n{self.sample.group}")


@dataclass(frozen=True, slots=True)
class EncodedUnit:
    """A sample with its token ids.

    Attributes:
        unit: the sample.
        prompts: of its branches, and its reference.
        options: each as plain text, without an end token.
    """

    unit: Unit
    prompts: TokenPrompts
    options: tuple[tuple[int, ...], ...] = ()

    @property
    def hash(self) -> str:
        """Of the token ids."""
        ids = [self.prompts.public, self.prompts.private, self.prompts.reference, *self.options]
        return hash_of(json.dumps(ids))


def hash_of(text: str) -> str:
    """The start of the SHA-256, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()[:HASH]


def load(
    tasks: Sequence[Task], sources: Mapping[str, Path | None], options: LoadOptions
) -> list[Unit]:
    """The samples of all tasks, in order.

    Raises:
        InputError: a source is missing or wrong, or two samples of a task have one id.
    """
    units = []
    for task in tasks:
        samples = task.load(sources.get(task.name), options)
        if len({sample.id for sample in samples}) < len(samples):
            raise InputError(f"Two samples of {task.name} have the same id.", "Is the file whole?")
        units += [Unit(task.name, sample) for sample in samples]
    return units


def shard(units: Sequence[Unit], index: int, count: int) -> list[Unit]:
    """Every ``count``-th group of samples from the ``index``-th on.

    Groups stay whole, because the samples of one often have a prompt in common.

    Raises:
        ParameterError: there is no such shard.
    """
    if not (count >= 1 and 0 <= index < count):
        raise ParameterError(
            f"There is no shard {index} of {count}.", f"Shards are numbered from 0 to {count - 1}."
        )
    groups = list(dict.fromkeys(unit.group for unit in units))
    chosen = set(groups[index::count])
    return [unit for unit in units if unit.group in chosen]


def require_references(units: Sequence[Unit]) -> None:
    """Likelihoods need references, or options.

    Raises:
        InputError: a sample has none.
    """
    samples = ((unit.task, unit.sample) for unit in units)
    missing = sorted({task for task, s in samples if not (s.reference or s.options)})
    if missing:
        raise InputError(
            f"These tasks have no references to score: {', '.join(missing)}.",
            "Run them with --kind generate.",
        )


def encode(unit: Unit, tokenizer: Tokenizer) -> EncodedUnit:
    """The sample as token ids."""
    options = tuple(tuple(tokenizer.encode(option)) for option in unit.sample.options)
    return EncodedUnit(unit, prompts.encode(unit.sample, tokenizer), options)


def require_room(units: Sequence[EncodedUnit], room: int, max_tokens: int | None) -> None:
    """Check before any work that every sample fits; nothing is ever cut.

    Args:
        units: what is to be done.
        room: tokens that the models hold.
        max_tokens: of an answer; None: references or options are scored instead.

    Raises:
        InputError: some do not fit.
    """
    lengths = []
    for unit in units:
        p = unit.prompts
        scored = max(map(len, (p.reference, *unit.options)))
        answer = scored if max_tokens is None else max_tokens
        lengths.append(max(len(p.public), len(p.private)) + answer)
    too_long = [length for length in lengths if length > room]
    if too_long:
        raise InputError(
            f"{len(too_long)} of {len(units)} samples need up to {max(too_long):,} tokens; the "
            f"models hold {room:,}.",
            "Give a larger --context.",
        )
