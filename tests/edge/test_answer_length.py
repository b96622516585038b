"""What is asked of the cloud, and how often, does not tell how long the context is."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from costeer import Costeer
from costeer.models.fake import END, FakeModel
from tests.support.serving import running

WINDOW = 320
CONTEXTS = ["A cat.", "\n\n".join(["A cat."] * 500)]
LENGTHS = [{"max_tokens": None}, {"max_tokens": 250, "shorten": True}]


class SureModel(FakeModel):
    """So sure that no context changes a token, and never at an end."""

    def __init__(self) -> None:
        super().__init__(peak=1e4, context_length=WINDOW)

    def logprobs(self, ids: Any) -> Any:
        row = super().logprobs(ids)
        row[END] = -1e9
        return row


def sent(url: Any, context: Any, mode: Any, **options: Any) -> Any:
    """The bodies of an answer's requests."""
    slm = FakeModel(seed=2, context_length=WINDOW)
    with Costeer(url, slm, strength=1.0, mode=mode, keep_bytes=1 << 20) as costeer:
        result = costeer.generate("Hello?", context, keep_exchanges=True, **options)
        assert not result.changed
        return [re.sub(rb"cmpl-\w+", b"cmpl", one.body) for one in result.exchanges]


@pytest.fixture(scope="module")
def url() -> Any:
    with running(SureModel()) as app:
        yield app.url


@pytest.mark.slow
def test_lockstep_sends_the_same_bytes(url: Any) -> None:
    short, long = [sent(url, context, "lockstep", max_tokens=None) for context in CONTEXTS]
    assert len(short) > 50
    assert short == long


@pytest.mark.slow
@pytest.mark.parametrize("length", LENGTHS)
def test_run_ahead_asks_for_as_many_tokens(url: Any, length: Any) -> None:
    """How it divides them among requests depends on how fast the device is."""
    asked = set()
    for context in CONTEXTS:
        bodies = sent(url, context, "run-ahead", **length)
        asked.add(sum(json.loads(body)["max_tokens"] for body in bodies))
    assert len(asked) == 1
