"""WireConversations whose models read stand-ins: what was shown to the person, and what was sent.

An earlier turn goes up again exactly as it went before. If the shown text were rewritten anew, a
cloud could write a list of names and see in the next turn which of them was replaced.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from costeer.models.base import Message
from costeer.privacy.stand_ins import StandIns

REMEMBERED = 256
"""Answers whose wire text is kept, with their questions; the oldest is forgotten first."""

Key = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class WireConversation:
    """Stand-ins, and the messages as they were sent so far."""

    stand_ins: StandIns
    wire: list[Message] = field(default_factory=list)


class WireConversations:
    """Those that may go on.

    Args:
        rng: where stand-ins are drawn from; the operating system's randomness by default.
    """

    def __init__(self, rng: random.Random | None = None) -> None:
        self._rng = rng
        self._known: OrderedDict[Key, WireConversation] = OrderedDict()

    def find(self, shown: Sequence[Message]) -> tuple[WireConversation, int]:
        """The conversation that these messages go on with.

        Args:
            shown: the messages as the person sees them.

        Returns:
            The conversation with its wire messages, and how many of ``shown`` these stand for. A
            new one and 0 where none is known.
        """
        for count in range(len(shown) - 1, 0, -1):
            if shown[count - 1]["role"] == "assistant":
                known = self._known.get(_key(shown[:count]))
                if known is not None:
                    return WireConversation(known.stand_ins, list(known.wire)), count
        return WireConversation(StandIns(self._rng)), 0

    def stand_ins(self, shown: Sequence[Message]) -> StandIns | None:
        """Those of the latest answer to this very question, if it has one."""
        known = self._known.get(_key(shown))
        return None if known is None else known.stand_ins

    def keep(
        self,
        shown: Sequence[Message],
        conversation: WireConversation,
        answer: str,
        wire_answer: str,
    ) -> None:
        """Remember an answer.

        Args:
            shown: the messages that asked for it.
            conversation: with ``wire`` up to the question.
            answer: as shown.
            wire_answer: as the models wrote it.
        """
        wire: list[Message] = [*conversation.wire, {"role": "assistant", "content": wire_answer}]
        answered = _key([*shown, {"role": "assistant", "content": answer}])
        self._remember(_key(shown), conversation)
        self._remember(answered, WireConversation(conversation.stand_ins, wire))

    def _remember(self, key: Key, conversation: WireConversation) -> None:
        self._known[key] = conversation
        self._known.move_to_end(key)
        while len(self._known) > 2 * REMEMBERED:
            self._known.popitem(last=False)


def _key(messages: Sequence[Message]) -> Key:
    return tuple((message["role"], message["content"].strip()) for message in messages)
