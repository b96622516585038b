"""The cloud dies in a streamed answer again and again; the client notices nothing."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from costeer.cloud.client.completions import CompletionsClient
from tests.support.faults import Fault, FaultProxy
from tests.support.gateway import HELLO, TextModel, running_gateway, streamed, text_of
from tests.support.serving import running

# In one answer; `make test-exact` has more.
DEATHS = 20 if settings.default.max_examples >= 1000 else 5
TOKENS = 12 * DEATHS


PLANS = {
    "run-ahead": [Fault("cut", 1500)],  # a request is cut after a few tokens
    "lockstep": [Fault("reset", 100), None],  # each token is a request: every other one is cut
}


@pytest.mark.slow
@pytest.mark.parametrize("mode", PLANS)
def test_deaths_are_one_uninterrupted_answer(tmp_path: Path, mode: Any) -> None:
    body, plan = HELLO | {"max_tokens": TOKENS}, cycle(PLANS[mode])
    with running(TextModel(seed=1)) as server, FaultProxy(server.url, plan, DEATHS) as proxy:
        with running_gateway(tmp_path / "a", cloud=CompletionsClient(server.url), mode=mode) as app:
            expected = text_of(streamed(app, body))
        with running_gateway(tmp_path / "b", cloud=CompletionsClient(proxy.url), mode=mode) as app:
            chunks = streamed(app, body)
    assert proxy.injected >= DEATHS  # one more where two requests were under way at the last
    assert text_of(chunks) == expected
    assert not any("error" in chunk for chunk in chunks)
    assert len({chunk["id"] for chunk in chunks}) == 1
