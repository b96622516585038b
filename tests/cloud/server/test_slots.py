"""Which place a prompt is given."""

from __future__ import annotations

from typing import Any

import pytest

from costeer.cloud.server.slots import Slot, SlotPool, choose_slot
from costeer.models.fake import FakeModel


def slot(ids: Any, used: Any = 0) -> Any:
    return Slot(ids=tuple(ids), used=used)


@pytest.mark.parametrize(
    ("slots", "prompt", "chosen"),
    [
        ([slot([]), slot([1, 2, 3])], [1, 2, 3, 4], 1),
        ([slot([1, 2, 3, 4]), slot([1, 2, 3])], [1, 2, 3, 4, 5], 0),
        ([slot([5], 2), slot([6], 1)], [1, 2], 1),  # nothing in common: the least recently used
        ([slot([1, 2], 2), slot([1, 2], 1)], [1, 2, 3], 1),
        ([slot([1] * 20, 2), slot([], 0)], [1, 2, 2, 2, 2], 1),  # a first word is no reason
        ([slot([1] * 20, 2), slot([], 0)], [1, 1, 1, 2], 0),
    ],
)
def test_choose_slot(slots: Any, prompt: Any, chosen: Any) -> None:
    assert choose_slot(slots, tuple(prompt)) is slots[chosen]


def test_a_returned_slot_is_found_again_by_its_ids() -> None:
    model, pool = FakeModel(), SlotPool(2)
    slot = pool.take((1, 2))
    slot.sequence = model.sequence()
    slot.sequence.extend([1, 2, 3])
    pool.release(slot)
    assert len(pool) == 2
    assert pool.take((1, 2, 3, 4)) is slot
    pool.release(slot)
    pool.close()
    assert model.opened == 0
    assert slot.ids == ()
