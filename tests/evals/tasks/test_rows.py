"""What goes wrong with the files of benchmarks: one line, and none of their text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from costeer.exceptions import InputError
from costeer_evals.tasks.base import LoadOptions
from costeer_evals.tasks.registry import find_task
from tests.support.tiny_rows import ABSTRACT_PROMPT, ALL, COGENESIS, SECRET, Backwards, write


@pytest.mark.parametrize(
    ("name", "row", "problem"),
    [
        ("cogenesis", {**COGENESIS, "tid": None}, "row 2: there is no name or number under 'tid'."),
        (
            "cogenesis",
            {**COGENESIS, "additional_profile": "  "},
            "row 2: there is no text under 'additional_profile'.",
        ),
        (
            "cogenesis",
            {**COGENESIS, "profile": [{"title": SECRET}]},
            "'profile', row 2: there is no text under 'text'.",
        ),
        ("cogenesis", {**COGENESIS, "profile": SECRET}, "there is no list under 'profile'."),
        ("cogenesis", {**COGENESIS, "profile": [SECRET]}, "holds something that is not an object."),
        (
            "cogenesis",
            {**COGENESIS, "conversations": COGENESIS["conversations"][1:]},
            "does not start with a turn of user and of assistant.",
        ),
        (
            "cogenesis",
            {"id": 1, "input": "a", "output": "b", "personalized_input": SECRET},
            "the prompt has no heading '## User Profile'.",
        ),
        ("cogenesis-abstracts", COGENESIS, "no heading '## History Paper Abstracts'."),
        ("helpsteer", {"id": 1, "input": ["a", SECRET]}, "there is no text under 'input'."),
        ("longlamp-topic", {"input": "a", "profile": []}, "there is no text under 'output'."),
        (
            "longlamp-topic",
            {"input": "a", "output": "b", "author": "c", "profile": [{"summary": SECRET}]},
            "'profile', row 2: there is no text under 'content'.",
        ),
        ("longlamp-review", {"input": "a", "profile": []}, "there is no text under 'output'."),
        ("helpsteer", [SECRET], "row 2: this is not a JSON object."),
    ],
)
def test_a_bad_row_is_one_line_without_its_text(
    name: Any, row: Any, problem: Any, tmp_path: Path
) -> None:
    fitting = {
        "cogenesis": COGENESIS,
        "cogenesis-abstracts": {
            "tid": "0",
            "conversations": [
                {"from": "user", "value": ABSTRACT_PROMPT},
                {"from": "assistant", "value": "b"},
            ],
        },
        "helpsteer": {"id": 1, "input": "a"},
        "longlamp-topic": {"input": "a", "output": "b", "author": "c", "profile": []},
        "longlamp-review": {"input": "a", "output": "b", "reviewerId": "c", "profile": []},
    }
    path = write(tmp_path / "rows.jsonl", [fitting[name], row])
    with pytest.raises(InputError) as caught:
        find_task(name).load(path, LoadOptions(ranker=Backwards()))
    message = str(caught.value)
    assert problem in message and "rows.jsonl" in message
    assert "\n" not in message and SECRET not in message


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        ("none.json", None, "cannot be read"),
        ("rows.csv", "a,b", "not a known kind"),
        ("rows.json", f'["{SECRET}', "line 1: this is not JSON"),
        ("rows.json", '{"a": 1}', "holds no list of rows"),
        ("rows.json", "[]", "holds no rows"),
        ("rows.jsonl", f'\n\n{{"{SECRET}', "line 3: this is not JSON"),
        ("rows.jsonl", "\n", "holds no rows"),
        ("rows.jsonl", b"\xff\xfe", "not UTF-8"),
    ],
)
def test_a_bad_file_is_one_line(file: Any, content: Any, problem: Any, tmp_path: Path) -> None:
    path = tmp_path / file
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=problem) as caught:
        find_task("helpsteer").load(path, ALL)
    assert "\n" not in str(caught.value) and SECRET not in str(caught.value)


@pytest.mark.parametrize("name", ["cogenesis", "cogenesis-abstracts", "helpsteer"])
def test_without_a_path_it_says_where_the_file_is(name: Any) -> None:
    with pytest.raises(InputError, match=r"is not on the hub|are not on the hub") as caught:
        find_task(name).load(None, ALL)
    assert "github.com" in caught.value.hint
