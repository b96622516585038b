"""``costeer guard``: the person's own list of values that models must not read."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from costeer.exceptions import InputError

LEVEL = click.Choice(["open", "stand-in", "withheld"])
KIND = click.Choice(
    [
        *("name", "place", "organisation", "address", "e-mail", "phone", "link", "handle", "date"),
        *("number", "account", "other"),
    ]
)


@click.group()
def command() -> None:
    """Keep a list of values that --guard replaces, beside those that it detects.

    The list is a file that only you can read. Levels: "open" is left as it is, "stand-in" (the
    usual one) is replaced by something like it, "withheld" is read by no model.

    \b
    Examples:
      costeer guard add --kind name             (the value is read from standard input)
      costeer guard list
      costeer guard remove 2
    """


@command.command("add")
@click.option("--kind", type=KIND, default="other", show_default=True, help="What it is.")
@click.option(
    "--level", type=LEVEL, default="stand-in", show_default=True, help="How far it may go."
)
def add(kind: Any, level: Any) -> None:
    """Add a value, or give one another kind and level.

    It is read from standard input, because arguments show in the process list.

    \b
    Examples:
      echo "Maren Okafor" | costeer guard add --kind name
    """
    from costeer.privacy.value_list import load_values, save_values
    from costeer.privacy.values import Value

    if sys.stdin is not None and sys.stdin.isatty():
        click.echo("The value, then Enter:", err=True)
    text = "" if sys.stdin is None else sys.stdin.readline().strip()
    value = Value(text, kind, level)
    others = [one for one in load_values() if one.text.casefold() != text.casefold()]
    save_values([*others, value])
    click.echo(f"{len(others) + 1} on the list.", err=True)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(as_json: bool) -> None:
    """List the values with their numbers.

    \b
    Examples:
      costeer guard list
      costeer guard list --json
    """
    from costeer.cli.terminal import clean
    from costeer.privacy.value_list import load_values

    values = load_values()
    if as_json:
        listed = [{"text": one.text, "kind": one.kind, "level": one.level} for one in values]
        click.echo(json.dumps(listed, ensure_ascii=False))
        return
    for number, one in enumerate(values, 1):
        click.echo(f"{number:3}  {one.level:9} {one.kind:13} {clean(one.text)}")


@command.command("remove")
@click.argument("number", type=int)
def remove(number: int) -> None:
    """Remove the value with this number.

    \b
    Examples:
      costeer guard remove 2
    """
    from costeer.privacy.value_list import load_values, save_values

    values = load_values()
    if not 1 <= number <= len(values):
        raise InputError(f"There is no value {number}.", "See: costeer guard list")
    save_values([*values[: number - 1], *values[number:]])
