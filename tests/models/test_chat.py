"""Chat templates: rendered as transformers renders them, and text stays text."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.exceptions import InputError, ModelError
from costeer.models.chat import ChatTemplate

CONTROL = {"<|im_start|>": 1001, "<|im_end|>": 1002, "<s>": 1003}
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class Characters:
    """One id a character, except for control tokens; a doubled line break merges into one id."""

    control = CONTROL
    pattern = re.compile("|".join(map(re.escape, CONTROL)))

    def encode(self, text: Any) -> Any:
        return [ord(c) for c in text.replace("\n\n", "\u2029")]

    def encode_special(self, text: Any) -> Any:
        ids, start = [], 0
        for match in self.pattern.finditer(text):
            ids += [*self.encode(text[start : match.start()]), CONTROL[match[0]]]
            start = match.end()
        return ids + self.encode(text[start:])


def ids(source: Any, *contents: Any, **names: Any) -> Any:
    roles = ("user", "assistant")
    messages = [{"role": roles[i % 2], "content": text} for i, text in enumerate(contents)]
    return ChatTemplate(source, **names).ids(messages, Characters())


def start(role: Any) -> Any:
    return [1001, *map(ord, f"{role}\n")]


def test_harmless_text_is_tokenized_whole() -> None:
    expected = [*start("user"), *map(ord, "hi"), 1002, 10, *start("assistant")]
    assert ids(CHATML, "hi") == expected


def test_tokens_merge_across_the_border_of_template_and_text() -> None:
    # "user\n" + "\nhi": the two line breaks are one token in the canonical tokenization.
    expected = [1001, *map(ord, "user"), 0x2029, *map(ord, "hi"), 1002, 10, *start("assistant")]
    assert ids(CHATML, "\nhi") == expected


def test_they_also_merge_where_a_text_spells_a_control_token() -> None:
    spelled = [ord(c) for c in "<|im_end|>"]
    expected = [1001, *map(ord, "user"), 0x2029, *spelled, 1002, 10, *start("assistant")]
    assert ids(CHATML, "\n<|im_end|>") == expected


@pytest.mark.slow
@given(st.lists(st.one_of(st.text(), st.sampled_from([*CONTROL, "<|im_", "end|>", "<", "s>"]))))
def test_only_the_template_writes_control_tokens(contents: Any) -> None:
    result = ids(CHATML, *contents)
    written = [token for token in result if 1001 <= token <= 1003 and not _chars(contents, token)]
    if not _ambiguous(contents):
        assert written == [1001, 1002] * len(contents) + [1001]
        text = "".join(chr(t) for t in result if t not in CONTROL.values()).replace(
            "\u2029", "\n\n"
        )
        for content in contents:
            assert content.replace("\u2029", "\n\n") in text


def _chars(contents: Any, token: Any) -> Any:
    return any(chr(token) in text for text in contents)


def _ambiguous(contents: Any) -> Any:
    """The toy tokenizer's control ids are also characters; such texts prove nothing."""
    return any(_chars(contents, token) for token in CONTROL.values())


def test_template_and_text_cannot_spell_one_together() -> None:
    source = "{{ '<|im_' }}{{ messages[0]['content'] }}{{ '|>' }}"
    assert ids(source, "end") == [ord(c) for c in "<|im_end|>"]


def test_a_text_cannot_be_a_placeholder_or_a_template() -> None:
    text = "{{ 7*7 }}{% raw %}"
    assert ids("{{ messages[0]['content'] }}", text) == [ord(c) for c in text]


def test_the_models_own_names_are_known() -> None:
    source = "{{ bos_token }}{{ messages[0]['content'] }}{{ eos_token }}"
    assert ids(source, "a", bos="<s>", eos="<|im_end|>") == [1003, ord("a"), 1002]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("  {% if true %}\nx\n  {% endif %}\ny", "x\ny"),  # lstrip_blocks, trim_blocks
        ("{{ messages[0] | tojson }}", '{"role": "user", "content": "<é>"}'),
        ("{% for i in [1,2,3] %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}", "1"),
        ("{{ strftime_now('%Y') | length }}", "4"),
        ("{% if tools %}t{% endif %}{% if documents %}d{% endif %}-", "-"),
        ("{{ messages[0]['content'] | trim }}", "<é>"),
    ],
)
def test_it_renders_as_transformers_does(source: Any, expected: Any) -> None:
    message = {"role": "user", "content": "<é>"}
    assert ChatTemplate(source).render([message]) == expected


@pytest.mark.parametrize(
    "source",
    [
        "{{ raise_exception('roles must alternate: ' + messages[0]['content']) }}",
        "{{ messages[5]['content'] }}",
        "{{ messages[0]['content'] + 1 }}",
        "{{ 1 / 0 }}",
    ],
)
def test_a_refusal_does_not_quote_the_text(source: Any) -> None:
    with pytest.raises(InputError) as caught:
        ids(source, "my secret")
    assert "secret" not in f"{caught.value!r}{caught.value.__cause__!r}"
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("source", [None, "", "{% if %}"])
def test_no_usable_template(source: Any) -> None:
    with pytest.raises(ModelError):
        ids(source, "hi")


@pytest.mark.parametrize(
    "source",
    [
        "{{ messages.append(1) }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ messages[0].__init__.__globals__ }}",
        "{{ strftime_now.__globals__.os }}",
    ],
)
def test_a_template_is_somebody_elses_program(source: Any) -> None:
    with pytest.raises(InputError):
        ids(source, "hi")


NO_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}"
    "{% endif %}" + CHATML
)


@pytest.mark.parametrize("question", ["hi", "<|im_end|> hi"])
def test_where_a_template_refuses_a_system_message_it_goes_into_the_first_question(
    question: Any,
) -> None:
    def with_roles(*messages: Any) -> Any:
        named = [{"role": role, "content": text} for role, text in messages]
        return ChatTemplate(NO_SYSTEM).ids(named, Characters())

    merged = with_roles(("user", f"Be brief.\n\n{question}"))
    assert with_roles(("system", "Be brief."), ("user", question)) == merged
    with pytest.raises(InputError, match="refuses this conversation"):
        with_roles(("system", "Be brief."))
