"""The list of guarded values in a profile."""

from __future__ import annotations

from costeer.profile.database import Database
from costeer.profile.guarded_values import GuardedValues


def test_a_list_is_replaced_whole_and_keeps_its_order() -> None:
    values = GuardedValues(Database.in_memory())
    assert values.all() == []
    kept = [("Märta", "name", "stand-in"), ("Abc", "account", "withheld")]
    values.replace(kept)
    assert values.all() == kept
    values.replace(reversed(kept))
    assert values.all() == kept[::-1]
