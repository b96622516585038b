"""Throughput of experiments: texts by several methods, the plain way and by ``costeer_evals``.

    python bench/harness.py [--prompts N] [--max-tokens N] [--lanes N] [--methods A,B] [--json]

Plain is how the published code of this family of methods works: for every token, every branch
reads its whole prompt and all of the answer again, one branch after another, and every method
starts over. Ours is `costeer eval run`: it keeps what was read and shares prompts among methods,
and with ``--lanes`` it steps several samples at once. Both make the same decisions for the same
prompts in one run, sample by sample in turn. A near-tie may fall otherwise, because a prompt that
is read anew is rounded in other batches; the share of texts that agree is reported.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import islice

import numpy as np
from common import LLM, SLM, argument_parser, cores, pairs, report

from costeer.decoding.steering import Array
from costeer_evals.methods.base import Branch, Method
from costeer_evals.methods.registry import parse_method
from costeer_evals.run.experiment import Experiment, GenerateConfig
from costeer_evals.run.loop import Evaluator, PendingSample
from costeer_evals.run.models import ModelChoice, Models, branch_prompt
from costeer_evals.samples import TaskSample, encode_sample
from costeer_evals.tasks.base import Sample

METHODS = "llm-without,llm-with,slm-with,light-costeer,costeer"


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argument_parser(__doc__)
    parser.add_argument("--prompts", type=int, default=2)
    parser.add_argument("--max-tokens", type=int, default=8)
    parser.add_argument("--lanes", type=int, default=1)
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument("--llm", default=LLM)
    parser.add_argument("--slm", default=SLM)
    parser.add_argument("--threads", type=int, default=cores())
    return parser.parse_args()


def samples(count: int) -> list[TaskSample]:
    """The project's own prompts as samples."""
    return [
        TaskSample(
            "bench",
            Sample(str(i), query, f"{context}\n\n{query}", reference=None, group=str(i)),
        )
        for i, (query, context) in enumerate(islice(pairs(), count))
    ]


def generate_plainly(sample: TaskSample, method: Method, models: Models, steps: int) -> str:
    """One text without any cache, as many decisions as ours took."""
    prompts, rule = encode_sample(sample, models.tokenizer).prompts, method.begin()
    ids: list[int] = []
    for _ in range(steps):
        rows: dict[Branch, Array] = {}
        for branch in sorted(method.needs):
            sequence = models.for_branch(branch).sequence()
            rows[branch] = sequence.extend([*branch_prompt(branch, prompts), *ids], rows=1)
            sequence.close()
        ids.append(int(np.argmax(rule.scores(rows)[0])))
    if ids[-1] in models.tokenizer.eos_ids:
        ids.pop()
    return models.tokenizer.decode_bytes(ids).decode("utf-8", errors="replace")


def measure(options: argparse.Namespace) -> dict[str, float]:
    """Both, on the same samples."""
    methods = {m.key(): m for m in map(parse_method, options.methods.split(","))}
    config = GenerateConfig(options.max_tokens, lanes=options.lanes)
    experiment = Experiment(config, tuple(methods.values()))
    choice = ModelChoice({"llm": options.llm, "slm": options.slm}, threads=options.threads)
    models = choice.load(experiment)
    evaluator = Evaluator(experiment, models, "bench")
    seconds = {"plain": 0.0, "ours": 0.0}
    tokens = agreeing = texts = 0
    chosen = samples(options.prompts)
    for start in range(0, len(chosen), options.lanes):
        group = {unit.sample.id: unit for unit in chosen[start : start + options.lanes]}
        began = time.perf_counter()
        pending = [PendingSample(unit, frozenset(methods)) for unit in group.values()]
        written = list(evaluator.run(pending))
        seconds["ours"] += time.perf_counter() - began
        for done in written:
            (row,), (text,) = done.rows, done.texts
            began = time.perf_counter()
            slow = generate_plainly(
                group[row["sample"]], methods[row["method"]], models, row["steps"]
            )
            seconds["plain"] += time.perf_counter() - began
            tokens, texts = tokens + row["steps"], texts + 1
            agreeing += slow == text["text"]
            print(f"  {tokens} tokens", end="\r", file=sys.stderr)
    models.close()
    return {
        "tokens": tokens,
        "plain_tokens_per_second": tokens / seconds["plain"],
        "ours_tokens_per_second": tokens / seconds["ours"],
        "ours_over_plain": seconds["plain"] / seconds["ours"],
        "agreeing_texts": agreeing / texts,
    }


def main() -> None:
    """Measure and print."""
    options = arguments()
    result = measure(options)
    report(result, options.json)


if __name__ == "__main__":
    main()
