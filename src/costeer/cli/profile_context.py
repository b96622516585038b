"""``--profile`` of ``generate`` and ``chat``: records of a profile as the private context."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from costeer.cli.profile_access import open_profile

if TYPE_CHECKING:
    from costeer.profile.profiles import Profile

F = TypeVar("F", bound=Callable[..., Any])


def profile_options(command: F) -> F:
    """--profile, --why."""
    name = click.option(
        "--profile",
        metavar="NAME",
        help="Read records of this profile (costeer profile), beside any other context.",
    )
    why = click.option("--why", is_flag=True, help="List the records that are read, and why.")
    return name(why(command))


class ProfileContext:
    """What one conversation reads of a profile; without a name, nothing.

    Attributes:
        profile: the open profile, if any.

    Raises:
        InputError: there is no such profile.
        ProfileError: it cannot be opened.
    """

    def __init__(self, name: str | None, *, why: bool = False) -> None:
        if why and name is None:
            raise click.UsageError("--why lists records of a profile; give --profile, too.")
        self.profile = None if name is None else open_profile(name)
        self._why = why
        self.forget()

    @property
    def profiles(self) -> list[Profile]:
        """The open profile, or nothing."""
        return [] if self.profile is None else [self.profile]

    def forget(self) -> None:
        """Begin another conversation."""
        if self.profile is not None:
            from costeer.profile.selection import Selection

            self._selection = Selection()

    def add_to(self, context: str, question: str) -> str:
        """A context with the conversation's records at its end, where new ones may follow."""
        from costeer.cli.profile import print_choices
        from costeer.profile.selection import context_list

        if self.profile is None:
            return context
        added = self.profile.select(self._selection, question)
        if self._why:
            print_choices([*added.read, *added.left_out], err=True)
        records = context_list(self._selection.chosen)
        return "\n\n".join([context, *records] if context.strip() else records)
