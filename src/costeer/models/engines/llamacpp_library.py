"""llama.cpp's C library: imported late, silenced, and protected from files that are not models.

Knows files, logs and cores; nothing about sequences. Source: ``include/llama.h`` of
https://github.com/ggml-org/llama.cpp as bound by https://github.com/abetlen/llama-cpp-python.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache
from pathlib import Path
from typing import Any

from costeer.exceptions import MissingDependencyError, ModelFileError

MAGIC = b"GGUF"
HEADER_BYTES = 24  # magic, version, number of tensors, number of metadata entries


@cache
def library() -> Any:
    """Return the low-level bindings, initialised once, with llama.cpp's own log silenced.

    Raises:
        MissingDependencyError: the extra is not installed.
    """
    # Read when the library is loaded. By default GNU OpenMP spins for milliseconds at each barrier,
    # hundreds of times per token; beside another busy process each of these can cost a time slice.
    # Spinning less is as fast on an idle machine. A value set by the user is kept.
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    try:
        from llama_cpp import llama_cpp
    except ImportError as error:
        raise MissingDependencyError(
            "llama.cpp is not installed.", 'Install it: pip install "costeer[llama]".'
        ) from error
    llama_cpp.llama_log_set(_silence(llama_cpp), ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    return llama_cpp


def _silence(llama_cpp: Any) -> Any:
    """Return a log callback that does nothing; llama.cpp writes to stderr by default.

    It is a C function (without parameters, which C calling conventions tolerate), because a Ctrl-C
    that arrives during a callback written in Python would be lost in it.
    """
    return ctypes.cast(ctypes.pythonapi.Py_IsInitialized, llama_cpp.llama_log_callback)


def check_file(path: Path) -> None:
    """Refuse what is obviously not a model file, before C code reads it.

    This cannot catch everything: llama.cpp ends the process on some damage inside the metadata (2
    of 120 random corruptions of a small file; no layers, a token listed twice). Fetched files are
    safe, because their hashes are checked.

    Raises:
        ModelFileError: missing, a folder, unreadable, or not GGUF.
    """
    if path.is_dir():
        raise ModelFileError(f"{path} is a folder.", "Give the .gguf file inside it.")
    try:
        with path.open("rb") as file:
            head = file.read(HEADER_BYTES)
    except FileNotFoundError:
        raise ModelFileError(f"There is no file {path}.", "Check the path.") from None
    except OSError as error:
        raise ModelFileError(
            f"{path} cannot be read ({error.strerror}).", "Check its permissions."
        ) from None
    if not head.startswith(MAGIC) or len(head) < HEADER_BYTES:
        raise ModelFileError(
            f"{path} is not a GGUF model file.", "Fetch it again, or choose another file."
        )


def load_weights(path: Path) -> Any:
    """Load a checked file; return a ``llama_model`` handle, to be freed with ``llama_model_free``.

    Raises:
        ModelFileError: the file is damaged, or of a kind that cannot be steered.
    """
    lib = library()
    parameters = lib.llama_model_default_params()
    # Repacked weights are a second copy outside the file's mapping. For the 1.5B Q4_K_M model they
    # made a step take 0.9 of the time, but prefill 1.7 and loading 4 times as long, and the peak
    # 2,050 instead of 1,450 MB; for the 0.5B model (mostly Q5_0) they changed nothing.
    parameters.use_extra_bufts = False
    model = lib.llama_model_load_from_file(os.fsencode(path), parameters)
    if not model:
        raise ModelFileError(
            f"{path} is damaged or incomplete, or its kind is unknown to this llama.cpp.",
            "Fetch it again, or update llama-cpp-python.",
        )
    if _cannot_roll_back(lib, model):
        lib.llama_model_free(model)
        raise ModelFileError(
            f"{path} is not a plain decoder: its state cannot be rolled back.",
            "Choose a transformer decoder such as Qwen2.5 or Llama 3.",
        )
    return model


def new_context(
    model: Any, *, context: int, sequences: int, batch: int, outputs: int, threads: int
) -> Any:
    """Create a ``llama_context``: cache, work space and threads; None if memory is short.

    Args:
        model: a ``llama_model`` handle.
        context: the most ids per sequence.
        sequences: sequences with cells of their own.
        batch: the most ids per decode call.
        outputs: the most logit rows per decode call, at least ``sequences``.
        threads: computing threads.
    """
    lib = library()
    parameters = lib.llama_context_default_params()
    parameters.n_ctx = -(-context // 256) * 256 * sequences  # cells come in steps of 256
    parameters.n_seq_max = sequences
    parameters.n_batch = parameters.n_ubatch = batch
    parameters.n_outputs_max = outputs
    parameters.n_threads = parameters.n_threads_batch = threads
    if not lib.llama_supports_gpu_offload():
        # On a CPU, llama.cpp's flash attention is the slower one: at 2,000 tokens one step took
        # 1.1 and eight steps of two sequences 1.5 times as long, for 50 MB less.
        parameters.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
    parameters.kv_unified = False  # each sequence has its own cells, so rollback is exact
    parameters.swa_full = True  # a sliding window drops cells that a rollback needs
    parameters.no_perf = True
    return lib.llama_init_from_model(model, parameters)


class Abort:
    """A flag that llama.cpp checks between two operations, so that a computation can be aborted.

    Args:
        context: a ``llama_context`` handle; only computations on a CPU can be aborted.
    """

    def __init__(self, context: Any) -> None:
        lib = library()
        # The callback has to be C: one written in Python would take the interpreter's lock a
        # thousand times per token. strlen is 0 for an empty text and 1 once it has a letter.
        strlen = ctypes.CDLL(None if os.name == "posix" else "msvcrt").strlen
        self._text = ctypes.create_string_buffer(2)
        self._strlen = ctypes.cast(
            strlen, dict(lib.llama_context_params._fields_)["abort_callback"]
        )
        lib.llama_set_abort_callback(context, self._strlen, ctypes.addressof(self._text))

    def set(self) -> None:
        """Abort the running computation."""
        self._text[0] = b"x"

    def clear(self) -> None:
        """Clear the flag before a new computation."""
        self._text[0] = b"\0"


def _cannot_roll_back(lib: Any, model: Any) -> bool:
    return bool(
        lib.llama_model_has_encoder(model)
        or not lib.llama_model_has_decoder(model)
        or lib.llama_model_is_recurrent(model)
        or lib.llama_model_is_hybrid(model)
        or lib.llama_model_is_diffusion(model)
    )


def metadata(model: Any, key: str) -> str | None:
    """Return one entry of the file's metadata as text, or None."""
    lib = library()
    size = lib.llama_model_meta_val_str(model, key.encode(), None, 0)
    if size < 0:
        return None
    buffer = ctypes.create_string_buffer(size + 1)
    lib.llama_model_meta_val_str(model, key.encode(), buffer, size + 1)
    return buffer.raw[:size].decode("utf-8", "replace")


def physical_cores() -> int:
    """Count the cores this process may use; two hardware threads of one core count once."""
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    cores = set()
    for cpu in os.sched_getaffinity(0):
        siblings = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        try:
            cores.add(siblings.read_text())
        except OSError:
            cores.add(str(cpu))
    return max(len(cores), 1)
