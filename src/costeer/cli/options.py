"""Options that several commands share, and reading what they name. Parsing only."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from costeer import settings
from costeer.exceptions import InputError

if TYPE_CHECKING:
    from costeer.models.base import Message

F = TypeVar("F", bound=Callable[..., Any])

LARGEST = 16 << 20
"""Bytes of a text: hundreds of times what any model here can read."""

STRENGTH_HELP = (
    "How strongly your context steers: 'off' (the large model alone), 'gentle', 'auto', 'strong'. "
    "The last three steer where your context has something to say and are silent elsewhere. Or one "
    "factor for every token: a number, or the paper's 'light' (0.476) and 'paper' (1.783). What "
    "steering puts into an answer leaves the device. Default: what the catalog recommends for the "
    "pair of models."
)


def _apply(options: list[Callable[[F], F]], command: F) -> F:
    for option in reversed(options):
        command = option(command)
    return command


def model_options(command: F) -> F:
    """--cloud, --local, --llm, --strength, --mode, --fast, --top-k, --threads."""
    return _apply(
        [
            click.option(
                "--cloud",
                metavar="URL|local",
                help="The large model: a completions server, or 'local' to load it here.",
            ),
            click.option("--local", metavar="MODEL", help="The small model on this device."),
            click.option(
                "--llm", metavar="MODEL", help="The large model to load, or to ask the server for."
            ),
            click.option("--strength", metavar="NAME|X", help=STRENGTH_HELP),
            click.option(
                "--mode",
                type=click.Choice(["run-ahead", "lockstep"]),
                help="Let the large model write on and correct it (the default), or wait for "
                "each other at every token. The text is the same where the server's numbers do not "
                "depend on how a position is asked for.",
            ),
            click.option(
                "--fast",
                is_flag=True,
                help="Check as many steps at once as pays, where the cloud is much faster than the "
                "small model. The text may then differ a little from run to run.",
            ),
            click.option(
                "--top-k",
                type=click.IntRange(min=1),
                help="Log-probabilities asked for at first; more where the proof needs it. [64]",
            ),
            click.option(
                "--threads", type=click.IntRange(min=1), help="Threads for each model here."
            ),
        ],
        command,
    )


def sampling_options(command: F) -> F:
    """--max-tokens, --temperature, --top-p, --seed."""
    return _apply(
        [
            click.option("--max-tokens", type=click.IntRange(min=1), help="At most. [256]"),
            click.option("--temperature", type=float, help="0 is greedy. [0]"),
            click.option("--top-p", type=float, help="Draw from the likeliest mass. [1]"),
            click.option("--seed", type=int, default=0, show_default=True),
        ],
        command,
    )


def system_option(command: F) -> F:
    """--system."""
    option = click.option(
        "--system",
        metavar="TEXT",
        help="An instruction in place of ours, which asks the large model to write in your voice. "
        "Sent to the cloud; the small model reads it too.",
    )
    return option(command)


def opening(system: str | None) -> list[Message]:
    """How a conversation begins."""
    return [{"role": "system", "content": system}] if system else []


def context_options(command: F) -> F:
    """--context, --context-file."""
    return _apply(
        [
            click.option(
                "--context",
                metavar="TEXT|-",
                help="Private text about you; never leaves the device. As an argument it shows in "
                "this machine's process list: prefer --context-file, or '-' for standard input.",
            ),
            click.option(
                "--context-file",
                metavar="FILE|-",
                help="The same from a file. Blank lines separate records.",
            ),
        ],
        command,
    )


def with_defaults(given: dict[str, Any]) -> dict[str, Any]:
    """Fill options that were not given from ``costeer.toml`` and ``COSTEER_*``."""
    defaults = settings.load()
    return {
        name: getattr(defaults, name, None) if value is None else value
        for name, value in given.items()
    }


def read_texts(**named: tuple[str | None, str | None]) -> dict[str, str]:
    """Read several texts, each given as a value or as a file; '-' is standard input.

    Args:
        named: option name to (value, file).

    Raises:
        InputError: both given, not readable, not UTF-8, or standard input asked for twice.
    """
    if sum(source == "-" for pair in named.values() for source in pair) > 1:
        raise InputError("Only one text can come from standard input.", "Put one into a file.")
    return {name: _read(name, *pair) for name, pair in named.items()}


def _read(name: str, value: str | None, file: str | None) -> str:
    if value is not None and file is not None:
        raise InputError(f"Both --{name} and --{name}-file are given.", "Give one of them.")
    if value == "-" or file == "-":
        if sys.stdin is None:
            raise InputError(f"Standard input is closed; there is no {name} in it.")
        return _decode(name, "standard input", sys.stdin.buffer.read(LARGEST + 1))
    if file is None:
        return value or ""
    try:
        with Path(file).open("rb") as opened:
            raw = opened.read(LARGEST + 1)
    except OSError as error:
        raise InputError(
            f"The file for --{name}-file cannot be read: {file} ({error.strerror}).",
            "Check the path.",
        ) from None
    return _decode(name, file, raw)


def _decode(name: str, origin: str, raw: bytes) -> str:
    if len(raw) > LARGEST:
        raise InputError(f"The {name} in {origin} is larger than {LARGEST >> 20} MB.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"The {name} in {origin} is not UTF-8 text (byte {error.start:,}).",
            "Save it as UTF-8 and try again.",
        ) from None
    if "\0" in text:
        raise InputError(f"The {name} in {origin} is not text: it holds NUL bytes.")
    return text
