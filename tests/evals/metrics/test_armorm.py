"""The reward model's frame, on a tiny random model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from costeer.exceptions import ModelFileError, ParameterError
from tests.support import tiny_torch

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from costeer_evals.metrics.armorm import REWARDS, ArmoRM  # noqa: E402 - after the skips

QUESTIONS, PREFERENCES, ANSWERS = ["a", "b c d", "c"], ["d", "d", "a"], ["b", "c", "d a b c"]


@pytest.fixture
def model() -> Any:
    return tiny_torch.classifier(REWARDS)


def test_rewards_are_of_the_last_token_whatever_the_batch(model: Any) -> None:
    rewards = ArmoRM(model, tiny_torch.tokenizer(), batch_size=2).rewards(
        QUESTIONS, PREFERENCES, ANSWERS
    )
    assert rewards.shape == (3, 19) and rewards.dtype == np.float32
    one_by_one = ArmoRM(model, tiny_torch.tokenizer(), batch_size=1)
    assert np.allclose(rewards, one_by_one.rewards(QUESTIONS, PREFERENCES, ANSWERS), atol=1e-5)
    with torch.inference_mode():
        # [SEP] user a d [SEP] assistant b: the question, a space, the preference; the answer
        alone = model(torch.tensor([[2, 3, 5, 8, 2, 4, 6]])).logits.numpy()
    assert np.allclose(rewards[0], alone[0], atol=1e-5)


def test_the_score_is_reward_six(model: Any) -> None:
    armorm = ArmoRM(model, tiny_torch.tokenizer())
    rewards = armorm.rewards(QUESTIONS, PREFERENCES, ANSWERS)
    assert np.array_equal(armorm.scores(QUESTIONS, PREFERENCES, ANSWERS), rewards[:, 6])
    assert armorm.scores([], [], []).shape == (0,)


def test_the_released_names_of_the_weights_are_read(model: Any, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    model.save_pretrained(tmp_path)
    tiny_torch.tokenizer().save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    weights["regression_layer.weight"] = weights.pop("score.weight")
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    loaded = ArmoRM.load(str(tmp_path), dtype="float32")
    expected = ArmoRM(model, tiny_torch.tokenizer()).rewards(QUESTIONS, PREFERENCES, ANSWERS)
    assert np.allclose(loaded.rewards(QUESTIONS, PREFERENCES, ANSWERS), expected, atol=1e-5)


def test_a_narrow_dtype_leaves_the_rotary_frequencies_exact(model: Any, tmp_path: Path) -> None:
    """Rounded ones put the words of a long text in other places."""
    model.save_pretrained(tmp_path)
    tiny_torch.tokenizer().save_pretrained(tmp_path)
    loaded = ArmoRM.load(str(tmp_path), dtype="bfloat16")._model.model
    assert loaded.layers[0].mlp.up_proj.weight.dtype == torch.bfloat16
    assert torch.equal(loaded.rotary_emb.inv_freq, model.model.rotary_emb.inv_freq)


def test_what_cannot_be_scored_or_loaded_is_an_error(model: Any, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="differ in number"):
        ArmoRM(model, tiny_torch.tokenizer()).scores(["a"], ["b"], [])
    with pytest.raises(ModelFileError, match="RLHFlow/ArmoRM"):
        ArmoRM.load(str(tmp_path / "none"))
