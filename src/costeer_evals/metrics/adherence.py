"""Whether an answer respects the person, by regular expressions; no model judges.

*mentions*: the answer matches what it needs. *violates*: it matches what it must not say.
*respected*: the first without the second. *asides*: how many facts that the request does not need
the answer names. Two faults of form are separate: *artefact*, wording of the private prompt in the
answer, and *refusal*, an answer in which the model speaks as a program.

Crude on purpose: a match does not prove that an answer is good. Knows nothing of where the
expressions come from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

FLAGS = re.IGNORECASE | re.MULTILINE

_LABELS = r"(?:response|answer|task|query|question|instructions?|context|profile|about me)"
HEADING = re.compile(
    rf"^\s*(?:#{{1,6}}\s*{_LABELS}\b|\*\*{_LABELS}\s*:?\*\*|{_LABELS}(?: \d+)?:\s*$)|\babout me:",
    FLAGS,
)
"""A heading that belongs to a prompt: "## Response:", "### Task 1", "**Answer:**", "About me:"."""

_MODEL = r"(?:an? )?(?:ai|artificial intelligence|(?:large )?language model|(?:computer )?program)"
REFUSAL = re.compile(
    rf"\bas {_MODEL}\b"
    rf"|\bi(?:'m| am) (?:just |only )?{_MODEL}\b"
    r"|\bi (?:do not|don't) have (?:any )?(?:access|personal|the ability|feelings|enough)\b"
    r"|\bi(?:'m| am) (?:unable|not able) to\b"
    r"|\bi (?:cannot|can't|can not) (?:assist|help|provide|access|fulfil|answer|browse|eat|see)"
    r"|\bi(?:'m| am) sorry, but i\b",
    FLAGS,
)

_SHORTEST = 8
"""In characters; a shorter piece of the prompt's wording may be in an answer by chance."""


@dataclass(frozen=True, slots=True)
class Adherence:
    """Whether one text respects the person, and why."""

    respected: bool
    mentions: bool
    violates: bool


def adherence(text: str, needs: str, forbids: str | None) -> Adherence:
    """Check one text."""
    said, broken = mentions(text, needs), violates(text, forbids)
    return Adherence(said and not broken, said, broken)


def mentions(text: str, needs: str) -> bool:
    """Whether the text matches ``needs``, case ignored, ``^`` and ``$`` at every line."""
    return re.search(needs, text, FLAGS) is not None


def violates(text: str, forbids: str | None) -> bool:
    """Whether the text matches ``forbids``; None forbids nothing."""
    return forbids is not None and re.search(forbids, text, FLAGS) is not None


def respected(text: str, needs: str, forbids: str | None) -> bool:
    """Whether the text matches ``needs`` and not ``forbids``."""
    return adherence(text, needs, forbids).respected


def asides(text: str, expressions: Iterable[str]) -> int:
    """How many of the expressions the text matches, each counted once."""
    return sum(re.search(expression, text, FLAGS) is not None for expression in expressions)


def artefact(text: str, wording: Iterable[str] = ()) -> bool:
    """Whether the text contains a heading or a phrase of the private prompt's wording.

    Args:
        text: the answer.
        wording: headings and sentences of the prompt; very short ones are ignored.
    """
    if HEADING.search(text):
        return True
    plain = _normalise(text)
    phrases = (_normalise(phrase) for phrase in wording)
    return any(len(phrase) >= _SHORTEST and phrase in plain for phrase in phrases)


def refusal(text: str) -> bool:
    """Whether the text speaks as a program that cannot help."""
    return REFUSAL.search(text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")) is not None


def _normalise(text: str) -> str:
    """Lower case, one space between words, no heading marks."""
    return " ".join(text.lower().replace("#", " ").split())
