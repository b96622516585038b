"""``--guard`` and ``--epsilon``, and what is said of a finished answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from costeer.exceptions import ParameterError
from costeer.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from costeer.edge.answer import Result
    from costeer.privacy.guard import Guard

F = TypeVar("F", bound=Callable[..., object])


def guard_option(command: F) -> F:
    """Add --guard."""
    option = click.option(
        "--guard",
        type=click.Choice(["off", "stand-in", "strict"]),
        help="stand-in: names, addresses, telephone numbers and the like are replaced before any "
        "model reads them, and restored where you read the answer. strict: every date, number and "
        "capitalised word of the context, too. [off]",
    )
    return option(command)


def epsilon_option(command: F) -> F:
    """Add --epsilon."""
    option = click.option(
        "--epsilon",
        type=float,
        help="A cap, in nats, on what all your answers together may prove about the context; "
        "takes --temperature. See docs/privacy.md. [none]",
    )
    return option(command)


def check_protection(chosen: Settings) -> None:
    """Raise ParameterError for a guard or a cap that cannot be, before models are loaded."""
    from costeer.privacy.guard import checked_guard

    checked_guard(chosen.guard)
    if chosen.epsilon is None:
        return
    if not chosen.epsilon > 0:
        raise ParameterError(
            f"epsilon must be a positive number, not {chosen.epsilon}.", "1 to 3 mean something."
        )
    if chosen.temperature == 0:
        raise ParameterError(
            "--epsilon needs sampling: a greedy answer is either possible without the context or "
            "proves it.",
            "Give --temperature 1.",
        )


def guard_from(chosen: Settings) -> Guard | None:
    """The guard with the person's own list of values; None where nothing is guarded.

    Raises:
        GuardError: the list cannot be read.
    """
    if chosen.guard == "off":
        return None
    from costeer.privacy.guard import Guard, checked_guard
    from costeer.privacy.value_list import load_values

    return Guard(checked_guard(chosen.guard), load_values())


def tell(console: Console, result: Result) -> None:
    """Say what a finished answer gives away, and what went wrong with the cloud."""
    if result.evidence > 0:
        console.print(_evidence(result.evidence), style="dim", markup=False)
    if result.warning:
        console.print(result.warning, style="bold red", markup=False)


def _evidence(nats: float) -> str:
    odds = f"{2.718281828**nats:,.0f} to 1" if nats < 14 else "over a million to 1"
    return (
        f"To a cloud that already suspects this context and knows the method, the answer is "
        f"evidence of about {nats:.1f} nats: odds of {odds}."
    )
