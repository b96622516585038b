"""The everyday sets: their form, and that expressions are fair to answers written by hand."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from costeer.edge.prompts import with_context
from costeer.exceptions import InputError
from costeer.models.fake import FakeModel
from costeer_evals.metrics.adherence import FLAGS, asides, respected
from costeer_evals.prompts import encode
from costeer_evals.samples import TaskSample
from costeer_evals.tasks.base import LoadOptions
from costeer_evals.tasks.everyday import DATA
from costeer_evals.tasks.private import private_turn, wording
from costeer_evals.tasks.registry import find_task
from tests.support.tiny_rows import ALL, SECRET, write


def by_id(text: str) -> dict[str, Any]:
    return {row["id"]: row for row in map(json.loads, text.splitlines())}


CASES = by_id((DATA / "everyday.jsonl").read_text("utf-8"))
PEOPLE = by_id((DATA / "people.jsonl").read_text("utf-8"))
HERE = Path(__file__).parent
EXAMPLES = by_id((HERE / "everyday_examples.jsonl").read_text("utf-8"))
PEOPLE_EXAMPLES = by_id((HERE / "people_examples.jsonl").read_text("utf-8"))
PUBLISHED = Path(__file__).parents[3] / "results" / "everyday_cpu" / "texts.0.jsonl"
ONE = {"id": "a", "context": f"I am {SECRET}.", "query": "What now?", "needs": "x", "forbids": None}


def test_every_kind_has_six_cases_three_in_each_half() -> None:
    assert len(CASES) == 72 and set(Counter(c["kind"] for c in CASES.values()).values()) == {6}
    halves = Counter((case["kind"], case["half"]) for case in CASES.values())
    assert len(halves) == 24 and set(halves.values()) == {3}


def test_contexts_are_of_all_lengths() -> None:
    records = [case["context"].count("\n\n") + 1 for case in CASES.values()]
    assert sum(count >= 18 for count in records) >= 14
    assert sum(count == 1 for count in records) >= 14
    longest = [max(map(len, case["context"].split("\n\n"))) for case in CASES.values()]
    assert sum(length >= 150 for length in longest) >= 6  # samples of writing


@pytest.mark.parametrize("name", CASES)
def test_a_case_is_fair(name: Any) -> None:
    case = CASES[name]
    keys = {"id", "kind", "half", "context", "query", "needs", "forbids"}
    assert case.keys() - {"sends"} == keys
    records = case["context"].split("\n\n")
    assert case.get("sends", records[0]) in records
    for record in records:
        assert record.lower() not in case["query"].lower()
    for expression in (case["needs"], case["forbids"] or ""):
        re.compile(expression, FLAGS)
    examples = EXAMPLES[name]
    assert len(examples["good"]) == len(examples["bad"]) == 3
    for text in examples["good"]:
        assert respected(text, case["needs"], case["forbids"]), text
    for text in examples["bad"]:
        assert not respected(text, case["needs"], case["forbids"]), text
    assert not respected("", case["needs"], case["forbids"])


@pytest.mark.parametrize("name", PEOPLE)
def test_a_case_with_several_facts_is_fair(name: Any) -> None:
    case, examples = PEOPLE[name], PEOPLE_EXAMPLES[name]
    assert case.keys() == {*ONE, "kind", "half", "asides"}
    needs, forbids, unneeded = case["needs"], case["forbids"], case["asides"].values()
    assert asides(case["context"], unneeded) == len(unneeded) >= 2
    assert asides(case["query"], unneeded) == 0
    assert len(examples["good"]) >= 2 and len(examples["bad"]) >= 2
    for text in examples["good"]:
        assert respected(text, needs, forbids) and not asides(text, unneeded), text
    for text in (*examples["bad"], case["query"], ""):
        assert not respected(text, needs, forbids), text


def test_people_are_four_and_each_is_in_one_half() -> None:
    people = Counter((case["context"], case["half"]) for case in PEOPLE.values())
    assert len({context for context, _ in people}) == len(people) == 4
    assert set(people.values()) == {8}
    assert Counter(half for _, half in people) == {"dev": 2, "test": 2}
    kinds = Counter(case["kind"] for case in PEOPLE.values())
    assert kinds == {"advice": 21, "knowledge": 7, "writing": 4}


def test_examples_are_of_the_cases_alone() -> None:
    assert EXAMPLES.keys() == CASES.keys() and PEOPLE_EXAMPLES.keys() == PEOPLE.keys()


def test_what_says_how_to_answer_can_be_sent() -> None:
    samples = {sample.id: sample for sample in find_task("sent").load(None, ALL)}
    kinds = Counter(CASES[name]["kind"] for name in samples)
    assert kinds == {"language of the answer": 6, "form and length": 6}
    tokenizer = FakeModel().tokenizer
    for name, sample in samples.items():
        prompts = encode(sample, tokenizer)
        read = [
            tokenizer.decode_bytes(ids).decode()
            for ids in (prompts.public, prompts.guided, prompts.about)
        ]
        assert all(CASES[name]["sends"] in text and "[send]" not in text for text in read)
        others = [r for r in CASES[name]["context"].split("\n\n") if r != CASES[name]["sends"]]
        for record in others:
            assert record in read[2] and record not in read[0] + read[1]


@pytest.mark.parametrize(("name", "cases"), [("everyday", CASES), ("people", PEOPLE)])
def test_without_a_source_the_shipped_set_is_loaded(name: Any, cases: Any) -> None:
    samples = find_task(name).load(None, ALL)
    assert [sample.id for sample in samples] == list(cases)
    assert len(find_task(name).load(None, LoadOptions(limit=5))) == 5
    for sample in samples:
        case = cases[sample.id]
        assert sample.half == {"dev": "tune", "test": "test"}[case["half"]]
        assert sample.asides == tuple(case.get("asides", {}).values())
        assert (sample.kind, sample.needs, sample.forbids) == (
            case["kind"],
            case["needs"],
            case["forbids"],
        )
        assert sample.context_prompt == private_turn(case["query"], case["context"])
        assert sample.reference is None and repr(sample) == f"Sample(id={sample.id!r})"


def test_a_file_of_ones_own_needs_no_kind(tmp_path: Path) -> None:
    (sample,) = find_task("everyday").load(write(tmp_path / "own.jsonl", [ONE]), ALL)
    assert (sample.kind, sample.needs, sample.forbids, sample.asides) == ("", "x", None, ())
    assert sample.query in sample.context_prompt and SECRET in sample.context_prompt


def test_other_expressions_are_another_sample(tmp_path: Path) -> None:
    rows = [ONE, {**ONE, "id": "b", "forbids": "y"}, {**ONE, "id": "c", "needs": "z"}]
    samples = find_task("everyday").load(write(tmp_path / "own.jsonl", rows), ALL)
    assert len({TaskSample("everyday", sample).texts_hash for sample in samples}) == 3


def test_other_asides_are_another_sample_and_none_leave_published_rows_valid(
    tmp_path: Path,
) -> None:
    rows = [ONE, {**ONE, "id": "b", "asides": None}]
    rows += [{**ONE, "id": f"c{text}", "asides": {"one": text}} for text in "yz"]
    samples = find_task("people").load(write(tmp_path / "own.jsonl", rows), ALL)
    assert [sample.asides for sample in samples] == [(), (), ("y",), ("z",)]
    hashes = [TaskSample("people", sample).texts_hash for sample in samples]
    assert hashes[0] == hashes[1] and len(set(hashes)) == 3
    without = TaskSample("people", replace(samples[2], asides=()))
    assert without.texts_hash == hashes[0]


def test_published_rows_are_of_the_shipped_samples() -> None:
    published = map(json.loads, PUBLISHED.read_text("utf-8").splitlines())
    hashes = {row["sample"]: row["texts"] for row in published if "header" not in row}
    samples = find_task("everyday").load(None, ALL)
    now = {sample.id: TaskSample("everyday", sample).texts_hash for sample in samples}
    assert hashes.items() <= now.items() and len(hashes) == 36


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({**ONE, "needs": f"({SECRET}"}, "the text under 'needs' is not a regular expression."),
        ({**ONE, "forbids": f"[{SECRET}"}, "the text under 'forbids' is not a regular expression."),
        ({**ONE, "forbids": 3}, "there is no text under 'forbids'."),
        ({**ONE, "asides": {SECRET: f"({SECRET}"}}, "a text under 'asides' is not a regular"),
        ({**ONE, "asides": {SECRET: 3}}, "something under 'asides' is not a text."),
        ({**ONE, "asides": {SECRET: " "}}, "something under 'asides' is not a text."),
        ({**ONE, "asides": [SECRET]}, "there is no object of regular expressions under 'asides'."),
        ({**ONE, "asides": {}}, "there is no object of regular expressions under 'asides'."),
        ({**ONE, "context": " "}, "there is no text under 'context'."),
    ],
)
def test_a_bad_row_is_one_line_without_its_text(row: Any, problem: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        find_task("everyday").load(write(tmp_path / "own.jsonl", [row]), ALL)
    assert problem in str(caught.value) and SECRET not in str(caught.value)


ASK = [{"role": "user", "content": "Why?"}]


def test_the_wording_is_what_the_private_turn_adds() -> None:
    conversation = [{"role": "system", "content": "Be kind."}, *ASK]
    shown = with_context(conversation, SECRET)[0]["content"] + private_turn("Why?", SECRET)
    pieces = wording()
    assert len(pieces) >= 3 and all(piece in shown for piece in pieces)
    assert not any("Why?" in piece or SECRET in piece for piece in pieces)
