"""The library transformers: imported late, and what its models say of themselves."""

from __future__ import annotations

from typing import Any

from costeer.exceptions import MissingDependencyError


def import_library() -> tuple[Any, Any]:
    """Import torch, and transformers without its progress bars."""
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingDependencyError(
            "torch and transformers are not installed.",
            'Install them: pip install "costeer[torch]".',
        ) from error
    transformers.utils.logging.disable_progress_bar()
    return torch, transformers


def eos_ids(model: Any) -> set[int]:
    """Return the ids that end an answer by a model's generation settings."""
    settings = getattr(model, "generation_config", None)
    ids = getattr(settings, "eos_token_id", None)
    if ids is None:
        return set()
    return set(ids) if isinstance(ids, list) else {ids}


def cannot_roll_back(config: Any) -> bool:
    """Whether a model is not a plain decoder, of whose state the end can be cut off."""
    kinds = getattr(config, "layer_types", None) or ()
    plain = all(kind in {"full_attention", "sliding_attention"} for kind in kinds)
    return bool(config.is_encoder_decoder) or not plain
