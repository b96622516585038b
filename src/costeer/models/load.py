"""Load a model from a name or a path.

Knows which engine reads what; nothing about how they work.
"""

from __future__ import annotations

from pathlib import Path

from costeer.exceptions import ParameterError
from costeer.models.base import LanguageModel
from costeer.models.engines.checks import check_sizes

MOST_THREADS = 512
"""More than enough for any machine; with far more, an engine ends the process."""


def load_model(
    name_or_path: str | Path,
    *,
    context: int = 4096,
    sequences: int = 2,
    threads: int | None = None,
    device: str | None = None,
) -> LanguageModel:
    """Load a model.

    Args:
        name_or_path: a name of the catalog, a .gguf file, a folder that transformers can read, or
            "fake" or "fake:SEED" for the toy model.
        context: the most tokens per sequence.
        sequences: the most sequences open at once.
        threads: computing threads; None for the physical cores of this process.
        device: a torch device such as "cuda", for folders; GGUF files go where llama.cpp was
            built to run them.

    Raises:
        UnknownModelError: neither a name of the catalog nor a model file or folder.
        ModelFileError: the model is not fetched, or its file cannot be used.
        ParameterError: a size is less than 1, the number of threads is out of range, or the seed
            is not a number.
        MissingDependencyError: the engine is not installed.
        ModelError: the model does not fit into the device's memory.
    """
    check_sizes(context=context, sequences=sequences)
    if threads is not None and not 1 <= threads <= MOST_THREADS:
        raise ParameterError(f"threads must be from 1 to {MOST_THREADS}, not {threads}.")
    text = str(name_or_path)
    if text == "fake" or text.startswith("fake:"):
        return _fake(text, context, sequences)
    from costeer.models.files.catalog import resolve

    path = resolve(text)
    if path.is_dir():
        from costeer.models.engines.transformers import Transformers

        return Transformers(
            path, device=device or "cpu", context=context, sequences=sequences, threads=threads
        )
    from costeer.models.engines.llamacpp import LlamaCpp
    from costeer.models.files.catalog import name_of

    return LlamaCpp(path, context=context, sequences=sequences, threads=threads, name=name_of(path))


def _fake(text: str, context: int, sequences: int) -> LanguageModel:
    from costeer.models.fake import FakeModel

    _, _, seed = text.partition(":")
    if seed and not seed.isdecimal():
        raise ParameterError(f"{text!r} does not name a seed.", 'Write "fake:1", say.')
    return FakeModel(seed=int(seed or 0), context_length=context, max_sequences=sequences)
