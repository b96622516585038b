"""``--profile`` of generate and chat: records become the context, and stay on the device."""

from __future__ import annotations

import io
import sys
from typing import Any
from urllib.parse import urlsplit

import pytest

from costeer.cli.profile_context import ProfileContext
from costeer.cloud.server.process import ServerProcess
from costeer.profile import profiles
from costeer.profile.records import Draft
from tests.support.canary import Tap, contains
from tests.support.profiles import PASSPHRASE

CANARIES = [f"kanarienvogel-{number}" for number in range(5)]
FAKE = ("--cloud", "in-process", "--llm", "fake:1", "--slm", "fake:2", "--max-tokens", 8)


@pytest.fixture
def ready(profile_command: Any) -> None:
    """A profile with two preferences and a sample."""
    with profiles.open_by_secret("default", PASSPHRASE) as profile:
        profile.records.add(Draft("sample", f"A dinner spot with {CANARIES[0]}.\n\nBye."))
        profile.records.add(Draft("preference", f"I like {CANARIES[1]}."))
        profile.records.add(Draft("sample", f"A picnic with {CANARIES[2]}."))


def test_records_come_after_the_other_context_and_later_ones_at_the_end(ready: Any) -> None:
    context = ProfileContext("default")
    first = context.add_to("From a file.", "Recommend a dinner spot")
    assert first.split("\n\n") == [
        "From a file.",
        f"I like {CANARIES[1]}.",
        f"A dinner spot with {CANARIES[0]}.\nBye.",
    ]
    later = context.add_to("From a file.", "And a picnic?")
    assert later == f"{first}\n\nA picnic with {CANARIES[2]}."
    context.forget()
    assert CANARIES[2] not in context.add_to("", "Recommend a dinner spot")


def test_no_profile_changes_nothing() -> None:
    assert ProfileContext(None).add_to("mine", "Q") == "mine"


@pytest.mark.slow
def test_generate_reads_the_profile_and_says_why(run: Any, ready: Any) -> None:
    asked = ("generate", "--query", "A dinner spot?", *FAKE)
    code, out, err = run(*asked, "--profile", "default", "--why")
    assert code == 0
    assert out
    assert "pinned: every preference is read" in err
    assert "matches: dinner" in err
    plain = run(*asked)[1]
    assert out != plain  # it did steer


@pytest.mark.slow
def test_nothing_of_the_profile_goes_up(run: Any, ready: Any) -> None:
    with ServerProcess("fake:1") as server, Tap(urlsplit(server.url).port) as tap:
        code, out, _ = run(
            *("generate", "--query", "A dinner?", "--profile", "default", "--slm", "fake:2"),
            *("--cloud", tap.url, "--max-tokens", 20, "--strength", 1),
        )
    assert code == 0
    assert out
    assert tap.heard
    assert not any(contains(tap.heard, canary) for canary in CANARIES)


@pytest.mark.slow
def test_chat_reads_the_profile(run: Any, ready: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = b"A dinner?\nA picnic?\n/reset\nA picnic?\n/quit\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
    code, _, err = run("chat", "--profile", "default", "--why", *FAKE)
    assert code == 0
    assert err.count("matches: dinner") == 1
    assert err.count("matches: picnic") == 2
    assert err.count("pinned: every preference") == 2


@pytest.mark.parametrize("command", ["generate", "chat"])
def test_bad_options_are_told_before_models_are_loaded(run: Any, home: Any, command: Any) -> None:
    query = ("--query", "Q") if command == "generate" else ()
    missing = ("--slm", "no-such-model")
    code, _, err = run(command, *query, "--profile", "none", *missing)
    assert code == 2
    assert "no profile" in err
    code, _, err = run(command, *query, "--why", *missing)
    assert code == 2
    assert "--profile" in err
