"""``costeer guard``: the person's own list of values. Parsing and printing only."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import click

from costeer.cli.profile_access import optional_access_options
from costeer.cli.terminal import clean
from costeer.exceptions import InputError

if TYPE_CHECKING:
    from costeer.cli.value_lists import ValueList
    from costeer.privacy.values import Kind, Level, Value

LEVEL_NAMES = ("open", "stand-in", "withheld")
KIND_NAMES = (
    "name", "place", "organisation", "address", "e-mail", "phone", "link", "handle", "date",
    "number", "account", "other",
)  # fmt: skip


@click.group("guard")
def command() -> None:
    """Keep the list of values that must not leave as they are.

    generate, chat, gateway and app replace them under --guard stand-in, and warn where a question
    holds one. The list is kept in a folder that only you can read, or, with --profile, in an
    encrypted profile; it then counts where that profile is read.

    \b
    Examples:
      costeer guard add --kind name < names.txt
      costeer guard list
      costeer guard add --kind name --profile default < names.txt
      costeer generate "Plan my week" --context-file me.txt --guard stand-in
    """


@command.command("list")
@click.option(
    "--context-file", metavar="FILE|-", help="List also the values that are found in this text."
)
@optional_access_options
def list_values(context_file: str | None, name: str | None, passphrase_fd: int | None) -> None:
    """List the values with their numbers, levels and kinds.

    Values that are found in a context have no number: "rules" says that rules find them, "model"
    that only the statistical model of costeer[detect] does. To give one of them another level, add
    it to the list.

    \b
    Examples:
      costeer guard list
      costeer guard list --context-file me.txt
    """
    from costeer import settings
    from costeer.cli.options import read_texts
    from costeer.cli.protection import find_entities
    from costeer.privacy.guard import Guard

    known = _open_list(name, passphrase_fd).load()
    text = read_texts(context=(None, context_file))["context"]
    by_rules = set(Guard("stand-in", known).values(text))
    entities = find_entities(settings.load()) if text else None
    guard = Guard("stand-in", known, entities=entities)
    for number, value in enumerate(guard.values(text), 1):
        found_by = "rules" if value in by_rules else "model"
        label = str(number) if number <= len(known) else found_by
        click.echo(f"{label}  {value.level}  {value.kind}  {clean(value.text)}")


@command.command("add")
@click.option(
    "--kind",
    type=click.Choice(KIND_NAMES),
    default="other",
    show_default=True,
    help="What the values are; it decides what their stand-ins look like.",
)
@click.option(
    "--level",
    type=click.Choice(LEVEL_NAMES),
    default="stand-in",
    show_default=True,
    help="How far they may go.",
)
@optional_access_options
def add(kind: str, level: str, name: str | None, passphrase_fd: int | None) -> None:
    """Add values, one on each line of standard input; at a terminal you are asked for one.

    Never an argument, which every process of the machine can read.

    \b
    Examples:
      costeer guard add --kind name < names.txt
      costeer guard add --kind account --level withheld
    """
    from costeer.privacy.values import Value, merge

    kept = _open_list(name, passphrase_fd)
    known, lines = kept.load(), _read_lines()
    added = [Value(line, cast("Kind", kind), cast("Level", level)) for line in lines]
    if not added:
        raise InputError("There is no value on standard input.", "Give one on each line.")
    values = known
    for value in added:
        values = merge(values, [value])
    kept.save(values)
    click.echo(f"{len(values) - len(known)} added; the list has {len(values)}.", err=True)


@command.command("level")
@click.argument("number", type=click.IntRange(min=1))
@click.argument("level", type=click.Choice(LEVEL_NAMES))
@optional_access_options
def change_level(number: int, level: str, name: str | None, passphrase_fd: int | None) -> None:
    """Give the value NUMBER of the list another LEVEL.

    open: the small model reads it, and it may come into the answer. stand-in: every model reads
    another value in its place. withheld: no model reads it.

    \b
    Example:
      costeer guard level 2 withheld
    """
    kept = _open_list(name, passphrase_fd)
    values = _load_with(number, kept)
    values[number - 1] = replace(values[number - 1], level=cast("Level", level))
    kept.save(values)
    click.echo(f"Value {number} is {level} now.", err=True)


@command.command("rm")
@click.argument("number", type=click.IntRange(min=1))
@optional_access_options
def remove(number: int, name: str | None, passphrase_fd: int | None) -> None:
    """Take the value NUMBER off the list; those after it move up.

    \b
    Example:
      costeer guard rm 2
    """
    kept = _open_list(name, passphrase_fd)
    values = _load_with(number, kept)
    del values[number - 1]
    kept.save(values)
    click.echo(f"Removed; the list has {len(values)}.", err=True)


def _open_list(name: str | None, passphrase_fd: int | None) -> ValueList:
    """The list of a profile, or of the private folder."""
    from costeer.cli.profile_access import open_profile
    from costeer.cli.value_lists import FolderList, ProfileList

    return FolderList() if name is None else ProfileList(open_profile(name, passphrase_fd))


def _load_with(number: int, kept: ValueList) -> list[Value]:
    """The values of a list, which has one of that number."""
    values = kept.load()
    if number > len(values):
        raise InputError(f"The list has no value {number}.", "See `costeer guard list`.")
    return values


def _read_lines() -> list[str]:
    if sys.stdin is None:
        raise InputError("Standard input is closed; there is no value in it.")
    if sys.stdin.isatty():
        return [click.prompt("Value", err=True)]
    from costeer.cli.options import read_texts

    text = read_texts(values=("-", None))["values"]
    return [line.strip() for line in text.splitlines() if line.strip()]
