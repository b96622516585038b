"""What an answer costs as it grows, and what a second turn saves.

    python bench/length.py [--max-tokens N] [--window N] [--json]

One long answer against our server in a process of its own, half the cores each: milliseconds,
bytes and requests a token in each window of the answer. Where they stay level, cost is linear in
length (what grows a little is attention, in both models). Then a conversation of two turns with a
long context: the time to the first token of each.
"""

from __future__ import annotations

import time
from typing import Any

from common import CONTEXT, LLM, SLM, argument_parser, cores, pairs, report

from costeer import Costeer
from costeer.cloud.server.process import ServerProcess
from costeer.models.base import Message

LONG = "Explain in great detail, in twenty numbered paragraphs, how bread is made."


def growth(costeer: Costeer, context: str, limit: int, window: int) -> list[dict[str, float]]:
    """A line for every ``window`` tokens of one answer."""
    lines: list[dict[str, float]] = []
    before, started = costeer.ledger.totals, 0.0
    for chunk in costeer.stream(LONG, context, max_tokens=limit):
        tokens = chunk.step.position
        if tokens % window:
            continue
        spent, now = costeer.ledger.totals - before, time.perf_counter()
        if tokens:  # the first window begins when the first token is there
            lines.append(
                {
                    "tokens": tokens,
                    "ms_per_token": (now - started) * 1000 / window,
                    "bytes_up_per_token": spent.bytes_up / window,
                    "bytes_down_per_token": spent.bytes_down / window,
                    "requests_per_token": spent.requests / window,
                }
            )
        before, started = costeer.ledger.totals, now
    return lines


def turns(costeer: Costeer, context: str) -> list[float]:
    """Seconds to the first token of two turns."""
    messages: list[Message] = [{"role": "user", "content": "Suggest a dinner for tonight."}]
    first = costeer.generate(messages, context, max_tokens=24)
    messages.append({"role": "assistant", "content": first.text})
    messages.append({"role": "user", "content": "And what could I drink with it?"})
    second = costeer.generate(messages, context, max_tokens=24)
    return [first.seconds_to_first_token, second.seconds_to_first_token]


def main() -> None:
    """Measure and print."""
    parser = argument_parser(__doc__)
    parser.add_argument("--max-tokens", type=int, default=513)
    parser.add_argument("--window", type=int, default=64)
    options = parser.parse_args()
    threads = max(1, cores() // 2)
    contexts = list(dict.fromkeys(context for _, context in pairs()))
    everything = "\n\n".join(contexts * 3)
    flags = ("--threads", str(threads), "--context", str(CONTEXT))
    with (
        ServerProcess(LLM, flags) as server,
        Costeer(server.url, SLM, strength="light", threads=threads, guard="off") as costeer,
    ):
        result: dict[str, Any] = {
            "lines": growth(costeer, contexts[0], options.max_tokens, options.window),
            "context_tokens": len(costeer.slm.tokenizer.encode(everything)),
            "first_token_of_turns": turns(costeer, everything),
        }
    report(result, options.json, show)


def show(result: dict[str, Any]) -> None:
    """Print the speed by length, and the first tokens of both turns."""
    for line in result["lines"]:
        print("  ".join(f"{name} {value:.4g}" for name, value in line.items()))
    first, second = result["first_token_of_turns"]
    print(f"context of {result['context_tokens']} tokens; first token after {first:.2f} s in the")
    print(f"first turn, {second:.2f} s in the second")


if __name__ == "__main__":
    main()
