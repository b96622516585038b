"""How likely each candidate's context makes an answer: the attack of a cloud that knows the method.

The attacker has the query, the settings, both models and the candidates' contexts. For each of
these it computes the law from which the device would have chosen every token, and adds up the
log-probabilities of the tokens that were chosen. By the Neyman-Pearson lemma nothing that reads
only the tokens can do better, if the law is the right one. It is not quite in two cases, so the
figures there are lower estimates: rows are evaluated many positions at a time here, and one by one
when the answer was written; and stand-ins, which the attacker cannot know, are drawn once.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from costeer.cloud.topk import top_k
from costeer.decoding.auto import Auto, private_part
from costeer.decoding.cap import RAREST, STEP, law
from costeer.decoding.steering import Array, delta
from costeer.decoding.strength import resolve_strength
from costeer.edge.prompts import Prompts, build
from costeer.models.base import LanguageModel, Message, TokenSequence
from costeer.models.prefix import common_length
from costeer.privacy.guard import Guard
from costeer_evals.leakage.arms import Arm
from costeer_evals.leakage.writing import TOP_K, Written

SCORED = 256
"""The LLM's likeliest tokens at a position, to which the steered law is confined."""

GREEDY = 0.3
"""The temperature at which greedy answers are scored. At 0, one near-tie that rounds the other way
would refute the true context."""

Ids = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class ReplayedAnswer:
    """One answer under one context.

    Attributes:
        nats: the log-probability of its tokens.
        mismatches: the positions that steering would change under this context and did not, or
            the other way round. None where the positions say nothing of their own.
    """

    nats: float
    mismatches: int | None


@dataclass(frozen=True, slots=True)
class _Answer:
    """One answer with what does not depend on the candidate.

    Attributes:
        ids: (n,) the tokens.
        top_ids: (n, k) the LLM's likeliest, best first.
        top_logprobs: (n, k) natural log.
        chosen: (n,) natural log; the LLM's, of the tokens.
        plain: (n, V) natural log; the small model's without a context.
    """

    arm: Arm
    written: Written
    ids: tuple[int, ...] = field(repr=False)
    top_ids: Ids = field(repr=False)
    top_logprobs: Array = field(repr=False)
    chosen: Array = field(repr=False)
    plain: Array = field(repr=False)


class _Reader:
    """One sequence of a model, which keeps its latest prompt and answer.

    An answer that begins like the one before is read from where they part.
    """

    def __init__(self, model: LanguageModel) -> None:
        self._sequence: TokenSequence = model.sequence()
        self._prompt: tuple[int, ...] = ()
        self._ids: tuple[int, ...] = ()
        self._rows: Array = np.empty((0, model.vocab_size), np.float32)

    def rows(self, prompt: tuple[int, ...], ids: tuple[int, ...]) -> Array:
        """(n, V): the rows that predict each of ``ids``, at least one, after the prompt."""
        if prompt != self._prompt:
            self._sequence.truncate(0)
            self._rows, self._ids = self._sequence.extend(prompt, rows=1), ()
            self._prompt = prompt
        # The last token of an answer is not read, so a sequence holds one token less than rows.
        kept = min(common_length(ids[:-1], self._ids), len(self._rows) - 1)
        self._sequence.truncate(len(prompt) + kept)
        new = ids[kept:-1]
        more = [self._sequence.extend(new, len(new))] if new else []
        self._rows, self._ids = np.concatenate([self._rows[: kept + 1], *more]), ids[:-1]
        return self._rows

    def close(self) -> None:
        self._sequence.close()


class Attacker:
    """Both models, with a sequence of each.

    Args:
        llm: closed by the caller, like the other one.
        slm: the device's.
    """

    def __init__(self, llm: LanguageModel, slm: LanguageModel) -> None:
        self.tokenizer = slm.tokenizer
        self.context_length = min(llm.context_length, slm.context_length)
        self.cloud, self.device = _Reader(llm), _Reader(slm)

    def close(self) -> None:
        """Free both sequences."""
        self.cloud.close()
        self.device.close()


class Replay:
    """Scores the answers of one sample under any context.

    Args:
        answers: those to attack, each with its arm; none of them empty.
        attacker: who reads them.
        seed: of the stand-ins that the attacker draws.
    """

    def __init__(
        self, answers: Sequence[tuple[Arm, Written]], attacker: Attacker, seed: str
    ) -> None:
        self._attacker, self._seed = attacker, seed
        longest = max((len(written.ids) for _, written in answers), default=0)
        self._room = attacker.context_length - longest
        self._answers = [self._prepare(*one) for one in answers]

    def score(self, context: str) -> dict[str, ReplayedAnswer]:
        """Score all answers under one context, by the name of the arm."""
        found = {}
        # What begins alike follows each other, so that it is read once.
        prompts = [(self._prompts(answer, context), answer) for answer in self._answers]
        for read, answer in sorted(prompts, key=lambda item: (item[0].private, item[1].ids)):
            with_context = self._attacker.device.rows(read.private, answer.ids)
            bonus = bonus_rows(answer.arm.strength, read, with_context, answer.plain, answer.ids)
            found[answer.arm.name] = likelihood(answer, bonus)
        return found

    def _prepare(self, arm: Arm, written: Written) -> _Answer:
        prompts = build(self._attacker.tokenizer, _question(written), "", self._room)
        rows = self._attacker.cloud.rows(prompts.public, written.ids)
        top = [top_k(row, min(SCORED, row.size)) for row in rows]
        return _Answer(
            arm=arm,
            written=written,
            ids=written.ids,
            top_ids=np.stack([ids for ids, _ in top]),
            top_logprobs=np.stack([logprobs for _, logprobs in top]),
            chosen=rows[np.arange(len(rows)), list(written.ids)],
            plain=self._attacker.device.rows(prompts.plain, written.ids),
        )

    def _prompts(self, answer: _Answer, context: str) -> Prompts:
        if answer.arm.guard != "off":
            guard = Guard(answer.arm.guard, rng=random.Random(self._seed))  # noqa: S311
            context = guard.prepare(_question(answer.written), context).context
        return build(self._attacker.tokenizer, _question(answer.written), context, self._room)


def bonus_rows(
    strength: float | str, prompts: Prompts, with_context: Array, plain: Array, ids: Sequence[int]
) -> Array:
    """(n, V): what steering adds to the LLM's log-probabilities at each position."""
    resolved = resolve_strength(strength)
    if resolved.auto is not None:
        rule = Auto(resolved.auto, private_part(prompts.plain, prompts.private))
        return rule.bonus(with_context, plain, ids[:-1])
    rows: Array = np.float32(resolved.gain) * delta(with_context, plain)
    return rows


def likelihood(answer: _Answer, bonus: Array) -> ReplayedAnswer:
    """Score one answer, given what steering would have added."""
    if answer.arm.epsilon is not None:
        return ReplayedAnswer(_capped(answer, bonus, answer.arm.epsilon), None)
    temperature = answer.arm.temperature or GREEDY
    at = np.arange(len(answer.ids))
    chosen = answer.chosen + bonus[at, list(answer.ids)]
    scores = answer.top_logprobs + np.take_along_axis(bonus, answer.top_ids, axis=1)
    outside = (answer.top_ids != np.array(answer.ids)[:, None]).all(axis=1)
    rows = np.hstack([scores, np.where(outside, chosen, -np.inf)[:, None]]) / temperature
    highest = rows.max(axis=1)
    totals = highest + np.log(np.exp(rows - highest[:, None]).sum(axis=1))
    nats = float((chosen / temperature - totals).sum(dtype=np.float64))
    if answer.arm.temperature or answer.arm.reader == "nobody":
        return ReplayedAnswer(nats, None)
    changed = np.zeros(len(answer.ids), bool)
    changed[list(answer.written.changed)] = True
    return ReplayedAnswer(nats, int((changed != (scores.argmax(axis=1) != 0)).sum()))


def _capped(answer: _Answer, bonus: Array, epsilon: float) -> float:
    """The log-probability of the draws under the cap, which depends on the draws before."""
    spent, nats = 0.0, 0.0
    for at, token in enumerate(answer.ids):
        top = answer.top_ids[at, :TOP_K], answer.top_logprobs[at, :TOP_K]
        room = max(min(STEP, epsilon - spent), 0.0), max(min(STEP, epsilon + spent), 0.0)
        drawn_from = law(*top, bonus[at], *room, answer.arm.temperature)
        found = np.flatnonzero(drawn_from.ids == token)
        if not found.size:  # rounding has moved it out of the row
            nats += math.log(RAREST)
            continue
        index = int(found[0])
        nats += math.log(int(drawn_from.steered[index]) / int(drawn_from.steered.sum()))
        spent += drawn_from.log_ratio(index)
    return nats


def _question(written: Written) -> list[Message]:
    return [{"role": "user", "content": written.query}]
