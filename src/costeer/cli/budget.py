"""``costeer budget``: what answers under ``--epsilon`` have spent. Parsing and printing only."""

from __future__ import annotations

import click


@click.group("budget")
def command() -> None:
    """Show what answers under --epsilon have told so far, over all conversations.

    \b
    Examples:
      costeer budget show
      costeer budget reset
    """


@command.command("show")
@click.option("--epsilon", type=float, metavar="E", help="Say what is left under this cap.")
def show(epsilon: float | None) -> None:
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
    spent = Odometer()
    click.echo(f"Evidence for your context so far: {spent.low:.3f} to {spent.high:.3f} nats")
    if epsilon is not None:
        up, down = max(epsilon - spent.high, 0.0), max(epsilon + spent.low, 0.0)
        click.echo(f"Left under a cap of {epsilon:g}: {up:.3f} for it, {down:.3f} against it")


@command.command("reset")
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(yes: bool) -> None:
    """Start again from nothing.

    What was sent before cannot be taken back: together, the answers before and after may prove
    twice as many nats as the cap.

    \b
    Example:
      costeer budget reset --yes
    """
    from costeer.privacy.odometer import forget_spent

    if not yes:
        click.confirm("Forget what has been spent? Earlier answers still count.", abort=True)
    forget_spent()
    click.echo("The budget starts again.", err=True)
