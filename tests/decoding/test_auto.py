import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costeer.decoding.auto import Auto, AutoParams, private_part
from costeer.decoding.certify import choose_certified
from costeer.decoding.sampling import SamplingParams, choose, gumbel
from costeer.decoding.steering import log_softmax

P = AutoParams(run=3)
V = 40
TOKENS = st.lists(st.integers(0, V - 1), max_size=12)
FEW = st.lists(st.integers(0, 2), max_size=25)  # copies of three tokens are common


def rows(seed, n=1, spread=4.0):
    return log_softmax(np.random.default_rng(seed).normal(0, spread, (n, V)))


def by_hand(with_, without, text, token, answer):
    """The docstring's formula, in plain Python."""
    change = float(with_[token]) - max(float(without[token]), P.floor)
    if token not in text:
        return P.gain * change
    if change <= 0:
        return P.down * change
    copied = answer[-P.run :] if len(answer) >= P.run else None
    for start in range(len(text) - P.run):
        if text[start : start + P.run] == copied and text[start + P.run] == token:
            return 0.0
    return (P.gain if token in answer else P.up) * change


@given(st.integers(0, 2**31), TOKENS | FEW, TOKENS | FEW, st.integers(1, 3))
def test_is_its_formula(seed, text, answer, count):
    answer = [0] * count + answer  # the positions follow these, one after another
    with_, without = rows(seed, count), rows(seed + 1, count, spread=8.0)  # some below the floor
    bonus = Auto(P, text).bonus(with_, without, answer)
    for i in range(count):
        before = answer[: len(answer) - count + 1 + i]
        expected = [by_hand(with_[i], without[i], text, token, before) for token in range(V)]
        assert bonus[i] == pytest.approx(expected, abs=1e-4)
    assert bonus.dtype == np.float32


def test_positions_together_are_positions_one_by_one():
    """Bit for bit, or run-ahead would differ from lockstep."""
    with_, without = rows(1, 6), rows(2, 6)
    rule, answer = Auto(P, [3, 5, 8, 9, 3, 5, 7]), [1, 3, 5, 8, 9, 3, 2]
    together = rule.bonus(with_, without, answer)
    for i in range(6):
        alone = rule.bonus(with_[i : i + 1], without[i : i + 1], answer[: i + 2])
        assert np.array_equal(together[i], alone[0])


def test_a_copied_run_gets_no_more_help():
    """Not the next token of the text, after eight in a row; others go on as they did."""
    with_, without = log_softmax(np.eye(1, 30, 9, dtype=np.float32) * 9), np.zeros((1, 30))
    rule = Auto(AutoParams(), range(20))
    assert rule.bonus(with_, without - 3.4, range(2, 9))[0, 9] > 2  # seven
    assert rule.bonus(with_, without - 3.4, range(1, 9))[0, 9] == 0
    assert rule.bonus(with_, without - 3.4, [8, *range(2, 9)])[0, 9] > 2


def test_impossible_tokens_stay_finite():
    nothing = np.full((1, 4), -np.inf, np.float32)
    assert np.isfinite(Auto(P, [1, 2]).bonus(nothing, nothing)).all()


@settings(max_examples=150)
@given(
    st.integers(0, 2**31),
    st.integers(1, V),
    st.sampled_from([0.0, 0.7, 1.0]),
    st.sampled_from([1.0, 0.9]),
)
def test_a_proven_choice_is_the_full_vocabularys(seed, k, temperature, top_p):
    llm = rows(seed)[0]
    bonus = Auto(P, [1, 2, 3, 1, 2, 4]).bonus(rows(seed + 1), rows(seed + 2), [2])[0]
    sampling = SamplingParams(temperature, top_p, seed % 1000)
    noise = None if sampling.greedy else gumbel(seed % 1000, 0, V)
    top = np.argsort(-llm, kind="stable")[:k].astype(np.int32)
    found = choose_certified(top, llm[top], bonus, 1.0, sampling, noise)
    full = choose(llm + bonus, sampling, noise)
    assert not found.proven or found.token == full
    if k == V:
        assert found.proven


def test_private_part_is_what_only_the_private_prompt_has():
    assert private_part([1, 2, 8, 9], [1, 2, 5, 6, 7, 8, 9]) == (5, 6, 7)
    assert private_part([1, 8], [1, 8]) == ()
    assert private_part([], [4, 5]) == (4, 5)


@given(TOKENS, TOKENS, TOKENS)
def test_private_part_is_never_longer_than_the_rest(start, middle, end):
    part = private_part([*start, *end], [*start, *middle, *end])
    assert len(part) == len(middle)
