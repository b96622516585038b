"""PrefEval: a preference, a question and its options."""

from __future__ import annotations

import pytest

from costeer.exceptions import InputError
from costeer_evals.tasks.private import private_turn
from costeer_evals.tasks.registry import task
from tests.support.tiny_rows import ALL, SECRET, write

ONE = {
    "id": "tea-0",
    "topic": "drinks",
    "preference": f"I dislike {SECRET}.",
    "question": "What shall I drink?",
    "options": ["Tea.", "Juice.", f"{SECRET}."],
}


def test_a_row(tmp_path):
    (sample,) = task("prefeval").load(write(tmp_path / "p.jsonl", [ONE]), ALL)
    assert (sample.id, sample.group, sample.kind) == ("tea-0", "tea-0", "drinks")
    assert sample.query == "What shall I drink?"
    assert sample.context_prompt == private_turn(ONE["question"], ONE["preference"])
    assert sample.options == tuple(ONE["options"])
    assert repr(sample) == "Sample(id='tea-0')"


@pytest.mark.parametrize("options", [None, [], ["Tea."], "Tea.", ["Tea.", 3], ["Tea.", " "]])
def test_options_are_two_texts_or_more(options, tmp_path):
    path = write(tmp_path / "p.jsonl", [{**ONE, "options": options}])
    with pytest.raises(InputError, match="two or more texts under 'options'") as caught:
        task("prefeval").load(path, ALL)
    assert SECRET not in str(caught.value)


def test_without_a_path_it_says_where_the_data_are():
    with pytest.raises(InputError, match="not shipped") as caught:
        task("prefeval").load(None, ALL)
    assert "github.com" in caught.value.hint
