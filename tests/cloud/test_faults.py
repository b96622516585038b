"""The client against what can go wrong between two machines, on real sockets."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, repeat
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from costeer.cloud.client.completions import CompletionsClient
from costeer.cloud.in_process import InProcess
from costeer.exceptions import (
    CloudProtocolError,
    CloudRefusedError,
    CloudUnreachableError,
    StoppedError,
)
from costeer.models.fake import END, FakeModel
from tests.support.faults import KINDS, OWN, Fault, FaultProxy, mixture
from tests.support.serving import (
    PROMPT,
    EndlessModel,
    Scripted,
    events,
    numbered,
    reply,
    running,
    same,
    vllm_chunk,
)

INFO = replace(InProcess(EndlessModel()).info(), continues=True)
NOISE = bytes(range(150, 190))
SOMEWHERE = ["cut", "reset", "insert", "damage"]  # kinds for which the place matters most
# Places in an answer that a fault is tried at; `make test-exact` takes three times as many.
STRIDE = 1 if settings.default.max_examples >= 1000 else 3
FAILURES = [kind for kind in KINDS if kind != "drip"]  # a drip needs policy only


class EndingModel(FakeModel):
    """Ends an answer at its fourth token; it would go on after that."""

    def logprobs(self, ids: Any) -> Any:
        row = super().logprobs(ids)
        row[END] = 0.0 if len(ids) == len(PROMPT) + 3 else -np.inf
        return row


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with running(EndlessModel(max_sequences=4)) as app:
        yield app


def undisturbed(tokens: Any, model: Any = None) -> Any:
    return list(InProcess(model or EndlessModel()).stream(PROMPT, 8, tokens))


@contextmanager
def connected(proxy: Any, **options: Any) -> Iterator[CompletionsClient]:
    """A client without pauses, and with little policy for silence."""
    options = {"backoff": 0.0, "timeout": 0.12, "retries": 8} | options
    client = CompletionsClient(proxy.url, **options)
    try:
        yield client
    finally:
        client.close()


def spoilt(*faults: Any) -> Any:
    """The list of models first, then every fault with a request that passes after it."""
    return [None, *chain.from_iterable((fault, None) for fault in faults)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_each_fault_gives_the_undisturbed_steps(server: Any, kind: Any) -> None:
    places = [0, 1, 60, 200, 420, 600, 1100, 2500] if kind in SOMEWHERE else [0, 200, 1100]
    expected = undisturbed(12)
    plan = spoilt(*(Fault(kind, at, NOISE) for at in places))
    with FaultProxy(server.url, plan) as proxy, connected(proxy) as client:
        for _ in places:
            assert same(list(client.stream(PROMPT, 8, 12)), expected)
        assert proxy.happened[kind] >= len(places) // 2 + 1 if kind != "drip" else 2


@pytest.fixture(scope="module", params=["end of text", "context full"])
def ending(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A server whose answers end by themselves after four tokens, and those."""
    full = EndlessModel(context_length=len(PROMPT) + 3)
    model = full if request.param == "context full" else EndingModel()
    records = []
    with running(model) as app:
        client = CompletionsClient(app.url, record=records.append)
        steps = list(client.stream(PROMPT, 8, 50))
        client.close()
        assert same(steps, undisturbed(50, model))
        yield app, steps, records[-1].bytes_down


@pytest.mark.slow
@pytest.mark.parametrize("kind", SOMEWHERE)
def test_a_fault_anywhere_in_an_answer_that_ends_by_itself(ending: Any, kind: Any) -> None:
    """Also right after the last token: it was the last, whatever happens then."""
    app, expected, size = ending
    assert len(expected) == 4
    places = [*range(7, size - 60, 41 * STRIDE), *range(size - 60, size, 2 + 2 * STRIDE)]
    plan = spoilt(*(Fault(kind, at, NOISE) for at in places))
    with FaultProxy(app.url, plan) as proxy, connected(proxy) as client:
        while proxy.requests < 2 * len(places):
            assert same(list(client.stream(PROMPT, 8, 50)), expected)
        assert proxy.happened[kind] > 12 // STRIDE


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_mixture_gives_the_undisturbed_steps(server: Any, seed: Any) -> None:
    expected = undisturbed(12)
    with FaultProxy(server.url, mixture(seed), enough=40, name=f"seed {seed}") as proxy:
        while proxy.injected < 40:
            with connected(proxy) as client:
                assert client.info() == INFO
                for _ in range(3):
                    assert same(list(client.stream(PROMPT, 8, 12)), expected)


EXPECTED = {
    "page": (CloudProtocolError, "does not stream"),
    "nonsense": (CloudProtocolError, "not a completion"),
    "stall": (CloudUnreachableError, "stopped answering"),
    **{kind: (CloudRefusedError, f"answered {kind[:3]}") for kind in OWN if kind[0] in "45"},
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", FAILURES)
def test_after_the_last_retry_there_is_a_reason_and_the_steps_stay(server: Any, kind: Any) -> None:
    error, words = EXPECTED.get(kind, (CloudUnreachableError, "connection to the cloud server"))
    fault = Fault(kind, 60 if kind == "damage" else 0, NOISE)
    plan = chain([None, Fault("cut", 900)], repeat(fault))
    steps = []
    with FaultProxy(server.url, plan) as proxy, connected(proxy, retries=4) as client:
        with pytest.raises(error, match=words) as caught:
            for step in client.stream(PROMPT, 8, 12):
                steps.append(step)
        assert caught.value.hint
        permanent = kind in {"500", "page", "nonsense"}  # may well be so for good: fewer state
        assert proxy.happened[kind] == (3 if permanent else 4) + (kind == "cut")
    assert steps
    assert same(steps, undisturbed(len(steps)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_list_of_models_is_asked_for_again(server: Any, kind: Any) -> None:
    faults = [Fault(kind, at, NOISE) for at in (0, 60, 300)]
    with FaultProxy(server.url, spoilt(*faults)[1:]) as proxy:
        for _ in faults:
            with connected(proxy) as client:
                assert client.info() == INFO
        assert proxy.happened[kind] == {"damage": 0, "drip": 2}.get(kind, 3)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in FAILURES if kind != "damage"])
def test_a_list_of_models_that_never_comes(server: Any, kind: Any) -> None:
    error, _ = EXPECTED.get(kind, (CloudUnreachableError, ""))
    with FaultProxy(server.url, repeat(Fault(kind, 0, NOISE))) as proxy:
        with connected(proxy, retries=1) as client, pytest.raises(error) as caught:
            client.info()
        assert caught.value.hint
        assert proxy.happened[kind] == 2


@pytest.mark.slow
def test_damage_that_still_reads_as_an_answer_shows(server: Any) -> None:
    """Single characters of an id or of a log-probability changed into others of their kind."""
    expected = undisturbed(3)
    plan = spoilt(*(Fault("damage", at, b"\1") for at in range(150, 330, 3 * STRIDE)))
    with FaultProxy(server.url, plan) as proxy, connected(proxy) as client:
        while proxy.injected < 50 // STRIDE:
            assert same(list(client.stream(PROMPT, 8, 3)), expected)


def test_a_server_never_met_is_given_up_sooner() -> None:
    records = []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    client = CompletionsClient(url, backoff=0.0, record=records.append)
    with pytest.raises(CloudUnreachableError, match="No server answers"):
        client.info()
    client.close()
    assert len(records) == 4  # not six


# Time.


@pytest.mark.slow
@pytest.mark.timeout(25)  # the timeout is 30 s
def test_a_stream_that_stalls_is_taken_up_long_before_the_first_token_is_given_up(
    server: Any,
) -> None:
    with FaultProxy(server.url, [None, Fault("stall", 1500)]) as proxy:
        with connected(proxy, timeout=30, stall=0.1) as client:
            assert same(list(client.stream(PROMPT, 8, 12)), undisturbed(12))
        assert proxy.happened["stall"] == 1


@pytest.mark.slow
@pytest.mark.timeout(25)
def test_so_is_a_request_that_only_adds_a_token(server: Any) -> None:
    with FaultProxy(server.url, [None, None, Fault("stall")]) as proxy:
        with connected(proxy, timeout=30, stall=0.1) as client:
            (first,) = client.stream(PROMPT, 8, 1)
            (second,) = client.stream([*PROMPT, first.token], 8, 1)
        assert same([first, second], undisturbed(2))
        assert proxy.happened["stall"] == 1


def pausing(then: Any) -> None:
    """Ask a server that wants to be left alone for 30 s; call ``then(client)`` meanwhile."""
    refused = threading.Event()

    def interrupt() -> None:
        assert refused.wait(30)
        time.sleep(0.1)  # until the pause has begun
        then(client)

    with Scripted(reply(503, "", retry_after=30)) as server:
        client = CompletionsClient(server.url, record=lambda e: e.token_ids and refused.set())
        threading.Thread(target=interrupt, daemon=True).start()
        try:
            list(client.stream(PROMPT, 8, 12))
        finally:
            client.close()


@pytest.mark.slow
@pytest.mark.timeout(25)  # the pause is 30 s
def test_ctrl_c_ends_a_pause_at_once() -> None:
    with pytest.raises(KeyboardInterrupt):
        pausing(lambda _: os.kill(os.getpid(), signal.SIGINT))


@pytest.mark.slow
@pytest.mark.timeout(25)
def test_closing_ends_a_pause_at_once() -> None:
    with pytest.raises(StoppedError):
        pausing(CompletionsClient.close)


# Servers of other kinds.


def test_no_more_tokens_than_asked_for() -> None:
    row = {5: -0.25, 3: -1.75}
    answer = events(*[vllm_chunk(5, row)] * 3, vllm_chunk(5, row, "length"))
    with Scripted(answer) as server, connected(server) as client:
        assert numbered(client.stream([1], 2, 2)) == [5, 5]


def test_a_row_spoilt_after_good_ones_is_asked_for_again() -> None:
    row, wrong = {5: -0.25, 3: -1.75}, {5: -0.25, -3: -1.75}
    broken = events(vllm_chunk(5, row), vllm_chunk(3, wrong, "length"))
    with Scripted(broken, events(vllm_chunk(3, row, "length"))) as server:
        with connected(server) as client:
            assert numbered(client.stream([1], 2, 2)) == [5, 3]
        assert [body["prompt"] for body in server.bodies] == [[1], [1, 5]]
