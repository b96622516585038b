"""A Hugging Face tokenizer as ``models.base.Tokenizer``.

Works on the ``tokenizers`` object inside, because only that has a setting to leave control tokens
that a text spells as text. Knows nothing of weights. Sources:
https://huggingface.co/docs/tokenizers and, for the byte alphabet, GPT-2's ``encoder.py``
(https://github.com/openai/gpt-2/blob/master/src/encoder.py).

Deviations: a tokenizer may normalise (Qwen's composes characters, NFC, where llama.cpp does not),
and SentencePiece ones that put a space before a text give that space back; then decoding does not
give the very bytes that were encoded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from functools import cache
from typing import Any

from costeer.decoding.vocabulary import Vocabulary
from costeer.exceptions import ModelFileError
from costeer.models.chat import ChatTemplate
from costeer.models.engines.tokenizer import EngineTokenizer

BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")


class TransformersTokenizer(EngineTokenizer):
    """Text to ids and back.

    Args:
        tokenizer: what ``AutoTokenizer.from_pretrained`` gives.
        eos_ids: ids that end an answer by the model's generation settings.

    Raises:
        ModelFileError: it has no fast form, so control tokens in a text could not be kept apart.
    """

    def __init__(self, tokenizer: Any, eos_ids: Collection[int] = ()) -> None:
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if backend is None:
            raise ModelFileError(
                "The model has no fast tokenizer.", "Choose one with a tokenizer.json file."
            )
        self._special = _copy(backend, keep_as_text=False)
        self._plain = _copy(backend, keep_as_text=True)
        added = tokenizer.added_tokens_decoder
        self._control = {token.content: i for i, token in added.items() if token.special}
        self._added: dict[int, bytes] = {i: token.content.encode() for i, token in added.items()}
        self._added.update(dict.fromkeys(self._control.values(), b""))
        self._byte_level = _is_byte_level(json.loads(backend.to_str()).get("decoder"))
        self.vocabulary = Vocabulary(_table(backend))
        own = {tokenizer.eos_token_id} - {None}
        self.eos_ids = frozenset(own | set(eos_ids))
        self.template = ChatTemplate(
            _template(tokenizer), bos=tokenizer.bos_token or "", eos=tokenizer.eos_token or ""
        )

    @property
    def control(self) -> dict[str, int]:
        """Every control token's spelling and id."""
        return self._control

    def _tokenize(self, text: str, *, special: bool) -> list[int]:
        backend = self._special if special else self._plain
        ids: list[int] = backend.encode(text, add_special_tokens=False).ids
        return ids

    def _piece(self, token: int) -> bytes:
        if token in self._added:
            return self._added[token]
        spelling = self.vocabulary.tokens[token]
        if self._byte_level:
            return bytes(_alphabet()[character] for character in spelling)
        byte = BYTE_TOKEN.fullmatch(spelling)
        if byte:
            return bytes([int(byte[1], 16)])
        return spelling.replace("▁", " ").encode()


def _copy(backend: Any, *, keep_as_text: bool) -> Any:
    """A tokenizer of our own, since how it treats control tokens is a setting of the object."""
    from tokenizers import Tokenizer

    copy = Tokenizer.from_str(backend.to_str())
    copy.no_truncation()
    copy.no_padding()
    copy.encode_special_tokens = keep_as_text
    return copy


def _table(backend: Any) -> list[str]:
    """Every spelling in order; holes are named as llama.cpp's converter names them."""
    spellings: dict[str, int] = backend.get_vocab(with_added_tokens=True)
    table = [f"[PAD{i}]" for i in range(max(spellings.values()) + 1)]
    for spelling, token in spellings.items():
        table[token] = spelling
    return table


def _template(tokenizer: Any) -> str | None:
    template = tokenizer.chat_template
    if isinstance(template, dict):  # several, by name
        template = template.get("default")
    return template if isinstance(template, str) else None


def _is_byte_level(decoder: Any) -> bool:
    if not isinstance(decoder, dict):
        return False
    return decoder.get("type") == "ByteLevel" or any(
        _is_byte_level(part) for part in decoder.get("decoders", ())
    )


@cache
def _alphabet() -> dict[str, int]:
    """The character that stands for each byte: itself if printable, else one from 256 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {
        **{chr(byte): byte for byte in printable},
        **{chr(256 + i): byte for i, byte in enumerate(others)},
    }
