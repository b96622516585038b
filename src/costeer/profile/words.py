"""The words of a question that a search looks for: those that are no stop words.

The stop words are articles, pronouns, prepositions, auxiliaries and question words of five
languages, and verbs with which English and German ask for something ("make", "suggest"). The
language with most of the question's words is taken, so that German "die" does not take "die" out of
an English question. They are in ``stop_words.txt``, a line a language.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib import resources

MOST_WORDS = 32


def question_words(question: str) -> list[str]:
    """The words to look for, in lower case, each once, at most 32 of them.

    Without single letters of ASCII: "Monday's" ends in one.
    """
    words = list(dict.fromkeys(re.findall(r"\w+", question.lower())))
    stop = stop_words()[language(words)]
    known = (word for word in words if len(word) > 1 or not word.isascii())
    return [word for word in known if word not in stop][:MOST_WORDS]


def language(words: Sequence[str]) -> str:
    """The language with most stop words among the words; English among equals."""
    known = stop_words()
    return max(known, key=lambda name: sum(word in known[name] for word in words))


@cache
def stop_words() -> dict[str, frozenset[str]]:
    """The stop words of each language; English comes first."""
    text = (resources.files("costeer.profile") / "stop_words.txt").read_text("utf-8")
    lines = (line.split(": ") for line in text.splitlines())
    return {name: frozenset(words.split()) for name, words in lines}


def match_expression(words: Sequence[str], shared: int = 1) -> str:
    """The words as an FTS5 query; quoted, so nothing is syntax.

    Args:
        words: at least one.
        shared: 1 finds records with any of the words, 2 those with two of them, or with the only
            one that there is.
    """
    quoted = [f'"{word}"' for word in words]
    if shared == 1 or len(quoted) == 1:
        return " OR ".join(quoted)
    rest = (" OR ".join(quoted[at + 1 :]) for at in range(len(quoted) - 1))
    return " OR ".join(f"({word} AND ({more}))" for word, more in zip(quoted, rest, strict=False))
