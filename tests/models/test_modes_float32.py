"""Run-ahead gives what lockstep gives, on real float32 arithmetic.

By default a sample of cases; 1,000 with ``make test-exact``. On a GPU, whose rows are not
repeatable, the two may part at a near-tie.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.cloud.in_process import InProcess
from costeer.decoding.sampling import SamplingParams, gumbel, perturb
from costeer.edge.decode import DecodeParams, generate_step
from costeer.edge.prompts import Prompts
from costeer.edge.slm import SlmPair
from tests.support.steering import PairDelta, full_scores
from tests.support.tiny import write_folder

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from costeer.models.engines.transformers import Transformers

NEAR_TIE = 1e-3
"""A difference of scores that the rounding of float32 may turn around."""

pytestmark = pytest.mark.timeout(600)  # 1,000 cases on a busy machine


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, device: str) -> Iterator[Any]:
    """Two random models of one tokenizer."""
    loaded = []
    for seed in (0, 1):
        folder = tmp_path_factory.mktemp(f"tiny{seed}")
        write_folder(folder, seed=seed)
        loaded.append(
            Transformers(folder, device=device, dtype="float32", context=128, sequences=4)
        )
    yield loaded
    for model in loaded:
        model.close()


@given(
    seed=st.integers(0, 100_000),
    gain=st.sampled_from([0.2, 0.476, 1.0, 1.783]),
    top_k=st.sampled_from([1, 16, 64]),
    length=st.integers(1, 12),
    temperature=st.sampled_from([0.0, 0.0, 0.7, 1.0]),
)
def test_the_same_tokens(
    models: Any, seed: Any, gain: Any, top_k: Any, length: Any, temperature: Any
) -> None:
    llm, slm = models
    rng = np.random.default_rng(seed)
    public = tuple(int(i) for i in rng.integers(0, 250, 6))
    private = (*(int(i) for i in rng.integers(0, 250, 5)), *public)
    prompts = Prompts(public, public, private)
    pair = SlmPair(slm)
    local, cloud = PairDelta(pair), InProcess(llm)
    sampling = SamplingParams(temperature, seed=seed)
    found = []
    for mode in ("lockstep", "run-ahead"):
        params = DecodeParams(gain, top_k, length, sampling, llm.tokenizer.eos_ids, mode)
        steps = generate_step(cloud, local, prompts, params)
        found.append([step.token for step in steps])
    cloud.close()
    pair.close()
    at = next((i for i, (a, b) in enumerate(zip(*found, strict=False)) if a != b), None)
    if at is None or llm.repeatable:
        assert found[0] == found[1]
        return
    scores = full_scores(llm, slm, prompts, found[0][: at + 1], gain)[at]
    if temperature:
        scores = perturb(scores, temperature, gumbel(seed, at, scores.size))
    assert abs(scores[found[0][at]] - scores[found[1][at]]) < NEAR_TIE
