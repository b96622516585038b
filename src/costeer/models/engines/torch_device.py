"""What is particular to torch's devices: which can be used, and when their memory is full.

Knows nothing about models. GPUs report a lack of memory in several ways, and a CPU in another.
"""

from __future__ import annotations

from typing import Any

from costeer.exceptions import ModelError, ParameterError

FULL = ("out of memory", "can't allocate memory", "ALLOC_FAILED")
"""In messages of torch's allocators, of drivers and of matrix libraries."""


def check_device(torch: Any, name: str) -> Any:
    """Return torch's device of this name, after a computation on it.

    Raises:
        ParameterError: there is no such device, or this torch cannot use it.
        ModelError: its memory is full.
    """
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError) as error:
        if is_out_of_memory(error):
            raise memory_error(name) from error
        raise ParameterError(f"torch cannot use the device {name!r}.", 'Write "cpu".') from error
    return device


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception of torch or numpy says that memory could not be allocated."""
    if isinstance(error, RuntimeError):
        return any(words in str(error) for words in FULL)
    return isinstance(error, MemoryError)


def memory_error(device: object) -> ModelError:
    """Describe a full memory."""
    return ModelError(
        f"The memory of the device {str(device)!r} is full.",
        "Shorten the text, choose a smaller model, or end what else uses the device.",
    )


def avoid_plans(torch: Any, device: Any) -> None:
    """Keep this process's attention off cuDNN, which makes a plan for every new length.

    Each token makes a sequence of a new length: with plans, a step of a model of 1.5B parameters
    took 64 ms instead of 22 (``bench/torch_speed.py``, H200, torch 2.11).
    """
    if device.type == "cuda":
        torch.backends.cuda.enable_cudnn_sdp(False)


def release_memory(torch: Any, device: Any) -> None:
    """Give freed memory back to the system; torch would keep it for itself."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
