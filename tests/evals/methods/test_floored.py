"""The rule against its formula in plain Python."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.decoding.steering import log_softmax
from costeer_evals.methods.floored import Floored
from costeer_evals.methods.text_cache import TextCache
from costeer_evals.prompts import TokenPrompts

V = 12
F = Floored()


@given(st.integers(0, 2**31), st.lists(st.integers(0, V - 1), max_size=9))
def test_is_its_formula(seed: int, text: Any) -> None:
    rng = np.random.default_rng(seed)
    names = ("llm_without", "slm_with", "slm_without")
    rows = {name: log_softmax(rng.normal(0, 6, (3, V))) for name in names}
    prompts = TokenPrompts(public=(99, 98), private=(99, *text, 98), reference=())
    answer = [1, 2]  # the rows follow nothing, 1, and 1 2
    found = F.begin(prompts).scores(rows, answer)
    cache = TextCache(text)
    for i in range(3):
        for token in range(V):
            llm, small, without = (float(rows[name][i, token]) for name in names)
            d = small - max(without, F.floor)
            expected = llm + F.gain * d + (F.sure_gain - F.gain) * max(d - F.sure, 0)
            if token in text:
                likely = cache.logprobs(answer[:i])[list(cache.ids).index(token)]
                expected += F.copy * max(likely + F.reach, 0)
            assert found[i, token] == pytest.approx(expected, abs=1e-3)
    assert math.isclose(sum(np.exp(cache.logprobs(answer))), 1 if text else 0, rel_tol=1e-5)
