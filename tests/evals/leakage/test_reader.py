"""The reader: what it compares, on toy models and on one that speaks."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from costeer.models.fake import FakeModel
from costeer_evals.leakage.candidates import Candidates
from costeer_evals.leakage.reader import ASK, AnswerReader
from costeer_evals.leakage.writing import Written

PAIR = ("I am vegan.", "I am a baker.")
ANSWER = Written((1,), "No cheese.", "No cheese.", "What shall I cook?", (), 0.0, warned=False)


def candidates(pair: Any = PAIR, truth: int = 0) -> Candidates:
    return Candidates(("",), truth, frozenset(), None, pair)


def score_literally(model: Any, messages: Any, reply: str) -> float:
    """Token by token, in a sequence of its own."""
    prompt, ids = model.tokenizer.chat(messages), model.tokenizer.encode(reply)
    with closing(model.sequence()) as sequence:
        row, total = sequence.extend(prompt)[-1], 0.0
        for token in ids:
            total += float(row[token])
            row = sequence.extend([token])[-1]
    return total


@pytest.fixture
def reader() -> Any:
    model = FakeModel(seed=3)
    with closing(AnswerReader(model)) as reader:
        yield reader


def test_the_score_is_that_of_the_reply_whatever_was_read_before(reader: Any) -> None:
    talks = [[{"role": "user", "content": text}] for text in ("a", "ab", "a", "b", "a")]
    for talk in talks:
        for reply in ("xyz", "x", "xyz and more"):
            expected = score_literally(FakeModel(seed=3), talk, reply)
            assert reader.score(talk, reply) == pytest.approx(expected, abs=1e-3)


def test_the_shift_is_what_the_answer_adds_to_the_question(reader: Any) -> None:
    model = FakeModel(seed=3)
    talk = [
        {"role": "user", "content": ANSWER.query},
        {"role": "assistant", "content": ANSWER.sent},
        {"role": "user", "content": ASK},
    ]
    alone = [{"role": "user", "content": f"{ANSWER.query}\n\n{ASK}"}]
    expected = [score_literally(model, talk, r) - score_literally(model, alone, r) for r in PAIR]
    assert reader.shifts(ANSWER, PAIR) == pytest.approx(expected, abs=1e-3)


def test_the_record_that_the_answer_makes_likelier_wins(reader: Any) -> None:
    outcomes = set()
    for text in ("No cheese.", "Bread!", "Well", "Ask", "Soup"):
        answer = replace(ANSWER, sent=text)
        own, other = reader.shifts(answer, PAIR)
        found = reader.prefers(answer, candidates())
        assert found is bool(np.greater(own, other))
        assert reader.prefers(answer, candidates(PAIR[::-1])) is not found
        outcomes.add(found)
    assert outcomes == {True, False}


def test_equal_scores_are_a_coin_and_no_pair_is_no_verdict(reader: Any) -> None:
    same = ("I hum.", "I hum.")
    assert [reader.prefers(ANSWER, candidates(same, truth)) for truth in (0, 1)] == [True, False]
    assert reader.prefers(ANSWER, candidates(None)) is None


def test_a_record_that_does_not_fit_is_read_as_far_as_it_fits() -> None:
    model = FakeModel(seed=3)
    with closing(AnswerReader(model)) as reader:
        long = "x" * (2 * model.context_length)
        assert np.isfinite(reader.score([{"role": "user", "content": "a"}], long))
