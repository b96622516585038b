"""``costeer demo``: one personal text by two real models in two processes."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import click

from costeer.cli import show
from costeer.cli.terminal import clean, clean_json

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from costeer.edge.answer import Result
    from costeer.edge.runtime import Costeer

QUERY = "Suggest a day out for Saturday and how to get there."

CONTEXT = """\
My name is Maren Okafor. I live in Porto with my dog Biscuit.

I am vegan and I have no car.
"""


@click.command()
@click.option(
    "--max-tokens",
    type=click.IntRange(1, 1000),
    default=110,
    show_default=True,
    help="The longest answer, in tokens.",
)
@click.option("--strength", metavar="NAME|X", help="How much the context counts. [recommended]")
@click.option("--llm", default=None, metavar="MODEL", help="The large model.")
@click.option("--slm", default=None, metavar="MODEL", help="The small model.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def command(
    max_tokens: int, strength: str | None, llm: str | None, slm: str | None, as_json: bool
) -> None:
    """Watch it work: a large model in a server process, a small one in this process.

    The default models are downloaded first if they are missing (1.6 GB). Prints what the large
    model writes alone beside the steered text, then everything that left this process, then the
    speed.

    \b
    Examples:
      costeer demo
      costeer demo --strength gentle --max-tokens 60
    """
    from costeer.cloud.server.process import ServerProcess
    from costeer.edge.runtime import Costeer
    from costeer.models.files.catalog import DEFAULT_PAIR

    console = show.stderr_console()
    llm, slm = llm or DEFAULT_PAIR.llm, slm or DEFAULT_PAIR.slm
    _fetch_missing(llm, slm)
    threads = max(1, (os.cpu_count() or 2) // 2)  # two processes share the cores
    with console.status("Starting the cloud side in a process of its own ..."):
        server = ServerProcess(llm, ("--threads", str(threads), "--parallel", "1")).__enter__()
    try:
        console.print(f"The large model [bold]{llm}[/] is served at {server.url}.")
        with console.status("Loading the small model in this process ..."):
            costeer = Costeer(server.url, slm, strength=strength, threads=threads)
        with costeer:
            _run(console, costeer, max_tokens, as_json=as_json)
    finally:
        server.close()


def _fetch_missing(*names: str) -> None:
    from costeer.cli.models import fetch_missing

    fetch_missing(names)


def _run(console: Console, costeer: Costeer, max_tokens: int, *, as_json: bool) -> None:
    from costeer.edge.alone import llm_alone

    with console.status("The large model writes alone ..."):
        alone, alone_speed = llm_alone(costeer, QUERY, max_tokens=max_tokens)
    steered, result = _steered(console, costeer, max_tokens)
    if as_json:
        import json

        extra: dict[str, Any] = {"alone": alone, "alone_tokens_per_second": alone_speed}
        click.echo(clean_json(json.dumps(result.counts() | extra, ensure_ascii=False)))
        return
    _show(alone, steered, result)
    _show_ledger(costeer, alone, result)
    click.echo(
        f"\nSpeed: the large model alone, streaming, {alone_speed:.1f} tokens/s; steered "
        f"{result.tokens_per_second:.1f} tokens/s ({result.tokens_per_second / alone_speed:.2f} "
        f"times), {1000 * result.seconds_to_first_token:.0f} ms to the first token."
    )


def _steered(console: Console, costeer: Costeer, max_tokens: int) -> tuple[Text, Result]:
    from rich.text import Text

    text = Text()
    generation = costeer.stream(QUERY, CONTEXT, max_tokens=max_tokens)
    with console.status("The small model reads your context and steers ...") as status:
        for chunk in generation:
            changed = chunk.step.changed and bool(chunk.text)
            # Brackets as well as colour: the marks must survive a pipe or a log.
            shown = clean(chunk.text)
            shown = f"[{shown}]" if changed and not console.is_terminal else shown
            text.append(shown, style=show.CHANGED if changed else "")
            status.update(f"Steering ... {generation.result.steps} tokens")
    return text, generation.result


def _show(alone: str, steered: Text, result: Result) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    console.print("\n[bold]The private context, which stays in this process[/]")
    console.print(CONTEXT.rstrip(), style="cyan", markup=False)
    console.print("\n[bold]The query, which goes up[/]")
    console.print(QUERY, style="yellow", markup=False)
    table = Table(expand=True, padding=(0, 1), show_lines=True)
    table.add_column("The large model alone", ratio=1)
    table.add_column(
        f"Steered at {result.strength}; {result.changed} of {result.steps} tokens changed (marked)",
        ratio=1,
    )
    table.add_row(Text(clean(alone.strip())), steered)
    console.print(table)
    console.print(show.summary(result), markup=False)


def _show_ledger(costeer: Costeer, alone: str, result: Result) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    console.print(
        f"\n[bold]What the cloud has seen[/] for the steered text ({show.size(result.bytes_up)} "
        f"up, {show.size(result.bytes_down)} down): the tokens of this, and nothing else"
    )
    console.print(Text(clean(costeer.sent_texts()[-1].strip()), style="yellow"))
    private = _words(CONTEXT) - _words(QUERY) - _words(alone)
    seen = private & _words(result.sent)
    replaced = private & _words(result.text) - seen
    lines = [
        f"Of {len(private)} words that only the context has, {len(private) - len(seen)} never "
        f"left. Steering put these into the answer, where the cloud sees them: "
        f"{', '.join(sorted(seen)) or 'none'}."
    ]
    if replaced:
        lines.append(
            f"You read these, and in their place the cloud reads stand-ins: "
            f"{', '.join(sorted(replaced))}."
        )
    console.print("\n" + " ".join(lines), markup=False)


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W_]+", text.lower()))
