"""``costeer privacy report`` on a profile: its records as the context, its conversations."""

from __future__ import annotations

import json
from typing import Any

import pytest

from costeer.profile import profiles
from costeer.profile.records import Draft
from tests.support.profiles import PASSPHRASE


@pytest.fixture
def conversation(profile_command: Any) -> Any:
    """The number of a stored conversation of two answers, and that of an empty one."""
    with profiles.open_by_secret("default", PASSPHRASE) as profile:
        profile.records.add(Draft("fact", "I live in Porto and I am vegan."))
        kept, empty = profile.conversations.create(), profile.conversations.create()
        for role, text in (
            ("user", "Where do I go?"),
            ("assistant", "Stay in Porto."),
            ("user", "In Porto, then?"),
            ("assistant", "Yes, at a vegan place."),
        ):
            profile.conversations.add(kept.id, role, text)
    return kept.id, empty.id


@pytest.mark.slow
def test_a_stored_conversation(conversation: Any, run: Any) -> None:
    line = ("privacy", "report", "--profile", "default", "--conversation", conversation[0])
    code, out, _ = run(*line, "--json")
    assert code == 0
    first, second = json.loads(out)["turns"]
    assert ([v["text"] for v in first["values"]], first["asked_values"]) == (["Porto"], [])
    assert [v["text"] for v in second["asked_values"]] == ["Porto"]
    assert second["words"] == ["vegan"]
    assert "was not kept" in run(*line)[1]


@pytest.mark.parametrize(("which", "says"), [(1, "has no answers"), (None, "no conversation 99")])
def test_a_conversation_without_answers(conversation: Any, run: Any, which: Any, says: Any) -> None:
    number = 99 if which is None else conversation[which]
    code, _, err = run("privacy", "report", "--profile", "default", "--conversation", number)
    assert code == 2
    assert says in err
