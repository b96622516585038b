"""``--guard``, ``--epsilon`` and ``--quiet``: what keeps private text here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from costeer.cli.options import apply_options
from costeer.exceptions import InputError, ParameterError
from costeer.settings import Settings

if TYPE_CHECKING:
    from costeer.cli.value_lists import ValueList
    from costeer.models.base import Message
    from costeer.privacy.budget import Budget
    from costeer.privacy.entities import EntityFinder
    from costeer.privacy.guard import Guard
    from costeer.privacy.values import Value
    from costeer.profile.profiles import Profile

F = TypeVar("F", bound=Callable[..., Any])


def protection_options(command: F) -> F:
    """Add --guard, --epsilon and --quiet."""
    return apply_options(
        [
            click.option(
                "--guard",
                type=click.Choice(["off", "stand-in", "strict"]),
                help="stand-in: both models read other names, addresses and numbers in place of "
                "yours (costeer guard), and only what you see has them back. strict: also other "
                "cities, and in place of dates, long numbers and capitalised words of the context. "
                "off: what you write is sent as it is. [stand-in]",
            ),
            click.option(
                "--epsilon",
                type=float,
                metavar="E",
                help="Cap what all answers together prove about your context, in nats. Needs a "
                "temperature, and one round trip per token; costeer budget shows what is spent.",
            ),
            click.option(
                "--quiet",
                is_flag=True,
                default=None,
                help="Send nothing of an answer before the small model has read your context, so "
                "that the time until the first correction does not tell how long it is.",
            ),
        ],
        command,
    )


def check_protection(chosen: Settings, given: Mapping[str, Any], seed: int = 0) -> Settings:
    """The settings that --guard and --epsilon ask for, before models are loaded.

    Raises:
        ParameterError: there is no such guard, or what is asked for would break the cap.
    """
    from costeer.privacy.budget import check_epsilon
    from costeer.privacy.guard import checked_guard

    checked_guard(chosen.guard)
    if chosen.epsilon is None:
        return chosen
    check_epsilon(chosen.epsilon)
    if seed:
        raise ParameterError(
            "--epsilon draws from secret randomness, so there is no seed to give.",
            "Leave --seed out.",
        )
    if given.get("lanes") not in (None, 1):
        raise ParameterError(
            "--epsilon spends one budget, so one answer is written at a time.", "Give --lanes 1."
        )
    return _check_temperature(chosen, given)


def _check_temperature(chosen: Settings, given: Mapping[str, Any]) -> Settings:
    if chosen.temperature != 0:
        return chosen
    if given.get("temperature") is not None:
        raise ParameterError(
            "--epsilon needs sampling: a greedy answer is either possible without the context or "
            "proves it.",
            "Give --temperature 1, or leave it out.",
        )
    click.echo("Sampling at temperature 1, because --epsilon needs it.", err=True)
    return replace(chosen, temperature=1.0)


def ask_before_sending(
    guard: Guard, messages: Sequence[Message], context: str, *, quiet: bool = False
) -> Guard:
    """The guard for a request that holds values of the person, as they decide at a terminal.

    Without a terminal, or with ``quiet``, nothing is asked; the answer's note warns.

    Raises:
        InputError: the person does not want it sent.
    """
    from costeer.privacy.guard import Guard
    from costeer.privacy.preflight import count

    found = guard.exposed(messages, context)
    if not found or quiet or not _at_terminal():
        return guard
    click.echo(f"What you send holds {count(found)}.", err=True)
    answer = click.prompt(
        "Send a stand-in instead, send it as it is, or stop?",
        type=click.Choice(["stand-in", "send", "stop"]),
        default="stand-in",
        err=True,
    )
    if answer == "stop":
        raise InputError("Nothing was sent.")
    if answer == "send":
        return guard
    return Guard("stand-in", guard.confirmed, entities=guard.entities)


def _at_terminal() -> bool:
    return bool(sys.stdin and sys.stdin.isatty() and sys.stderr and sys.stderr.isatty())


def load_guard(chosen: Settings, profiles: Iterable[Profile] = ()) -> Guard:
    """The guard with the person's lists; one that is off reads them to warn.

    Raises:
        GuardError: a list cannot be read.
    """
    from costeer.cli.value_lists import FolderList, ProfileList
    from costeer.privacy.guard import Guard, checked_guard
    from costeer.privacy.values import merge

    values: list[Value] = []
    lists: list[ValueList] = [*map(ProfileList, profiles), FolderList()]
    for known in lists:
        values = merge(values, known.load())
    entities = find_entities(chosen)
    return Guard(checked_guard(chosen.guard), values, entities=entities)


def find_entities(chosen: Settings) -> EntityFinder | None:
    """What finds values that rules do not: the extra ``detect``, if it is wanted."""
    from costeer.privacy.entities import InstalledEntities

    return InstalledEntities() if chosen.entity_model else None


def load_budget(chosen: Settings, profile: Profile | None) -> Budget | None:
    """The budget of --epsilon, spent from the profile's account if there is a profile.

    An account of a profile begins with what was spent without one.

    Raises:
        GuardError, ProfileError: what has been spent is not known, or an answer that spends from
            the folder's account does not end.
    """
    from costeer.privacy.budget import Budget
    from costeer.privacy.odometer import Odometer

    if chosen.epsilon is None:
        return None
    if profile is None:
        return Budget(chosen.epsilon, Odometer())
    if not profile.spent.begun:
        earlier = Odometer()
        earlier.acquire()  # else an answer that spends from it now would be counted in part
        try:
            profile.spent.begin_at(earlier.low, earlier.high)
        finally:
            earlier.release()
    return Budget(chosen.epsilon, Odometer(profile.spent))
