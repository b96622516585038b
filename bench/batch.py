"""What one call of a model costs, by sequences and tokens, on this machine.

    python bench/batch.py [--model NAME] [--threads N] [--json]

The same work is measured in one llama.cpp decode call and token by token; the engine chooses by
this (``models/engines/llamacpp.SINGLES``). Milliseconds, medians.
"""

from __future__ import annotations

import statistics
import time
from unittest import mock

from common import SLM, argument_parser, cores, report

from costeer.models.engines import llamacpp
from costeer.models.files.catalog import resolve

SHAPES = ((1, 1), (2, 1), (1, 2), (1, 4), (1, 8), (2, 2), (2, 3), (2, 4), (2, 8))


def measure(name: str, singles: int, threads: int, runs: int = 12) -> dict[str, float]:
    """Milliseconds for each shape when up to ``singles`` ids go one by one."""
    with mock.patch.object(llamacpp, "SINGLES", singles):
        model = llamacpp.LlamaCpp(resolve(name), context=1024, sequences=2, threads=threads)
    sequences = [model.sequence(), model.sequence()]
    for sequence in sequences:
        sequence.extend(list(range(100, 200)), rows=1)
    result = {}
    for count, tokens in SHAPES:
        times = []
        for _ in range(runs):
            for sequence in sequences:
                sequence.truncate(100)
            started = time.perf_counter()
            model.extend_many([(s, list(range(300, 300 + tokens))) for s in sequences[:count]])
            times.append(1000 * (time.perf_counter() - started))
        result[f"{count}x{tokens}"] = statistics.median(times)
    model.close()
    return result


def main() -> None:
    """Measure and print."""
    parser = argument_parser(__doc__)
    parser.add_argument("--model", default=SLM, help="a name from the catalog [the small one]")
    parser.add_argument("--threads", type=int, default=cores())
    options = parser.parse_args()
    together = measure(options.model, 0, options.threads)
    apart = measure(options.model, 1000, options.threads)
    report({"together": together, "one_by_one": apart}, options.json, show)


def show(result: dict[str, dict[str, float]]) -> None:
    """Print a table of both ways."""
    together, apart = result["together"], result["one_by_one"]
    print(f"{'sequences x tokens':20} {'one call':>10} {'one by one':>10} {'ratio':>7}")
    for shape, value in together.items():
        print(f"{shape:20} {value:10.1f} {apart[shape]:10.1f} {value / apart[shape]:7.2f}")


if __name__ == "__main__":
    main()
