"""What it costs that rows depend on the ids alone: seconds to the first row, cold and warm.

    python bench/canonical.py [--model NAME] [--runs N] [--json]

In one process: a question is read with nothing in memory; again; its answer of 64 tokens goes on
after a correction; the next turn of the conversation is read; the answer is taken up again with
nothing in memory. "before" reuses whatever is held and reads the rest in calls of 512, as a plain
prefix cache does; its rows differ between a first and a second time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from common import CONTEXT, LLM, argument_parser, cores, pairs, report

from costeer.models.base import LanguageModel, LogProbs, Message, TokenSequence
from costeer.models.load import load_model
from costeer.models.prefix import CanonicalCalls, common_length

ANSWER = 64
Read = Callable[[TokenSequence, list[int]], LogProbs]


def plain(sequence: TokenSequence, prompt: list[int]) -> LogProbs:
    """A plain prefix cache."""
    kept = min(common_length(sequence.ids, prompt), len(prompt) - 1)
    sequence.truncate(kept)
    for start in range(kept, len(prompt), 512):
        rows = sequence.extend(prompt[start : start + 512], rows=1)
    row: LogProbs = rows[-1]
    return row


def conversation(model: LanguageModel) -> tuple[list[int], list[int], list[int]]:
    """(first prompt, answer, second prompt) as ids."""
    query, context = next(pairs())
    question: Message = {"role": "user", "content": f"{context}\n\n{query}"}
    first = model.tokenizer.chat([question])
    answer = model.tokenizer.encode(context)[:ANSWER]
    text = model.tokenizer.decode_bytes(answer).decode("utf-8", "replace")
    turns: list[Message] = [
        question,
        {"role": "assistant", "content": text},
        {"role": "user", "content": query},
    ]
    return first, answer, model.tokenizer.chat(turns)


def measure(model: LanguageModel, read: Read) -> dict[str, float]:
    """Seconds for each kind of reading."""
    first, answer, second = conversation(model)
    sequence, found = model.sequence(), {}

    def timed(name: str, prompt: list[int]) -> LogProbs:
        began = time.perf_counter()
        row = read(sequence, prompt)
        found[name] = time.perf_counter() - began
        return row

    cold = timed("cold", first)
    for token in answer:
        sequence.extend([token])
    timed("correction", [*first, *answer[:40], answer[50]])
    sequence.truncate(len(first) + 40)
    for token in answer[40:]:
        sequence.extend([token])
    timed("second turn", second)
    again = timed("the first again", first)
    found["same row"] = float((cold == again).all())
    sequence.truncate(0)
    timed("taken up after 64 tokens, nothing in memory", [*first, *answer])
    sequence.close()
    return {"prompt": len(first), "second prompt": len(second), **found}


def main() -> None:
    """Measure and print."""
    parser = argument_parser(__doc__)
    parser.add_argument("--model", default=LLM)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    model = load_model(options.model, context=CONTEXT, sequences=1, threads=cores())
    canonical = CanonicalCalls(model)
    ways: dict[str, Read] = {"before": plain, "now": canonical.prefill}
    runs = {
        name: [measure(model, read) for _ in range(options.runs)] for name, read in ways.items()
    }
    model.close()
    medians = {
        name: {key: statistics.median(run[key] for run in all_) for key in all_[0]}
        for name, all_ in runs.items()
    }
    report(medians, options.json, show)


def show(medians: dict[str, dict[str, float]]) -> None:
    """Print a line per figure, with both ways."""
    for key in medians["now"]:
        ways = "".join(f"{name}: {values[key]:8.2f}   " for name, values in medians.items())
        print(f"{key:46}{ways}")


if __name__ == "__main__":
    main()
