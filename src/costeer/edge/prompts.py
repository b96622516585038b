"""The prompts of one request: one for the large model, two for the small one.

The public prompt is the conversation with a guide in front; it alone may leave the device. The
small model reads the same conversation without the guide, once as it is (plain) and once with the
context in its system message (private); what the context adds there is what steers. The caches of
all three stay valid from turn to turn. The arrangement follows arXiv 2507.04756, section 3.3; the
wording is our own. The private prompt has no headings, because steering copies them into the
answer, and the question comes last, because a context at the end gets recited (docs/strength.md).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from costeer.exceptions import InputError, ParameterError
from costeer.models.base import Message, Tokenizer

SYSTEM = "You are a helpful assistant."

GUIDE = (
    "You are a helpful assistant. When someone asks you to write something, write it in their "
    "voice: in the first person, ready to send or to publish. Be specific and vivid, with concrete "
    "details instead of placeholders."
)
"""The large model's system message where the user asks for a text; the same for everyone. It
improves letters and posts, but turns everyday questions into essays, so the public question decides
whether it is sent (docs/strength.md)."""

PRIVATE = (
    "{system} The user says about themselves: {context}\n\nEvery answer must respect all of this."
)
"""The system message of the private prompt."""

_ASKS_FOR_TEXT = re.compile(
    r"\b(?:write|draft|compose|craft|author|pen)\b"
    r"|\b(?:create|develop|prepare|generate|design|produce|outline)\b.{0,80}\b(?:article|biography|blog"
    r"|caption|chapter|curriculum|e-?mail|essay|greeting|guide|introduction|invitation|journal|lecture"
    r"|letter|message|newsletter|note|piece|poem|post|presentation|proposal|release|reply|report"
    r"|review|script|speech|statement|story|summary|talk|toast)",
    re.IGNORECASE | re.DOTALL,
)

RECORD_BREAK = re.compile(r"\n[ \t]*\n\s*")


@dataclass(frozen=True, slots=True)
class Prompts:
    """Token ids for both models, and a note about what was left out.

    Attributes:
        public: for the large model.
        plain: for the small model, without the context.
        private: for the small model, with the context; equal to ``plain`` if there is none.
        note: one line for the user if the context was cut, or "". Contains no private text.
    """

    public: tuple[int, ...]
    plain: tuple[int, ...]
    private: tuple[int, ...]
    note: str = ""


def messages(query: str | Sequence[Message]) -> Sequence[Message]:
    """Return a question, or a conversation that ends with one, as messages.

    Raises:
        InputError: a message has no known role, or no text.
    """
    if isinstance(query, str):
        return [{"role": "user", "content": query}]
    for message in query:
        if message.get("role") not in {"system", "user", "assistant"}:
            raise InputError("A message has no role of system, user or assistant.")
        if not isinstance(message.get("content"), str):
            raise InputError("A message has no text as its content.")
    return query


def conversation(messages: Sequence[Message], system: str = SYSTEM) -> list[Message]:
    """Return the messages with a system message in front: the caller's own, or else ``system``.

    Raises:
        InputError: there is no message, or the last one is not a question with text.
    """
    if not messages or messages[-1]["role"] != "user" or not messages[-1]["content"].strip():
        raise InputError(
            "The query is empty.", 'Say what to write: costeer "Recommend a dinner spot".'
        )
    if messages[0]["role"] == "system":
        return list(messages)
    return [{"role": "system", "content": system}, *messages]


def guide(messages: Sequence[Message]) -> str:
    """Return the large model's system message. The first question decides, so it stays cached."""
    asked = (message["content"] for message in messages if message["role"] == "user")
    first = next(asked, "")
    return GUIDE if _ASKS_FOR_TEXT.search(first) else SYSTEM


def with_instructions(
    messages: Sequence[Message], instructions: Sequence[str]
) -> Sequence[Message]:
    """Add what the person sends (``privacy.sending``) to the system message, for both models."""
    if not instructions:
        return messages
    system, *turns = conversation(messages, guide(messages))
    return [{**system, "content": "\n\n".join([system["content"], *instructions])}, *turns]


def with_instructions_last(messages: Sequence[Message]) -> list[Message]:
    """Move what the person sends from the system message behind each question, for the small model.

    It has to heed an instruction as well with the context as without, or else steering undoes what
    the large model makes of it; and a small model heeds best what it reads last (docs/strength.md).
    Behind an application's own system message an instruction stays.
    """
    system, *turns = messages
    text = system["content"]
    built_in = next((known for known in (GUIDE, SYSTEM) if text.startswith(known)), text)
    sent = text[len(built_in) :]
    if not sent.startswith("\n\n"):
        return list(messages)
    asked: list[Message] = [
        {**turn, "content": turn["content"] + sent} if turn["role"] == "user" else turn
        for turn in turns
    ]
    return [{**system, "content": SYSTEM}, *asked]


def with_context(messages: Sequence[Message], context: str) -> list[Message]:
    """Add the context to the system message that a conversation begins with."""
    system, *turns = messages
    private = PRIVATE.format(system=system["content"], context=context)
    return [{"role": "system", "content": private}, *turns]


def build(tokenizer: Tokenizer, messages: Sequence[Message], context: str, room: int) -> Prompts:
    """Build the prompts.

    Args:
        tokenizer: shared by both models.
        messages: the public conversation; its last message is the question.
        context: private text; blank lines separate records. If it is empty, ``plain`` and
            ``private`` are equal.
        room: the most tokens of a prompt that leave room for the answer.

    Raises:
        InputError: there is no question, the question does not fit, or the first record of the
            context does not fit.
    """
    messages = [{**message, "content": _newlines(message["content"])} for message in messages]
    context = _newlines(context)
    turns = with_instructions_last(conversation(messages))
    public = tuple(tokenizer.chat(conversation(messages, guide(messages))))
    plain = tuple(tokenizer.chat(turns))
    longest = max(len(public), len(plain))
    if longest > room:
        raise InputError(
            f"The query has {longest:,} tokens and there is room for {max(room, 0):,}.",
            "Shorten it, or ask for fewer tokens (--max-tokens).",
        )
    records = [record for record in RECORD_BREAK.split(context.strip()) if record.strip()]
    if not records:
        return Prompts(public, plain, plain)
    private, note = _fit(tokenizer, turns, records, room - len(plain), room)
    return Prompts(public, plain, private, note)


def build_for(
    tokenizer: Tokenizer,
    messages: Sequence[Message],
    context: str,
    whole: int,
    max_tokens: int | None,
    begun: int = 0,
    shorten: bool = False,
) -> tuple[Prompts, int]:
    """Build the prompts of an answer, and say how long it may be.

    Args:
        tokenizer, messages, context: as for ``build``.
        whole: the most tokens of a prompt and its answer.
        max_tokens: the most tokens of the answer; None for as many as there is room for.
        begun: tokens of the answer that are there already.
        shorten: take ``max_tokens`` as a wish, and give fewer where there is no room for as many.

    What is left beside the question is shared: half of it for the context, if there is one, and
    half for an answer of no fixed length. So the length that the large model is asked for tells
    nothing of how long the context is.

    Returns:
        The prompts, and the most tokens after those that are there.

    Raises:
        InputError: as for ``build``.
        ParameterError: ``max_tokens`` leaves no token to write.
    """
    if max_tokens is not None and max_tokens <= begun:
        raise ParameterError(f"max_tokens must be at least {begun + 1:,}, not {max_tokens:,}.")
    if max_tokens is None or shorten:
        alone = build(tokenizer, messages, "", whole - begun - 1)
        left = whole - max(len(alone.public), len(alone.plain))
        share = max(left // 2, begun + 1) if context.strip() else left
        max_tokens = min(share, max_tokens or share)
    return build(tokenizer, messages, context, whole - max_tokens), max_tokens - begun


def extend(prompts: Prompts, ids: Sequence[int]) -> Prompts:
    """The same prompts with the first tokens of the answer at their ends."""
    return replace(
        prompts,
        public=(*prompts.public, *ids),
        plain=(*prompts.plain, *ids),
        private=(*prompts.private, *ids),
    )


def _newlines(text: str) -> str:
    """Convert the line ends of Windows and of old Macs."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _fit(
    tokenizer: Tokenizer,
    turns: Sequence[Message],
    records: list[str],
    spare: int,
    room: int,
) -> tuple[tuple[int, ...], str]:
    """Return the private prompt with as many leading records as fit, and a note if not all do."""
    kept = _likely_to_fit(tokenizer, records, spare)
    while True:
        private = tuple(tokenizer.chat(with_context(turns, "\n\n".join(records[:kept]))))
        if len(private) <= room:
            break
        if kept == 1:
            raise InputError(
                f"The first record of the context does not fit: with it the prompt has "
                f"{len(private):,} tokens, and the small model has room for {room:,}.",
                "Split it with blank lines into shorter records, or ask for fewer tokens "
                "(--max-tokens).",
            )
        kept -= 1
    note = ""
    if kept < len(records):
        note = (
            f"The context is too long for the small model: it reads the first {kept:,} of "
            f"{len(records):,} records."
        )
    return private, note


def _likely_to_fit(tokenizer: Tokenizer, records: list[str], room: int) -> int:
    """Estimate how many records fit, at least 1, without reading far beyond what can fit.

    A token is rarely longer than a few characters, so a huge record is cut before it is counted.
    """
    used = 0
    for count, record in enumerate(records):
        used += len(tokenizer.encode(record[: 16 * max(room, 1)])) + 1
        if used > room:
            return max(count, 1)
    return len(records)
