"""A method under a cap: what the tokens of the answer have told stays within it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.decoding.steering import log_softmax
from costeer.exceptions import ParameterError
from costeer_evals.methods.base import Method, Rows
from costeer_evals.methods.registry import make_method, parse_method
from tests.evals.methods.test_methods import rows

WIDTH = 12
SEEDS = st.integers(0, 10_000)


def log_ratios(method: Method, given_rows: Rows, answer: list[int]) -> npt.NDArray[Any]:
    """(n, V) how much likelier the cap's law makes each token, at each place of an answer."""
    logprobs = log_softmax(method.begin().scores(given_rows, answer[:-1]))
    difference: npt.NDArray[Any] = logprobs - given_rows["llm_without"]
    return difference


@given(SEEDS, st.floats(0.1, 6), st.lists(st.integers(0, WIDTH - 1), min_size=8, max_size=8))
def test_no_answer_tells_more_than_the_cap(seed: int, epsilon: float, answer: list[int]) -> None:
    method = parse_method(f"capped-{epsilon:.3f}-costeer")
    ratios = log_ratios(method, rows(seed, n=8, width=WIDTH), answer)
    told = ratios[np.arange(8), answer].cumsum()
    assert np.abs(told).max() <= epsilon + 1e-3


def test_under_a_wide_cap_small_steps_are_those_of_the_method() -> None:
    given_rows = rows(n=4, scale=0.2)
    free = log_softmax(make_method("light-costeer").scores(given_rows))
    capped = log_softmax(parse_method("capped-1000-light-costeer").scores(given_rows))
    assert np.allclose(capped, free, atol=1e-4)


def test_a_spent_cap_leaves_the_row_of_the_llm() -> None:
    given_rows = rows(n=4)
    method = parse_method("capped-0-costeer")
    assert np.array_equal(method.scores(given_rows), given_rows["llm_without"])


@given(SEEDS, st.integers(1, 7))
def test_it_does_not_matter_in_which_pieces_the_rows_come(seed: int, cut: int) -> None:
    given_rows = rows(seed, n=8, width=WIDTH)
    answer = np.random.default_rng(seed).integers(WIDTH, size=8).tolist()
    method = parse_method("capped-2-auto")
    whole = method.begin().scores(given_rows, answer[:-1])
    rule = method.begin()
    first = rule.scores({k: v[:cut] for k, v in given_rows.items()}, answer[: cut - 1])
    second = rule.scores({k: v[cut:] for k, v in given_rows.items()}, answer[:-1])
    assert np.array_equal(whole, np.concatenate([first, second]))


@pytest.mark.parametrize(("name", "top"), [("capped-8-costeer", 64), ("capped-8-of-5-costeer", 5)])
def test_only_the_first_tokens_of_the_llm_are_chosen_among(name: str, top: int) -> None:
    given_rows = rows(n=1, width=200)
    capped = log_softmax(parse_method(name).scores(given_rows))
    row = given_rows["llm_without"][0]
    changed = np.flatnonzero(np.abs(capped[0] - row) > 1e-5)
    assert changed.size
    assert set(changed) <= set(np.argsort(-row)[:top].tolist())


def test_a_guided_method_is_capped_on_the_guided_row() -> None:
    method = parse_method("capped-8-guided-light-costeer")
    assert method.needs == {"llm_guided", "slm_with", "slm_without"}
    assert method.label == "LightCoSteer, guided, epsilon 8"


@pytest.mark.parametrize(
    "name",
    ["capped-8-llm-with", "capped-1.2.3-costeer", "capped-8-nothing", "capped-8-of-0-costeer"],
)
def test_what_cannot_be_capped_is_refused(name: str) -> None:
    with pytest.raises(ParameterError):
        parse_method(name)


def test_another_cap_is_another_method() -> None:
    assert parse_method("capped-1-costeer").key() != parse_method("capped-8-costeer").key()
