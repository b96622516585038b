"""Speed over a network: the LLM alone, lockstep and run-ahead, at several round trip times.

    python bench/network.py [--prompts N] [--max-tokens N] [--rtt MS ...] [--strength X]
                            [--file PROMPTS.json] [--json] [--plot FILE.png]

The server and the device run in a process each, pinned to one core each with one thread (where the
system can pin), and a relay between them delays every byte (``delay.py``). The three ways take
turns on the same prompts in one run, so that a change of the machine's speed hits all alike: read
the ratios. Every answer starts cold: neither model has seen its prompt.

Speed is that of writing: the tokens after the first, by the time between the first and the last.
The time to the first token is reported beside it, with the small model's own time for reading the
prompts. Bytes are those of whole answers, discarded tokens and retries included.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

from common import CONTEXT, LLM, SLM, argument_parser, pairs, peak_megabytes, prompts, report

from costeer import Costeer
from costeer.cloud.client.completions import CompletionsClient
from costeer.cloud.server.process import ServerProcess
from costeer.edge.slm import SlmPair
from costeer.edge.verify import MODES
from costeer.models.load import load_model
from costeer.privacy.ledger import Ledger

WAYS = ("alone", "lockstep", "run-ahead")
Row = dict[str, Any]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argument_parser(__doc__)
    parser.add_argument("--prompts", type=int, default=8, help="how many prompts [8]")
    parser.add_argument("--max-tokens", type=int, default=64, help="of each answer [64]")
    parser.add_argument("--rtt", type=float, nargs="+", default=[0, 20, 50, 100], metavar="MS")
    parser.add_argument("--strength", default="auto")
    parser.add_argument("--file", type=Path, help="other prompts, in the form of prompts.json")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help='needs the extra "plots"')
    return parser.parse_args()


class Relay:
    """``delay.py`` in a process of its own."""

    def __init__(self, url: str) -> None:
        script = str(Path(__file__).with_name("delay.py"))
        self._process = subprocess.Popen(
            [sys.executable, script, url.rsplit(":", 1)[1]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = f"http://127.0.0.1:{self._say()}"

    def set(self, milliseconds: float) -> None:
        """From now on, this round trip time."""
        assert self._process.stdin
        self._process.stdin.write(f"{milliseconds}\n")
        self._process.stdin.flush()
        self._say()

    def close(self) -> None:
        """End it."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=5)

    def _say(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()


class Bench:
    """All that is measured against one server.

    Args:
        server: pinned to its core.
        options: of the command line.
    """

    def __init__(self, server: ServerProcess, relay: Relay, options: argparse.Namespace) -> None:
        self._server = server
        self._limit: int = options.max_tokens
        self._slm = load_model(SLM, context=CONTEXT, sequences=6, threads=1)
        self._ledger = Ledger()
        self._client = CompletionsClient(relay.url, record=self._ledger.record)
        self._direct = CompletionsClient(server.url)
        self._reader = SlmPair(self._slm)
        self._costeers = {
            str(mode): Costeer(
                relay.url,
                self._slm,
                strength=options.strength,
                mode=mode,
                lanes=1,
                guard="off",
            )
            for mode in MODES
        }

    def run(self, way: str, query: str, context: str) -> Row:
        """One answer, from a cold start of the server."""
        list(self._direct.stream([1], 1, 2))  # its only sequence forgets the prompt
        if way == "alone":
            return self._alone(query)
        costeer = self._costeers[way]
        times: list[float] = []
        started = time.perf_counter()
        with costeer.stream(query, context, max_tokens=self._limit) as generation:
            for _ in generation:
                times.append(time.perf_counter() - started)
        result = generation.result
        return {
            **timing(times),
            "bytes_up": result.bytes_up,
            "bytes_down": result.bytes_down,
            "requests": result.requests,
            "changed": result.changed,
            "interrupted": result.corrected,
            "retried": result.retried,
            "unproven": result.unproven,
            "wasted": result.received - result.steps,
            "ids": result.token_ids,
        }

    def reading(self, query: str, context: str) -> float:
        """Seconds that the small model alone takes to read the prompts."""
        both = prompts(self._slm.tokenizer, query, context, self._limit)
        started = time.perf_counter()
        self._reader.prefill(both.plain, both.private)
        return time.perf_counter() - started

    def _alone(self, query: str) -> Row:
        ids = prompts(self._slm.tokenizer, query, "", self._limit).public
        before, times = self._ledger.totals, []
        started = time.perf_counter()
        for _ in self._client.stream(ids, 1, self._limit):
            times.append(time.perf_counter() - started)
        spent = self._ledger.totals - before
        counts = {"bytes_up": spent.bytes_up, "bytes_down": spent.bytes_down}
        return {**timing(times), **counts, "requests": spent.requests}


def timing(times: list[float]) -> Row:
    """What the moments of the tokens come to."""
    return {"tokens": len(times), "first": times[0], "writing": times[-1] - times[0]}


def measure(options: argparse.Namespace) -> tuple[list[Row], dict[str, float]]:
    """A row for every answer, and the peaks of memory."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    pinned = len(cores) > 1 and shutil.which("taskset") is not None
    command = ("taskset", "-c", str(cores[0])) if pinned else ()
    chosen = list(islice(pairs(options.file), options.prompts))
    rows: list[Row] = []
    flags = ("--threads", "1", "--parallel", "1", "--context", str(CONTEXT))
    with ServerProcess(LLM, flags, command) as server:
        relay = Relay(server.url)
        if pinned:
            os.sched_setaffinity(0, {cores[1]})  # after the relay has been started: it is free
        bench = Bench(server, relay, options)
        total = len(chosen) * len(options.rtt) * len(WAYS)
        for at, rtt in enumerate(options.rtt):
            relay.set(rtt)
            for number, (query, context) in enumerate(chosen):
                reading = bench.reading(query, context)
                for turn in range(len(WAYS)):
                    way = WAYS[(turn + at + number) % len(WAYS)]
                    what = {"prompt": number, "rtt": rtt, "way": way, "reading": reading}
                    rows.append(what | bench.run(way, query, context))
                    print(f"  {len(rows)}/{total}  {way:<10}", end="\r", file=sys.stderr)
        peaks = {"device_mb": peak_megabytes(), "server_mb": peak_megabytes(server.pid)}
        relay.close()
    return rows, peaks


def summarise(rows: list[Row]) -> list[Row]:
    """One line for every way and round trip time."""
    lines = []
    for rtt in sorted({row["rtt"] for row in rows}):
        at = [row for row in rows if row["rtt"] == rtt]
        speeds = {way: speed([row for row in at if row["way"] == way]) for way in WAYS}
        for way in WAYS:
            mine = [row for row in at if row["way"] == way]
            lines.append(
                {
                    "rtt": rtt,
                    "way": way,
                    "tokens_per_second": speeds[way],
                    "over_alone": speeds[way] / speeds["alone"],
                    "over_lockstep": speeds[way] / speeds["lockstep"],
                    "first": statistics.median(row["first"] for row in mine),
                    **per_token(mine),
                }
            )
    return lines


def speed(rows: list[Row]) -> float:
    """Tokens after the first, a second."""
    return float(sum(r["tokens"] - 1 for r in rows) / sum(r["writing"] for r in rows))


def per_token(rows: list[Row]) -> Row:
    """Counts for each token of the answers."""
    tokens = sum(row["tokens"] for row in rows)
    shares: Row = {
        name: sum(row[name] for row in rows) / tokens
        for name in ("bytes_up", "bytes_down", "requests", "changed", "wasted", "retried")
        if name in rows[0]
    }
    if rows[0]["way"] == "run-ahead":
        shares["accepted_run"] = tokens / (len(rows) + sum(row["interrupted"] for row in rows))
    return shares


def same_texts(rows: list[Row]) -> float:
    """The share of answers where run-ahead gave the ids of lockstep."""
    ids = {(row["prompt"], row["rtt"], row["way"]): row.get("ids") for row in rows}
    keys = {(prompt, rtt) for prompt, rtt, _ in ids}
    alike = [ids[(*key, "run-ahead")] == ids[(*key, "lockstep")] for key in keys]
    return statistics.mean(alike)


def pictures() -> Any:
    """matplotlib's pyplot, drawing to files."""
    try:
        import matplotlib as mpl  # noqa: PLC0415 - an extra
    except ImportError:
        raise SystemExit('--plot needs matplotlib: pip install "costeer[plots]"') from None
    mpl.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415

    return pyplot


def plot(lines: list[Row], path: Path) -> None:
    """Speed against round trip time."""
    pyplot = pictures()
    figure, axes = pyplot.subplots(figsize=(6, 3.6), layout="constrained")
    for way, colour in zip(WAYS, ("0.5", "tab:orange", "tab:blue"), strict=True):
        mine = [line for line in lines if line["way"] == way]
        label = "the large model alone" if way == "alone" else way
        axes.plot(
            [line["rtt"] for line in mine],
            [line["tokens_per_second"] for line in mine],
            marker="o",
            color=colour,
            label=label,
        )
    axes.set(xlabel="round trip, ms", ylabel="tokens per second, after the first")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.savefig(path, dpi=150)


def main() -> None:
    """Measure and print."""
    options = arguments()
    if options.plot:
        pictures()  # a missing package is reported now, not after minutes
    rows, peaks = measure(options)
    lines = summarise(rows)
    reading = statistics.median(row["reading"] for row in rows)
    result = {"lines": lines, "slm_reading": reading, "same_texts": same_texts(rows), **peaks}
    if options.plot:
        plot(lines, options.plot)
    report(result | {"rows": rows}, options.json, show)


def show(result: dict[str, Any]) -> None:
    """Print a line per way and round trip, then the other figures."""
    lines = result["lines"]
    print("\x1b[2K", end="", file=sys.stderr)
    names = [name for name in lines[-1] if name not in ("rtt", "way")]
    print(f"{'rtt':>4} {'way':<10}" + "".join(f"{name:>18}" for name in names))
    for line in lines:
        cells = (f"{line[name]:18.3f}" if name in line else f"{'':18}" for name in names)
        print(f"{line['rtt']:>4g} {line['way']:<10}" + "".join(cells))
    for name in ("slm_reading", "same_texts", "device_mb", "server_mb"):
        print(f"{name:<14} {result[name]:.3f}")


if __name__ == "__main__":
    main()
