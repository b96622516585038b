"""Among whom an attacker looks: the true context, other people's, and one that differs in a record.

Half of the others are the nearest by words (BM25 over the whole data set), so that it does not
suffice to guess the topic.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from costeer.exceptions import InputError
from costeer_evals.metrics.adherence import FLAGS
from costeer_evals.retrieval import Ranker
from costeer_evals.tasks.base import Sample

CANDIDATES = 20
HARD = 10
RECORD_BREAK = re.compile(r"\n[ \t]*\n\s*")


@dataclass(frozen=True, slots=True)
class Candidates:
    """The contexts that an attacker compares for one sample.

    Attributes:
        contexts: in an order that says nothing.
        truth: the place of the true one.
        hard: the places of the nearest others.
        swapped: the true context with one record that matters replaced; None where the data do not
            show which one matters.
        pair: that record, and the one that replaces it.
    """

    contexts: tuple[str, ...] = field(repr=False)
    truth: int
    hard: frozenset[int]
    swapped: str | None = field(repr=False)
    pair: tuple[str, str] | None = field(repr=False, default=None)


def choose_candidates(
    samples: Sequence[Sample], number: int, ranker: Ranker, count: int = CANDIDATES
) -> Candidates:
    """The candidates for one sample.

    Args:
        samples: of the whole data set.
        number: which of them is attacked.
        ranker: which contexts are near.
        count: how many candidates, the true one among them; fewer where there are fewer people.

    Raises:
        InputError: nobody else has another context.
    """
    sample, rng = samples[number], random.Random(samples[number].id)  # noqa: S311  (no secret)
    others = list(dict.fromkeys(s.context for s in samples if s.context != sample.context))
    if not others:
        raise InputError("All samples have the same context.", "Give data of several people.")
    near = [others[i] for i in ranker.rank(sample.context, others)[: min(HARD, count - 1)]]
    far = [context for context in others if context not in near]
    far = rng.sample(far, min(count - 1 - len(near), len(far)))
    contexts = [sample.context, *near, *far]
    order = rng.sample(range(len(contexts)), len(contexts))
    return Candidates(
        contexts=tuple(contexts[i] for i in order),
        truth=order.index(0),
        hard=frozenset(at for at, i in enumerate(order) if 1 <= i <= len(near)),
        swapped=swap_record(samples, number),
        pair=find_pair(samples, number),
    )


def swap_record(samples: Sequence[Sample], number: int) -> str | None:
    """The context with the record that matters replaced; see ``find_pair``."""
    at, pair = key_record(samples[number]), find_pair(samples, number)
    if at is None or pair is None:
        return None
    records = RECORD_BREAK.split(samples[number].context)
    records[at] = pair[1]
    return "\n\n".join(records)


def find_pair(samples: Sequence[Sample], number: int) -> tuple[str, str] | None:
    """The record that matters, and that of another person.

    The other person is the next one with a request of the same kind. None if the record is not
    known for one of them, nobody has such a request, or both say the same.
    """
    sample = samples[number]
    at = key_record(sample)
    following = [*samples[number + 1 :], *samples[:number]]
    for other in following if at is not None else ():
        replacing = key_record(other) if other.kind == sample.kind else None
        if replacing is None or other.context == sample.context:
            continue
        own = RECORD_BREAK.split(sample.context)[at or 0]
        theirs = RECORD_BREAK.split(other.context)[replacing]
        return None if own == theirs else (own, theirs)
    return None


def key_record(sample: Sample) -> int | None:
    """The place of the one record that ``needs`` matches; None if there is not exactly one.

    A context of one record is that record.
    """
    records = RECORD_BREAK.split(sample.context)
    if len(records) == 1:
        return 0
    if sample.needs is None:
        return None
    found = [at for at, text in enumerate(records) if re.search(sample.needs, text, FLAGS)]
    return found[0] if len(found) == 1 else None
