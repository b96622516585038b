"""Options that several commands share, and the texts that they name. Parsing only."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from costeer.exceptions import InputError
from costeer.settings import Settings

if TYPE_CHECKING:
    from costeer.models.base import Message

F = TypeVar("F", bound=Callable[..., Any])

LARGEST = 16 << 20
"""Bytes. The largest text accepted; no model here reads a hundredth of it."""

STRENGTH_HELP = (
    "How much your context counts. 'off': the large model alone. 'gentle', 'auto' or 'strong': "
    "steer where the context has something to say, and nowhere else. A number, or the paper's "
    "'light' (0.476) or 'paper' (1.783): the same gain for every token. What steering puts into "
    "the answer leaves the device. Default: what the catalog recommends for the two models."
)


def apply_options(options: list[Callable[[F], F]], command: F) -> F:
    """Add options, in this order."""
    for option in reversed(options):
        command = option(command)
    return command


def model_options(command: F) -> F:
    """Add --cloud, --llm, --slm, --strength, --mode, --top-k and --threads."""
    return apply_options(
        [
            click.option(
                "--cloud",
                metavar="URL|in-process",
                help="Where the large model runs: the URL of a completions server, or 'in-process' "
                "(the default) to load it here.",
            ),
            click.option(
                "--llm",
                metavar="MODEL",
                help="The large model to load, or to request from the server.",
            ),
            click.option(
                "--slm", metavar="MODEL", help="The small model: a catalog name or a file."
            ),
            click.option("--strength", metavar="NAME|X", help=STRENGTH_HELP),
            click.option(
                "--mode",
                type=click.Choice(["run-ahead", "lockstep"]),
                help="run-ahead (the default): the large model writes ahead and is corrected. "
                "lockstep: one round trip per token. Both give the same text, except on servers "
                "whose numbers depend on how a position is requested.",
            ),
            click.option(
                "--top-k",
                type=click.IntRange(min=1),
                help="Log-probabilities to request per token; a proof may need more. [64]",
            ),
            click.option(
                "--threads", type=click.IntRange(min=1), help="CPU threads for each model here."
            ),
        ],
        command,
    )


def sampling_options(command: F) -> F:
    """Add --max-tokens, --temperature, --top-p and --seed."""
    return apply_options(
        [
            click.option(
                "--max-tokens",
                type=click.IntRange(min=1),
                help="The longest answer, in tokens. [256]",
            ),
            click.option(
                "--temperature",
                type=float,
                help="How random the choice is; 0 takes the likeliest token. [0]",
            ),
            click.option(
                "--top-p",
                type=float,
                help="Sample from the likeliest tokens that add up to this probability. [1]",
            ),
            click.option(
                "--seed",
                type=int,
                default=0,
                show_default=True,
                help="The same seed gives the same text.",
            ),
        ],
        command,
    )


def system_option(command: F) -> F:
    """Add --system."""
    option = click.option(
        "--system",
        metavar="TEXT",
        help="Your own instruction to both models, in place of the built-in one. It is sent.",
    )
    return option(command)


def system_messages(system: str | None) -> list[Message]:
    """Return the messages that a conversation begins with."""
    return [{"role": "system", "content": system}] if system else []


def context_options(command: F) -> F:
    """Add --context and --context-file."""
    return apply_options(
        [
            click.option(
                "--context",
                metavar="TEXT|-",
                help="Private text about you. It is not sent, but as an argument it shows in this "
                "machine's process list: prefer --context-file, or '-' for standard input.",
            ),
            click.option(
                "--context-file",
                metavar="FILE|-",
                help="Read the private text from a file; blank lines separate records.",
            ),
        ],
        command,
    )


def read_context(context: str | None, context_file: str | None, chosen: Settings) -> str:
    """Read the private text given on the command line, or else the one that the settings name."""
    if context is None and context_file is None:
        context_file = chosen.context_file
    return read_texts(context=(context, context_file))["context"]


def read_texts(**named: tuple[str | None, str | None]) -> dict[str, str]:
    """Read several texts, each given as a value or in a file; '-' is standard input.

    Args:
        named: option name to (value, file).

    Raises:
        InputError: both are given, a file is unreadable or not UTF-8, or standard input is needed
            twice.
    """
    if sum(source == "-" for pair in named.values() for source in pair) > 1:
        raise InputError("Only one text can come from standard input.", "Put one into a file.")
    return {name: _read(name, *pair) for name, pair in named.items()}


def _read(name: str, value: str | None, file: str | None) -> str:
    if value is not None and file is not None:
        raise InputError(f"Both --{name} and --{name}-file are given.", "Give one of them.")
    if value == "-" or file == "-":
        return read_file(name, "-")
    return value or "" if file is None else read_file(name, file, f"--{name}-file")


def read_file(what: str, file: str, argument: str = "") -> str:
    """Read a text from a file; '-' is standard input.

    Args:
        what: it is, for messages.
        file: the path.
        argument: which one named it, for messages.

    Raises:
        InputError: it is unreadable, too large, or not UTF-8 text.
    """
    if file == "-":
        if sys.stdin is None:
            raise InputError(f"Standard input is closed; there is no {what} in it.")
        return _decode(what, "standard input", sys.stdin.buffer.read(LARGEST + 1))
    try:
        with Path(file).open("rb") as opened:
            raw = opened.read(LARGEST + 1)
    except OSError as error:
        raise InputError(
            f"The file for {argument or what} cannot be read: {file} ({error.strerror}).",
            "Check the path.",
        ) from None
    return _decode(what, file, raw)


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
