import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costeer.decoding.auto import AutoParams, bonus
from costeer.decoding.certify import choose_certified
from costeer.decoding.sampling import SamplingParams, choose, gumbel
from costeer.decoding.steering import log_softmax

P = AutoParams()
V = 40


def rows(seed, n=1, spread=4.0):
    return log_softmax(np.random.default_rng(seed).normal(0, spread, (n, V)))


@given(st.integers(0, 2**31))
def test_is_its_formula(seed):
    with_, without = rows(seed)[0], rows(seed + 1)[0]
    changes = [float(a) - float(b) for a, b in zip(with_, without, strict=True)]
    expected = [P.up * d if d > 0 else P.down * d for d in changes]
    assert bonus(with_, without, P) == pytest.approx(expected, abs=1e-4)
    assert bonus(with_, without, P).dtype == np.float32


def test_equal_gains_are_plain_steering():
    with_, without = rows(1)[0], rows(2)[0]
    assert np.allclose(bonus(with_, without, AutoParams(0.5, 0.5)), 0.5 * (with_ - without))


def test_positions_together_are_positions_one_by_one():
    """Bit for bit, or run-ahead would differ from lockstep."""
    with_, without = rows(1, 6), rows(2, 6)
    together = bonus(with_, without, P)
    for i in range(6):
        assert np.array_equal(together[i], bonus(with_[i], without[i], P))


def test_impossible_tokens_stay_finite():
    nothing = np.full((1, 4), -np.inf, np.float32)
    assert np.isfinite(bonus(nothing, nothing, P)).all()


@settings(max_examples=150)
@given(
    st.integers(0, 2**31),
    st.integers(1, V),
    st.sampled_from([0.0, 0.7, 1.0]),
    st.sampled_from([1.0, 0.9]),
)
def test_a_proven_choice_is_the_full_vocabularys(seed, k, temperature, top_p):
    llm = rows(seed)[0]
    added = bonus(rows(seed + 1)[0], rows(seed + 2)[0], P)
    sampling = SamplingParams(temperature, top_p, seed % 1000)
    noise = None if sampling.greedy else gumbel(seed % 1000, 0, V)
    top = np.argsort(-llm, kind="stable")[:k].astype(np.int32)
    found = choose_certified(top, llm[top], added, 1.0, sampling, noise)
    full = choose(llm + added, sampling, noise)
    assert not found.proven or found.token == full
    if k == V:
        assert found.proven
