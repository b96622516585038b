"""What tokenizers of all engines have in common: the checks, and the chat template.

Knows nothing about the tables; an engine brings ``_tokenize`` and ``_piece``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from costeer.decoding.vocabulary import Vocabulary
from costeer.exceptions import InputError, ParameterError
from costeer.models.base import Message
from costeer.models.chat import ChatTemplate


class EngineTokenizer(ABC):
    """Text to ids and back.

    Attributes:
        vocabulary: the real token table, without padding.
        template: renders conversations.
    """

    vocabulary: Vocabulary
    template: ChatTemplate

    @property
    @abstractmethod
    def control(self) -> Mapping[str, int]:
        """Every control token's spelling and id."""

    @abstractmethod
    def _tokenize(self, text: str, *, special: bool) -> list[int]:
        """Turn valid Unicode into ids; ``special``: spelled control tokens become themselves."""

    @abstractmethod
    def _piece(self, token: int) -> bytes:
        """Return the UTF-8 bytes of an id in the vocabulary; b"" for a control token."""

    def encode(self, text: str) -> list[int]:
        """Turn plain text into ids. Text that spells a control token stays text.

        Raises:
            InputError: the text is not valid Unicode (a lone surrogate).
        """
        return self._tokenize(_require_unicode(text), special=False)

    def encode_special(self, text: str) -> list[int]:
        """Turn text into ids; control tokens that it spells become themselves."""
        return self._tokenize(_require_unicode(text), special=True)

    def decode_bytes(self, ids: Sequence[int]) -> bytes:
        """Turn ids into UTF-8 bytes, which may end inside a character.

        Raises:
            ParameterError: an id is outside the vocabulary.
        """
        if any(not 0 <= token < len(self.vocabulary) for token in ids):
            raise ParameterError("A token id is outside the vocabulary.")
        return b"".join(self._piece(int(token)) for token in ids)

    def chat(self, messages: Sequence[Message]) -> list[int]:
        """Render and tokenize a conversation; errors as for ``ChatTemplate.ids``."""
        return self.template.ids(messages, self)


def _require_unicode(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(
            "The text holds characters that are not valid Unicode.", "Save it as UTF-8."
        ) from None
    return text
