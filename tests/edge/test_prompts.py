"""The three prompts, and what is cut from a context that is too long."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.edge.prompts import GUIDE, SYSTEM, build, build_for, guide, with_instructions
from costeer.exceptions import InputError
from costeer.models.fake import FakeModel

TOKENIZER = FakeModel().tokenizer


def ask(query: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": query}]


def text(ids: Any) -> Any:
    return TOKENIZER.decode_bytes(ids).decode()


def test_the_public_prompt_holds_the_conversation_and_the_private_one_also_the_context() -> None:
    prompts = build(TOKENIZER, ask("Where to eat?"), "I am vegetarian.", room=4000)
    for ids in (prompts.public, prompts.plain):
        assert "Where to eat?" in text(ids) and "vegetarian" not in text(ids)
    assert prompts.public == prompts.plain
    assert "about themselves: I am vegetarian.\n\nEvery" in text(prompts.private)
    assert text(prompts.private).index("vegetarian") < text(prompts.private).index("Where to eat?")
    assert not prompts.note


SENT = ["Answer in Spanish.", "Be brief."]


def test_the_large_model_reads_what_the_person_sends_as_its_system_message() -> None:
    said = with_instructions(ask("Write a poem."), SENT)
    system = text(build(TOKENIZER, said, "I am vegetarian.", room=4000).public)
    assert f"{GUIDE}\n\nAnswer in Spanish.\n\nBe brief." in system.split("Write a poem.")[0]
    assert with_instructions(ask("Hi"), []) == ask("Hi")


def test_the_small_model_reads_it_behind_each_question() -> None:
    turns = [*ask("Write a poem."), {"role": "assistant", "content": "Oh!"}, *ask("Another.")]
    prompts = build(TOKENIZER, with_instructions(turns, SENT), "I am vegetarian.", room=4000)
    for ids in (prompts.plain, prompts.private):
        for question in ("Write a poem.", "Another."):
            assert f"{question}\n\nAnswer in Spanish.\n\nBe brief." in text(ids)
        assert text(ids).count("Be brief.") == 2 and GUIDE not in text(ids)
    assert "vegetarian" in text(prompts.private)


def test_behind_an_applications_own_instruction_it_stays() -> None:
    for own in ("Be kind.", f"{SYSTEM} Be kind."):
        said = with_instructions([{"role": "system", "content": own}, *ask("Hi")], SENT)
        prompts = build(TOKENIZER, said, "", room=4000)
        assert prompts.public == prompts.plain
        assert f"{own}\n\nAnswer in Spanish." in text(prompts.plain)


def test_the_guide_is_for_the_large_model_alone() -> None:
    prompts = build(TOKENIZER, ask("Write a poem."), "I am vegetarian.", room=4000)
    assert GUIDE not in text(prompts.plain) and GUIDE not in text(prompts.private)
    assert text(prompts.plain) == text(prompts.public).replace(GUIDE, SYSTEM)


@pytest.mark.parametrize(
    ("query", "writing"),
    [
        ("Write a short mail to my landlord.", True),
        ("Please draft my reply to the committee", True),
        ("Create a blog post on digital marketing", True),
        ("Develop a press release for the single: ...", True),
        ("Recommend a dinner spot", False),
        ("What should I prepare for lunch?", False),
        ("How do I generate a random number?", False),
        ("Who wrote the letters of Paul?", False),
    ],
)
def test_the_question_alone_chooses_the_guide(query: Any, writing: Any) -> None:
    assert guide(ask(query)) == (GUIDE if writing else SYSTEM)


def test_the_first_question_chooses_the_guide_of_a_conversation() -> None:
    turns = [*ask("Hi"), {"role": "assistant", "content": "Hello"}, *ask("Write a poem")]
    assert guide(turns) == SYSTEM


def test_a_system_message_of_ones_own_replaces_ours() -> None:
    messages = [{"role": "system", "content": "Be brief."}, *ask("Write a poem.")]
    prompts = build(TOKENIZER, messages, "", room=4000)
    assert GUIDE not in text(prompts.public)
    assert "Be brief." in text(prompts.public)
    assert prompts.public == prompts.plain


@pytest.mark.parametrize("context", ["", "  \n\n \t\n"])
def test_without_context_the_small_model_has_one_prompt(context: Any) -> None:
    prompts = build(TOKENIZER, ask("Hi"), context, room=4000)
    assert prompts.plain == prompts.private


def test_a_next_turn_extends_all_prompts() -> None:
    first = build(TOKENIZER, ask("One?"), "Secret.", room=4000)
    turns = [*ask("One?"), {"role": "assistant", "content": "1"}, *ask("Two?")]
    second = build(TOKENIZER, turns, "Secret.", room=4000)
    assert second.public[: len(first.public)] == first.public
    assert second.plain[: len(first.plain)] == first.plain
    assert second.private[: len(first.private)] == first.private


def test_a_long_context_is_cut_between_records_with_a_note() -> None:
    records = [f"Record {i}: " + "x" * 100 for i in range(10)]
    prompts = build(TOKENIZER, ask("Hi"), "\n\n".join(records), room=700)
    kept = [i for i in range(10) if f"Record {i}:" in text(prompts.private)]
    assert kept == list(range(len(kept)))
    assert 1 <= len(kept) < 10
    assert f"first {len(kept)} of 10 records" in prompts.note
    assert len(prompts.private) <= 700
    assert records[len(kept) - 1] in text(prompts.private)  # whole records only
    assert "xxx" not in prompts.note


@pytest.mark.slow
def test_a_huge_context_is_not_read_to_its_end() -> None:
    prompts = build(TOKENIZER, ask("Hi"), "note\n\n" * 2_000_000, room=800)
    assert "of 2,000,000 records" in prompts.note


@pytest.mark.parametrize(
    "messages", [[], ask(""), ask(" \n"), [{"role": "assistant", "content": "x"}]]
)
def test_an_empty_query(messages: Any) -> None:
    with pytest.raises(InputError, match="query is empty"):
        build(TOKENIZER, messages, "", room=100)


def test_what_cannot_fit() -> None:
    with pytest.raises(InputError, match="room for 100"):
        build(TOKENIZER, ask("q" * 200), "", room=100)
    with pytest.raises(InputError, match="first record of the context does not fit") as caught:
        build(TOKENIZER, ask("q"), "secret" * 1000, room=500)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_of_other_systems_mean_the_same(end: Any) -> None:
    context = "\n\n".join(f"Record {i}: " + "word " * 20 for i in range(40))
    query = [{"role": "user", "content": "Write\ntwo lines."}]
    plain = build(TOKENIZER, query, context, 1500)
    other = [{"role": "user", "content": query[0]["content"].replace("\n", end)}]
    assert build(TOKENIZER, other, context.replace("\n", end), 1500) == plain
    assert "of 40 records" in plain.note


@given(st.integers(1, 120), st.one_of(st.none(), st.integers(1, 900)), st.integers(0, 3))
def test_how_long_an_answer_may_be_tells_nothing_of_how_long_the_context_is(
    records: Any, wish: Any, begun: Any
) -> None:
    if wish is not None and wish <= begun:
        return
    longest = set()
    for context in ("A cat.", "\n\n".join(["A record of some length."] * records)):
        options = {"whole": 1000, "max_tokens": wish, "begun": begun, "shorten": True}
        prompts, most = build_for(TOKENIZER, ask("Q"), context, **options)
        assert len(prompts.private) + begun + most <= 1000
        longest.add(most)
    assert len(longest) == 1
    assert longest.pop() <= (wish or 1000) - begun


def test_without_a_context_an_answer_has_all_the_room() -> None:
    prompts, most = build_for(TOKENIZER, ask("Q"), "", whole=1000, max_tokens=None)
    assert most == 1000 - len(prompts.public)
