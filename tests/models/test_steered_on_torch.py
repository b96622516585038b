"""A whole steered answer by torch models of both sides, in two dtypes, on any device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from costeer import Costeer
from costeer.cloud.in_process import InProcess
from costeer.cloud.server.process import ServerProcess
from costeer.edge.prompts import build
from tests.support.serving import http_get
from tests.support.steering import full_scores
from tests.support.tiny import write_folder

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from costeer.models.engines.transformers import Transformers

QUERY, CONTEXT = "What shall I cook tonight?", "I am allergic to nuts.\n\nI live in Troms\u00f8."
TOKENS, STRENGTH = 40, 1.0


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two random models of one tokenizer."""
    return [
        write_folder(tmp_path_factory.mktemp(f"tiny{seed}") / "tiny", seed=seed) for seed in (0, 1)
    ]


def load(folder: Path, device: str, dtype: str) -> Transformers:
    return Transformers(folder, device=device, dtype=dtype, context=512, sequences=6)


def check(result: Any, llm: Transformers, slm: Transformers, rounding: float) -> None:
    """Each token is the best over the whole vocabulary, where the answer is read at once."""
    answer = result.token_ids
    prompts = build(slm.tokenizer, [{"role": "user", "content": QUERY}], CONTEXT, 400)
    scores = full_scores(llm, slm, prompts, answer, STRENGTH)
    assert (scores.max(axis=1) - scores[np.arange(len(answer)), answer]).max() < rounding
    assert len(answer) > 4
    assert result.changed > 0
    assert (result.proven + result.retried, result.unproven) == (result.steps, 0)


@pytest.mark.parametrize("mode", ["lockstep", "run-ahead"])
@pytest.mark.parametrize(("dtype", "rounding"), [("float32", 1e-3), ("bfloat16", 1.0)])
def test_every_token_is_proven_and_the_best_up_to_rounding(
    folders: Any, device: Any, mode: Any, dtype: Any, rounding: Any
) -> None:
    llm, slm = (load(folder, device, dtype) for folder in folders)
    with Costeer(InProcess(llm), slm, strength=STRENGTH, mode=mode, guard="off") as costeer:
        result = costeer.generate(QUERY, CONTEXT, max_tokens=TOKENS)
        check(result, llm, slm, rounding)
    llm.close()


@pytest.mark.slow
def test_the_large_model_as_a_server_on_the_same_device(folders: Any, device: Any) -> None:
    dtype, rounding = ("float32", 1e-3) if device == "cpu" else ("bfloat16", 1.0)
    llm, slm = (load(folder, device, dtype) for folder in folders)
    options = ("--device", device, "--context", "512", "--threads", "1")
    with ServerProcess(str(folders[0]), options) as server:
        served = http_get(f"{server.url}/v1/models").json()["data"][0]["costeer"]
        assert served["repeatable"] == (device == "cpu")
        with Costeer(server.url, slm, strength=STRENGTH, guard="off") as costeer:
            result = costeer.generate(QUERY, CONTEXT, max_tokens=TOKENS)
            check(result, llm, slm, rounding)
    llm.close()
