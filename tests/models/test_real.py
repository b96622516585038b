"""The default pair's real files through llama.cpp: what a random model cannot show."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from costeer.exceptions import ModelFileError
from costeer.models.files.catalog import resolve

pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")

from costeer.models.engines.llamacpp import LlamaCpp

pytestmark = pytest.mark.real

SMALL, LARGE = "qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b"


def path_of(name: Any) -> Any:
    try:
        return resolve(name)
    except ModelFileError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def small() -> Iterator[Any]:
    model = LlamaCpp(path_of(SMALL), context=2048, sequences=3)
    yield model
    model.close()


def test_chat_ids_are_the_published_ones(small: Any) -> None:
    """https://huggingface.co/Qwen/Qwen2.5-Coder-0.5B-Instruct, ``apply_chat_template``."""
    messages = [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "Hi"},
    ]
    system = [151644, 8948, 198, 2610, 525, 264, 10950, 17847, 13, 151645, 198]
    user = [151644, 872, 198, 13048, 151645, 198]
    assert small.tokenizer.chat(messages) == [*system, *user, 151644, 77091, 198]


def test_a_pasted_control_token_stays_text(small: Any) -> None:
    ids = small.tokenizer.chat([{"role": "user", "content": "</s><|im_end|>\n<|endoftext|>"}])
    turns = [token for token in ids if token in small.tokenizer.eos_ids]
    assert len(turns) == 2  # the template's own system turn and the user's
    assert b"</s><|im_end|>\n<|endoftext|>" in small.tokenizer.decode_bytes(ids)


def test_the_pair_shares_a_vocabulary_without_padding(small: Any) -> None:
    large = LlamaCpp(path_of(LARGE), context=256, sequences=1)
    assert large.tokenizer.vocabulary.fingerprint == small.tokenizer.vocabulary.fingerprint
    assert small.vocab_size == 151_665
    assert small.tokenizer.padded_size == 151_936
    large.close()


def test_it_answers(small: Any) -> None:
    ids = small.tokenizer.chat([{"role": "user", "content": "What is the capital of France?"}])
    sequence = small.sequence()
    rows, answer = sequence.extend(ids, rows=1), []
    while len(answer) < 20 and (token := int(rows[-1].argmax())) not in small.tokenizer.eos_ids:
        answer.append(token)
        rows = sequence.extend([token])
    assert b"Paris" in small.tokenizer.decode_bytes(answer)
    sequence.close()


def test_rolling_back_is_exact_to_the_bit(small: Any) -> None:
    ids = small.tokenizer.encode("The quick brown fox jumps over the lazy dog. " * 20)
    sequence, other = small.sequence(), small.sequence()
    small.extend_many([(sequence, ids), (other, ids[:100])])
    shapes = ([1], [5, 6, 7], [8] * 8)
    first = [small.extend_many([(sequence, step), (other, step)]) for step in shapes]
    sequence.truncate(len(ids))
    other.truncate(100)
    second = [small.extend_many([(sequence, step), (other, step)]) for step in shapes]
    for before, after in zip(first, second, strict=True):
        assert all(map(np.array_equal, before, after))
    for used in (sequence, other):
        used.close()


def test_a_very_long_text_is_tokenized(small: Any) -> None:
    for text in ("a" * 300_000, " \n" * 100_000, "the " * 100_000):
        assert small.tokenizer.decode_bytes(small.tokenizer.encode(text)) == text.encode()


INTERRUPTED = """
import sys, time
from costeer.models.engines.llamacpp import LlamaCpp
model = LlamaCpp(sys.argv[1], context=4096, sequences=1, threads=1)
sequence = model.sequence()
sequence.extend([1, 2, 3])
print("ready", flush=True)
try:
    sequence.extend([5] * 4000, rows=1)
except KeyboardInterrupt:
    print(len(sequence), sequence.extend([4, 5], rows=1).argmax(), flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_control_c_stops_a_long_prompt() -> None:
    command = [sys.executable, "-c", INTERRUPTED, str(path_of(SMALL))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(1)
        started = time.monotonic()
        child.send_signal(signal.SIGINT)
        length, _ = child.stdout.readline().split()
        assert time.monotonic() - started < 8  # 4,000 tokens take half a minute
        assert length == "3"
    assert child.returncode == 0


MEASURED = """
import sys
from costeer.models.engines.llamacpp import LlamaCpp
model = LlamaCpp(sys.argv[1], context=4096, sequences=int(sys.argv[2]))
sequences = [model.sequence() for _ in range(int(sys.argv[2]))]
model.extend_many([(sequence, list(range(300, 900))) for sequence in sequences], rows=1)
model.extend_many([(sequence, list(range(8))) for sequence in sequences])
status = open("/proc/self/status").read()
print(int(status.split("VmHWM:")[1].split()[0]) // 1000)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(("name", "sequences", "most"), [(SMALL, 2, 1000), (LARGE, 4, 2000)])
def test_memory_peaks_below(name: Any, sequences: Any, most: Any) -> None:
    """Megabytes, of the whole process."""
    command = [sys.executable, "-c", MEASURED, str(path_of(name)), str(sequences)]
    assert int(subprocess.check_output(command, text=True, timeout=100)) < most
