"""A whole steered answer by torch models of both sides, in two dtypes, on any device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from costeer import Costeer
from costeer.cloud.in_process import InProcess
from costeer.edge.prompts import build
from tests.support.steering import full_scores
from tests.support.tiny import write_folder

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from costeer.models.engines.transformers import Transformers

QUERY, CONTEXT = "What shall I cook tonight?", "I am allergic to nuts.\n\nI live in Troms\u00f8."
TOKENS = 40


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two random models of one tokenizer."""
    return [
        write_folder(tmp_path_factory.mktemp(f"tiny{seed}") / "tiny", seed=seed) for seed in (0, 1)
    ]


@pytest.mark.parametrize("mode", ["lockstep", "run-ahead"])
@pytest.mark.parametrize(("dtype", "rounding"), [("float32", 1e-3), ("bfloat16", 1.0)])
def test_every_token_is_proven_and_the_best_up_to_rounding(
    folders: Any, device: Any, mode: Any, dtype: Any, rounding: Any
) -> None:
    """The judge reads the answer at once, over the whole vocabulary; rows then round otherwise."""
    llm, slm = (
        Transformers(folder, device=device, dtype=dtype, context=512, sequences=6)
        for folder in folders
    )
    strength = 1.0
    with Costeer(InProcess(llm), slm, strength=strength, mode=mode, guard="off") as costeer:
        result = costeer.generate(QUERY, CONTEXT, max_tokens=TOKENS)
        answer = result.token_ids
        prompts = build(slm.tokenizer, [{"role": "user", "content": QUERY}], CONTEXT, 400)
        scores = full_scores(llm, slm, prompts, answer, strength)
    llm.close()
    assert len(answer) > 4
    assert result.changed > 0
    assert result.proven + result.retried == result.steps
    assert result.unproven == 0
    assert (scores.max(axis=1) - scores[np.arange(len(answer)), answer]).max() < rounding
