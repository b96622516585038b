"""How long the device takes to decide one token: delta, steer, certify, at the real size.

    python bench/decide.py [--json]

Random log-probabilities of the shape of Qwen2.5's (V = 151,665), k = 64; for "auto" a private text
of 3,000 tokens and an answer of 300. The floor is memory
traffic: reading two rows and writing one is 1.8 MB. The T-step loop of the paper, literally, is
measured in the same run for comparison.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from common import argument_parser, report

from costeer.decoding.auto import Auto, AutoParams
from costeer.decoding.certify import choose_certified
from costeer.decoding.sampling import SamplingParams, gumbel
from costeer.decoding.steering import PAPER, Array, delta, gain, log_softmax

V, K = 151_665, 64
OWN, ANSWER = 3_000, 300


def milliseconds(work: Callable[[], object], runs: int = 60) -> float:
    """Median over runs."""
    work()
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


def literal_loop(llm: Array, with_: Array, without: Array) -> Array:
    """Algorithm 1 as printed: T normalisations over the vocabulary."""
    difference = with_ - without
    log_pi, total = llm, np.zeros_like(llm)
    for t in range(1, PAPER.steps + 1):
        total = total + PAPER.alpha * (log_pi - llm) + PAPER.beta * difference
        mixed = total + t * PAPER.lam * llm + log_pi / PAPER.eta
        log_pi = log_softmax(mixed / (t * PAPER.lam + 1 / PAPER.eta))
    return log_pi


def main() -> None:
    """Measure and print."""
    parser = argument_parser(__doc__)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    llm, with_, without = (log_softmax(3 * rng.standard_normal(V)) for _ in range(3))
    ids = np.argsort(-llm)[:K].astype(np.int32)
    top, strength = llm[ids], gain(PAPER)
    sampled = SamplingParams(0.8, 0.95, seed=1)

    def greedy() -> object:
        return choose_certified(ids, top, delta(with_, without), strength, SamplingParams())

    def sampling() -> object:
        noise = gumbel(1, 0, V)
        return choose_certified(ids, top, delta(with_, without), strength, sampled, noise)

    own, answer = rng.integers(0, V, OWN).tolist(), rng.integers(0, V, ANSWER).tolist()
    rule = Auto(AutoParams(), own)

    def auto() -> object:
        bonus = rule.bonus(with_[None], without[None], answer)[0]
        return choose_certified(ids, top, bonus, 1.0, SamplingParams())

    result = {
        "decide_greedy_ms": milliseconds(greedy),
        "decide_greedy_auto_ms": milliseconds(auto),
        "decide_sampled_top_p_ms": milliseconds(sampling),
        "log_softmax_row_ms": milliseconds(lambda: log_softmax(llm)),
        # Once an answer, whatever its length; all that T is needed for.
        "gain_of_20_steps_ms": milliseconds(lambda: gain(PAPER)),
        "gain_of_100_steps_ms": milliseconds(lambda: gain(replace(PAPER, steps=100))),
        "literal_20_step_loop_ms": milliseconds(lambda: literal_loop(llm, with_, without), 20),
    }
    result["loop_over_decide"] = result["literal_20_step_loop_ms"] / result["decide_greedy_ms"]
    report(result, options.json)


if __name__ == "__main__":
    main()
