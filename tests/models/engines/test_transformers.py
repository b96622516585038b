"""transformers for real, on a tiny random model, held against llama.cpp on the same weights."""

from __future__ import annotations

import json
import shutil
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from costeer.exceptions import InputError, ModelError, ModelFileError, ParameterError
from tests.support.engines import load_tiny

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from costeer.models.engines import transformers as engine  # noqa: E402
from costeer.models.engines.transformers import Transformers  # noqa: E402
from costeer.models.engines.transformers_tokenizer import _alphabet  # noqa: E402

IDS = [104, 101, 108, 108, 111, 44, 32, 119, 111, 114, 108, 100]


@pytest.fixture
def model(hf_folder: Any, device: str) -> Any:
    return Transformers(hf_folder, device=device, dtype="float32", context=256, sequences=4)


# The two engines on the same weights


def test_both_engines_have_one_tokenizer(model: Any, request: pytest.FixtureRequest) -> None:
    other = load_tiny("llamacpp", request)
    mine, theirs = model.tokenizer, other.tokenizer
    assert mine.vocabulary.fingerprint == theirs.vocabulary.fingerprint
    assert mine.control == theirs.control
    for text in ("the answer is on it", "a\n\nthe <|im_end|> <tool_call> é 你好 \U0001f600"):
        assert mine.encode(text) == theirs.encode(text)
        messages = [{"role": "user", "content": text}]
        assert mine.chat(messages) == theirs.chat(messages)
    every = range(len(mine.vocabulary))
    assert [mine.decode_bytes([i]) for i in every] == [theirs.decode_bytes([i]) for i in every]
    other.close()


def test_both_engines_compute_the_same(model: Any, request: pytest.FixtureRequest) -> None:
    """llama.cpp's cache is float16, which is what differs."""
    other = load_tiny("llamacpp", request)
    ids = [(11 * i) % 250 for i in range(200)]
    assert np.allclose(
        model.sequence().extend(ids), other.sequence().extend(ids), rtol=0, atol=0.02
    )
    other.close()


# Exactness


def test_what_goes_along_changes_no_bit(model: Any) -> None:
    alone = model.sequence().extend(IDS)
    first, second = model.sequence(), model.sequence()
    together = model.extend_many([(first, IDS), (second, IDS[:3])])
    assert np.allclose(together[0], alone, rtol=0, atol=0 if model.repeatable else 2e-5)


def test_at_once_or_one_by_one_differs_by_rounding(model: Any) -> None:
    sequence = model.sequence()
    single = np.concatenate([sequence.extend([token]) for token in IDS])
    assert np.abs(single - model.sequence().extend(IDS)).max() < 2e-5


def test_long_work_goes_in_chunks(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [(7 * i) % 250 for i in range(150)]
    whole = model.sequence().extend(ids, rows=40)
    monkeypatch.setattr(engine, "CHUNK", 32)
    for rows in (0, 1, 40, None):
        sequence = model.sequence()
        pieces = sequence.extend(ids, rows=rows)
        count = len(ids) if rows is None else rows
        assert pieces.shape == (count, model.vocab_size)
        common = min(count, 40)
        assert np.allclose(pieces[count - common :], whole[40 - common :], rtol=0, atol=2e-5)
        sequence.close()


@pytest.mark.parametrize("passes", [0, 1, 2])
def test_an_interrupt_leaves_the_sequence_as_it_was(
    model: Any, monkeypatch: pytest.MonkeyPatch, passes: Any
) -> None:
    monkeypatch.setattr(engine, "CHUNK", 8)
    sequence, other = model.sequence(), model.sequence()
    sequence.extend(IDS)
    layer = model._model.model.layers[1]
    left = iter([None] * passes)
    hook = layer.register_forward_pre_hook(lambda *_: next(left, stop) and interrupt())
    with pytest.raises(KeyboardInterrupt):
        model.extend_many([(other, IDS), (sequence, [65] * 20)])
    hook.remove()
    assert (sequence.ids, other.ids) == (tuple(IDS), ())
    expected = model.sequence()
    expected.extend(IDS)
    assert np.allclose(sequence.extend([66]), expected.extend([66]), rtol=0, atol=2e-5)
    assert np.allclose(other.extend(IDS), model.sequence().extend(IDS), rtol=0, atol=2e-5)


def test_a_full_memory_leaves_the_sequence_as_it_was(model: Any) -> None:
    sequence = model.sequence()
    sequence.extend(IDS)
    hook = model._model.model.layers[1].register_forward_pre_hook(exhaust)
    with pytest.raises(ModelError, match=r"memory.*full") as caught:
        sequence.extend([65, 66])
    hook.remove()
    assert (caught.type, sequence.ids) == (ModelError, tuple(IDS))
    expected = model.sequence()
    expected.extend(IDS)
    assert np.allclose(sequence.extend([66]), expected.extend([66]), rtol=0, atol=2e-5)


def exhaust(layer: Any, _: Any) -> None:
    """Ask for more memory than there is, where the layer is."""
    torch.empty(2**62, dtype=torch.uint8, device=next(layer.parameters()).device)


stop = object()


def interrupt() -> None:
    raise KeyboardInterrupt


# Files and parameters


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "config.json").write_text("{"),
        lambda folder: (folder / "config.json").write_text('{"model_type": "no-such-kind"}'),
        lambda folder: (folder / "model.safetensors").unlink(),
        lambda folder: (folder / "model.safetensors").write_bytes(b"\x00" * 100),
        lambda folder: (folder / "tokenizer.json").write_text("[]"),
        shutil.rmtree,
    ],
)
def test_a_bad_folder_gives_one_clear_line(hf_folder: Any, tmp_path: Path, spoil: Any) -> None:
    folder = shutil.copytree(hf_folder, tmp_path / "copy")
    spoil(folder)
    with pytest.raises(ModelFileError) as caught:
        Transformers(folder)
    assert "\n" not in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    "parameters",
    [
        {"dtype": "float7"},
        {"dtype": "int64"},
        {"dtype": "nn"},
        {"device": "nowhere"},
        {"context": 0},
        {"sequences": 0},
        {"threads": 0},
    ],
)
def test_a_parameter_must_make_sense(tmp_path: Path, parameters: Any) -> None:
    with pytest.raises(ParameterError):
        Transformers(tmp_path / "nowhere", **parameters)  # before the folder is looked at


def test_the_context_is_cut_to_what_the_model_was_trained_for(hf_folder: Any) -> None:
    assert Transformers(hf_folder, context=10**6).context_length == 512


def test_another_dtype_is_close(hf_folder: Any, model: Any, device: str) -> None:
    half = Transformers(hf_folder, device=device, dtype="bfloat16", context=256)
    rows = half.sequence().extend(IDS)
    assert rows.dtype == np.float32
    assert np.allclose(rows, model.sequence().extend(IDS), rtol=0, atol=1.0)


def test_a_narrow_dtype_is_as_good_far_into_a_text(
    hf_folder: Any, tmp_path: Path, device: str
) -> None:
    """Positions are angles: an error of their frequencies grows with the position."""
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(hf_folder, tmp_path / "rounded")
    weights = load_file(folder / "model.safetensors")
    rounded = {name: tensor.to(torch.bfloat16) for name, tensor in weights.items()}
    save_file(rounded, folder / "model.safetensors", metadata={"format": "pt"})
    ids = [(7 * i) % 250 for i in range(500)]
    narrow, wide = (
        Transformers(folder, device=device, dtype=dtype).sequence().extend(ids)
        for dtype in ("bfloat16", "float32")
    )
    error = np.abs(narrow - wide).mean(axis=1)
    assert error[400:].mean() < 1.5 * error[:100].mean()


@pytest.mark.usefixtures("no_collection")
def test_closing_frees_the_weights_at_once(hf_folder: Any, device: str) -> None:
    model = Transformers(hf_folder, device=device, context=256)
    model.sequence().extend(IDS)
    kept = weakref.ref(model._model.lm_head.weight)
    model.close()
    assert kept() is None


def test_a_closed_model_refuses(hf_folder: Any, device: str) -> None:
    model = Transformers(hf_folder, device=device, context=256)
    sequence = model.sequence()
    model.close()
    model.close()
    for call in (model.sequence, lambda: sequence.extend([65])):
        with pytest.raises(ModelError, match="closed"):
            call()


# The tokenizer


def test_the_byte_alphabet_is_a_bijection() -> None:
    alphabet = _alphabet()
    assert sorted(alphabet.values()) == list(range(256))
    assert (alphabet["Ġ"], alphabet["Ċ"], alphabet["A"]) == (32, 10, 65)


def test_a_sentencepiece_tokenizer(hf_folder: Any, tmp_path: Path) -> None:
    """Llama 2's kind: a lower one eighth block for a space, and byte tokens."""
    folder = shutil.copytree(hf_folder, tmp_path / "copy")
    raw = json.loads((folder / "tokenizer.json").read_text())
    pieces = ["▁", "a", "b", "▁a", *(f"<0x{i:02X}>" for i in range(256))]
    raw["model"] = raw["model"] | {
        "vocab": {piece: i for i, piece in enumerate(pieces)},
        "merges": [["▁", "a"]],
        "byte_fallback": True,
    }
    raw["pre_tokenizer"] = None
    raw["normalizer"] = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    raw["decoder"] = {"type": "ByteFallback"}
    from tokenizers import Tokenizer

    from costeer.models.engines.transformers_tokenizer import TransformersTokenizer

    class Loaded:
        backend_tokenizer = Tokenizer.from_str(json.dumps(raw))
        added_tokens_decoder = backend_tokenizer.get_added_tokens_decoder()
        bos_token, eos_token, eos_token_id, chat_template = None, None, None, None

    tokenizer = TransformersTokenizer(Loaded, {0})
    for text in ("a b a", "é<|im_end|>", "\n", ""):
        assert tokenizer.decode_bytes(tokenizer.encode(text)) == text.encode()


def test_only_fast_tokenizers_can_keep_text_apart() -> None:
    from costeer.models.engines.transformers_tokenizer import TransformersTokenizer

    with pytest.raises(ModelFileError):
        TransformersTokenizer(object())


@pytest.mark.parametrize("ids", [[-1], [10**6], [275]])
def test_only_tokens_can_be_decoded(model: Any, ids: Any) -> None:
    with pytest.raises(ParameterError):
        model.tokenizer.decode_bytes(ids)


def test_a_text_that_is_not_unicode(model: Any) -> None:
    with pytest.raises(InputError):
        model.tokenizer.encode("\ud800")
