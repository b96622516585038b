"""``costeer privacy``: what answers have told. Parsing and printing only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from costeer import settings
from costeer.cli.terminal import clean, clean_json

if TYPE_CHECKING:
    from costeer.privacy.report import PrivacyReport, Turn, TurnReport
    from costeer.privacy.values import Value

SHOWN = 12
"""Distinctive words listed for a turn; ``--json`` has all of them."""


@click.group("privacy")
def command() -> None:
    """Say what answers have told of your context. Reads locally and sends nothing.

    \b
    Example:
      costeer privacy report answer.json --context-file me.txt
    """


@command.command("report")
@click.argument("file", required=False, metavar="FILE|-")
@click.option(
    "--context-file", metavar="FILE", help="The private text that the answers were written with."
)
@click.option("--profile", metavar="NAME", help="All records of this profile as the context.")
@click.option(
    "--conversation",
    type=int,
    metavar="N",
    help="A conversation of the profile in place of FILE (those of `costeer app`).",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def report(
    file: str | None,
    context_file: str | None,
    profile: str | None,
    conversation: int | None,
    as_json: bool,
) -> None:
    """Say what of your context went up.

    FILE is what `costeer generate --json` printed, for one answer or, a line each, for several;
    "-" is standard input. Looked for are the values of your list (costeer guard), those that rules
    find in the context, its distinctive words, and pieces of four words and more. How much
    the choice of words tells is as it was measured while the answer was written. The report repeats
    private text, so it is as private as the context.

    \b
    Examples:
      costeer generate "Plan my week" --context-file me.txt --json > answer.json
      costeer privacy report answer.json --context-file me.txt
      costeer privacy report answers.jsonl --profile default --json
      costeer privacy report --profile default --conversation 3
    """
    if (file is None) == (conversation is None):
        raise click.UsageError("Give a FILE, or --profile with --conversation.")
    if conversation is not None and profile is None:
        raise click.UsageError("--conversation is one of a profile; give --profile, too.")
    turns, context, listed = _read(file, context_file, profile, conversation)
    found = _build(turns, context, listed)
    click.echo(_as_json(found) if as_json else "\n".join(map(clean, describe(found))))


def _read(
    file: str | None, context_file: str | None, profile: str | None, conversation: int | None
) -> tuple[list[Turn], str, list[Value]]:
    """The turns, the context, and the values of the person's lists.

    Raises:
        InputError: a file is not what it should be, or there is no context.
        ProfileError: the profile cannot be opened.
    """
    from costeer.cli.options import read_file
    from costeer.cli.privacy_turns import read_turns, stored_turns
    from costeer.cli.profile_access import open_profile
    from costeer.cli.value_lists import FolderList, ProfileList
    from costeer.exceptions import InputError
    from costeer.privacy.values import merge

    if context_file is None and profile is None:
        context_file = settings.load().context_file
    if file == context_file == "-":
        raise InputError("Only one text can come from standard input.", "Put one into a file.")
    context = "" if context_file is None else read_file("context", context_file, "--context-file")
    turns = [] if file is None else read_turns(read_file("text", file, "the answers"))
    listed = FolderList().load()
    if profile is not None:
        with open_profile(profile) as opened:
            listed = merge(ProfileList(opened).load(), listed)
            records = [record.text for record in opened.records.all()]
            if conversation is not None:
                turns = stored_turns(opened.conversations.branch(conversation))
        context = "\n\n".join([context, *records] if context.strip() else records)
    if not context.strip():
        raise InputError(
            "There is no context to look for.", "Give --context-file, or --profile with records."
        )
    return turns, context, listed


def _build(turns: Sequence[Turn], context: str, listed: list[Value]) -> PrivacyReport:
    from costeer.cli.protection import find_entities
    from costeer.privacy.detect import detect, readings
    from costeer.privacy.names import find_names
    from costeer.privacy.report import build_report
    from costeer.privacy.spans import split_words
    from costeer.privacy.values import merge
    from costeer.profile.words import language, stop_words

    common = stop_words()[language(split_words(context))]
    texts = readings(context)
    values = merge(listed, list(dict.fromkeys(one for text in texts for one in detect(text))))
    names = dict.fromkeys(one for text in texts for one in find_names(text, values))
    values = merge(values, list(names))
    if entities := find_entities(settings.load()):
        values += entities.find(context, values)
    return build_report(turns, context, values, common)


def describe(report: PrivacyReport) -> list[str]:
    """The report in plain words, line by line."""
    lines: list[str] = []
    for number, turn in enumerate(report.turns, 1):
        lines += [f"Turn {number}", *(f"  {line}" for line in _describe_turn(turn))]
    return [*lines, "In all", *(f"  {line}" for line in _describe_all(report))]


def _describe_turn(turn: TurnReport) -> list[str]:
    went_up = [
        _listed("What you asked went up with", turn.asked_values),
        _listed("The answer that went up holds", turn.values),
        _quoted("It repeats your context word for word:", turn.runs, " | "),
        _quoted("It shares these words with your context:", turn.words[:SHOWN], ", ")
        + (f" and {len(turn.words) - SHOWN} more" if len(turn.words) > SHOWN else ""),
        _listed("Only you saw", turn.only_shown),
    ]
    lines = [line for line in went_up if line]
    if not turn.query_known:
        lines.append("What you asked is not in the file, so it was not looked at.")
    if not (turn.values or turn.runs or turn.words):
        lines.insert(0, "Nothing of your context stands in the answer that went up.")
    return [*lines, _evidence(turn.evidence, exact=turn.exact)]


def _describe_all(report: PrivacyReport) -> list[str]:
    total = len(report.sent) + len(report.unsent)
    lines = [f"{len(report.sent)} of {total} values that are known of you went up."]
    if report.unsent:
        lines.append(_listed("In none of these texts:", report.unsent))
    if any(turn.only_shown for turn in report.turns):
        lines.append("What only you saw was put into the answer on this device, and never sent.")
    unknown = sum(turn.evidence is None for turn in report.turns)
    if report.evidence is not None and len(report.turns) > 1:
        exact = all(turn.exact for turn in report.turns if turn.evidence is not None)
        lines.append(_evidence(report.evidence, exact=exact, what="All answers together are"))
    if unknown and report.evidence is not None:
        lines.append(f"Of {unknown} of {len(report.turns)} turns the evidence is not known.")
    return lines


def _evidence(nats: float | None, *, exact: bool, what: str = "The answer is") -> str:
    from costeer.cli.show import odds

    if nats is None:
        return (
            "How much the choice of words tells is not known: it is measured while an answer is "
            "written, and was not kept."
        )
    if abs(nats) < 0.05:
        return f"{what} no evidence for your context."
    about = "" if exact else "at least about " if nats > 0 else "about "
    side, way = ("for", "higher") if nats > 0 else ("against", "lower")
    times = odds(abs(nats))
    return (
        f"{what} evidence of {about}{abs(nats):.1f} nats {side} your context: to somebody who "
        f"suspects it, its odds become {about if times[0].isdigit() else ''}{times} times {way}."
    )


def _listed(what: str, values: Sequence[Value]) -> str:
    if not values:
        return ""
    return f"{what} {', '.join(f'{value.text} ({value.kind})' for value in values)}."


def _quoted(what: str, texts: Sequence[str], between: str) -> str:
    return f"{what} {between.join(texts)}" if texts else ""


def _as_json(report: PrivacyReport) -> str:
    turns = [
        {
            "asked_values": _plain(turn.asked_values) if turn.query_known else None,
            "values": _plain(turn.values),
            "runs": turn.runs,
            "words": turn.words,
            "only_shown": _plain(turn.only_shown),
            "evidence": turn.evidence,
            "exact": turn.exact,
        }
        for turn in report.turns
    ]
    fields = {
        "turns": turns,
        "sent": _plain(report.sent),
        "never_sent": _plain(report.unsent),
        "evidence": report.evidence,
    }
    return clean_json(json.dumps(fields, ensure_ascii=False))


def _plain(values: Sequence[Value]) -> list[dict[str, Any]]:
    return [{"text": value.text, "kind": value.kind, "level": value.level} for value in values]
