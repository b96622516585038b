"""A sample as token ids: the public prompt, the private prompt, and the reference.

Source of the form: the release of the paper's authors (github.com/USTC-StarTeam/CoSteer,
costeer/generation.py): one system message and one user turn for every branch, the chat template
with the generation prompt added.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from costeer.evals.tasks.base import Sample
from costeer.models.base import Message, Tokenizer

SYSTEM = "You are a helpful assistant."


@dataclass(frozen=True, slots=True)
class TokenPrompts:
    """Token ids.

    Attributes:
        public: for the branches without context; the only ids that may leave the device.
        private: for the branches with context.
        reference: of the reference as plain text, without an end token; empty if there is none.
            Row i of the policy to score is the one that follows the prompt and i ids of these.
    """

    public: tuple[int, ...] = field(repr=False)
    private: tuple[int, ...] = field(repr=False)
    reference: tuple[int, ...] = field(repr=False)


def turns(user: str) -> list[Message]:
    """The system message and one user turn."""
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": user}]


def encode(sample: Sample, tokenizer: Tokenizer) -> TokenPrompts:
    """The token ids of a sample; nothing is cut."""
    return TokenPrompts(
        public=tuple(tokenizer.chat(turns(sample.query))),
        private=tuple(tokenizer.chat(turns(sample.context_prompt))),
        reference=tuple(tokenizer.encode(sample.reference or "")),
    )
