"""How answers, summaries and the ledger look in a terminal. Printing only."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import click

from costeer.cli.terminal import clean, clean_json

if TYPE_CHECKING:
    from rich.console import Console

    from costeer.edge.answer import Chunk, Result
    from costeer.edge.runtime import Costeer

CHANGED = "bold green"


def note(console: Console, text: str) -> None:
    """Print a line that the user should read."""
    console.print(clean(text), style="yellow", markup=False)


def stderr_console() -> Console:
    """Where everything that is not the answer goes: standard error."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def size(count: int) -> str:
    """Format a number of bytes: 12,345 -> "12.3 kB"."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} B"


def summary(result: Result) -> str:
    """Summarise an answer in one line."""
    proof = "every token proven"
    if result.unproven:
        plural = "token" if result.unproven == 1 else "tokens"
        proof = (
            f"{result.unproven} {plural} not proven (that takes more log-probabilities than the "
            "server sends, or than the guard asks for)"
        )
    return (
        f"{result.steps} tokens at {result.tokens_per_second:.1f}/s, {result.changed} changed by "
        f"your context, {proof}; {result.requests} requests, {size(result.bytes_up)} up, "
        f"{size(result.bytes_down)} down"
    )


def meter(result: Result, *, capped: bool) -> str:
    """Say what an answer tells a cloud that suspects the context; "" where that is nothing.

    Args:
        result: of the answer.
        capped: whether it was drawn under epsilon, where the evidence is exact and may be negative;
            otherwise it is a lower estimate.
    """
    nats = result.evidence
    if nats == 0 or (nats < 0 and not capped):
        return ""
    told = f"{abs(nats):.{0 if abs(nats) >= 10 else 1}f} nats ({odds(abs(nats))} to 1)"
    direction = " against it" if nats < 0 else ""
    return (
        "To a cloud that already suspects this context, the answer is evidence of "
        f"{'' if capped else 'at least '}about {told}{direction}"
    )


def odds(nats: float) -> str:
    """Odds to 1: 3 -> "20"."""
    if nats > 13.8:
        return "more than a million"
    return f"{math.exp(nats):,.0f}" if nats > 2.3 else f"{math.exp(nats):.1f}"


def print_account(console: Console, result: Result, *, capped: bool) -> None:
    """Print what an answer took, and what it tells."""
    for line in (summary(result), meter(result, capped=capped)):
        if line:
            console.print(line, style="dim", markup=False)


def as_json(result: Result, error: str = "", *, capped: bool = False) -> str:
    """Format the whole result as one JSON object, with what went up: messages, then the answer.

    Args:
        result: of the answer.
        error: what ended it.
        capped: whether it was drawn under epsilon.
    """
    asked = result.conversation.wire if result.conversation else []
    answer = {"role": "assistant", "content": result.sent}
    fields: dict[str, Any] = result.counts() | {"capped": capped, "sent": [*asked, answer]}
    if error:
        fields["error"] = error
    return clean_json(json.dumps(fields, ensure_ascii=False))


def print_chunk(chunk: Chunk) -> None:
    """Print new text as it comes; on a terminal, what steering changed is highlighted."""
    # click, not rich: rich would turn ":smile:" in an answer into an emoji.
    changed = chunk.step.changed
    click.secho(clean(chunk.text), nl=False, fg="green" if changed else None, bold=changed)


def print_ledger(costeer: Costeer) -> None:
    """Print everything that left the device, on stderr."""
    totals = costeer.ledger.totals
    click.echo(
        f"What left this device: {totals.requests} requests, {size(totals.bytes_up)} up, "
        f"{size(totals.bytes_down)} down. Every word that the cloud has seen:",
        err=True,
    )
    forgotten = costeer.ledger.forgotten
    if forgotten:
        click.echo(f"({forgotten:,} earlier prompts are no longer kept)", err=True)
    for text in costeer.sent_texts() or ["Nothing."]:
        click.secho(clean(text.rstrip()), fg="yellow", err=True)
