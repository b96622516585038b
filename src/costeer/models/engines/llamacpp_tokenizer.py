"""The tokenizer inside a GGUF file, through llama.cpp's own vocabulary functions.

Knows nothing of weights or caches. Source: ``include/llama.h``, "Vocab" and "Tokenization".
"""

from __future__ import annotations

import ctypes
from functools import cached_property
from typing import Any

from costeer.decoding.vocabulary import Vocabulary
from costeer.exceptions import InputError, ModelError
from costeer.models.chat import ChatTemplate
from costeer.models.engines.llamacpp_library import library, metadata
from costeer.models.engines.tokenizer import EngineTokenizer

PIECE_BYTES = 1024  # longer than any token's text


class LlamaTokenizer(EngineTokenizer):
    """Text to ids and back. Owns nothing: the model must outlive it.

    Args:
        model: a ``llama_model`` handle.
    """

    def __init__(self, model: Any) -> None:
        self._lib = library()
        self._pointer: Any = self._lib.llama_model_get_vocab(model)
        self.padded_size: int = self._lib.llama_vocab_n_tokens(self._vocab)
        self._buffer = ctypes.create_string_buffer(PIECE_BYTES)
        self.template = ChatTemplate(
            metadata(model, "tokenizer.chat_template"),
            bos=self._spelling(self._lib.llama_vocab_bos(self._vocab)),
            eos=self._spelling(self._lib.llama_vocab_eos(self._vocab)),
        )
        self._attributes = [
            self._lib.llama_vocab_get_attr(self._vocab, i) for i in range(self.padded_size)
        ]
        unused = self._marked(self._lib.LLAMA_TOKEN_ATTR_UNUSED)
        self.vocabulary = Vocabulary.from_table(
            [self._spelling(i) for i in range(self.padded_size)], unused
        )
        self.eos_ids = frozenset(
            i for i in range(len(self.vocabulary)) if self._lib.llama_vocab_is_eog(self._vocab, i)
        )

    @property
    def _vocab(self) -> Any:
        if self._pointer is None:
            raise ModelError("This model is closed.", "Load it again.")
        return self._pointer

    def close(self) -> None:
        """The model is about to be freed; later calls are errors, except for the tables."""
        self._pointer = None

    def _marked(self, attribute: int) -> list[int]:
        return [i for i, marks in enumerate(self._attributes) if marks & attribute]

    def _spelling(self, token: int) -> str:
        if token < 0:  # LLAMA_TOKEN_NULL: the model has no such token
            return ""
        text: bytes = self._lib.llama_vocab_get_text(self._vocab, token)
        return text.decode("utf-8", "surrogateescape")

    @cached_property
    def control(self) -> dict[str, int]:
        """Every control token's spelling and id."""
        marked = self._marked(self._lib.LLAMA_TOKEN_ATTR_CONTROL)
        tokens = self.vocabulary.tokens
        return {tokens[i]: i for i in marked if i < len(tokens) and tokens[i]}

    def _tokenize(self, text: str, *, special: bool) -> list[int]:
        raw = text.encode()
        room = len(raw) + 8  # no token is shorter than a byte; a prefix space may be added
        ids = (ctypes.c_int32 * room)()
        count = self._lib.llama_tokenize(self._vocab, raw, len(raw), ids, room, False, special)
        if count < 0:
            raise InputError("The text cannot be tokenized.", "Shorten it.")
        return ids[:count]

    def _piece(self, token: int) -> bytes:
        buffer = self._buffer
        size = self._lib.llama_token_to_piece(self._vocab, token, buffer, PIECE_BYTES, 0, False)
        if size < 0:
            buffer = ctypes.create_string_buffer(-size)
            size = self._lib.llama_token_to_piece(self._vocab, token, buffer, -size, 0, False)
        return buffer.raw[:size]
