"""Rows and ratings of one or several files (such as shards) as sections whose methods are compared.

A section is one task, one kind of run and its settings. Methods are compared on the samples that
all of them have, and the samples left out for that are counted.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from costeer.exceptions import InputError, ParameterError
from costeer_evals.baselines import TWIN_OVERLAP
from costeer_evals.report import ratings
from costeer_evals.report.sections import MethodColumn, Section
from costeer_evals.run import results
from costeer_evals.run.experiment import Kind
from costeer_evals.run.results import ResultContents, ResultRow

Half: TypeAlias = Literal["tune", "test"]


def half_of(group: str) -> Half:
    """The half that a group of samples belongs to: choose on one half, report on the other.

    A benchmark's own division, which rows record as ``half``, takes precedence.

    Args:
        group: the hexadecimal hash in its rows.
    """
    return "test" if int(group, 16) % 2 else "tune"


def load_results(paths: Iterable[Path]) -> ResultContents:
    """Read all rows of all files, with their ratings; a row in two files counts once.

    Raises:
        InputError: a file is missing, damaged or empty, there are only ratings, two raters gave
            ratings of one kind, or the files are of different models.
    """
    total = ResultContents()
    for path in paths:
        one = results.read(path)
        if not one.rows and not one.ratings:
            raise InputError(f"{path} holds no results.", "Did the run write anything yet?")
        for row in one.rows.values():
            if row["run"] not in one.headers:
                raise InputError(
                    f"{path} lacks the header of a row.",
                    "Its header is in the file that it came from.",
                )
        total.headers.update(one.headers)
        for key, row in one.rows.items():
            total.rows.setdefault(key, row)
        total.ratings += one.ratings
    if total.ratings and not total.rows:
        raise InputError("There are only ratings.", "Give the results that were rated as well.")
    models = {json.dumps(header["models"], sort_keys=True) for header in total.headers.values()}
    if len(models) > 1:
        raise InputError(
            "These files are results of different models.", "Show them one after another."
        )
    ratings.merge_ratings(total)
    return total


def build_sections(
    contents: ResultContents,
    *,
    kind: Kind | None = None,
    tasks: Collection[str] = (),
    methods: Collection[str] = (),
    without_twins: bool = False,
    half: Half | None = None,
    preference: str | None = None,
    pooled: bool = False,
) -> list[Section]:
    """Select rows and divide them into sections.

    Args:
        contents: from ``load_results``.
        kind: only this kind.
        tasks: only these; empty means all.
        methods: only these keys; empty means all.
        without_twins: leave out samples whose reference nearly repeats a record.
        half: only samples of this half.
        preference: only answers under this preference, of the preference sets.
        pooled: treat the samples of all tasks as one task.

    Raises:
        InputError: no samples are left.
        ParameterError: there are no results of a requested task or method.
    """
    rows = [row for row in contents.rows.values() if kind in (None, row["kind"])]
    _require("task", tasks, {row["task"] for row in rows})
    _require("method", methods, {row["method"] for row in rows})
    divided: dict[str, list[ResultRow]] = {}
    for row in rows:
        if preference is not None and not row["sample"].endswith(f"-{preference}"):
            continue
        if (not tasks or row["task"] in tasks) and (not methods or row["method"] in methods):
            task = "" if pooled else row["task"]
            chosen = "margin" in row["scores"]
            place = json.dumps([row["kind"], task, row["settings"], chosen], sort_keys=True)
            # Ids are unique within a task only.
            named = {"sample": f"{row['task']} {row['sample']}"} if pooled else {}
            divided.setdefault(place, []).append({**row, **named})
    names = _names(contents)
    made = [_section(part, names, without_twins, half) for part in divided.values()]
    made = [section for section in made if section.samples]
    if not made:
        raise InputError("There are no samples that all these methods have.", "Run more of them.")
    return made


def _section(
    rows: Sequence[ResultRow], models: Mapping[str, str], without_twins: bool, half: Half | None
) -> Section:
    by_method: dict[str, dict[str, ResultRow]] = {}
    for row in rows:
        by_method.setdefault(row["method"], {})[row["sample"]] = row
    everyone = list(dict.fromkeys(row["sample"] for row in rows))
    samples = [s for s in everyone if all(s in found for found in by_method.values())]
    left_out = len(everyone) - len(samples)
    one = next(iter(by_method.values()))
    if half is not None:
        samples = [s for s in samples if (one[s].get("half") or half_of(one[s]["group"])) == half]
    if without_twins:
        samples = [s for s in samples if _nearest(s, by_method.values()) <= TWIN_OVERLAP]
    return Section(
        kind=rows[0]["kind"],
        task=", ".join(dict.fromkeys(row["task"] for row in rows)),
        settings=rows[0]["settings"],
        models=models,
        columns=[_column(found, samples) for found in by_method.values()],
        samples=samples,
        groups=[one[sample]["group"] for sample in samples],
        left_out=left_out,
    )


def _nearest(sample: str, methods: Iterable[Mapping[str, ResultRow]]) -> float:
    values = (found[sample]["scores"].get("nearest") for found in methods)
    value = next((value for value in values if value is not None), None)
    if value is None:
        raise InputError(
            "These results do not say which references nearly repeat a record.",
            'Install what measures it (pip install "costeer[evals]"), and run into a new file.',
        )
    return float(value)


def _column(found: Mapping[str, ResultRow], samples: Sequence[str]) -> MethodColumn:
    any_row = next(iter(found.values()))
    return MethodColumn(
        key=any_row["method"],
        label=any_row["label"],
        parameters=any_row["parameters"],
        violates_privacy=any_row["violates_privacy"],
        rows=[found[sample] for sample in samples],
    )


def _names(contents: ResultContents) -> dict[str, str]:
    names: dict[str, str] = {}
    for header in contents.headers.values():
        names |= {role: model["name"] for role, model in header["models"].items()}
    return names


def _require(what: str, wanted: Collection[str], known: Collection[str]) -> None:
    missing = [name for name in wanted if name not in known]
    if missing:
        raise ParameterError(
            f"There are no results of the {what} {missing[0]}.",
            f"There are: {', '.join(sorted(known))}.",
        )
