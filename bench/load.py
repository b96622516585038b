"""Many clients on one server: the right answers, how long each waits, and tokens a second.

    python bench/load.py [--clients 4,16,64] [--max-tokens N] [--parallel N] [--model NAME] [--json]

Every client asks our own server for one streamed answer to a prompt of its own, all at once. The
same prompts are first asked in turn, one client alone. With more clients than the server lets wait,
it refuses some for a while (429), and they ask again.
"""

from __future__ import annotations

import argparse
import threading
import time
from dataclasses import dataclass, field

from common import SLM, argument_parser, pairs, report

from costeer.cloud.client.completions import CompletionsClient
from costeer.cloud.server.process import ServerProcess
from costeer.models.load import load_model


@dataclass
class Client:
    """One question and what came of it."""

    url: str
    prompt: list[int]
    tokens: int
    first: float = float("nan")  # seconds to the first token
    answer: list[tuple[int, bytes]] = field(default_factory=list)  # tokens and exact rows

    def ask(self) -> None:
        """Ask, and wait for the whole answer."""
        client = CompletionsClient(self.url, retries=10_000, timeout=600, stall=600)
        began = time.perf_counter()
        for step in client.stream(self.prompt, 8, self.tokens):
            if not self.answer:
                self.first = time.perf_counter() - began
            self.answer.append((step.token, step.top_logprobs.tobytes()))
        client.close()


def chat_prompts(model: str, count: int) -> list[list[int]]:
    """Different questions, as ids of the model's chat template."""
    loaded = load_model(model, context=256, sequences=1)
    queries = sorted({query for query, _ in pairs()})
    texts = [f"{queries[i % len(queries)]} ({i})" for i in range(count)]
    prompts = [loaded.tokenizer.chat([{"role": "user", "content": text}]) for text in texts]
    loaded.close()
    return prompts


def run(clients: list[Client], *, together: bool) -> float:
    """Seconds until all have their answers."""
    began = time.perf_counter()
    threads = [threading.Thread(target=client.ask) for client in clients]
    for thread in threads:
        thread.start()
        if not together:
            thread.join()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def measure(options: argparse.Namespace) -> list[dict[str, float | int | str]]:
    """One row for each number of clients."""
    counts = [int(part) for part in options.clients.split(",")]
    prompts = chat_prompts(options.model, max(counts))
    rows: list[dict[str, float | int | str]] = []
    with ServerProcess(options.model, ("--parallel", str(options.parallel))) as server:

        def clients(count: int) -> list[Client]:
            return [Client(server.url, prompt, options.max_tokens) for prompt in prompts[:count]]

        alone = clients(max(counts))
        seconds = run(alone, together=False)
        rows.append(row("1", alone, alone, seconds))
        for count in counts:
            at_once = clients(count)
            rows.append(row(str(count), at_once, alone, run(at_once, together=True)))
    return rows


def row(
    name: str, clients: list[Client], alone: list[Client], seconds: float
) -> dict[str, float | int | str]:
    """The figures of one run."""
    both = list(zip(clients, alone, strict=False))
    texts = sum([t for t, _ in one.answer] == [t for t, _ in two.answer] for one, two in both)
    rows = sum(one.answer == two.answer for one, two in both)
    return {
        "clients at once": name,
        "tokens a second": round(sum(len(client.answer) for client in clients) / seconds, 1),
        "last first token, s": round(max(client.first for client in clients), 2),
        "same texts": f"{texts} of {len(clients)}",
        "same rows": f"{rows} of {len(clients)}",
    }


def main() -> None:
    """Measure and print."""
    parser = argument_parser(__doc__)
    parser.add_argument("--clients", default="4,16,64")
    parser.add_argument("--max-tokens", type=int, default=24)
    parser.add_argument("--parallel", type=int, default=4)
    parser.add_argument("--model", default=SLM)
    options = parser.parse_args()
    rows = measure(options)
    report(rows, options.json, show)


def show(rows: list[dict[str, float | int | str]]) -> None:
    """Print a line per number of clients."""
    for figures in rows:
        print("  ".join(f"{name}: {value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
