"""llama.cpp when things go wrong: stopped batches, threads, the process's end."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from costeer.exceptions import ModelError, NotFiniteError

pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
pytest.importorskip("gguf", reason="gguf, which writes the tiny model, is not installed")

from llama_cpp import llama_cpp

from costeer.models.engines.llamacpp import LlamaCpp
from tests.support import tiny

IDS = [104, 101, 108, 108, 111, 44, 32, 119, 111, 114, 108, 100]


@pytest.fixture
def model(gguf_file: Any) -> Iterator[Any]:
    with_room = LlamaCpp(gguf_file, context=256, sequences=4, threads=1, batch=32)
    yield with_room
    with_room.close()


def test_nan_is_an_error_and_changes_nothing(tmp_path: Path) -> None:
    model = LlamaCpp(tiny.write_gguf(tmp_path / "nan.gguf", poison=True), context=256)
    sequence = model.sequence()
    with pytest.raises(NotFiniteError):
        sequence.extend(IDS)
    assert sequence.ids == ()
    model.close()


def decode_that_stops(calls: int, outcome: int | BaseException) -> Callable[..., int]:
    """llama.cpp's decode, which fails or is interrupted after some calls."""
    decode, left = llama_cpp.llama_decode, iter(range(calls))

    def llama_decode(context: Any, batch: Any) -> int:
        if next(left, None) is not None:
            return decode(context, batch)
        if isinstance(outcome, int):
            return outcome
        raise outcome

    return llama_decode


@pytest.mark.parametrize("calls", [0, 1, 2])
@pytest.mark.parametrize(
    ("outcome", "error"), [(1, ModelError), (-2, ModelError), (KeyboardInterrupt(), BaseException)]
)
def test_whatever_stops_a_batch_leaves_the_sequences_as_they_were(
    model: Any, monkeypatch: pytest.MonkeyPatch, calls: Any, outcome: Any, error: Any
) -> None:
    one, other = model.sequence(), model.sequence()
    model.extend_many([(one, IDS), (other, IDS[:3])])
    with monkeypatch.context() as patched, pytest.raises(error):
        patched.setattr(llama_cpp, "llama_decode", decode_that_stops(calls, outcome))
        model.extend_many([(one, [65] * 60), (other, [66] * 50)])
    assert (one.ids, other.ids) == (tuple(IDS), tuple(IDS[:3]))
    after = model.extend_many([(one, [65] * 5), (other, [66] * 4)])
    fresh, second = model.sequence(), model.sequence()
    model.extend_many([(fresh, IDS), (second, IDS[:3])])
    expected = model.extend_many([(fresh, [65] * 5), (second, [66] * 4)])
    assert np.allclose(after[0], expected[0], rtol=0, atol=0.02)
    assert np.allclose(after[1], expected[1], rtol=0, atol=0.02)


def test_threads_wait_for_each_other(model: Any) -> None:
    expected = model.sequence().extend(IDS)
    results = []

    def work() -> None:
        sequence = model.sequence()
        for _ in range(20):
            sequence.truncate(0)
            results.append(np.array_equal(sequence.extend(IDS), expected))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 60


# The end


@pytest.mark.slow
def test_a_closed_model_refuses(gguf_file: Any) -> None:
    model = LlamaCpp(gguf_file, context=256)
    sequence = model.sequence()
    sequence.extend(IDS)
    tokenizer = model.tokenizer
    model.close()
    model.close()
    sequence.close()
    calls = [
        model.sequence,
        lambda: sequence.extend([65]),
        lambda: sequence.truncate(1),
        lambda: tokenizer.encode("a"),
        lambda: tokenizer.decode_bytes([65]),
        lambda: model.extend_many([]),
    ]
    for call in calls:
        with pytest.raises(ModelError, match="closed"):
            call()


@pytest.mark.slow
def test_a_dropped_model_frees_itself(gguf_file: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    freed, free = [], llama_cpp.llama_free

    def llama_free(context: Any) -> None:
        freed.append(context)
        free(context)

    monkeypatch.setattr(llama_cpp, "llama_free", llama_free)
    model = LlamaCpp(gguf_file, context=256)
    model.sequence().extend(IDS)
    del model
    gc.collect()
    assert len(freed) == 1


AT_EXIT = """
import sys
from costeer.models.engines.llamacpp import LlamaCpp
model = LlamaCpp(sys.argv[1], context=256, threads=2)
keep = model.sequence(), model.sequence()
model.extend_many([(sequence, [65, 66, 67]) for sequence in keep])
{end}
"""


@pytest.mark.slow
@pytest.mark.parametrize("end", ["", "model.close()", "del model, keep", "raise SystemExit(0)"])
def test_the_process_ends_quietly(gguf_file: Any, end: Any) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AT_EXIT.format(end=end), str(gguf_file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.slow
def test_two_processes_give_the_same_bits(gguf_file: Any) -> None:
    script = AT_EXIT.format(
        end="rows = keep[0].extend([1, 2, 3, 4, 5]);"
        "import hashlib; print(hashlib.sha256(rows.tobytes()).hexdigest())"
    )
    command = [sys.executable, "-c", script, str(gguf_file)]
    digests = {subprocess.check_output(command, text=True, timeout=60) for _ in range(2)}
    assert len(digests) == 1


@pytest.mark.slow
def test_an_interrupted_start_frees_what_it_had(
    gguf_file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(llama_cpp, "llama_model_get_vocab", interrupted)
    with pytest.raises(KeyboardInterrupt):
        LlamaCpp(gguf_file, context=256, threads=1)
    gc.collect()  # an error in __del__ would be a warning, and so a failure, here
