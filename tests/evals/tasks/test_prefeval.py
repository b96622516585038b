"""PrefEval: a preference, a question and its options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from costeer.exceptions import InputError
from costeer_evals.tasks.private import private_turn
from costeer_evals.tasks.registry import find_task
from tests.support.tiny_rows import ALL, SECRET, write

ONE = {
    "id": "tea-0",
    "topic": "drinks",
    "preference": f"I dislike {SECRET}.",
    "question": "What shall I drink?",
    "options": ["Tea.", "Juice.", f"{SECRET}."],
}


def test_a_row(tmp_path: Path) -> None:
    (sample,) = find_task("prefeval").load(write(tmp_path / "p.jsonl", [ONE]), ALL)
    assert (sample.id, sample.group, sample.kind) == ("tea-0", "tea-0", "drinks")
    assert sample.query == "What shall I drink?"
    assert sample.context_prompt == private_turn(ONE["question"], ONE["preference"])
    assert sample.options == tuple(ONE["options"])
    assert repr(sample) == "Sample(id='tea-0')"


@pytest.mark.parametrize("options", [None, [], ["Tea."], "Tea.", ["Tea.", 3], ["Tea.", " "]])
def test_options_are_two_texts_or_more(options: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "p.jsonl", [{**ONE, "options": options}])
    with pytest.raises(InputError, match="two or more texts under 'options'") as caught:
        find_task("prefeval").load(path, ALL)
    assert SECRET not in str(caught.value)


def test_without_a_path_it_says_where_the_data_are() -> None:
    with pytest.raises(InputError, match="does not ship") as caught:
        find_task("prefeval").load(None, ALL)
    assert "github.com" in caught.value.hint
