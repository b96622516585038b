"""Private text behind the gateway: in no response beyond the answer, no log, error or metric."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from costeer.exceptions import InputError
from costeer.gateway.answering import Context
from costeer.gateway.contexts import of_profile
from costeer.profile import profiles
from costeer.profile.records import Draft, Kind
from tests.support.gateway import CHAT, HELLO, TextModel, post, running_gateway, streamed
from tests.support.profiles import FAST, PASSPHRASE

CANARIES = [f"kanarienvogel-{number:03d}-ß" for number in range(20)]
CONTEXT = "\n\n".join(f"I keep {name} in my kitchen." for name in CANARIES)


def assert_clean(text: Any, where: Any) -> None:
    for canary in CANARIES:
        for form in (canary, canary.encode("unicode_escape").decode(), canary.split("-ß")[0]):
            assert form not in text, f"{canary} in {where}"


@pytest.fixture
def chosen_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    """A context of records of a profile: half of them pinned, half of them searched."""
    monkeypatch.setenv("COSTEER_PROFILES", str(tmp_path / "profiles"))
    profiles.create("home", PASSPHRASE, FAST)
    with profiles.open_by_secret("home", PASSPHRASE) as opened:
        for number, name in enumerate(CANARIES):
            kind: Kind = "fact" if number % 2 else "document"
            opened.records.add(Draft(kind, f"Hello, I keep {name} in my kitchen."))
        yield of_profile(opened)


@pytest.mark.slow
def test_no_private_text_in_any_response_log_or_metric(
    tmp_path: Path,
    chosen_records: Context,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    slm = TextModel(seed=2, context_length=6000)
    own = {"costeer": {"context": CONTEXT}}
    read = chosen_records(HELLO["messages"])
    assert all(canary in read for canary in CANARIES)
    named = {"home": chosen_records}
    with running_gateway(tmp_path, slm=slm, context=CONTEXT, named=named, metrics=True) as app:
        plain = [
            post(app, body, path)
            for path in (CHAT, "/v1/responses", "/nothing")
            for body in (
                HELLO, HELLO | {"model": "costeer/home"}, HELLO | {"logprobs": True},
                HELLO | own, HELLO | own | {"n": 2},
                HELLO | {"model": CONTEXT}, HELLO | {"messages": CONTEXT}, {"input": CONTEXT},
                HELLO | {"costeer": {"strength": CONTEXT}}, HELLO | {"costeer": CONTEXT},
                HELLO | {"costeer": {CONTEXT: 1}}, HELLO | {CONTEXT: 1},
                HELLO | {"costeer": {"context": CONTEXT * 40}},
                HELLO | {"costeer": {"profile": "home", "strength": 0.5}},
                HELLO | {"costeer": {"beginning": CONTEXT}},
                HELLO | {"stop": [CONTEXT]}, HELLO | own | {"stream": True},
            )
        ]  # fmt: skip
        plain += [app.client.get(path) for path in ("/metrics", "/v1/models", "/health")]
        for response in plain:
            assert_clean(response.text + str(response.headers.raw), response.request.url)
        owner = {"authorization": f"Bearer {app.tokens.add('me', 'owner')}"}
        ledger = app.client.get("/costeer/ledger", headers=owner).text
    assert_clean(ledger, "the ledger")
    assert_clean(caplog.text + "".join(capfd.readouterr()), "the logs")


def test_the_search_would_find_a_leak(tmp_path: Path) -> None:
    with running_gateway(tmp_path) as app:
        body = HELLO | {"messages": [{"role": "user", "content": CANARIES[0]}]}
        streamed(app, body)
        owner = {"authorization": f"Bearer {app.tokens.add('me', 'owner')}"}
        shown = app.client.get("/costeer/ledger", headers=owner).json()
    with pytest.raises(AssertionError):
        assert_clean(str(shown), "the ledger")


@pytest.mark.slow
@pytest.mark.parametrize("error", [ValueError(CONTEXT), InputError("No such record.")])
@pytest.mark.parametrize("stream", [False, True])
def test_a_context_that_fails_is_an_error_without_its_words(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    error: Any,
    stream: Any,
) -> None:
    caplog.set_level(logging.DEBUG)

    def fail(messages: Any) -> None:
        raise error

    with running_gateway(tmp_path, named={"broken": fail}) as app:
        response = post(app, HELLO | {"model": "costeer/broken", "stream": stream})
        assert post(app, HELLO).status_code == 200
    assert response.status_code == (500 if isinstance(error, ValueError) else 400)
    assert_clean(response.text, "the error")
    assert_clean(caplog.text + "".join(capfd.readouterr()), "the logs")
