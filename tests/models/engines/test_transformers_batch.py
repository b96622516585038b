"""One step of several sequences in one pass gives each what it would get alone, up to rounding."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from costeer.exceptions import ModelError
from costeer.models.base import SHARED

torch = pytest.importorskip("torch", reason="torch is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")

from costeer.models.engines.transformers import Transformers  # noqa: E402
from costeer.models.engines.transformers_batch import can_join, step_together  # noqa: E402

ROUNDING = 5e-5


@pytest.fixture(scope="module")
def plain(hf_folder: Any, device: str) -> Any:
    """The tiny model as transformers has it."""
    return transformers.AutoModelForCausalLM.from_pretrained(hf_folder).to(device).eval()


def alone(model: Any, ids: list[int]) -> Any:
    """The logits (W,) after ``ids``, in one pass."""
    with torch.inference_mode():
        return model(input_ids=torch.tensor([ids], device=model.device)).logits[0, -1]


@pytest.mark.parametrize("lengths", [[3], [4, 4], [9, 2], [2, 9], [0, 5, 1], [120, 1, 40, 7]])
def test_each_gets_what_it_gets_alone(plain: Any, lengths: Any) -> None:
    texts = [[(13 * i + 7 * at) % 250 for at in range(n)] for i, n in enumerate(lengths)]
    caches = [transformers.DynamicCache() for _ in texts]
    with torch.inference_mode():
        for ids, cache in zip(texts, caches, strict=True):
            if ids:
                plain(input_ids=torch.tensor([ids], device=plain.device), past_key_values=cache)
        for step in range(3):
            following = [60 + step + i for i in range(len(texts))]
            logits = step_together(torch, transformers, plain, caches, following)
            texts = [[*ids, token] for ids, token in zip(texts, following, strict=True)]
            expected = torch.stack([alone(plain, ids) for ids in texts])
            assert torch.allclose(logits, expected, rtol=0, atol=ROUNDING)
            assert [cache.get_seq_length() for cache in caches] == [len(ids) for ids in texts]


@pytest.mark.parametrize(
    ("config", "possible"),
    [
        ({"layer_types": ["full_attention"] * 2}, True),
        ({"layer_types": ["full_attention", "sliding_attention"]}, False),
        ({"layer_types": None}, True),
        ({"sliding_window": None}, True),
        ({"sliding_window": 4096}, False),
        ({"alibi": False}, True),
        ({"alibi": True}, False),
        ({"rope_scaling": {"rope_type": "llama3"}}, True),
        ({"rope_scaling": {"rope_type": "longrope"}}, False),
        ({}, True),
    ],
)
def test_only_where_every_layer_sees_the_whole_text(config: Any, possible: Any) -> None:
    assert can_join(SimpleNamespace(rope_theta=10000.0, **config)) == possible
    assert can_join(SimpleNamespace(rope_parameters=None, **config)) == possible
    assert not can_join(SimpleNamespace(**config))  # positions of another kind


def test_the_tiny_model_is_such_a_model(plain: Any) -> None:
    assert can_join(plain.config)


# The engine, where rows are not repeatable


@pytest.fixture
def model(gpu: str, hf_folder: Any) -> Iterator[Any]:
    model = Transformers(hf_folder, device=gpu, dtype="float32", context=256, sequences=6)
    yield model
    model.close()


def test_single_ids_go_together(model: Any) -> None:
    sequences = [model.sequence() for _ in range(3)]
    sequences[0].extend([65] * 20)
    sequences[1].extend([66] * 3)
    found = model.extend_many([(sequence, [70 + i]) for i, sequence in enumerate(sequences)])
    for sequence, rows in zip(sequences, found, strict=True):
        apart = model.sequence()
        assert np.allclose(rows, apart.extend(sequence.ids, rows=1), rtol=0, atol=ROUNDING)
        assert sequence.calls[-1] == (len(sequence) - 1, SHARED)
        apart.close()
    [none, one] = model.extend_many([(sequences[0], [1]), (sequences[1], [2])], rows=0)
    assert none.shape == one.shape == (0, model.vocab_size)


@pytest.mark.parametrize("error", ["memory", "interrupt"])
def test_a_step_that_fails_changes_nothing(model: Any, error: Any) -> None:
    one, other = model.sequence(), model.sequence()
    one.extend([65] * 20)
    other.extend([66] * 3)

    def fail(*_: Any) -> None:
        if error == "interrupt":
            raise KeyboardInterrupt
        torch.empty(2**62, dtype=torch.uint8, device=model._model.device)

    hook = model._model.model.layers[1].register_forward_pre_hook(fail)
    with pytest.raises(KeyboardInterrupt if error == "interrupt" else ModelError):
        model.extend_many([(one, [1]), (other, [2])])
    hook.remove()
    assert (one.ids, other.ids) == ((65,) * 20, (66,) * 3)
    found = model.extend_many([(one, [1]), (other, [2])])  # in turn: their caches are lost
    again = model.sequence()
    assert np.allclose(found[1], again.extend([66, 66, 66, 2], rows=1), rtol=0, atol=ROUNDING)
    assert len(model.extend_many([(one, [3]), (other, [4])])) == 2
