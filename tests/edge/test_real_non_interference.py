"""Other real values, the same requests to the cloud, on the default pair.

What the toy models of ``test_non_interference`` cannot show: that nothing in the real tokenizers,
templates and engines depends on a value. Fifty cases of eight tokens.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from costeer import Costeer
from costeer.cloud.in_process import InProcess
from costeer.exceptions import ModelFileError
from costeer.models.files.catalog import resolve
from costeer.privacy.guard import Guard
from tests.edge.test_non_interference import CONTEXT, confirmed, fill, texts, values

pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(3600)]

CASES = 25
"""For each of the two clouds."""


class Recorder:
    """A cloud that keeps what it is asked; a lying one finds what it sends equally likely."""

    def __init__(self, inner: Any, lying: bool) -> None:
        self.inner, self.lying = inner, lying
        self.asked: list[Any] = []

    def info(self) -> Any:
        return self.inner.info()

    def stream(self, prompt_ids: Any, top_k: Any, max_tokens: Any, *rest: Any, **more: Any) -> Any:
        self.asked.append((tuple(prompt_ids), top_k, max_tokens))
        with closing(self.inner.stream(prompt_ids, top_k, max_tokens, *rest, **more)) as steps:
            for step in steps:
                flat = np.full(len(step.top_ids), -np.log(len(step.top_ids)), np.float32)
                yield replace(step, top_logprobs=flat) if self.lying else step

    def close(self) -> None:
        """The inner one is shared."""


@pytest.fixture(scope="module")
def pair() -> Iterator[Any]:
    from costeer.models.engines.llamacpp import LlamaCpp

    try:
        small, large = (resolve(f"qwen2.5-coder-{size}") for size in ("0.5b", "1.5b"))
    except ModelFileError as error:
        pytest.skip(str(error))
    with (
        closing(LlamaCpp(small, context=1024, sequences=2)) as slm,
        closing(LlamaCpp(large, context=1024, sequences=2)) as llm,
    ):
        yield slm, InProcess(llm)


def requests(pair: Any, lying: bool, v: Any, turn: Any, seed: Any, mode: Any) -> Any:
    """All that the cloud was asked for one answer."""
    cloud, guard = Recorder(pair[1], lying), Guard(mode, confirmed(v), random.Random(seed))
    costeer = Costeer(cloud, pair[0], strength="auto", guard=guard, mode="lockstep", lanes=1)
    try:
        costeer.generate(fill(turn, v), fill(CONTEXT, v) + "tea.", max_tokens=8)
    finally:
        costeer.stop()
        costeer.lanes.close()
    return cloud.asked


@pytest.mark.parametrize("lying", [False, True], ids=["honest", "lying"])
@given(
    real=values(),
    other=values(),
    turn=texts,
    seed=st.integers(0, 2**32),
    mode=st.sampled_from(["stand-in", "strict"]),
)
@settings(max_examples=CASES, phases=[Phase.generate], deadline=None, database=None)
def test_other_values_give_the_same_requests(
    pair: Any, lying: bool, real: Any, other: Any, turn: Any, seed: Any, mode: Any
) -> None:
    asked = [requests(pair, lying, v, turn, seed, mode) for v in (real, other)]
    assert len(asked[0]) >= 1
    assert asked[0] == asked[1]
