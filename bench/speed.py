"""Tokens per second on the default pair without a network: the LLM alone, naive lockstep, CoSteer.

    python bench/speed.py [--prompts N] [--max-tokens N] [--json]

All on the same prompts in one run, interleaved prompt by prompt, so that a change of the
machine's speed hits all alike: read the ratios.

* alone: our server in its own process, streaming over a socket; all cores.
* naive: one process, three models one after another, the literal T-step loop; all cores.
* lockstep, run-ahead: the server in its own process and the device in another, half the cores each.

Whole answers are timed, with reading the prompts. Peak memory of both processes of the run-ahead is
reported too (Linux).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

from common import CONTEXT, LLM, SLM, argument_parser, cores, pairs, peak_megabytes, prompts, report
from naive import naive_lockstep

from costeer import Costeer
from costeer.cloud.client.completions import CompletionsClient
from costeer.cloud.server.process import ServerProcess
from costeer.models.load import load_model

HERE = Path(__file__).parent
PARTS = ("alone", "naive", "lockstep", "run-ahead")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argument_parser(__doc__)
    parser.add_argument("--prompts", type=int, default=6)
    parser.add_argument("--max-tokens", type=int, default=48)
    parser.add_argument("--strength", default="auto")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    return parser.parse_args()


def worker(part: str, options: argparse.Namespace) -> None:
    """Load one part; then, for each line on stdin, run that prompt and print its figures."""
    opener = {"alone": open_alone, "naive": open_naive}.get(part)
    run = opener(options) if opener else open_costeer(options, part)
    print(json.dumps({"ready": True}), flush=True)
    chosen = list(islice(pairs(), options.prompts))
    for line in sys.stdin:
        query, context = chosen[int(line)]
        print(json.dumps(run(query, context)), flush=True)


def open_alone(options: argparse.Namespace) -> Any:
    """The LLM streams by itself."""
    server = ServerProcess(LLM, ("--threads", str(cores()), "--parallel", "1")).__enter__()
    client = CompletionsClient(server.url)
    slm = load_model(SLM, context=512, sequences=1, threads=1)  # for its tokenizer only

    def run(query: str, context: str) -> dict[str, float]:
        ids = prompts(slm.tokenizer, query, "", options.max_tokens).public
        started = time.perf_counter()
        first, count = 0.0, 0
        for step in client.stream(ids, 1, options.max_tokens):
            first = first or time.perf_counter() - started
            count += 1
            if step.token in slm.tokenizer.eos_ids:
                break
        seconds = time.perf_counter() - started
        return {"tokens": count, "seconds": seconds, "first": first}

    return run


def open_naive(options: argparse.Namespace) -> Any:
    """Everything in one process, one after another."""
    llm = load_model(LLM, context=CONTEXT, sequences=1, threads=cores())
    slm = load_model(SLM, context=CONTEXT, sequences=2, threads=cores())

    def run(query: str, context: str) -> dict[str, float]:
        both = prompts(slm.tokenizer, query, context, options.max_tokens)
        started = time.perf_counter()
        naive_lockstep(llm, slm, both, 1)
        first = time.perf_counter() - started
        started = time.perf_counter()
        count = len(naive_lockstep(llm, slm, both, options.max_tokens))
        return {"tokens": count, "seconds": time.perf_counter() - started, "first": first}

    return run


def open_costeer(options: argparse.Namespace, mode: Any) -> Any:
    """CoSteer as shipped."""
    half = max(1, cores() // 2)
    server = ServerProcess(LLM, ("--threads", str(half))).__enter__()
    costeer = Costeer(
        server.url, SLM, strength=options.strength, threads=half, mode=mode, guard="off"
    )

    def run(query: str, context: str) -> dict[str, float]:
        result = costeer.generate(query, context, max_tokens=options.max_tokens)
        return {
            "tokens": result.steps,
            "seconds": result.seconds,
            "first": result.seconds_to_first_token,
            "changed": result.changed,
            "proven": result.proven,
            "retried": result.retried,
            "unproven": result.unproven,
            "bytes_up": result.bytes_up,
            "bytes_down": result.bytes_down,
            "device_peak_mb": peak_megabytes(),
            "server_peak_mb": peak_megabytes(server.pid),
        }

    return run


def measure(options: argparse.Namespace) -> dict[str, list[dict[str, float]]]:
    """Run the parts in turn, prompt by prompt."""
    rows: dict[str, list[dict[str, float]]] = {part: [] for part in PARTS}
    processes = {part: start(part, options) for part in rows}
    try:
        for index in range(options.prompts):
            for part, process in processes.items():
                rows[part].append(ask(process, index))
                print(f"  {index + 1}/{options.prompts} {part}", end="\r", file=sys.stderr)
    finally:
        for process in processes.values():
            if process.stdin:
                process.stdin.close()
            process.wait(timeout=20)
    return rows


def start(part: str, options: argparse.Namespace) -> subprocess.Popen[str]:
    """One worker process, loaded and ready."""
    process = subprocess.Popen(
        [
            sys.executable,
            str(HERE / "speed.py"),
            *("--part", part, "--prompts", str(options.prompts)),
            *("--max-tokens", str(options.max_tokens), "--strength", options.strength),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    if process.stdout is None or "ready" not in process.stdout.readline():
        raise SystemExit(f"The part {part!r} did not start; its message is above.")
    return process


def ask(process: subprocess.Popen[str], index: int) -> dict[str, float]:
    """One prompt through one worker."""
    if process.stdin is None or process.stdout is None:
        raise SystemExit("A worker has no pipes.")
    process.stdin.write(f"{index}\n")
    process.stdin.flush()
    row: dict[str, float] = json.loads(process.stdout.readline())
    return row


def summarise(rows: dict[str, list[dict[str, float]]]) -> dict[str, float]:
    """Tokens per second, ratios to the LLM alone, counts and peaks."""
    speed = {
        part: sum(r["tokens"] for r in part_rows) / sum(r["seconds"] for r in part_rows)
        for part, part_rows in rows.items()
    }
    ours = rows["run-ahead"]
    steps = sum(r["tokens"] for r in ours)
    return {
        **{f"{part}_tokens_per_second": value for part, value in speed.items()},
        **{f"{part}_over_alone": value / speed["alone"] for part, value in speed.items()},
        "run-ahead_over_naive": speed["run-ahead"] / speed["naive"],
        "run-ahead_first_token_s": statistics.median(r["first"] for r in ours),
        "steps": steps,
        **{
            f"{name}_share": sum(r[name] for r in ours) / steps
            for name in ("changed", "proven", "retried", "unproven")
        },
        "bytes_up_per_token": sum(r["bytes_up"] for r in ours) / steps,
        "bytes_down_per_token": sum(r["bytes_down"] for r in ours) / steps,
        "device_peak_mb": max(r["device_peak_mb"] for r in ours),
        "server_peak_mb": max(r["server_peak_mb"] for r in ours),
    }


def main() -> None:
    """Measure and print."""
    options = arguments()
    if options.part:
        worker(options.part, options)
        return
    result = summarise(measure(options))
    report(result, options.json)


if __name__ == "__main__":
    main()
