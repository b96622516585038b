"""What left the device, and for which client."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest

from costeer.edge.answer import Result
from costeer.gateway.ledger import ClientLedger
from tests.support.gateway import HELLO, TextModel, post, running_gateway, streamed
from tests.support.serving import running, until


def ledger(app: Any, token: Any) -> Any:
    key = {"authorization": f"Bearer {token}"}
    return httpx2.get(f"{app.url}/costeer/ledger", headers=key).json()


@pytest.mark.slow
def test_every_answer_stands_under_the_name_of_its_client(tmp_path: Path) -> None:
    with (
        running(TextModel(seed=1)) as server,
        running_gateway(tmp_path, cloud=server.url) as app,
    ):
        post(app, HELLO)
        me, chat = app.tokens.add("me", "owner"), app.tokens.add("open-webui", "app")
        post(app, HELLO, token=chat)
        streamed(app, HELLO | {"model": "costeer/off"}, authorization=f"Bearer {chat}")
        post(app, HELLO | {"n": 2}, token=chat)  # refused: nothing leaves
        post(app, HELLO | {"costeer": {"strength": 1}}, token=me)
        assert until(lambda: app.answers.metrics.under_way == 0)
        shown = ledger(app, me)["answers"]
    assert [(one["client"], one["strength"]) for one in shown] == [
        ("", "2.0"), ("open-webui", "2.0"), ("open-webui", "off"), ("me", "1.0"),
    ]  # fmt: skip
    assert all(one["requests"] > 0 and one["bytes_down"] > 0 for one in shown)
    assert [one["when"] for one in shown] == sorted(one["when"] for one in shown)


def test_the_latest_answers_are_kept() -> None:
    kept = ClientLedger(most=2)
    for client in "abc":
        kept.record(client, Result())
    assert [one["client"] for one in kept.as_json()] == ["b", "c"]
