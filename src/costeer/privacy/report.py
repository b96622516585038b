"""What answers have told: what of the person's stands in the texts that went up, turn by turn.

Reads texts, compares, and counts; needs no model and no network. What a cloud could conclude from
the choice of words alone is the evidence, which is known only where it was measured while the
answer was written.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from costeer.privacy.finding import stands_in
from costeer.privacy.spans import Spans
from costeer.privacy.values import Value


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer, and what was sent for it.

    Attributes:
        shown: the answer as the person saw it.
        answer: the answer as the cloud has it.
        asked: the messages as the cloud has them; None if that is not known.
        evidence: nats for the context, to a cloud that suspects it; None if that is not known.
        exact: whether the evidence is; otherwise it is an estimate from below.
    """

    shown: str = field(repr=False)
    answer: str = field(repr=False)
    asked: tuple[str, ...] | None = field(default=None, repr=False)
    evidence: float | None = None
    exact: bool = False

    @property
    def typed(self) -> str:
        """What was sent beside the answer."""
        return "\n\n".join(self.asked or ())


@dataclass(frozen=True, slots=True)
class TurnReport:
    """What of the person's went up with one turn.

    Attributes:
        asked_values: values in what was asked.
        values: values in the answer as it was sent.
        runs: pieces of the context of four words and more, in the answer as it was sent.
        words: distinctive words of the context in it, which the person had not typed.
        only_shown: values that stand in the shown answer, and in nothing that went up.
        evidence, exact, query_known: as for ``Turn``.
    """

    asked_values: tuple[Value, ...] = field(repr=False)
    values: tuple[Value, ...] = field(repr=False)
    runs: tuple[str, ...] = field(repr=False)
    words: tuple[str, ...] = field(repr=False)
    only_shown: tuple[Value, ...] = field(repr=False)
    evidence: float | None
    exact: bool
    query_known: bool


@dataclass(frozen=True, slots=True)
class PrivacyReport:
    """What all turns have told.

    Attributes:
        turns: in order.
        sent: values that went up in some turn.
        unsent: values that went up in none.
    """

    turns: tuple[TurnReport, ...]
    sent: tuple[Value, ...] = field(repr=False)
    unsent: tuple[Value, ...] = field(repr=False)

    @property
    def evidence(self) -> float | None:
        """Nats over all turns where it is known; None if it is known of none."""
        known = [turn.evidence for turn in self.turns if turn.evidence is not None]
        return sum(known) if known else None


def build_report(
    turns: Sequence[Turn], context: str, values: Sequence[Value], common: Collection[str]
) -> PrivacyReport:
    """Compare.

    Args:
        turns: in order; they need not be of one conversation.
        context: private text; blank lines separate records.
        values: that are guarded or were detected.
        common: words that identify nobody, in lower case.
    """
    reports = tuple(_report(turn, context, values, common) for turn in turns)
    gone = {value for one in reports for value in (*one.asked_values, *one.values)}
    sent = tuple(value for value in values if value in gone)
    return PrivacyReport(reports, sent, tuple(value for value in values if value not in gone))


def _report(
    turn: Turn, context: str, values: Sequence[Value], common: Collection[str]
) -> TurnReport:
    found = Spans(context, common, turn.typed).find(turn.answer)
    asked, said = _held(values, turn.typed), _held(values, turn.answer)
    shown = _held(values, turn.shown)
    return TurnReport(
        asked_values=asked,
        values=said,
        runs=found.runs,
        words=found.words,
        only_shown=tuple(value for value in shown if value not in (*asked, *said)),
        evidence=turn.evidence,
        exact=turn.exact,
        query_known=turn.asked is not None,
    )


def _held(values: Sequence[Value], text: str) -> tuple[Value, ...]:
    return tuple(value for value in values if stands_in(value, text))
