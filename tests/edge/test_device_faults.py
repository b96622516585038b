"""The device against what can go wrong between it and the cloud: the text is the undisturbed one.

Another way of decoding is tested by adding its name to ``MODES``.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, repeat
from typing import Any

import pytest
from hypothesis import settings

from costeer import Costeer
from costeer.cloud.client.completions import CompletionsClient
from costeer.cloud.in_process import InProcess
from costeer.cloud.server.process import ServerProcess
from costeer.decoding.sampling import SamplingParams
from costeer.edge.decode import DecodeParams, generate_step
from costeer.edge.prompts import Prompts
from costeer.edge.slm import SlmPair
from costeer.exceptions import CloudUnreachableError
from costeer.models.fake import FakeModel
from tests.support.faults import KINDS, Fault, FaultProxy, mixture
from tests.support.serving import EndlessModel, running
from tests.support.steering import PairDelta

MODES = ("lockstep", "run-ahead")
PROMPTS = Prompts(public=(9, 1, 2, 3), plain=(1, 2, 3), private=(50, 51, 1, 2, 3))
# In one answer; `make test-exact` injects more.
FAULTS = 200 if settings.default.max_examples >= 1000 else 24
SAMPLINGS = {"greedy": {}, "sampled": {"temperature": 0.7, "seed": 5}}


def chosen(mode: Any) -> Any:
    """The arguments that choose a mode, for ``Costeer`` and ``DecodeParams`` alike."""
    return {"mode": mode}


def large() -> Any:
    """The LLM of these tests; the server has the same."""
    return EndlessModel(seed=1)


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with running(EndlessModel(seed=1, max_sequences=4)) as app:
        yield app


def door(url: Any, **options: Any) -> Any:
    """A client without pauses, and with little patience for silence."""
    return CompletionsClient(url, **{"backoff": 0.0, "timeout": 0.12, "retries": 20} | options)


def opened(cloud: Any, mode: Any) -> Any:
    return Costeer(cloud, FakeModel(seed=2), strength=1.0, **chosen(mode))


def undisturbed(mode: Any, **options: Any) -> Any:
    with opened(InProcess(large()), mode) as costeer:
        return costeer.generate("Q?", "A context.", **options)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "sampling"),
    [("lockstep", "greedy"), ("run-ahead", "greedy"), ("run-ahead", "sampled")],
)
def test_many_faults_in_one_answer(server: Any, mode: Any, sampling: Any) -> None:
    options = SAMPLINGS[sampling] | {"max_tokens": 3 * FAULTS // 2}
    seed = f"{mode} {sampling}"
    with FaultProxy(
        server.url, mixture(seed, spread=300, in_a_row=4), enough=FAULTS, name=seed
    ) as proxy:
        with opened(door(proxy.url), mode) as costeer:
            result = costeer.generate("Q?", "A context.", **options)
        assert proxy.injected >= FAULTS
        assert FAULTS < 200 or all(proxy.happened[kind] >= 3 for kind in KINDS)
        expected = undisturbed(mode, **options)
        assert result.token_ids == expected.token_ids
        assert result.text == expected.text
        assert result.finish_reason == expected.finish_reason == "length"
        assert result.unproven == 0
        assert result.changed == expected.changed > 0


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_every_record_is_the_undisturbed_one(server: Any, mode: Any) -> None:
    sampling = SamplingParams(0.8, seed=3)
    params = DecodeParams(1.0, top_k=8, max_tokens=30, sampling=sampling, **chosen(mode))

    def steps(cloud: Any) -> Any:
        pair = SlmPair(FakeModel(seed=2))
        local = PairDelta(pair)
        try:
            found = list(generate_step(cloud, local, PROMPTS, params))
        finally:
            pair.close()
            cloud.close()
        return [(s.position, s.token, s.llm_token, s.proven) for s in found]

    with FaultProxy(server.url, mixture(mode, spread=500), enough=40, name=mode) as proxy:
        assert steps(door(proxy.url)) == steps(InProcess(large()))
        assert proxy.injected >= 20


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_after_the_last_retry_what_was_written_is_kept(server: Any, mode: Any) -> None:
    expected = undisturbed(mode, max_tokens=100)
    # Whatever was written last could become a stop text, and is not shown as long as it could.
    stop = [character + "\0\0\0" for character in set(expected.text)]
    plan = chain(repeat(None, 5), repeat(Fault("reset")))
    with (
        FaultProxy(server.url, plan) as proxy,
        opened(door(proxy.url, retries=2), mode) as costeer,
    ):
        generation = costeer.stream("Q?", "A context.", max_tokens=100, stop=stop)
        shown = ""
        with pytest.raises(CloudUnreachableError, match="connection") as caught:
            for chunk in generation:
                shown += chunk.text
        assert caught.value.hint
        assert proxy.happened["reset"] == 3
        result = generation.result
        assert result.finish_reason == "error"
        assert result.steps == len(result.token_ids) >= 1
        assert result.token_ids == expected.token_ids[: result.steps]
        written = costeer.slm.tokenizer.decode_bytes(result.token_ids)
        assert result.text == written.decode("utf-8", "replace")
        assert result.text.startswith(shown)
        assert len(result.text) > len(shown)


@pytest.mark.usefixtures("no_collection")
@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_ctrl_c_while_the_cloud_is_gone_keeps_what_was_written(server: Any, mode: Any) -> None:
    plan = chain(repeat(None, 5), repeat(Fault("503")))
    gone = threading.Event()

    def interrupt() -> None:
        assert gone.wait(30)
        os.kill(os.getpid(), signal.SIGINT)

    class Watched(FaultProxy):
        def _count(self, fault: Any) -> None:
            super()._count(fault)
            threading.Timer(0.1, gone.set).start()

    threading.Thread(target=interrupt, daemon=True).start()
    with Watched(server.url, plan) as proxy:
        with opened(door(proxy.url, backoff=60.0), mode) as costeer:
            generation = costeer.stream("Q?", "A context.", max_tokens=100)
            with pytest.raises(KeyboardInterrupt):
                list(generation)
        assert generation.result.finish_reason == "interrupted"
        assert generation.result.steps >= 1
        assert proxy.injected == 1  # it was not even asked again


@contextmanager
def killed_and_restarted(process: Any) -> Iterator[Any]:
    """Kill a server for good; while the block runs, another one starts on its port."""
    port = process.url.rsplit(":", 1)[1]
    os.kill(process.pid, signal.SIGKILL)
    another = ServerProcess("fake:1", ("--port", port))
    starting = threading.Thread(target=another.__enter__)
    starting.start()
    try:
        yield
    finally:
        starting.join(30)
        another.close()


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_a_server_killed_in_the_middle_and_restarted_on_the_same_port(mode: Any) -> None:
    with opened(InProcess(FakeModel(seed=1)), mode) as costeer:
        expected = costeer.generate("Q?", "A context.", max_tokens=60)
    with ServerProcess("fake:1") as first:
        cloud = door(first.url, backoff=0.02, retries=200, timeout=5.0)
        with opened(cloud, mode) as costeer:
            generation = costeer.stream("Q?", "A context.", max_tokens=60)
            for _ in range(10):
                next(generation)
            with killed_and_restarted(first):
                list(generation)
    assert generation.result.steps == len(expected.token_ids) > 20
    assert generation.result.token_ids == expected.token_ids
    assert generation.result.text == expected.text
