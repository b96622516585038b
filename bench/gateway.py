"""What the gateway costs over the core: per token, and until the first one on a warm cache.

    python bench/gateway.py [--real] [--tokens N] [--repeats N] [--json]

The same question is asked in turn of ``Costeer.stream`` and, streamed over a socket, of a gateway
over the same ``Costeer``; both find the prompt in the cache. The client is in the same process, so
its own work counts as the gateway's. Medians over the repeats; with the toy models, which take
almost no time, or with ``--real`` on the default pair.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx2
from common import LLM, SLM, pairs

from costeer import Costeer
from costeer.cloud.in_process import InProcess
from costeer.gateway.answering import DeviceAnswering
from costeer.gateway.app import create_app
from costeer.gateway.tokens import TokenStore
from costeer.models.base import LogProbs
from costeer.models.fake import FakeModel
from costeer.serving import listen

Timing = tuple[float, float]
"""Seconds to the first token, and per token after it."""


class Endless(FakeModel):
    """A toy model that ends no answer by itself."""

    def logprobs(self, ids: Sequence[int]) -> LogProbs:
        """See ``FakeModel``."""
        row = super().logprobs(ids)
        row[list(self.tokenizer.eos_ids)] = -50.0
        return row


@contextmanager
def serving(costeer: Costeer, context: str) -> Iterator[str]:
    """A gateway over ``costeer``; its URL."""
    with tempfile.TemporaryDirectory() as folder, listen.bind("127.0.0.1", 0) as listening:
        answering = DeviceAnswering(costeer, lambda messages: context)
        app = create_app(answering, TokenStore(Path(folder)))
        ready = threading.Event()
        server = listen.uvicorn_server(app, ready.set, app.state.answers.close)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        ready.wait()
        yield listen.address(listening, "127.0.0.1")
        server.should_exit = True
        thread.join()


def timing(times: list[float], began: float) -> Timing:
    """From the moments at which the tokens came."""
    return times[0] - began, (times[-1] - times[0]) / (len(times) - 1)


def core(costeer: Costeer, query: str, context: str, tokens: int) -> Timing:
    """One answer of the library."""
    began, times = time.perf_counter(), []
    for _ in costeer.stream(query, context, max_tokens=tokens):
        times.append(time.perf_counter())
    return timing(times, began)


def gateway(client: httpx2.Client, query: str, tokens: int) -> Timing:
    """One answer of the gateway; log-probabilities make every token a chunk."""
    body = {
        "model": "costeer",
        "messages": [{"role": "user", "content": query}],
        "max_tokens": tokens,
        "stream": True,
        "logprobs": True,
    }
    began, times = time.perf_counter(), []
    with client.stream("POST", "/v1/chat/completions", json=body) as response:
        for line in response.iter_lines():
            if line.startswith('data: {"') and json.loads(line[6:])["choices"][0]["logprobs"]:
                times.append(time.perf_counter())
    return timing(times, began)


def interleave(ways: dict[str, Callable[[], Timing]], repeats: int) -> dict[str, Timing]:
    """Medians of each way, taken in turn; the first round only fills the caches."""
    rounds = [{name: way() for name, way in ways.items()} for _ in range(repeats + 1)][1:]
    return {
        name: (median(one[name][0] for one in rounds), median(one[name][1] for one in rounds))
        for name in ways
    }


def measure(
    costeer: Costeer, query: str, context: str, options: argparse.Namespace
) -> dict[str, float]:
    """The figures."""
    with serving(costeer, context) as url, httpx2.Client(base_url=url, timeout=600) as client:
        found = interleave(
            {
                "core": lambda: core(costeer, query, context, options.tokens),
                "gateway": lambda: gateway(client, query, options.tokens),
            },
            options.repeats,
        )
    (core_first, core_token), (first, token) = found["core"], found["gateway"]
    return {
        "core: ms to the first token": round(core_first * 1e3, 2),
        "gateway: ms to the first token": round(first * 1e3, 2),
        "ms to the first token, above the core's": round((first - core_first) * 1e3, 2),
        "core: ms a token": round(core_token * 1e3, 3),
        "gateway: ms a token": round(token * 1e3, 3),
        "ms a token, above the core's": round((token - core_token) * 1e3, 3),
        "ratio of the times a token": round(token / core_token, 3),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--tokens", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.real:
        made = Costeer(llm=LLM, slm=SLM, guard="off")
    else:
        made = Costeer(InProcess(Endless(seed=1)), Endless(seed=2), strength=2.0, guard="off")
    query, context = next(pairs())
    with made as costeer:
        found = measure(costeer, query, context, options)
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:42} {value}")


if __name__ == "__main__":
    main()
