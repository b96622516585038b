"""The benchmarks, on tiny files in their official formats."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from costeer.exceptions import InputError, ParameterError
from costeer_evals.tasks.base import LoadOptions, PastText
from costeer_evals.tasks.registry import TASKS, find_task
from tests.support.tiny_rows import (
    ABSTRACT_PROMPT,
    ALL,
    COGENESIS,
    COGENESIS_PROMPT,
    SECRET,
    Backwards,
    write,
)

# CoGenesis


def test_cogenesis(tmp_path: Path) -> None:
    (sample,) = find_task("cogenesis").load(write(tmp_path / "dev.json", [COGENESIS]), ALL)
    assert sample.id == sample.group == "3_7_4"
    assert sample.query == "Write a toast."
    assert sample.context_prompt == COGENESIS_PROMPT
    assert sample.reference == "To Biscuit!"
    assert sample.profile == COGENESIS["additional_profile"]
    assert sample.history == (
        PastText("A card", "Dear all,\n\nthank you."),
        PastText("A note", "Gone sailing."),
    )


def test_cogenesis_as_the_authors_of_costeer_release_it_is_the_same(tmp_path: Path) -> None:
    released = {
        "id": "3_7_4",
        "input": "Write a toast.",
        "personalized_input": COGENESIS_PROMPT,
        "output": "To Biscuit!",
        "output_without_context": "Cheers!",
    }
    cogenesis = find_task("cogenesis")
    assert cogenesis.load(write(tmp_path / "cogenesis.jsonl", [released]), ALL) == cogenesis.load(
        write(tmp_path / "test.json", [COGENESIS]), ALL
    )


def test_abstracts_come_rendered_and_the_query_is_under_the_last_heading(tmp_path: Path) -> None:
    turns = [
        {"from": "user", "value": ABSTRACT_PROMPT},
        {"from": "assistant", "value": "We show it."},
    ]
    path = write(tmp_path / "paper_dev.json", [{"tid": "0", "conversations": turns}])
    (sample,) = find_task("cogenesis-abstracts").load(path, ALL)
    assert sample.context_prompt == ABSTRACT_PROMPT
    assert sample.query == (
        "Compose an abstract for the title 'New' that matches the author's style."
    )
    assert sample.history == (
        PastText("Old", "We did it.\n\nAnd more."),
        PastText("Older", "We tried."),
    )
    assert sample.reference == "We show it."


# Preferences


def test_every_question_comes_with_every_preference(tmp_path: Path) -> None:
    rows = [{"id": 999, "input": "Why? "}, {"id": "b", "input": "How?"}, {"id": 3, "input": "No."}]
    samples = find_task("truthfulqa").load(write(tmp_path / "q.jsonl", rows), LoadOptions(limit=2))
    assert [sample.group for sample in samples] == ["999"] * 4 + ["b"] * 4
    assert [sample.id for sample in samples[:4]] == [
        "999-creative",
        "999-verbose",
        "999-concise",
        "999-uplifting",
    ]
    assert samples[2].query == "Why? "
    assert samples[2].context_prompt == "Why? \nYour answer should be as concise as possible"
    assert samples[2].preference == "Your answer should be as concise as possible"
    assert samples[2].reference is None


# LongLaMP

LONGLAMP = {
    "longlamp-abstract": (
        {"name": "u1", "input": "Write about sails.", "output": "Sails."},
        [{"title": f"T{i}", "abstract": f"word{i} " * i, "id": i, "year": 2001} for i in range(7)],
        "The following are five titles with their abstracts.\nTitle[1]: T6\nAbstract[1]: word6 ",
    ),
    "longlamp-review": (
        {"reviewerId": "u1", "input": "Review sails.", "output": "Good."},
        [
            {"description": f"T{i}", "overall": "5.0", "reviewText": f"word{i} " * i, "summary": ""}
            for i in range(7)
        ],
        "The following are product descriptions with their user reviews.\n"
        "Product[1]: T6\nReview[1]: word6 ",
    ),
    "longlamp-topic": (
        {"author": "u1", "input": "Post about sails.", "output": "Well."},
        [
            {"author": "u1", "content": f"word{i} " * i, "id": str(i), "summary": f"T{i}"}
            for i in range(7)
        ],
        "The following are reddit post summaries with their content.\n"
        "Summary[1]: T6\nContent[1]: word6 ",
    ),
}


@pytest.mark.parametrize("name", LONGLAMP)
def test_longlamp_shows_the_five_best(name: Any, tmp_path: Path) -> None:
    row, profile, beginning = LONGLAMP[name]
    folder = write(
        tmp_path / f"{find_task(name).config}/test-00000-of-00001.jsonl",
        [{**row, "profile": profile}],
    )
    options = LoadOptions(ranker=Backwards())
    (sample,) = find_task(name).load(folder.parents[1], options)
    assert sample.context_prompt.startswith(beginning)
    assert sample.context_prompt.endswith(f" \n\nNow it's your turn\n\n{row['input']}")
    assert [record.title for record in sample.history] == ["T6", "T5", "T4", "T3", "T2"]
    assert (sample.id, sample.group) == ("0", "u1")
    assert sample.query == row["input"] and sample.reference == row["output"]


def test_longlamp_takes_the_authors_five_as_they_are(tmp_path: Path) -> None:
    row, profile, _ = LONGLAMP["longlamp-topic"]
    released = {**row, "id": 17, "profile": profile, "top_5": [profile[i] for i in (3, 0, 1, 6, 2)]}
    path = write(tmp_path / "longlamp_writing.jsonl", [released])
    (sample,) = find_task("longlamp-topic").load(path, LoadOptions(ranker=Backwards()))
    assert [record.title for record in sample.history] == ["T3", "T0", "T1", "T6", "T2"]
    assert sample.id == "17"


def test_longlamp_ranks_by_words_unless_told_otherwise(tmp_path: Path) -> None:
    pytest.importorskip("bm25s", reason="bm25s is not installed")
    row, profile, _ = LONGLAMP["longlamp-topic"]
    path = write(tmp_path / "test.jsonl", [{**row, "input": "about word4", "profile": profile}])
    (sample,) = find_task("longlamp-topic").load(path, ALL)
    assert sample.history[0].title == "T4" and len(sample.history) == 5


def test_longlamp_reads_its_parts_in_order_up_to_the_limit(tmp_path: Path) -> None:
    row, profile, _ = LONGLAMP["longlamp-topic"]
    for part, names in enumerate(("ab", "cd")):
        rows = [{**row, "author": name, "profile": profile[:1]} for name in names]
        folder = write(tmp_path / f"val-0000{part}-of-00002.jsonl", rows).parent
    topic = find_task("longlamp-topic")
    options = LoadOptions(split="val", limit=3, ranker=Backwards())
    assert [sample.group for sample in topic.load(folder, options)] == ["a", "b", "c"]
    with pytest.raises(InputError, match="no files of the split 'test'"):
        topic.load(folder, ALL)


def test_longlamp_reads_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    from pyarrow import parquet

    row, profile, beginning = LONGLAMP["longlamp-abstract"]
    table = pyarrow.Table.from_pylist([{**row, "profile": profile}] * 20)
    parquet.write_table(table, tmp_path / "test-00000-of-00001.parquet")
    options = LoadOptions(limit=18, ranker=Backwards())
    samples = find_task("longlamp-abstract").load(tmp_path, options)
    assert len(samples) == 18 and len({sample.id for sample in samples}) == 18
    assert samples[17].context_prompt.startswith(beginning)
    (tmp_path / "no.parquet").write_bytes(b"PAR1 it is not")
    with pytest.raises(InputError, match="not a Parquet file"):
        find_task("longlamp-abstract").load(tmp_path / "no.parquet", ALL)


# All of them


def test_names() -> None:
    assert all(TASKS[name].name == name for name in TASKS)
    with pytest.raises(ParameterError, match="longlamp-review"):
        find_task("lamp")
    with pytest.raises(ParameterError):
        LoadOptions(limit=0)


def test_a_sample_shows_nothing_private(tmp_path: Path) -> None:
    (sample,) = find_task("cogenesis").load(write(tmp_path / "dev.json", [COGENESIS]), ALL)
    assert repr(sample) == "Sample(id='3_7_4')"
    assert SECRET not in repr([sample, sample.history])


@pytest.mark.skipif(
    "COSTEER_EVAL_DATA" not in os.environ, reason="COSTEER_EVAL_DATA names no folder of benchmarks"
)
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("cogenesis", "cogenesis/dev.json"),
        ("cogenesis-abstracts", "cogenesis/paper_dev.json"),
        ("helpsteer", "preference/helpsteer.dev.jsonl"),
        ("truthfulqa", "preference/truthfulqa.dev.jsonl"),
        ("ultrachat", "preference/ultrachat.dev.jsonl"),
        ("personal_preference_eval", "preference/personal_preference_eval.dev.jsonl"),
    ],
)
def test_every_official_row_loads(name: Any, file: Any) -> None:
    samples = find_task(name).load(Path(os.environ["COSTEER_EVAL_DATA"]) / file, ALL)
    assert len({sample.id for sample in samples}) == len(samples) >= 100
    assert all(sample.query in sample.context_prompt for sample in samples)
    assert all(sample.query != sample.context_prompt for sample in samples)
