"""Samples of several tasks, divided into shards, and their token ids.

A sample is identified by its task, its id and a hash of its texts. The hash needs no tokenizer, so
a finished run is recognised before any model is loaded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from costeer.exceptions import InputError, ParameterError
from costeer.models.base import Tokenizer
from costeer_evals import prompts
from costeer_evals.prompts import TokenPrompts
from costeer_evals.tasks.base import LoadOptions, Sample, Task

HASH_DIGITS = 16


@dataclass(frozen=True, slots=True)
class TaskSample:
    """A sample and the name of its task."""

    task: str
    sample: Sample

    @property
    def texts_hash(self) -> str:
        """A hash of everything that the models read and the metrics compare with."""
        sample = self.sample
        parts: list[object] = [sample.query, sample.context_prompt, sample.reference]
        if sample.needs or sample.options:
            parts += [sample.needs, sample.forbids, sample.options]
        if sample.asides:
            parts.append(sample.asides)
        return short_hash(json.dumps(parts))

    @property
    def group(self) -> str:
        """What is resampled together, as a hash, because a group may be a person's name."""
        return short_hash(f"{self.task}\n{self.sample.group}")


@dataclass(frozen=True, slots=True)
class EncodedSample:
    """A sample with its token ids.

    Attributes:
        origin: the sample.
        prompts: the prompts of its branches, and its reference.
        options: each option as plain text, without an end token.
    """

    origin: TaskSample
    prompts: TokenPrompts
    options: tuple[tuple[int, ...], ...] = ()

    @property
    def ids_hash(self) -> str:
        """A hash of the token ids."""
        ids = [self.prompts.public, self.prompts.private, self.prompts.reference, *self.options]
        return short_hash(json.dumps(ids))


def short_hash(text: str) -> str:
    """The first ``HASH_DIGITS`` hexadecimal digits of the SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS]


def load_samples(
    tasks: Sequence[Task], sources: Mapping[str, Path | None], options: LoadOptions
) -> list[TaskSample]:
    """Load the samples of all tasks, in order.

    Raises:
        InputError: a source is missing or wrong, or two samples of a task have the same id.
    """
    loaded = []
    for task in tasks:
        samples = task.load(sources.get(task.name), options)
        if len({sample.id for sample in samples}) < len(samples):
            raise InputError(f"Two samples of {task.name} have the same id.", "Is the file whole?")
        loaded += [TaskSample(task.name, sample) for sample in samples]
    return loaded


def select_shard(samples: Sequence[TaskSample], index: int, count: int) -> list[TaskSample]:
    """Every ``count``-th group of samples, from the ``index``-th on.

    Groups stay whole, because samples of one group often share a prompt.

    Raises:
        ParameterError: there is no such shard.
    """
    if not (count >= 1 and 0 <= index < count):
        raise ParameterError(
            f"There is no shard {index} of {count}.", f"Shards are numbered from 0 to {count - 1}."
        )
    groups = list(dict.fromkeys(one.group for one in samples))
    chosen = set(groups[index::count])
    return [one for one in samples if one.group in chosen]


def require_references(samples: Sequence[TaskSample]) -> None:
    """Check that every sample has a reference or options to score.

    Raises:
        InputError: a sample has neither.
    """
    missing = sorted(
        {one.task for one in samples if not (one.sample.reference or one.sample.options)}
    )
    if missing:
        raise InputError(
            f"These tasks have no references to score: {', '.join(missing)}.",
            "Run them with --kind generate.",
        )


def encode_sample(
    one: TaskSample, tokenizer: Tokenizer, reference_tokens: int | None = None
) -> EncodedSample:
    """Encode a sample as token ids, with the whole reference or its first tokens."""
    options = tuple(tuple(tokenizer.encode(option)) for option in one.sample.options)
    encoded = prompts.encode(one.sample, tokenizer)
    encoded = replace(encoded, reference=encoded.reference[:reference_tokens])
    return EncodedSample(one, encoded, options)


def require_fit(
    samples: Sequence[EncodedSample], context_length: int, max_tokens: int | None
) -> None:
    """Check before any work that every sample fits the models' context; nothing is truncated.

    Args:
        samples: the samples to run.
        context_length: tokens that the models hold.
        max_tokens: the length of an answer; None where references or options are scored.

    Raises:
        InputError: some samples do not fit.
    """
    lengths = []
    for one in samples:
        p = one.prompts
        scored = max(map(len, (p.reference, *one.options)))
        answer = scored if max_tokens is None else max_tokens
        lengths.append(max(len(p.public), len(p.private)) + answer)
    too_long = [length for length in lengths if length > context_length]
    if too_long:
        raise InputError(
            f"{len(too_long)} of {len(samples)} samples need up to {max(too_long):,} tokens; the "
            f"models hold {context_length:,}.",
            "Give a larger --context.",
        )
