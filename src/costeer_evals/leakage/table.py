"""The table of what answers tell, with what they are worth beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import mean, median
from typing import Any

from costeer.exceptions import InputError
from costeer_evals.leakage.arms import ARMS, Arm
from costeer_evals.leakage.candidates import CANDIDATES, HARD
from costeer_evals.leakage.job import KIND, READER_KIND
from costeer_evals.report.table import Cell, Column, Table
from costeer_evals.run.results import ResultContents, ResultRow
from costeer_evals.statistics import Interval, paired_bootstrap, wilson

Scores = Mapping[str, Any]
BY_SAMPLE = dict[str, Scores]
QUERY_ALONE = "llm-without"
COLUMNS = (
    Column("Answers by", 0),
    Column("people", 0),
    Column("respected, %", 0),
    Column("value or 4 words, %", 0),
    Column("named, %", 0),
    Column("beyond the query, points", 0),
    Column("mean rank", 1),
    Column("named among the nearest, %", 0),
    Column("which of two, %", 0),
    Column("reader, which of two, %", 0),
    Column("by pattern, %", 0),
    Column("evidence, nats", 1),
)


def build_table(contents: Sequence[ResultContents]) -> Table:
    """One line an arm, over the people for whom every arm in the files has a row.

    Raises:
        InputError: there are no such rows, or rows of several settings.
    """
    rows = [row for one in contents for row in one.rows.values() if row["kind"] == KIND]
    if not rows:
        raise InputError("There are no rows of leakage in these files.", "Run it first.")
    if len({str(row["settings"]) for row in rows}) > 1:
        raise InputError("The files hold rows of several settings.", "Give those of one run.")
    read = [row for one in contents for row in one.rows.values() if row["kind"] == READER_KIND]
    by_arm = _by_arm(rows, read)
    alone = by_arm.get(QUERY_ALONE)
    lines = [_line(arm, by_arm[arm.name], alone) for arm in ARMS if arm.name in by_arm]
    models = next(iter(contents[0].headers.values()))["models"]
    named = ", ".join(f"{role} {model['name']}" for role, model in models.items())
    most = rows[0]["settings"]["max_tokens"]
    title = f"leakage: answers of up to {most} tokens; {named}"
    return Table(title, COLUMNS, lines, _notes(rows, read))


def _by_arm(rows: Iterable[ResultRow], read: Iterable[ResultRow]) -> dict[str, BY_SAMPLE]:
    """Scores by arm and sample, of the samples that no arm lacks."""
    readers = {(row["method"], row["sample"]): row["scores"]["pair"] for row in read}
    found: dict[str, BY_SAMPLE] = {}
    for row in rows:
        method, sample = row["method"], row["sample"]
        scores = {**row["scores"], "reader": readers.get((method, sample))}
        found.setdefault(method, {})[sample] = scores
    common = set.intersection(*(set(one) for one in found.values()))
    if not common:
        raise InputError("No person has answers in every way yet.", "Let the run go on.")
    return {name: {sample: one[sample] for sample in sorted(common)} for name, one in found.items()}


def _line(arm: Arm, scores: BY_SAMPLE, alone: BY_SAMPLE | None) -> list[Cell]:
    all_scores = list(scores.values())
    ranks = [one["rank"] for one in all_scores if "rank" in one]
    return [
        arm.title,
        len(all_scores),
        _share(one["respected"] for one in all_scores),
        _share(one["value"] or one["run"] for one in all_scores),
        _share(rank == 1 for rank in ranks),
        _beyond(arm, scores, alone),
        float(mean(ranks)) if ranks else None,
        _share(one["hard_rank"] == 1 for one in all_scores if "hard_rank" in one),
        _share(one.get("pair") for one in all_scores),
        _share(one["reader"] for one in all_scores),
        _share(
            None if (rank := one.get("pattern_rank")) is None else rank == 1 for one in all_scores
        ),
        float(median(one["evidence"] for one in all_scores)) if arm.reader == "device" else None,
    ]


def _share(outcomes: Iterable[bool | None]) -> Interval | None:
    """A share in percent, of those that are known; None if none is."""
    known = [bool(one) for one in outcomes if one is not None]
    if not known:
        return None
    share = wilson(sum(known), len(known))
    return Interval(100 * share.estimate, 100 * share.low, 100 * share.high)


def _beyond(arm: Arm, scores: BY_SAMPLE, alone: BY_SAMPLE | None) -> Interval | None:
    """How much oftener the person is named than from the unsteered answer, paired."""
    if alone is None or arm.reader != "device":
        return None
    differences = [
        100.0 * ((scores[sample]["rank"] == 1) - (alone[sample]["rank"] == 1)) for sample in scores
    ]
    return paired_bootstrap(differences)


def _notes(rows: Sequence[ResultRow], read: Sequence[ResultRow]) -> list[str]:
    attacked = [row["scores"] for row in rows if "rank" in row["scores"]]
    candidates = min((one["candidates"] for one in attacked), default=CANDIDATES)
    near = min((one["near"] for one in attacked), default=HARD + 1)
    warned = sum(row["scores"]["warned"] for row in rows)
    pairs = sum(row["scores"].get("pair") is not None for row in rows if row["method"] == "auto")
    reads = sum(row["method"] == "auto" for row in read)
    return [
        f"named: the true context is the likeliest of {candidates} (by guessing "
        f"{100 / candidates:.0f} %); among the nearest: of it and the {near - 1} most similar "
        f"(by guessing {100 / near:.0f} %).",
        "The first line is what the query alone tells: the same attack, for auto, on an answer "
        "that was not steered. Who uploads the context need not be found out.",
        f"which of two: the context, or the same with the record that matters replaced by another "
        f"person's ({pairs} people; by guessing 50 %).",
        f"reader, which of two: by the text that went up alone; the LLM judges which of the two "
        f"records the answer makes likelier ({reads} people; by guessing 50 %).",
        "by pattern: from nothing but which positions steering changed; the attacker replays the "
        "text. value or 4 words: of the context, in what went up, and not in the query.",
        f"evidence: the product's meter, median. Intervals are of 95 %. {warned} of {len(rows)} "
        "answers ended with a warning (a spent budget is one).",
    ]
