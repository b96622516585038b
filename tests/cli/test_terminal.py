"""What a server sends is printed without control characters."""

from __future__ import annotations

import json
from typing import Any

import pytest

from costeer.cli.terminal import clean, clean_json
from costeer.models.fake import FakeModel
from tests.support.serving import Scripted, reply, running

ESCAPES = "a\x1b]0;title\x07b\x9b31mc\rd\x7fe\n\tf"


def test_control_characters_are_left_out() -> None:
    assert clean(ESCAPES) == "a]0;titleb31mcde\n\tf"


def test_in_json_they_are_spelled_out() -> None:
    text = clean_json(json.dumps({"text": ESCAPES}, ensure_ascii=False))
    assert json.loads(text) == {"text": ESCAPES}
    assert clean(text) == text


class Escaping(FakeModel):
    """Writes nothing but escape characters."""

    def logprobs(self, ids: Any) -> Any:
        row = super().logprobs(ids).copy()
        row[:] = -50
        row[0x1B] = -1e-3
        return row


def controls(text: Any) -> Any:
    return [c for c in text if c not in "\n\t" and (ord(c) < 32 or 127 <= ord(c) < 160)]


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_an_answer(run: Any, options: Any) -> None:
    with running(Escaping(seed=1)) as app:
        cloud = ("--cloud", app.url, "--slm", "fake:2", "--max-tokens", 9, "--strength", 0)
        code, out, err = run("generate", "--query", "Hi", *cloud, *options)
    assert code == 0
    assert not controls(out + err)
    assert not options or json.loads(out)["text"] == "\x1b" * 9


def test_the_name_of_a_model(run: Any) -> None:
    cards = reply(200, {"object": "list", "data": [{"id": "evil\x1b]0;x\x07model"}]})
    with Scripted(reply(400, "no"), models=cards) as server:
        _, out, err = run("generate", "--query", "Hi", "--cloud", server.url, "--slm", "fake:2")
        assert "model" in err
        assert not controls(out + err)
        _, out, err = run("doctor", "--cloud", server.url, "--slm", "fake:2")
        assert not controls(out + err)
