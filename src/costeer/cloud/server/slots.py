"""The places for sequences of one model, and which of them a prompt is given.

Knows token ids; nothing about threads. The scheduler calls all of it under its lock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from costeer.models.base import TokenSequence
from costeer.models.prefix import common_length


@dataclass(eq=False, slots=True)
class Slot:
    """A place for one sequence, which is opened when first needed."""

    sequence: TokenSequence | None = None
    used: int = 0  # when last taken, by the pool's clock
    ids: tuple[int, ...] = ()  # what the sequence held when the slot was last released

    def reset(self) -> None:
        """Close the sequence, because its content is uncertain or no longer needed."""
        sequence, self.sequence = self.sequence, None
        self.ids = ()
        if sequence is not None:
            sequence.close()


class SlotPool:
    """The free slots.

    Args:
        count: how many slots there are, at least 1.
    """

    def __init__(self, count: int) -> None:
        self._free = [Slot() for _ in range(count)]
        self._clock = 0

    def __len__(self) -> int:
        return len(self._free)

    def take(self, prompt: tuple[int, ...]) -> Slot:
        """Take the free slot that suits ``prompt`` best; there must be one."""
        self._clock += 1
        slot = choose_slot(self._free, prompt)
        slot.used = self._clock
        self._free.remove(slot)
        return slot

    def release(self, slot: Slot) -> None:
        """Return a slot; its sequence keeps what it holds for the next prompt."""
        slot.ids = slot.sequence.ids if slot.sequence is not None else ()
        self._free.append(slot)

    def close(self) -> None:
        """Close the sequences of all free slots."""
        for slot in self._free:
            slot.reset()


def choose_slot(slots: Iterable[Slot], prompt: tuple[int, ...]) -> Slot:
    """Choose the slot with the longest useful common prefix; among equals the least recently used.

    A prefix shorter than half of both the prompt and the slot (the first words of a chat template,
    say) counts as none: taking that slot would discard another conversation for nothing.
    """

    def worth(slot: Slot) -> tuple[int, int]:
        common = common_length(slot.ids, prompt)
        useful = 2 * common >= min(len(slot.ids), len(prompt))
        return (common if useful else 0, -slot.used)

    return max(slots, key=worth)
