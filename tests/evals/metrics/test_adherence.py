"""Whether an answer respects the person, and its faults of form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer_evals.metrics.adherence import (
    artefact,
    asides,
    mentions,
    refusal,
    respected,
    violates,
)


@pytest.mark.parametrize(
    ("text", "needs", "forbids", "expected"),
    [
        ("A Vegan stew.", "vegan", "beef", True),
        ("A vegan stew, not BEEF.", "vegan", "beef", False),
        ("A stew.", "vegan", "beef", False),
        ("A vegan stew.", "vegan", None, True),
        ("Here:\n- one\n- two", r"^- two$", None, True),
        ("", "vegan", None, False),
        ("", "", "", False),
    ],
)
def test_respected(text: str, needs: str, forbids: str | None, expected: bool) -> None:
    assert respected(text, needs, forbids) is expected


@pytest.mark.slow
@given(st.text(), st.sampled_from(["a", "^b", r"\d"]), st.sampled_from([None, "b", "c$"]))
def test_respected_is_a_mention_without_a_violation(
    text: str, needs: str, forbids: str | None
) -> None:
    expected = mentions(text, needs) and not violates(text, forbids)
    assert respected(text, needs, forbids) is expected


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Halina likes chess, and so do you. Chess!", 2),
        ("Your WIFE may help, and halina too.", 1),
        ("Take the stairs.\n71 of them", 1),
        ("Call a mover.", 0),
        ("", 0),
    ],
)
def test_an_aside_counts_once(text: str, count: int) -> None:
    assert asides(text, ["halina|wife", r"\bchess\b", "^71"]) == count
    assert asides(text, ()) == 0


@pytest.mark.parametrize(
    "text",
    [
        "## Response:\nEat soup.",
        "Eat soup.\n\n### Task 1 Sentence",
        "About me: I am a nurse.",
        "Sure!\n**Answer:** soup",
        "Task:\nEat soup.",
        "It is late. Use what you KNOW\nabout me wherever it fits.",
        "# the strict rules\nSoup.",
    ],
)
def test_wording_of_the_prompt_is_an_artefact(text: str) -> None:
    assert artefact(text, ["Use what you know about me", "## The strict rules", "a"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "## Ingredients\n- soup",
        "The task is simple.",
        "I know much about me and you.",
        "Soup a",
    ],
)
def test_other_headings_and_words_are_none(text: str) -> None:
    assert not artefact(text, ["Use what you know about me", "a", ""])
    assert not artefact(text)


@pytest.mark.parametrize(
    "text",
    [
        "As an AI language model, I can only guess.",
        "as a language model",
        "I'm just an AI, so I do not eat.",
        "I don't have access to your calendar.",
        "I don\N{RIGHT SINGLE QUOTATION MARK}t have personal preferences.",
        "I do not have enough information.",
        "I cannot provide medical advice.",
        "I'm sorry, but I do not know.",
        "Sadly I am unable to see your fridge.",
    ],
)
def test_refusals(text: str) -> None:
    assert refusal(text)


@pytest.mark.parametrize(
    "text",
    ["", "I cannot wait to see you!", "I am sorry for the noise.", "Ask an AI.", "I have access."],
)
def test_what_a_person_would_say_is_none(text: str) -> None:
    assert not refusal(text)
