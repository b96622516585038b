"""The tables hold together; names and paths resolve or say why not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.exceptions import ModelFileError, UnknownModelError
from costeer.models.files import catalog
from costeer.models.files.catalog import (
    DEFAULT_PAIR,
    MODELS,
    PAIRS,
    find,
    find_pair,
    pair_for,
    resolve,
)

NAMES = [spec.name for spec in MODELS]


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setenv("COSTEER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def put(path: Any, text: Any = "x") -> Any:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_names_are_unique() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert len({pair.name for pair in PAIRS}) == len(PAIRS)
    assert len({catalog.path_of(spec) for spec in MODELS}) == len(MODELS)


@pytest.mark.parametrize("spec", MODELS, ids=NAMES)
def test_what_is_pinned_is_whole(spec: Any) -> None:
    if spec.engine == "llamacpp":
        assert re.fullmatch(r"[0-9a-f]{64}", spec.sha256)
        assert spec.size > 0
        assert spec.filename.endswith(".gguf")
        assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+", r) for r in spec.mirror.requirements)
    else:  # said honestly: nothing is pinned
        assert (spec.sha256, spec.size, spec.filename, spec.mirror) == (None,) * 4
    assert re.fullmatch(r"[\w-]+/[\w.-]+", spec.repo)


@pytest.mark.parametrize(
    ("name", "count"), [("qwen2.5-coder-1.5b", 22), ("qwen2.5-coder-0.5b", 6), ("smollm2-135m", 1)]
)
def test_number_of_wheels(name: Any, count: Any) -> None:
    assert len(find(name).mirror.packages) == count


@pytest.mark.parametrize("spec", [spec for spec in MODELS if spec.mirror], ids=lambda s: s.name)
def test_the_documentation_tells_where_the_weights_come_from(spec: Any) -> None:
    text = (Path(__file__).parents[3] / "docs" / "models.md").read_text("utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {spec.name} |")]
    count = len(spec.mirror.packages)
    told = f"| {count} package{'s' if count > 1 else ''}, {spec.mirror.packages[0]}"
    assert spec.repo in line
    assert told in line
    assert f"version {spec.mirror.version} |" in line
    assert spec.sha256 in line


def test_pairs_name_known_models_of_one_engine() -> None:
    for pair in PAIRS:
        assert find(pair.llm).engine == find(pair.slm).engine
        assert pair_for(pair.llm, pair.slm) is pair
        assert find_pair(pair.name) is pair


def test_default_pair() -> None:
    assert (DEFAULT_PAIR.name, DEFAULT_PAIR.strength) == ("default", "auto")
    assert pair_for(DEFAULT_PAIR.slm, DEFAULT_PAIR.llm) is None  # the other way round


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("qwen2.5-coder-0.5", "qwen2.5-coder-0.5b"),
        ("smollm2", "smollm2-135m"),
        ("Llama-3.1-8B", "llama-3.1-8b"),
    ],
)
def test_a_near_miss_is_answered_with_the_name_meant(wrong: Any, near: Any) -> None:
    with pytest.raises(UnknownModelError, match=f"Did you mean {re.escape(near)}"):
        find(wrong)
    with pytest.raises(UnknownModelError, match="Did you mean default"):
        find_pair("defualt")


@given(st.text().filter(lambda text: text not in NAMES))
def test_every_other_name_is_refused_with_the_list(text: Any) -> None:
    with pytest.raises(UnknownModelError) as caught:
        find(text)
    assert all(name in caught.value.hint for name in NAMES)


def test_a_known_model_resolves_once_it_is_fetched(home: Any) -> None:
    with pytest.raises(ModelFileError, match="costeer models fetch smollm2-135m"):
        resolve("smollm2-135m")
    path = put(home / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf")
    assert resolve("smollm2-135m") == path


def test_a_transformers_model_is_a_folder(home: Any) -> None:
    put(home / "models" / "qwen2.5-7b" / "config.json")
    assert resolve("qwen2.5-7b") == home / "models" / "qwen2.5-7b"


def test_paths_resolve_to_themselves(tmp_path: Path) -> None:
    file, folder = put(tmp_path / "own.gguf"), put(tmp_path / "own" / "config.json").parent
    assert resolve(file) == file
    assert resolve(str(folder)) == folder


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("absent.gguf", "There is no file"),
        ("some/where", "There is no file"),
        ("notes.txt", "is not a model"),
        ("empty", "is not a model"),
        ("", "is not a model"),  # the working directory
        ("nonsense", "There is no model named"),
    ],
)
def test_anything_else_is_unknown(
    text: Any, message: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "notes.txt")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnknownModelError, match=message):
        resolve(text)
