"""A sample as token ids: the public prompt, the private prompt, and the reference.

The form is that of the paper's authors (github.com/USTC-StarTeam/CoSteer, costeer/generation.py):
one system message and one user turn for every branch, in the chat template with the generation
prompt. The guide is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from costeer.edge.prompts import (
    SYSTEM,
    guide,
    with_context,
    with_instructions,
    with_instructions_last,
)
from costeer.models.base import Message, Tokenizer
from costeer.privacy.guard import Guard
from costeer.privacy.sending import sent_records
from costeer_evals.tasks.base import Sample


@dataclass(frozen=True, slots=True)
class TokenPrompts:
    """Token ids.

    Attributes:
        public: for the branches without context; only these and ``guided`` may leave the device.
        guided: the public prompt with the product's guide as the system message.
        private: for the branches with context, in the benchmark's wording.
        about: the private prompt in the product's wording; equal to ``private`` if a sample has no
            context apart from its prompt.
        reference: the reference as plain text, without an end token; empty if there is none. Row i
            of a policy follows the prompt and the first i of these ids.
    """

    public: tuple[int, ...] = field(repr=False)
    private: tuple[int, ...] = field(repr=False)
    reference: tuple[int, ...] = field(repr=False)
    guided: tuple[int, ...] = field(default=(), repr=False)
    about: tuple[int, ...] = field(default=(), repr=False)


def turns(user: str, system: str = SYSTEM) -> list[Message]:
    """The system message and one user turn."""
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def encode(sample: Sample, tokenizer: Tokenizer) -> TokenPrompts:
    """Encode a sample; nothing is truncated.

    What its person sends is part of every prompt, except for the benchmark's own with the context;
    ``guided`` alone has it in the system message, as the product's large model has.
    """
    public = turns(sample.query)
    private = turns(sample.context_prompt)
    guided: Sequence[Message] = turns(sample.query, guide(public))
    kept = sample.context
    if sent := sent_records(sample.context):
        kept = Guard("off").prepare(public, sample.context).context
        guided = with_instructions(guided, sent)
        public = with_instructions_last(guided)
    about = with_context(public, kept) if kept else public if sent else private
    return TokenPrompts(
        public=tuple(tokenizer.chat(public)),
        private=tuple(tokenizer.chat(private)),
        reference=tuple(tokenizer.encode(sample.reference or "")),
        guided=tuple(tokenizer.chat(guided)),
        about=tuple(tokenizer.chat(about)),
    )
