"""Every engine that can run offline, over one tiny model (fixtures: tests/models)."""

from __future__ import annotations

import pytest

from costeer.models.base import LanguageModel
from costeer.models.load import load_model

ENGINES = ("fake", "llamacpp", "transformers")
CONTEXT, SEQUENCES = 256, 4


def load_tiny(engine: str, request: pytest.FixtureRequest, **sizes: int) -> LanguageModel:
    """The tiny model in one engine; in float32 on the device of ``--device``, if it is torch."""
    files = {"llamacpp": "gguf_file", "transformers": "hf_folder"}
    path = request.getfixturevalue(files[engine]) if engine in files else engine
    sizes = {"context": CONTEXT, "sequences": SEQUENCES, "threads": 1, **sizes}
    if engine == "transformers":
        from costeer.models.engines.transformers import Transformers

        device = request.config.getoption("--device")
        return Transformers(path, device=device, dtype="float32", **sizes)
    return load_model(path, **sizes)
