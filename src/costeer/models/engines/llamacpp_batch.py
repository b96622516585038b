"""One decode call of llama.cpp: its input ids and the rows it gives.

Knows the layout of ``llama_batch``; nothing about contexts or model files.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from costeer.decoding.steering import Array, log_softmax
from costeer.exceptions import NotFiniteError
from costeer.models.base import SHARED, Call, LogProbs
from costeer.models.engines.checks import Ids


class SlotSequence(Protocol):
    """A sequence of ids whose cells are in one slot of the cache."""

    slot: int

    def __len__(self) -> int: ...

    def grow(self, ids: Sequence[int], calls: Sequence[Call]) -> None:
        """Append ids that these calls have evaluated."""
        ...


@dataclass(slots=True)
class Evaluation:
    """The ids to evaluate for one sequence, and the rows requested of them."""

    sequence: SlotSequence
    ids: Ids  # (n,)
    silent: int  # how many of the first ids have no row
    result: LogProbs  # (n - silent, V), filled as the chunks come
    done: int = 0
    calls: list[Call] = field(default_factory=list)  # one for each id done

    @property
    def remaining(self) -> int:
        """How many ids are not evaluated yet."""
        return len(self.ids) - self.done

    def until(self, rows: int) -> int:
        """Count the next ids that have at most ``rows`` rows."""
        return max(self.silent - self.done, 0) + rows

    def store(self, logits: Array, count: int, *, alone: bool) -> None:
        """Store the rows of the ``count`` ids just evaluated; ``alone``: no others shared the call.

        Raises:
            NotFiniteError: a NaN, or no finite logit at all.
        """
        first = len(self.sequence) + self.done
        self.calls += [(first, first + count if alone else SHARED)] * count
        self.done += count
        end = max(self.done - self.silent, 0)
        rows = self.result[end - len(logits) : end]
        for i, row in enumerate(logits):  # row by row: the intermediates stay small
            rows[i] = _log_softmax_row(row)


class Batch:
    """A llama_batch over numpy arrays, so that filling it is a few slice assignments."""

    def __init__(self, size: int, lib: Any) -> None:
        self.size = size
        self.token = np.zeros(size, dtype=np.int32)
        self.position = np.zeros(size, dtype=np.int32)
        self.slot = np.zeros(size, dtype=np.int32)
        self.report = np.zeros(size, dtype=np.int8)
        self._ones = np.ones(size, dtype=np.int32)  # one sequence per token
        addresses = self.slot.ctypes.data + np.arange(size + 1) * self.slot.itemsize
        addresses[size] = 0
        self._slots = addresses.astype(np.uintp)
        self.struct = lib.llama_batch()
        fields: dict[str, npt.NDArray[Any]] = {
            "token": self.token,
            "pos": self.position,
            "n_seq_id": self._ones,
            "seq_id": self._slots,
            "logits": self.report,
        }
        kinds = dict(lib.llama_batch._fields_)
        for name, array in fields.items():
            setattr(self.struct, name, ctypes.cast(array.ctypes.data, kinds[name]))

    def clear(self) -> None:
        """Empty the batch for a new decode call."""
        self.struct.n_tokens = 0

    def add(self, evaluation: Evaluation, count: int) -> int:
        """Append the next ``count`` ids of an evaluation; return how many rows they have."""
        start = self.struct.n_tokens
        end = start + count
        first = len(evaluation.sequence) + evaluation.done
        self.token[start:end] = evaluation.ids[evaluation.done : evaluation.done + count]
        self.position[start:end] = np.arange(first, first + count)
        self.slot[start:end] = evaluation.sequence.slot
        reported = min(max(evaluation.done + count - evaluation.silent, 0), count)
        self.report[start:end] = 0
        self.report[end - reported : end] = 1
        self.struct.n_tokens = end
        return reported


def shares(evaluations: Sequence[Evaluation], size: int) -> list[int]:
    """Divide a batch of ``size`` ids among evaluations, as equally as possible."""
    shares = [0] * len(evaluations)
    for i in sorted(range(len(evaluations)), key=lambda i: evaluations[i].remaining):
        waiting = sum(not share for share in shares)
        shares[i] = min(evaluations[i].remaining, (size - sum(shares)) // waiting)
    return shares


def _log_softmax_row(logits: Array) -> LogProbs:
    """Return log_softmax of one row; a NaN, or no finite logit at all, spreads to every entry."""
    with np.errstate(invalid="ignore"):
        row = log_softmax(logits)
    if np.isnan(row[0]):
        raise NotFiniteError(
            "The model gives log-probabilities that are not numbers.",
            "The model file may be damaged; fetch it again.",
        )
    return row
