"""The cache of the private text is a Witten-Bell model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer_evals.methods.text_cache import ORDER, TextCache

TOKENS = st.lists(st.integers(0, 6), max_size=30)


def witten_bell(text: list[int], answer: Any, token: int) -> float:
    """As the definition has it, from the longest ending down."""

    def level(length: int) -> float:
        if length == 0:
            return text.count(token) / len(text)
        ending = answer[len(answer) - length :]
        following = [
            text[i + length] for i in range(len(text) - length) if text[i : i + length] == ending
        ]
        different = len(set(following))
        if not following:
            return level(length - 1)
        return (following.count(token) + different * level(length - 1)) / (
            len(following) + different
        )

    return level(min(ORDER, len(answer)))


@pytest.mark.slow
@given(TOKENS.filter(bool), TOKENS)
def test_is_witten_bell(text: list[int], answer: Any) -> None:
    cache = TextCache(text)
    expected = [witten_bell(text, answer, token) for token in sorted(set(text))]
    assert cache.ids.tolist() == sorted(set(text))
    assert np.exp(cache.logprobs(answer)) == pytest.approx(expected, rel=1e-5)
    assert sum(expected) == pytest.approx(1)


@pytest.mark.parametrize("text", [[], [7]])
def test_texts_without_a_pair(text: Any) -> None:
    assert TextCache(text).ids.tolist() == text
    assert TextCache(text).logprobs([7, 7]).tolist() == [0.0] * len(text)


def test_goes_on_as_the_text_does() -> None:
    cache = TextCache([1, 2, 3, 9, 1, 2, 4, 9, 5, 2, 4])
    after = cache.logprobs([8, 1, 2])
    assert cache.ids[after.argsort()[-2:]].tolist() in ([3, 4], [4, 3])
    assert cache.ids[cache.logprobs([5, 2]).argmax()] == 4
