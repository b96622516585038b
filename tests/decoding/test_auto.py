"""The rule behind strength "auto", against its definition."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.decoding.auto import Auto, AutoParams, divergence, private_part
from costeer.decoding.certify import choose_certified
from costeer.decoding.sampling import SamplingParams, choose, gumbel
from costeer.decoding.steering import log_softmax

P = AutoParams(run=3)
V = 40
TOKENS = st.lists(st.integers(0, V - 1), max_size=12)
FEW = st.lists(st.integers(0, 2), max_size=25)  # copies of three tokens are common


def rows(seed: Any, n: Any = 1, spread: Any = 1.0) -> Any:
    return log_softmax(np.random.default_rng(seed).normal(0, spread, (n, V)))


def nats(with_: Any, without: Any) -> Any:
    pairs = zip(with_.tolist(), without.tolist(), strict=True)
    return sum(math.exp(w) * (w - p) for w, p in pairs)


def by_hand(with_: Any, without: Any, text: Any, answer: Any) -> Any:
    """The docstring's formula in plain Python, at the last of these positions."""
    recent = 0.0
    for w, p in zip(with_, without, strict=True):
        recent += (min(nats(w, p), P.cap) - recent) / P.span
    weight = min(1, nats(with_[-1], without[-1]) / P.knee) * min(1, P.calm / recent)
    copied = [
        text[start + P.run]
        for start in range(len(text) - P.run)
        if len(answer) >= P.run and text[start : start + P.run] == answer[-P.run :]
    ]
    bonus = []
    for token, (likely, plain) in enumerate(zip(with_[-1], without[-1], strict=True)):
        near = max(0, 1 - (max(with_[-1]) - likely) / P.fade)
        help_ = P.gain * weight * (likely - plain)
        help_ *= near if help_ > 0 else 1
        bonus.append(min(help_, 0) if token in copied else help_)
    return bonus


@pytest.mark.slow
@given(st.integers(0, 2**31), TOKENS | FEW, TOKENS | FEW, st.sampled_from([0.3, 1.0, 3.0]))
def test_is_its_formula(seed: Any, text: Any, answer: Any, spread: Any) -> None:
    n = len(answer) + 1
    with_, without = rows(seed, n, spread), rows(seed + 1, n, spread)
    bonus = Auto(P, text).bonus(with_, without, answer)
    for i in range(n):
        expected = by_hand(with_[: i + 1], without[: i + 1], text, answer[:i])
        assert bonus[i] == pytest.approx(expected, abs=1e-3)
    assert bonus.dtype == np.float32


def test_positions_together_are_positions_one_by_one() -> None:
    """Bit for bit, or run-ahead would differ from lockstep."""
    with_, without = rows(1, 6), rows(2, 6)
    text, answer = [3, 5, 8, 9, 3, 5, 7], [3, 5, 8, 9, 3]
    together = Auto(P, text).bonus(with_, without, answer)
    rule = Auto(P, text)
    for i in range(6):
        alone = rule.bonus(with_[i : i + 1], without[i : i + 1], answer[:i])
        assert np.array_equal(together[i], alone[0])


def test_positions_that_were_rolled_back_leave_no_trace() -> None:
    with_, without = rows(1, 6), rows(2, 6)
    straight = Auto(P, []).bonus(with_, without, [1, 2, 3, 4, 5])
    rule = Auto(P, [])
    rule.bonus(with_[:2], without[:2], [1])
    rule.bonus(rows(7, 3), rows(8, 3), [1, 2, 9, 9])  # a draft that is rejected at its second token
    assert np.array_equal(rule.bonus(with_[2:], without[2:], [1, 2, 3, 4, 5]), straight[2:])


def test_silent_where_the_context_says_nothing_and_full_where_it_decides() -> None:
    quiet = rows(1)
    assert not Auto(P, []).bonus(quiet, quiet).any()
    loud = log_softmax(np.eye(1, V, 5, dtype=np.float32) * 9)
    uniform = log_softmax(np.zeros((1, V), np.float32))
    assert Auto(P, []).bonus(loud, uniform) == pytest.approx(P.gain * (loud - uniform), rel=1e-5)


def test_what_the_small_model_would_not_say_gets_no_help() -> None:
    """However much likelier the context makes it; what it makes less likely is not touched."""
    with_ = log_softmax(np.array([[9, 5, 3, 0, 0]], np.float32))
    without = log_softmax(np.array([[9, -9, -9, -9, 5]], np.float32))
    bonus = Auto(AutoParams(knee=1e-9, fade=5.0), []).bonus(with_, without)[0]
    delta = with_[0] - without[0]
    assert bonus[1] == pytest.approx(2.5 * delta[1] * 0.2, rel=1e-4)
    assert bonus[2] == bonus[3] == 0 < delta[3]
    assert bonus[4] == pytest.approx(2.5 * delta[4]) and delta[4] < 0


def test_the_gain_falls_while_the_context_is_recited() -> None:
    loud = log_softmax(np.eye(1, V, 5, dtype=np.float32) * 9).repeat(30, axis=0)
    uniform = log_softmax(np.zeros((30, V), np.float32))
    bonus = Auto(P, []).bonus(loud, uniform, [5] * 29)[:, 5]
    assert bonus[20] < bonus[0] / 3


def test_a_copied_run_gets_no_more_help() -> None:
    """Not the next token of the text, after eight in a row; others go on as they did."""
    with_ = log_softmax(np.eye(1, 30, 9, dtype=np.float32) * 9)
    without = log_softmax(np.zeros((1, 30), np.float32))

    def helped(answer: Any) -> Any:
        return Auto(AutoParams(), range(20)).bonus(with_, without, answer)[0, 9]

    assert helped(range(2, 9)) > 2  # seven
    assert helped(range(1, 9)) == 0
    assert helped([8, *range(2, 9)]) > 2


def test_impossible_tokens_stay_finite() -> None:
    nothing = np.full((1, 4), -np.inf, np.float32)
    certain = np.array([[0, -np.inf, -np.inf, -np.inf]], np.float32)
    for with_, without in ((nothing, nothing), (certain, nothing), (nothing, certain)):
        assert np.isfinite(Auto(P, [1, 2]).bonus(with_, without)).all()


@given(st.integers(0, 2**31), st.sampled_from([0.1, 1.0, 8.0]))
def test_divergence_is_the_kullback_leibler_divergence(seed: Any, spread: Any) -> None:
    with_, without = rows(seed, 1, spread)[0], rows(seed + 1, 1, spread)[0]
    found = divergence(with_, with_ - without)
    assert found == pytest.approx(nats(with_, without), rel=1e-4, abs=1e-4) and found >= 0


@given(
    st.integers(0, 2**31),
    st.integers(1, V),
    st.sampled_from([0.0, 0.7, 1.0]),
    st.sampled_from([1.0, 0.9]),
)
def test_a_proven_choice_is_the_full_vocabularys(
    seed: Any, k: Any, temperature: Any, top_p: Any
) -> None:
    llm = rows(seed, spread=4.0)[0]
    bonus = Auto(P, [1, 2, 3, 1, 2, 4]).bonus(rows(seed + 1, spread=2.0), rows(seed + 2))[0]
    sampling = SamplingParams(temperature, top_p, seed % 1000)
    noise = None if sampling.greedy else gumbel(seed % 1000, 0, V)
    top = np.argsort(-llm, kind="stable")[:k].astype(np.int32)
    found = choose_certified(top, llm[top], bonus, 1.0, sampling, noise)
    full = choose(llm + bonus, sampling, noise)
    assert not found.proven or found.token == full
    if k == V:
        assert found.proven


def test_private_part_is_what_only_the_private_prompt_has() -> None:
    assert private_part([1, 2, 8, 9], [1, 2, 5, 6, 7, 8, 9]) == (5, 6, 7)
    assert private_part([1, 8], [1, 8]) == ()
    assert private_part([], [4, 5]) == (4, 5)


@given(TOKENS, TOKENS, TOKENS)
def test_private_part_is_never_longer_than_the_rest(start: Any, middle: Any, end: Any) -> None:
    part = private_part([*start, *end], [*start, *middle, *end])
    assert len(part) == len(middle)
