"""``costeer profile``: what you keep about yourself. This file has the commands for records."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from costeer.cli import profile_files, profile_keys
from costeer.cli.options import read_texts
from costeer.cli.profile_access import access_options, open_profile
from costeer.cli.terminal import clean, clean_json

if TYPE_CHECKING:
    from costeer.profile.records import Record
    from costeer.profile.selection import RecordChoice

KIND = click.Choice(["preference", "fact", "sample", "document"])
LINE = 60
"""Characters of a record that a list shows."""


@click.group(name="profile")
def command() -> None:
    """Keep facts, preferences and texts about yourself, encrypted on this device.

    \b
    Examples:
      costeer profile init
      echo "I am vegan." | costeer profile add --kind preference
      costeer profile import ~/notes
      costeer profile search --why "Recommend a dinner spot"
      costeer generate "Recommend a dinner spot" --profile default
    """
    os.umask(0o077)


for group_member in (
    profile_keys.init,
    profile_keys.names,
    profile_keys.lock,
    profile_keys.unlock,
    profile_keys.passphrase,
    profile_keys.wipe,
    profile_files.import_files,
    profile_files.export,
    profile_files.backup,
    profile_files.check,
):
    command.add_command(group_member)


@command.command()
@access_options
@click.option("--kind", type=KIND, default="fact", show_default=True, help="What the record is.")
@click.option(
    "--text-file", metavar="FILE|-", default="-", help="The text; standard input if not given."
)
@click.option("--title", default="", help="A name for it.")
@click.option(
    "--send",
    is_flag=True,
    help="Send it to the large model with every question: how to answer you, not who you are.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the record as JSON.")
def add(
    name: str,
    passphrase_fd: int | None,
    kind: str,
    text_file: str,
    title: str,
    send: bool,
    as_json: bool,
) -> None:
    """Add one record; the same text a second time changes nothing.

    The text is read from standard input or a file, because arguments show in the process list.

    \b
    Examples:
      echo "I am vegan." | costeer profile add --kind preference
      costeer profile add --kind sample --text-file letter.txt
      echo "Answer in Spanish." | costeer profile add --kind preference --send
    """
    from costeer.profile.records import Draft, as_kind, check
    from costeer.profile.sent import can_be_sent, is_sent, mark, unmark

    if send and not can_be_sent(as_kind(kind)):
        raise click.UsageError("Only a preference or a fact can be sent with every question.")
    text = _read_text(text_file)
    draft = check(Draft(as_kind(kind), unmark(text) if send else text, title, "typed"))
    if send:
        draft = replace(draft, text=mark(draft.text))
    with open_profile(name, passphrase_fd) as profile:
        record, new = profile.records.add(draft)
    if as_json:
        _print_json(_fields(record))
    else:
        sent = " It goes to the large model with every question." if is_sent(record) else ""
        click.echo(f"Record {record.id} is {'new' if new else 'there already'}.{sent}")


@command.command(name="list")
@access_options
@click.option("--kind", type=KIND, help="Only these.")
@click.option("--on/--off", "active", default=None, help="Only those that are read, or not.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, texts whole.")
def list_records(
    name: str, passphrase_fd: int | None, kind: str | None, active: bool | None, as_json: bool
) -> None:
    """List the records.

    \b
    Examples:
      costeer profile list
      costeer profile list --kind sample --json | jq -r .text
    """
    with open_profile(name, passphrase_fd) as profile:
        records = profile.records.all(kind, active=active)
    if as_json:
        _print_json([_fields(record) for record in records])
    for record in () if as_json else records:
        click.echo(_line(record))


@command.command()
@access_options
@click.argument("numbers", metavar="NUMBER...", type=int, nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(name: str, passphrase_fd: int | None, numbers: tuple[int, ...], as_json: bool) -> None:
    """Show records whole.

    \b
    Example:
      costeer profile show 3
    """
    with open_profile(name, passphrase_fd) as profile:
        records = [profile.records.get(number) for number in numbers]
    if as_json:
        _print_json([_fields(record) for record in records])
    for record in () if as_json else records:
        notes = (record.title, record.source, record.written_at, "" if record.active else "off")
        head = " | ".join([f"{record.id} {record.kind}", *(note for note in notes if note)])
        click.echo(f"{clean(head)}\n{clean(record.text)}\n")


@command.command()
@access_options
@click.argument("question", metavar="TEXT|-")
@click.option("--why", is_flag=True, help="List what a conversation with this question reads.")
@click.option("--budget", type=click.IntRange(min=1), help="Characters for --why. [6000]")
@click.option("--kind", type=KIND, help="Only these; not with --why.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, texts whole.")
def search(
    name: str,
    passphrase_fd: int | None,
    question: str,
    why: bool,
    budget: int | None,
    kind: str | None,
    as_json: bool,
) -> None:
    """Find records that share words with a text, best first.

    \b
    Examples:
      costeer profile search dinner
      costeer profile search --why "Recommend a dinner spot"
    """
    from costeer.profile.records import KINDS, as_kind
    from costeer.profile.selection import BUDGET, RecordChoice, Selection

    if why and kind:
        raise click.UsageError("--why shows the choice among all kinds; leave --kind out.")
    question = read_texts(text=(question, None))["text"]
    with open_profile(name, passphrase_fd) as profile:
        if why:
            chosen = profile.select(Selection(budget or BUDGET), question)
            choices = [*chosen.read, *chosen.left_out]
        else:
            kinds = (as_kind(kind),) if kind else KINDS
            found = profile.records.search(question, kinds=kinds)
            choices = [
                RecordChoice(match.record, f"matches: {', '.join(match.words)}") for match in found
            ]
    if as_json:
        _print_json([{**_fields(one.record), "reason": one.reason} for one in choices])
    else:
        print_choices(choices)


@command.command()
@access_options
@click.argument("number", type=int)
@click.option("--kind", type=KIND, help="Another kind.")
@click.option("--title", help="Another title.")
@click.option("--text-file", metavar="FILE|-", help="Another text; '-' is standard input.")
@click.option("--on/--off", "active", default=None, help="Whether a conversation may read it.")
def edit(
    name: str,
    passphrase_fd: int | None,
    number: int,
    kind: str | None,
    title: str | None,
    text_file: str | None,
    active: bool | None,
) -> None:
    """Change a record, or switch it off and on.

    There is no editor, because editors write what they show into files of their own.

    \b
    Examples:
      costeer profile edit 3 --off
      echo "I eat fish again." | costeer profile edit 3 --text-file -
    """
    if (kind, title, text_file, active) == (None, None, None, None):
        raise click.UsageError("Say what to change; --help lists it.")
    text = None if text_file is None else _read_text(text_file)
    with open_profile(name, passphrase_fd) as profile:
        record = profile.records.edit(number, text=text, kind=kind, title=title, active=active)
    click.echo(_line(record))


@command.command()
@access_options
@click.argument("numbers", metavar="NUMBER...", type=int, nargs=-1, required=True)
def rm(name: str, passphrase_fd: int | None, numbers: tuple[int, ...]) -> None:
    """Remove records for good, all of those named or none.

    Importing the same file again brings a removed record back; 'edit --off' keeps it away.

    \b
    Example:
      costeer profile rm 3 4
    """
    with open_profile(name, passphrase_fd) as profile:
        profile.records.remove(numbers)
    click.echo(f"Removed {len(set(numbers)):,}.")


def print_choices(choices: Iterable[RecordChoice], *, err: bool = False) -> None:
    """A line a record: why, then how it begins."""
    for choice in choices:
        click.echo(f"{_line(choice.record)}\n        {clean(choice.reason)}", err=err)


def _read_text(file: str) -> str:
    if file == "-" and sys.stdin is not None and sys.stdin.isatty():
        click.echo("Type the text; Ctrl-D on a line of its own ends it.", err=True)
    return read_texts(text=(None, file))["text"]


def _fields(record: Record) -> dict[str, Any]:
    return asdict(record)


def _line(record: Record) -> str:
    text = clean(" ".join(record.text.split()))
    text = text if len(text) <= LINE else f"{text[: LINE - 4]} ..."
    return f"{record.id:>5}  {record.kind:<10}  {'on ' if record.active else 'off'}  {text}"


def _print_json(content: object) -> None:
    click.echo(clean_json(json.dumps(content, ensure_ascii=False, indent=2)))
