"""Answers as the product writes them, and what of each went up.

What is kept of an answer is as private as the context; ``job`` keeps it apart from the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from costeer.cloud.in_process import InProcess
from costeer.edge.answer import Result
from costeer.edge.protection import Protection
from costeer.edge.runtime import Costeer
from costeer.exceptions import InputError
from costeer.models.base import LanguageModel
from costeer.privacy.budget import Budget
from costeer.privacy.odometer import Odometer
from costeer.privacy.spent_file import SpentFile
from costeer_evals.leakage.arms import Arm
from costeer_evals.prompts import turns
from costeer_evals.tasks.base import Sample

TOP_K = 64
"""Log-probabilities that the cloud sends; under a cap, what a token is drawn from."""


@dataclass(frozen=True, slots=True)
class Written:
    """One answer.

    Attributes:
        ids: its tokens, the end of text among them.
        shown: as the person sees it.
        sent: as the cloud has it.
        query: as the cloud has it.
        changed: the positions where the LLM alone would have chosen another token.
        evidence: the product's meter; nats.
        warned: whether the product stopped steering, or ran out of budget.
    """

    ids: tuple[int, ...] = field(repr=False)
    shown: str = field(repr=False)
    sent: str = field(repr=False)
    query: str = field(repr=False)
    changed: tuple[int, ...]
    evidence: float
    warned: bool

    def as_json(self) -> dict[str, Any]:
        """The fields, for a file."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Written:
        """From such fields.

        Raises:
            InputError: they are others.
        """
        try:
            ids, changed = tuple(values["ids"]), tuple(values["changed"])
            return cls(**{**values, "ids": ids, "changed": changed})
        except (KeyError, TypeError):
            raise InputError("A stored answer is damaged.", "Remove the file of answers.") from None


class Writer:
    """Writes answers with two models, which the caller closes.

    Args:
        llm: with a sequence to spare.
        slm: with two sequences to spare.
        max_tokens: the longest answer.
    """

    def __init__(self, llm: LanguageModel, slm: LanguageModel, max_tokens: int) -> None:
        self._cloud = InProcess(llm)
        length = min(llm.context_length, slm.context_length)
        self._costeer = Costeer(self._cloud, slm, top_k=TOP_K, lanes=1, context_length=length)
        self._max_tokens = max_tokens

    def write(self, sample: Sample, arm: Arm) -> Written:
        """Answer one request."""
        if arm.reader == "cloud":
            return self._upload(sample)
        with _protection(arm) as protection:
            self._costeer.protection = protection
            return self._steer(sample, arm)

    def _steer(self, sample: Sample, arm: Arm) -> Written:
        steered = arm.reader == "device"
        generation = self._costeer.stream(
            sample.query,
            sample.context if steered else "",
            strength=arm.strength if steered else "off",
            max_tokens=self._max_tokens,
            temperature=arm.temperature,
        )
        changed = {chunk.step.position for chunk in generation if chunk.step.changed}
        result = generation.result
        decode = self._costeer.slm.tokenizer.decode_bytes
        return Written(
            ids=tuple(result.token_ids),
            shown=result.text,
            sent=decode(result.token_ids).decode("utf-8", "replace"),
            query=_wire_query(result, sample),
            changed=tuple(sorted(changed)),
            evidence=result.evidence,
            warned=bool(result.warning),
        )

    def _upload(self, sample: Sample) -> Written:
        tokenizer = self._costeer.slm.tokenizer
        prompt = tokenizer.chat(turns(sample.context_prompt))
        with closing(self._cloud.stream(prompt, 1, self._max_tokens)) as steps:
            ids = [step.token for step in steps]
        text = tokenizer.decode_bytes(ids).decode("utf-8", "replace")
        return Written(tuple(ids), text, text, sample.query, (), 0.0, warned=False)

    def close(self) -> None:
        """Free the sequences, not the models."""
        self._costeer.stop()
        self._costeer.lanes.close()
        self._cloud.close()


def _wire_query(result: Result, sample: Sample) -> str:
    wire = result.conversation.wire if result.conversation else []
    return wire[-1]["content"] if wire else sample.query


@contextmanager
def _protection(arm: Arm) -> Iterator[Protection]:
    """The protection of one answer, with a budget of its own: never the person's."""
    if arm.epsilon is None:
        yield Protection(arm.guard, None)
        return
    with TemporaryDirectory() as folder:
        yield Protection(arm.guard, Budget(arm.epsilon, Odometer(SpentFile(Path(folder)))))
