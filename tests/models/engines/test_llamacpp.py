"""llama.cpp for real, on a tiny random model: files, vocabulary, batches."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from costeer.exceptions import (
    InputError,
    InterruptedModelError,
    ModelError,
    ModelFileError,
    ParameterError,
)

pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
pytest.importorskip("gguf", reason="gguf, which writes the tiny model, is not installed")

from costeer.models.engines.llamacpp import LlamaCpp
from costeer.models.engines.llamacpp_library import physical_cores
from tests.support import tiny

IDS = [104, 101, 108, 108, 111, 44, 32, 119, 111, 114, 108, 100]


@pytest.fixture
def model(gguf_file: Any) -> Iterator[Any]:
    with_room = LlamaCpp(gguf_file, context=256, sequences=4, threads=1, batch=32)
    yield with_room
    with_room.close()


# Files


def damaged(folder: Any, file: Any, kind: Any) -> Any:
    raw = file.read_bytes()
    path = folder / f"{kind}.gguf"
    contents = {
        "text": b"This is not a model at all, only a line of text.",
        "empty": b"",
        "only-magic": b"GGUF",
        "half": raw[: len(raw) // 2],
        "last-byte-missing": raw[:-1],
        "header-only": raw[:24],
        "bad-version": raw[:4] + b"\xff\xff\xff\x7f" + raw[8:],
        "huge-counts": raw[:8] + b"\xff" * 16 + raw[24:],
        "garbled-metadata": raw[:24] + b"\xff" * 400 + raw[424:],
        "zip": b"PK\x03\x04" + raw[4:],
    }
    if kind == "folder":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes(contents[kind])
    return path


KINDS = [
    "text",
    "empty",
    "only-magic",
    "half",
    "last-byte-missing",
    "header-only",
    "bad-version",
    "huge-counts",
    "garbled-metadata",
    "zip",
    "folder",
    "missing",
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_file_gives_one_clear_line(
    kind: Any, gguf_file: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = damaged(tmp_path, gguf_file, kind)
    with pytest.raises(ModelFileError) as caught:
        LlamaCpp(path)
    message = str(caught.value)
    assert path.name in message
    assert caught.value.hint
    assert "\n" not in message
    assert capfd.readouterr() == ("", "")


def test_a_good_file_is_loaded_in_silence(
    gguf_file: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    model = LlamaCpp(gguf_file, context=256)
    model.sequence().extend(IDS)
    model.close()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "sizes",
    [
        {"context": 0},
        {"context": -1},
        {"sequences": 0},
        {"sequences": 10**6},
        {"threads": 0},
        {"batch": 0},
        {"context": 2.5},
        {"context": True},
    ],
)
def test_a_size_must_make_sense(gguf_file: Any, sizes: Any) -> None:
    with pytest.raises(ParameterError):
        LlamaCpp(gguf_file, **sizes)


def test_the_context_is_cut_to_what_the_model_was_trained_for(
    gguf_file: Any, caplog: pytest.LogCaptureFixture
) -> None:
    model = LlamaCpp(gguf_file, context=10**6)
    assert model.context_length == tiny.TRAINED
    assert "512" in caplog.text
    model.close()


def test_there_is_at_least_one_core() -> None:
    assert physical_cores() >= 1


# Vocabulary


def test_padding_is_cut_off(model: Any) -> None:
    tokens, _ = tiny.table()
    assert model.vocab_size == len(tokens)
    assert model.tokenizer.padded_size == len(tokens) + tiny.PADDING
    assert model.tokenizer.vocabulary.tokens == tokens
    assert set(model.tokenizer.control) == set(tiny.CONTROL)


@pytest.mark.parametrize("ids", [[-1], [10**6], [275]])
def test_only_tokens_can_be_decoded(model: Any, ids: Any) -> None:
    with pytest.raises(ParameterError):
        model.tokenizer.decode_bytes(ids)


def test_a_text_that_is_not_unicode(model: Any) -> None:
    with pytest.raises(InputError):
        model.tokenizer.encode("\ud800")


def test_a_model_without_a_template(tmp_path: Path) -> None:
    model = LlamaCpp(tiny.write_gguf(tmp_path / "plain.gguf", template=None), context=256)
    with pytest.raises(ModelError, match="template"):
        model.tokenizer.chat([{"role": "user", "content": "hi"}])
    model.close()


# Batches


@pytest.mark.parametrize("rows", [None, 0, 1, 40])
def test_long_work_goes_in_chunks(gguf_file: Any, model: Any, rows: Any) -> None:
    """A batch of 32 and 32 rows a call, against one call for everything."""
    ids = [(7 * i) % 250 for i in range(150)]
    large = LlamaCpp(gguf_file, context=256, sequences=4, threads=1, batch=256)
    work = [(ids, rows), (ids[:9], rows), (ids[:77], rows)]
    pieces = model.extend_many([(model.sequence(), part) for part, _ in work], rows)
    whole = large.extend_many([(large.sequence(), part) for part, _ in work], rows)
    for one, other in zip(pieces, whole, strict=True):
        assert one.shape == other.shape
        assert np.allclose(one, other, rtol=0, atol=0.02)
    large.close()


def test_few_ids_give_the_rows_of_single_steps(model: Any) -> None:
    """So that checking two drafts, or two sequences, decides as one step at a time does."""
    if not model._singles:
        pytest.skip("this llama.cpp computes on a GPU")
    one, other, third = model.sequence(), model.sequence(), model.sequence()
    together = model.extend_many([(one, [65]), (other, [66])])
    assert np.array_equal(together[0], third.extend([65]))
    third.truncate(0)
    assert np.array_equal(together[1], third.extend([66]))


def test_a_sequence_goes_once_into_a_batch(model: Any) -> None:
    sequence = model.sequence()
    with pytest.raises(ParameterError):
        model.extend_many([(sequence, [65]), (sequence, [66])])
    assert len(sequence) == 0


@pytest.mark.parametrize("ids", [[1.5], ["a"], [[1, 2]], [True, False]])
def test_ids_are_whole_numbers(model: Any, ids: Any) -> None:
    with pytest.raises(ParameterError):
        model.sequence().extend(ids)


def test_no_work_no_rows(model: Any) -> None:
    assert model.extend_many([]) == []
    with pytest.raises(ParameterError):
        model.sequence().extend([65], rows=-1)


def test_slots_that_are_not_neighbours(model: Any) -> None:
    sequences = [model.sequence() for _ in range(4)]
    sequences[1].close()
    work = [(sequences[3], IDS), (sequences[0], IDS), (sequences[2], IDS)]
    rows = model.extend_many(work)
    assert np.allclose(rows[0], rows[1], rtol=0, atol=0.02)
    assert np.allclose(rows[0], rows[2], rtol=0, atol=0.02)


@pytest.mark.slow
def test_a_call_can_be_given_up_from_another_thread(model: Any) -> None:
    """Over and over: sometimes before, sometimes in, sometimes after the computation."""
    sequence, other = model.sequence(), model.sequence()
    ids = [i % 250 for i in range(200)]
    sequence.extend(IDS)
    expected = model.sequence().extend([*IDS, *ids], rows=1)
    over = threading.Event()

    def disturb() -> None:
        while not over.is_set():
            model.interrupt()

    thread = threading.Thread(target=disturb)
    thread.start()
    given_up = 0
    try:
        while given_up < 20:
            try:
                model.extend_many([(sequence, ids), (other, ids)], rows=1)
                sequence.truncate(len(IDS))
                other.truncate(0)
            except InterruptedModelError:
                given_up += 1
                assert sequence.ids == tuple(IDS)
                assert other.ids == ()
    finally:
        over.set()
        thread.join()
    model.interrupt()  # nothing is under way: the next call is not affected
    assert np.allclose(sequence.extend(ids, rows=1), expected, atol=0.02)
