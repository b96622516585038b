"""Every engine that can run offline, over one tiny model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.engines import ENGINES, load_tiny


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest) -> str:
    """Where torch computes."""
    name: str = request.config.getoption("--device")
    return name


@pytest.fixture(scope="session")
def gpu(device: str) -> str:
    """The device, which is not the CPU."""
    if device == "cpu":
        pytest.skip("is about GPUs; run it with --device cuda")
    return device


@pytest.fixture(scope="session")
def gguf_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model for llama.cpp."""
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    pytest.importorskip("gguf", reason="gguf, which writes the tiny model, is not installed")
    from tests.support import tiny

    return tiny.write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture(scope="session")
def hf_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model for transformers."""
    pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("transformers", reason="transformers is not installed")
    from tests.support import tiny

    return tiny.write_folder(tmp_path_factory.mktemp("hf") / "tiny")


@pytest.fixture(params=ENGINES)
def model(request: pytest.FixtureRequest) -> Iterator[Any]:
    """One engine, fresh."""
    model = load_tiny(request.param, request)
    yield model
    model.close()


@pytest.fixture(scope="session", params=ENGINES)
def tokenizer(request: pytest.FixtureRequest) -> Iterator[Any]:
    """One engine's tokenizer, shared: tokenizers keep no state."""
    model = load_tiny(request.param, request, sequences=1)
    yield model.tokenizer
    model.close()
