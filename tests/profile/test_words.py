"""Which words of a question are looked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.profile.words import match_expression, question_words


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Recommend a dinner spot", ["dinner", "spot"]),
        ("What is in a name?", ["name"]),
        ("Who will die in the war?", ["die", "war"]),
        ("Was soll ich morgen für die Kinder kochen?", ["morgen", "kinder", "kochen"]),
        ("Où est le chien ?", ["chien"]),
        ("dog dog DOG", ["dog"]),
        ('what\'s my "dog"s name? AND (', ["dog", "name"]),
        ("the of and", []),
        ("", []),
    ],
)
def test_question_words(question: Any, words: Any) -> None:
    assert question_words(question) == words


def test_a_huge_question_has_no_more_than_32_words() -> None:
    assert len(question_words(" ".join(f"word{n}" for n in range(10_000)))) == 32


@given(st.text())
def test_no_text_is_syntax(database_of_words: Any, text: Any) -> None:
    for shared in (1, 2):
        database_of_words.search(text, shared=shared)


@pytest.fixture(scope="module")
def database_of_words(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from costeer.profile.database import Database
    from costeer.profile.store import Store
    from tests.support.profiles import KEY

    database = Database.create(tmp_path_factory.mktemp("words") / "one.db", KEY)
    yield Store(database)
    database.close()


def test_match_expression() -> None:
    assert match_expression(["a", "b"]) == '"a" OR "b"'
    assert match_expression(["a"], 2) == '"a"'
    pairs = '("a" AND ("b" OR "c")) OR ("b" AND ("c"))'
    assert match_expression(["a", "b", "c"], 2) == pairs
