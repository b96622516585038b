"""From names and paths to engines."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from costeer.exceptions import (
    MissingDependencyError,
    ModelFileError,
    ParameterError,
    UnknownModelError,
)
from costeer.models.load import load_model


@pytest.mark.parametrize(("name", "same_as"), [("fake", "fake:0"), ("fake:7", "fake:7")])
def test_the_fake_by_name(name: Any, same_as: Any) -> None:
    one, other = load_model(name, context=99, sequences=3), load_model(same_as)
    assert (one.context_length, one.max_sequences) == (99, 3)
    assert one.name == other.name
    assert (one.sequence().extend([1, 2]) == other.sequence().extend([1, 2])).all()


@pytest.mark.parametrize("name", ["fake:", "fake:x", "fake:-1", "fake:1.5"])
def test_a_seed_is_a_number(name: Any) -> None:
    if name == "fake:":
        assert load_model(name).name == load_model("fake").name
        return
    with pytest.raises(ParameterError):
        load_model(name)


@pytest.mark.parametrize("name", ["no-such-model", "nowhere/model.gguf", "", "."])
def test_neither_a_name_nor_a_model(name: Any) -> None:
    with pytest.raises(UnknownModelError):
        load_model(name)


@pytest.mark.parametrize("sizes", [{"context": 0}, {"sequences": 0}])
def test_a_size_must_make_sense(sizes: Any) -> None:
    with pytest.raises(ParameterError):
        load_model("fake", **sizes)


def test_a_text_file_with_a_models_name(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_text("not a model")
    with pytest.raises(ModelFileError):
        load_model(path)


def test_a_gguf_file(gguf_file: Path) -> None:
    assert type(load_model(gguf_file)).__name__ == "LlamaCpp"


def test_a_folder(hf_folder: Path, device: str) -> None:
    model = load_model(hf_folder, device=device)
    assert type(model).__name__ == "Transformers"
    assert model.repeatable == (device == "cpu")
    model.close()


@pytest.mark.parametrize(
    ("package", "extra"), [("llama_cpp", "costeer[llama]"), ("torch", "costeer[torch]")]
)
def test_a_missing_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: Any, extra: Any
) -> None:
    from costeer.models.engines.llamacpp_library import library

    library.cache_clear()
    monkeypatch.setitem(sys.modules, package, None)
    if package == "torch":
        path = tmp_path
        (path / "config.json").write_text("{}")
    else:
        path = tmp_path / "model.gguf"
        path.write_bytes(b"GGUF" + b"\x00" * 40)
    with pytest.raises(MissingDependencyError) as caught:
        load_model(path)
    assert extra in caught.value.hint


@pytest.mark.parametrize("threads", [0, -1, 513, 1_000_000])
def test_an_impossible_number_of_threads(threads: Any) -> None:
    with pytest.raises(ParameterError, match="threads"):
        load_model("fake", context=10, sequences=1, threads=threads)
