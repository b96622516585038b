"""Every engine that can run offline, over one tiny model."""

from __future__ import annotations

from pathlib import Path

import pytest

from costeer.models.base import LanguageModel
from costeer.models.load import load_model

ENGINES = ("fake", "llamacpp", "transformers")
CONTEXT, SEQUENCES = 256, 4


@pytest.fixture(scope="session")
def gguf_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model for llama.cpp."""
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    pytest.importorskip("gguf", reason="gguf, which writes the tiny model, is not installed")
    import tiny

    return tiny.write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture(scope="session")
def hf_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model for transformers."""
    pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("transformers", reason="transformers is not installed")
    import tiny

    return tiny.write_folder(tmp_path_factory.mktemp("hf") / "tiny")


def load_tiny(engine: str, request: pytest.FixtureRequest, **sizes: int) -> LanguageModel:
    """The tiny model in one engine."""
    files = {"llamacpp": "gguf_file", "transformers": "hf_folder"}
    path = request.getfixturevalue(files[engine]) if engine in files else engine
    return load_model(path, **{"context": CONTEXT, "sequences": SEQUENCES, "threads": 1, **sizes})


@pytest.fixture(params=ENGINES)
def model(request: pytest.FixtureRequest):
    """One engine, fresh."""
    model = load_tiny(request.param, request)
    yield model
    model.close()


@pytest.fixture(scope="session", params=ENGINES)
def tokenizer(request: pytest.FixtureRequest):
    """One engine's tokenizer, shared: tokenizers keep no state."""
    model = load_tiny(request.param, request, sequences=1)
    yield model.tokenizer
    model.close()
