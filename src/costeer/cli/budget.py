"""``costeer budget``: what answers under ``--epsilon`` have spent. Parsing and printing only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from costeer.cli.profile_access import optional_access_options

if TYPE_CHECKING:
    from costeer.profile.spent import ProfileSpent


@click.group("budget")
def command() -> None:
    """Show what answers under --epsilon have told so far, over all conversations.

    Answers that read a profile count in an account of that profile.

    \b
    Examples:
      costeer budget show
      costeer budget show --profile default
      costeer budget reset
    """


@command.command("show")
@click.option("--epsilon", type=float, metavar="E", help="Say what is left under this cap.")
@optional_access_options
def show(epsilon: float | None, name: str | None, passphrase_fd: int | None) -> None:
    """Show the evidence that has left, in nats.

    \b
    Examples:
      costeer budget show
      costeer budget show --epsilon 3
    """
    from costeer.privacy.budget import check_epsilon
    from costeer.privacy.odometer import Odometer

    if epsilon is not None:
        check_epsilon(epsilon)
    account = _open_account(name, passphrase_fd)
    # An account that has not begun yet will begin with what was spent without a profile.
    spent = Odometer(account if account is None or account.begun else None)
    click.echo(f"Evidence for your context so far: {spent.low:.3f} to {spent.high:.3f} nats")
    if epsilon is not None:
        up, down = max(epsilon - spent.high, 0.0), max(epsilon + spent.low, 0.0)
        click.echo(f"Left under a cap of {epsilon:g}: {up:.3f} for it, {down:.3f} against it")


@command.command("reset")
@click.option("--yes", is_flag=True, help="Do not ask.")
@optional_access_options
def reset(yes: bool, name: str | None, passphrase_fd: int | None) -> None:
    """Start again from nothing.

    What was sent before cannot be taken back: together, the answers before and after may prove
    twice as many nats as the cap.

    \b
    Example:
      costeer budget reset --yes
    """
    from costeer.privacy.odometer import forget_spent

    account = _open_account(name, passphrase_fd)
    if not yes:
        click.confirm("Forget what has been spent? Earlier answers still count.", abort=True)
    forget_spent(account)
    click.echo("The budget starts again.", err=True)


def _open_account(name: str | None, passphrase_fd: int | None) -> ProfileSpent | None:
    """Where a profile keeps what is spent; None for the private folder."""
    from costeer.cli.profile_access import open_profile

    return None if name is None else open_profile(name, passphrase_fd).spent
