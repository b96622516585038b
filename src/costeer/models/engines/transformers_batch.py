"""One id for each of several sequences in one forward pass of a torch model.

A GPU takes hardly longer for a few sequences than for one (``bench/torch_speed.py``). Each sequence
keeps its own cache; the pass sees them as one, in which the shorter ones are padded in front and
the padding is masked. Knows nothing about ids already held. Rows round differently than alone, so
this is not for devices whose rows are repeatable. Source: ``Cache.update`` in
https://huggingface.co/docs/transformers/kv_cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any


def can_join(config: Any) -> bool:
    """Whether every layer attends to the whole text, and positions are fixed rotations alone."""
    rotary = any(hasattr(config, name) for name in ("rope_parameters", "rope_theta"))
    scaling = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None)
    # These rotate by the longest text of a pass.
    by_length = (scaling or {}).get("rope_type") in {"dynamic", "longrope"}
    if not rotary or by_length or getattr(config, "alibi", False):
        return False
    kinds = getattr(config, "layer_types", None)
    if kinds is None:
        return getattr(config, "sliding_window", None) is None
    return all(kind == "full_attention" for kind in kinds)


def step_together(
    torch: Any, library: Any, model: Any, caches: Sequence[Any], ids: Sequence[int]
) -> Any:
    """Append an id to each of ``caches``; an exception leaves some of them longer than others.

    Args:
        torch: the module.
        library: transformers, the module.
        model: one that ``can_join``.
        caches: (n,) one for each sequence, of any lengths.
        ids: (n,) what follows each.

    Returns:
        (n, W) logits, a tensor on the model's device; W includes padding of the vocabulary.
    """
    lengths = [each.get_seq_length() for each in caches]
    longest = max(lengths) + 1
    held = torch.tensor(lengths, device=model.device)[:, None]  # (n, 1)
    places = torch.arange(longest, device=model.device)[None]  # (1, longest)
    padding = places < longest - 1 - held  # (n, longest)
    mask = torch.zeros(padding.shape, dtype=model.dtype, device=model.device)
    mask.masked_fill_(padding, torch.finfo(model.dtype).min)
    return model(
        input_ids=torch.tensor(ids, device=model.device)[:, None],
        attention_mask=mask[:, None, None],  # (n, heads, queries, longest)
        position_ids=held,
        past_key_values=_joined(torch, library.DynamicCache)(caches, longest),
        use_cache=True,
    ).logits[:, -1]


@cache
def _joined(torch: Any, base: Any) -> Any:
    """Return a subclass of transformers' cache, which can only be made once that is imported."""

    class Joined(base):  # type: ignore[misc]  # transformers is only imported where it is used
        """Several caches as one of ``longest`` ids."""

        def __init__(self, caches: Sequence[Any], longest: int) -> None:
            super().__init__()
            self._caches, self._longest = caches, longest

        def get_seq_length(self, *_: Any) -> int:
            return self._longest - 1

        def update(self, keys: Any, values: Any, layer: int, *_: Any, **__: Any) -> tuple[Any, Any]:
            """Append (n, heads, 1, size) to the caches; return (n, heads, longest, size)."""
            grown = [
                each.update(keys[i : i + 1], values[i : i + 1], layer)
                for i, each in enumerate(self._caches)
            ]
            return self._stack([one for one, _ in grown]), self._stack([one for _, one in grown])

        def _stack(self, tensors: Sequence[Any]) -> Any:
            return torch.cat([self._pad(tensor) for tensor in tensors])

        def _pad(self, tensor: Any) -> Any:
            missing = self._longest - tensor.shape[2]
            return torch.nn.functional.pad(tensor, (0, 0, missing, 0)) if missing else tensor

    return Joined
