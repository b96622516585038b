"""The torch engine on a GPU: precision, and memory. Run with ``--device cuda``."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from costeer.exceptions import ModelError

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from costeer.models.engines.transformers import Transformers  # noqa: E402

IDS = [(7 * i) % 250 for i in range(200)]


@pytest.fixture(scope="module")
def larger(gpu: str, hf_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose tensors are too large for what torch has left over from others."""
    from transformers import AutoConfig, AutoModelForCausalLM

    folder = shutil.copytree(hf_folder, tmp_path_factory.mktemp("larger") / "larger")
    sizes = {"hidden_size": 256, "intermediate_size": 16384, "num_attention_heads": 4}
    config = AutoConfig.from_pretrained(folder, **sizes)
    AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).save_pretrained(folder)
    return folder


@contextmanager
def no_more_memory(gpu: str) -> Iterator[None]:
    """Whatever this process holds now, torch gets no more."""
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(0.0, torch.device(gpu, 0))
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, torch.device(gpu, 0))


def held() -> tuple[int, int]:
    """Bytes of tensors, and bytes that torch keeps from others."""
    gc.collect()  # of other tests
    return torch.cuda.memory_allocated(), torch.cuda.memory_reserved()


# Precision


def test_float32_agrees_with_the_cpu(gpu: str, hf_folder: Path) -> None:
    rows = [
        Transformers(hf_folder, device=place, dtype="float32").sequence().extend(IDS)
        for place in ("cpu", gpu)
    ]
    assert np.allclose(*rows, rtol=0, atol=2e-4)


def test_bfloat16_is_the_default_and_its_rows_are_normalised(gpu: str, hf_folder: Path) -> None:
    model = Transformers(hf_folder, device=gpu)
    assert not model.repeatable
    rows = model.sequence().extend(IDS)
    assert rows.dtype == np.float32
    assert np.exp(rows.astype(np.float64)).sum(axis=-1) == pytest.approx(1, abs=1e-5)
    exact = Transformers(hf_folder).sequence().extend(IDS)
    assert 1e-3 < np.abs(rows - exact).max() < 1.0


# Memory


def test_closing_gives_the_memory_back(gpu: str, larger: Path) -> None:
    def use() -> Transformers:
        model = Transformers(larger, device=gpu)
        model.sequence().extend(IDS)
        return model

    use().close()  # matrix libraries keep their workspace for the next model
    gc.collect()
    torch.cuda.empty_cache()
    before = held()
    model = use()
    assert held() > before
    model.close()
    assert held() == before


def test_a_closed_sequence_frees_its_cache(gpu: str, larger: Path) -> None:
    model = Transformers(larger, device=gpu)
    model.sequence().extend(IDS)
    before, _ = held()
    sequence = model.sequence()
    sequence.extend(IDS)
    assert held()[0] > before
    sequence.close()
    assert held()[0] == before
    model.close()


def test_a_model_that_does_not_fit(gpu: str, larger: Path) -> None:
    before, _ = held()
    with no_more_memory(gpu), pytest.raises(ModelError, match=r"memory.*full") as caught:
        Transformers(larger, device=gpu)
    assert caught.type is ModelError
    del caught
    assert held()[0] == before
    Transformers(larger, device=gpu).close()


def test_a_text_that_does_not_fit_leaves_the_sequence_as_it_was(gpu: str, larger: Path) -> None:
    model = Transformers(larger, device=gpu, dtype="float32", sequences=3)
    sequence = model.sequence()
    sequence.extend(IDS[:9])
    before, _ = held()
    with no_more_memory(gpu), pytest.raises(ModelError, match=r"memory.*full") as caught:
        sequence.extend(IDS * 2)
    assert caught.type is ModelError
    assert held()[0] <= before  # although the error is still at hand
    assert sequence.ids == tuple(IDS[:9])
    straight = model.sequence()
    straight.extend(IDS[:9])
    assert np.allclose(sequence.extend(IDS), straight.extend(IDS), rtol=0, atol=2e-4)
    model.close()
