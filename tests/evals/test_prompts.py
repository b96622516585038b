"""Samples as token ids."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from costeer.edge.prompts import GUIDE, SYSTEM
from costeer.models.fake import FakeTokenizer
from costeer_evals.prompts import encode
from costeer_evals.tasks.base import Sample

SAMPLE = Sample("1", "Say hi.", "I am Maren.\nSay hi.", "Hi <|end|>!", group="1")


def test_both_prompts_differ_in_the_user_turn_alone() -> None:
    tokenizer = FakeTokenizer(320)
    prompts = encode(SAMPLE, tokenizer)
    frame = "systemYou are a helpful assistant.user{}assistant"

    def shown(ids: Any) -> Any:
        return tokenizer.decode_bytes(ids).decode().replace("\n", "")

    assert shown(prompts.public) == frame.format("Say hi.")
    assert shown(prompts.private) == frame.format("I am Maren.Say hi.")


def test_the_guide_is_the_system_message_of_the_public_prompt() -> None:
    tokenizer = FakeTokenizer(320)
    for query, guide in (("Say hi.", SYSTEM), ("Write a poem.", GUIDE)):
        guided = encode(replace(SAMPLE, query=query), tokenizer).guided
        text = tokenizer.decode_bytes(guided).decode()
        assert guide in text and query in text and "Maren" not in text


def test_the_products_own_private_prompt_holds_the_context() -> None:
    tokenizer = FakeTokenizer(320)
    assert encode(SAMPLE, tokenizer).about == encode(SAMPLE, tokenizer).private
    about = encode(replace(SAMPLE, context="I am Maren."), tokenizer).about
    assert "says about themselves: I am Maren.\n\nEvery" in tokenizer.decode_bytes(about).decode()


def test_the_reference_is_plain_text_without_an_end() -> None:
    tokenizer = FakeTokenizer(320)
    prompts = encode(SAMPLE, tokenizer)
    assert tokenizer.decode_bytes(prompts.reference) == b"Hi <|end|>!"
    assert not tokenizer.eos_ids & set(prompts.reference)
    none = Sample("1", "a", "b", None, group="1")
    assert encode(none, tokenizer).reference == ()


def test_its_repr_shows_no_token() -> None:
    assert repr(encode(SAMPLE, FakeTokenizer(320))) == "TokenPrompts()"
