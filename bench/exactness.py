"""Does lockstep over the socket give the tokens of a full-vocabulary computation in one process?

    python bench/exactness.py [--max-tokens N] [--strength X] [--top-k K] [--json]

For each of the project's 20 prompts: CoSteer against our server in a process of its own, with k
log-probabilities a step; and, in this process, the same engine settings, every log-probability,
``argmax(log pi_0 + gain * delta)``. Both start from the same cache state, so that the engine
evaluates batches of the same shapes (quantised llama.cpp differs a little between shapes).
Reports identical texts, first differences with their margins, and how many steps were proven.
"""

from __future__ import annotations

import argparse
import json
import sys

import numpy as np
from common import CONTEXT, LLM, SLM, cores, pairs, prompts

from costeer import Costeer
from costeer.cloud.child import ServerProcess
from costeer.cloud.inprocess import InProcess
from costeer.decoding.steering import resolve_strength, score
from costeer.edge.local import LocalSteering
from costeer.edge.prompts import Prompts
from costeer.models.base import LanguageModel
from costeer.models.load import load_model


def full_vocabulary(
    llm: InProcess, local: LocalSteering, slm: LanguageModel, both: Prompts, gain: float, limit: int
) -> tuple[list[int], list[float]]:
    """The tokens by the full vocabulary, and each one's lead over the second."""
    decided: list[int] = []
    margins: list[float] = []
    delta = local.begin(both.public, both.private)
    while True:
        step = next(llm.stream((*both.public, *decided), slm.vocab_size, 1))
        base = np.empty(slm.vocab_size, np.float32)
        base[step.top_ids] = step.top_logprobs
        scores = score(base, delta, gain)
        decided.append(int(np.argmax(scores)))
        second, first = np.partition(scores, -2)[-2:]
        margins.append(float(first - second))
        if decided[-1] in slm.tokenizer.eos_ids or len(decided) == limit:
            return decided, margins
        delta = local.delta(decided[-1:])[0]


def compare(options: argparse.Namespace) -> dict[str, object]:
    """Run all prompts both ways."""
    threads = max(1, cores() // 2)
    gain = resolve_strength(options.strength)
    llm = InProcess(load_model(LLM, context=CONTEXT, sequences=1, threads=threads))
    slm = load_model(SLM, context=CONTEXT, sequences=2, threads=threads)
    local = LocalSteering(slm)
    identical, differences = 0, []
    counts = dict.fromkeys(("steps", "changed", "proven", "widened", "unproven"), 0)
    arguments = ("--threads", str(threads), "--parallel", "1")
    with (
        ServerProcess(LLM, arguments) as server,
        Costeer(
            server.url, SLM, strength=options.strength, top_k=options.top_k, threads=threads
        ) as costeer,
    ):
        for number, (query, context) in enumerate(pairs()):
            ours = costeer.generate(query, context, max_tokens=options.max_tokens)
            both = prompts(slm.tokenizer, query, context, options.max_tokens)
            full, margins = full_vocabulary(llm, local, slm, both, gain, options.max_tokens)
            for name in counts:
                counts[name] += getattr(ours, name)
            if ours.token_ids == full:
                identical += 1
            else:
                at = next(
                    i for i, (a, b) in enumerate(zip(ours.token_ids, full, strict=False)) if a != b
                )
                differences.append({"prompt": number, "position": at, "margin": margins[at]})
            print(f"  {number + 1}/20, {identical} identical", end="\r", file=sys.stderr)
    return {
        "prompts": number + 1,
        "identical": identical,
        "differences": differences,
        **counts,
        "proven_share": counts["proven"] / counts["steps"],
    }


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--max-tokens", type=int, default=64)
    parser.add_argument("--strength", default="light")
    parser.add_argument("--top-k", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = compare(options)
    if options.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:14} {value}")


if __name__ == "__main__":
    main()
