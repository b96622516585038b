"""Do both modes over a socket give the tokens of a full-vocabulary computation in one process?

    python bench/exactness.py [--max-tokens N] [--strength X] [--top-k K] [--prompts N] [--json]

For each of the project's 20 prompts: lockstep and run-ahead against our server in another process,
with k log-probabilities per step; and, in this process with the same engine settings, the argmax of
``log pi_0 + gain * delta`` over all log-probabilities. All start from the same cache state, so that
the engine evaluates prompts in batches of the same shapes (quantised llama.cpp differs a little
between shapes). Reports identical texts, first differences with the lead that the chosen token had
there, and how many steps were proven.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import nullcontext
from itertools import islice
from typing import Any

import numpy as np
from common import CONTEXT, LLM, SLM, argument_parser, cores, pairs, prompts, report

from costeer import Costeer
from costeer.cloud.base import CloudModel
from costeer.cloud.client.completions import CompletionsClient
from costeer.cloud.in_process import InProcess
from costeer.cloud.server.process import ServerProcess
from costeer.decoding.steering import score
from costeer.edge.live_delta import LiveDelta
from costeer.edge.prompts import Prompts
from costeer.edge.schedule import StrengthSchedule
from costeer.edge.slm import SlmPair
from costeer.models.base import LanguageModel
from costeer.models.load import load_model

WAYS: dict[str, dict[str, Any]] = {
    "lockstep": {"mode": "lockstep"},
    "run-ahead": {"mode": "run-ahead"},
}


def full_vocabulary(
    llm: InProcess, local: LiveDelta, slm: LanguageModel, both: Prompts, limit: int
) -> tuple[list[int], list[float]]:
    """The tokens by the full vocabulary, and each one's lead over the second."""
    decided: list[int] = []
    margins: list[float] = []
    delta = local.begin(both.plain, both.private)
    while True:
        step = next(llm.stream((*both.public, *decided), slm.vocab_size, 1))
        base = np.empty(slm.vocab_size, np.float32)
        base[step.top_ids] = step.top_logprobs
        scores = score(base, delta, 1.0)
        decided.append(int(np.argmax(scores)))
        second, first = np.partition(scores, -2)[-2:]
        margins.append(float(first - second))
        if decided[-1] in slm.tokenizer.eos_ids or len(decided) == limit:
            return decided, margins
        delta = local.advance(decided[-1])


def forget(*clouds: CloudModel) -> None:
    """Make their only sequences forget what they hold.

    By two steps: one might be answered from memory.
    """
    for cloud in clouds:
        list(cloud.stream([1], 1, 2))


class Tally:
    """What one way came to, over all prompts."""

    def __init__(self) -> None:
        self.identical = 0
        self.differences: list[dict[str, float]] = []
        self.counts = dict.fromkeys(("steps", "changed", "proven", "retried", "unproven"), 0)

    def add(self, number: int, result: Any, full: list[int], margins: list[float]) -> None:
        """One more answer."""
        for name in self.counts:
            self.counts[name] += getattr(result, name)
        if result.token_ids == full:
            self.identical += 1
            return
        both = zip(result.token_ids, full, strict=False)
        at = next(i for i, (ours, theirs) in enumerate(both) if ours != theirs)
        self.differences.append({"prompt": number, "position": at, "lead": margins[at]})

    def summary(self) -> dict[str, Any]:
        """For printing."""
        share = self.counts["proven"] / self.counts["steps"]
        found = {"identical": self.identical, "differences": self.differences}
        return found | self.counts | {"proven_share": share}


def compare(options: argparse.Namespace) -> dict[str, Any]:
    """Run all prompts in all ways."""
    threads = max(1, cores() // 2)
    llm = InProcess(load_model(LLM, context=CONTEXT, sequences=1, threads=threads))
    slm = load_model(SLM, context=CONTEXT, sequences=2 + 2 * len(WAYS), threads=threads)
    pair = SlmPair(slm)
    tallies = {name: Tally() for name in WAYS}
    chosen = list(islice(pairs(), options.prompts))
    arguments = ("--threads", str(threads), "--parallel", "1")
    with ServerProcess(LLM, arguments) as server:
        direct = CompletionsClient(server.url)
        costeers = {
            name: Costeer(
                server.url,
                slm,
                strength=options.strength,
                top_k=options.top_k,
                lanes=1,
                guard="off",
                **how,
            )
            for name, how in WAYS.items()
        }
        for number, (query, context) in enumerate(chosen):
            forget(llm)
            both = prompts(slm.tokenizer, query, context, options.max_tokens)
            schedule = StrengthSchedule(options.strength)
            local = LiveDelta(lambda _: nullcontext(pair), schedule, slm.vocab_size)
            full, margins = full_vocabulary(llm, local, slm, both, options.max_tokens)
            for name, costeer in costeers.items():
                forget(direct)
                ours = costeer.generate(query, context, max_tokens=options.max_tokens)
                tallies[name].add(number, ours, full, margins)
            seen = ", ".join(f"{tally.identical} {name}" for name, tally in tallies.items())
            print(f"  {number + 1}/{len(chosen)} identical: {seen}", end="\r", file=sys.stderr)
    return {name: tally.summary() for name, tally in tallies.items()}


def main() -> None:
    """Compare and print."""
    parser = argument_parser(__doc__)
    parser.add_argument("--max-tokens", type=int, default=64)
    parser.add_argument("--strength", default="auto")
    parser.add_argument("--top-k", type=int, default=64)
    parser.add_argument("--prompts", type=int, default=20)
    options = parser.parse_args()
    result = compare(options)
    report(result, options.json, show)


def show(result: dict[str, Any]) -> None:
    """Print the figures of each way."""
    print(file=sys.stderr)
    for name, summary in result.items():
        print(name)
        for key, value in summary.items():
            print(f"  {key:14} {value}")


if __name__ == "__main__":
    main()
