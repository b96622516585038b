"""What `import costeer` offers, and that its parts agree on names and defaults."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import costeer
from costeer import Costeer
from costeer.settings import Settings

ROOT = Path(__file__).parents[1]
SETTINGS = {field.name: field.default for field in fields(Settings)}


def parameters(function: Any) -> Any:
    return {
        name: parameter
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "self"
    }


def test_the_public_names() -> None:
    assert costeer.__all__ == ["Costeer", "__version__"]
    assert all(hasattr(costeer, name) for name in costeer.__all__)
    assert not hasattr(costeer, "nothing")
    pyproject = (ROOT / "pyproject.toml").read_text("utf-8")
    assert re.search(r'^version = "(.+)"$', pyproject, re.MULTILINE)[1] == costeer.__version__


def test_the_public_methods() -> None:
    public = {name for name in vars(Costeer) if not name.startswith("_")}
    assert public >= {
        *("from_settings", "stream", "generate"),
        *("sent_texts", "stop", "close"),
    }
    assert all(inspect.getdoc(getattr(Costeer, name)) for name in public)


def test_generate_takes_what_stream_takes() -> None:
    assert parameters(Costeer.generate) == parameters(Costeer.stream)


def test_a_setting_and_its_parameter_have_one_default() -> None:
    found = parameters(Costeer.__init__) | parameters(Costeer.stream)
    shared = SETTINGS.keys() & found.keys()
    assert shared >= {
        "cloud",
        "llm",
        "slm",
        "mode",
        "top_k",
        "retries",
        "max_tokens",
        "temperature",
    }
    assert {name: SETTINGS[name] for name in shared} == {
        name: found[name].default for name in shared
    }


def test_every_parameter_of_the_models_can_be_set() -> None:
    unset = parameters(Costeer.__init__).keys() - SETTINGS.keys()
    assert unset <= {"context_length", "lanes", "keep_bytes"}  # the last two: costeer gateway
