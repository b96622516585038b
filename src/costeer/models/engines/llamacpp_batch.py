"""One decode call of llama.cpp: which ids of which sequence go in, which rows come out.

Knows the layout of ``llama_batch``; nothing of contexts or model files.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence as AbstractSequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from costeer.decoding.steering import log_softmax
from costeer.exceptions import NotFiniteError
from costeer.models.base import SHARED, Call, LogProbs
from costeer.models.engines.checks import Ids

if TYPE_CHECKING:
    from costeer.models.engines.llamacpp import LlamaSequence


@dataclass(slots=True)
class Job:
    """What one sequence has to do: ids still to evaluate, and the rows it wants of them."""

    sequence: LlamaSequence
    ids: Ids  # (n,)
    silent: int  # this many first ids have no row
    result: LogProbs  # (n - silent, V), filled as the chunks come
    done: int = 0
    calls: list[Call] = field(default_factory=list)  # of the ids done

    @property
    def left(self) -> int:
        """Ids not evaluated yet."""
        return len(self.ids) - self.done

    def until(self, rows: int) -> int:
        """How many of the ids left may be taken if at most ``rows`` of them report."""
        return max(self.silent - self.done, 0) + rows

    def store(self, logits: npt.NDArray[np.float32], count: int, *, alone: bool) -> None:
        """Take the rows of the ``count`` ids just evaluated; ``alone``: of no other job with them.

        Raises:
            NotFiniteError: a NaN, or no finite logit at all.
        """
        first = len(self.sequence) + self.done
        self.calls += [(first, first + count if alone else SHARED)] * count
        self.done += count
        end = max(self.done - self.silent, 0)
        rows = self.result[end - len(logits) : end]
        for i, row in enumerate(logits):  # row by row: the intermediates stay small
            rows[i] = _normalised(row)


class Batch:
    """A llama_batch over numpy arrays, so that filling it is a few slice assignments."""

    def __init__(self, size: int, lib: Any) -> None:
        self.size = size
        self.token = np.zeros(size, dtype=np.int32)
        self.position = np.zeros(size, dtype=np.int32)
        self.slot = np.zeros(size, dtype=np.int32)
        self.report = np.zeros(size, dtype=np.int8)
        self._ones = np.ones(size, dtype=np.int32)  # one sequence a token
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
        """Begin a new decode call."""
        self.struct.n_tokens = 0

    def add(self, job: Job, count: int) -> int:
        """Append the next ``count`` ids of a job; the number of rows they report."""
        start = self.struct.n_tokens
        end = start + count
        first = len(job.sequence) + job.done
        self.token[start:end] = job.ids[job.done : job.done + count]
        self.position[start:end] = np.arange(first, first + count)
        self.slot[start:end] = job.sequence.slot
        reported = min(max(job.done + count - job.silent, 0), count)
        self.report[start:end] = 0
        self.report[end - reported : end] = 1
        self.struct.n_tokens = end
        return reported


def shares(jobs: AbstractSequence[Job], size: int) -> list[int]:
    """How many ids each job may put into a batch of ``size``: what the short leave, others take."""
    shares = [0] * len(jobs)
    for i in sorted(range(len(jobs)), key=lambda i: jobs[i].left):
        waiting = sum(not share for share in shares)
        shares[i] = min(jobs[i].left, (size - sum(shares)) // waiting)
    return shares


def _normalised(logits: npt.NDArray[np.float32]) -> LogProbs:
    """log_softmax of one row; a NaN anywhere, or no finite logit at all, spreads to every entry."""
    with np.errstate(invalid="ignore"):
        row = log_softmax(logits)
    if np.isnan(row[0]):
        raise NotFiniteError(
            "The model gives log-probabilities that are not numbers.",
            "The model file is damaged, or a token before is; fetch the file again.",
        )
    return row
