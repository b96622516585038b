"""``costeer generate``: one text. The answer on stdout, the story on stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from costeer.cli.options import (
    context_options,
    model_options,
    opening,
    read_texts,
    sampling_options,
    system_option,
    with_defaults,
)
from costeer.cli.terminal import clean

if TYPE_CHECKING:
    from costeer.edge.answer import Generation
    from costeer.edge.runtime import Costeer


@click.command()
@click.option("--query", metavar="TEXT|-", help="What to write. This is sent to the cloud.")
@click.option("--query-file", metavar="FILE|-", help="The same from a file.")
@context_options
@system_option
@model_options
@sampling_options
@click.option("--stop", multiple=True, help="End the answer before this text; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def command(
    query: str | None,
    query_file: str | None,
    context: str | None,
    context_file: str | None,
    system: str | None,
    stop: tuple[str, ...],
    as_json: bool,
    **given: Any,
) -> None:
    """Write one text, steered by your private context.

    \b
    Examples:
      costeer generate --query "Recommend a dinner spot" --context-file me.txt
      costeer generate --query-file - --context-file me.txt --strength 0.8 < question.txt
      costeer generate --query "Plan my day" --cloud http://host:8081 --json
    """
    texts = read_texts(query=(query, query_file), context=(context, context_file))
    options = with_defaults(given | {"api_key": None, "retries": None})
    require_query(texts["query"])
    # Bad numbers are told before models are loaded, which takes seconds.
    check_sampling(options)
    with opened(options, quiet=as_json) as costeer:
        generation = costeer.stream(
            [*opening(system), {"role": "user", "content": texts["query"]}],
            texts["context"],
            stop=stop,
            **sampling(options),
        )
        _write(generation, as_json=as_json)


def require_query(query: str) -> None:
    """Raise InputError for an empty query, before any model is loaded."""
    from costeer.edge.prompts import conversation

    conversation([{"role": "user", "content": query}])


def sampling(options: dict[str, Any]) -> dict[str, Any]:
    """The options that belong to one answer."""
    return {name: options[name] for name in ("max_tokens", "temperature", "top_p", "seed")}


def check_sampling(options: dict[str, Any]) -> None:
    """Raise ParameterError for sampling options out of range."""
    from costeer.decoding.sampling import SamplingParams
    from costeer.decoding.strength import resolve_strength

    SamplingParams(options["temperature"], options["top_p"], options["seed"])
    if options["strength"] is not None:
        resolve_strength(options["strength"])


def opened(options: dict[str, Any], *, quiet: bool = False) -> Costeer:
    """Load the models and connect, with a spinner on stderr."""
    from costeer.cli.show import note, story
    from costeer.edge.runtime import Costeer

    console = story()
    names = ("cloud", "local", "llm", "strength", "mode", "top_k", "threads", "api_key", "retries")
    with console.status("Loading models ..."):
        costeer = Costeer(**{name: options[name] for name in names}, exact=not options["fast"])
    if not quiet:
        for line in (where(options["cloud"]), costeer.note):
            if line:
                note(console, line)
    return costeer


def where(cloud: str) -> str:
    """Where the query goes; "" where it stays."""
    if cloud == "local":
        return ""
    from costeer.cloud.client.address import api_base, on_loopback

    base = api_base(cloud)
    if base.startswith("https:") or on_loopback(base):
        return f"Your query goes to {base}."
    return f"Your query goes to {base}, unencrypted: everybody on the way can read it. Use https."


def _write(generation: Generation, *, as_json: bool) -> None:
    from costeer.cli import show
    from costeer.exceptions import CoSteerError

    console, result = show.story(), generation.result
    if result.note:
        show.note(console, result.note)
    error, shown = "", 0
    try:
        for chunk in generation:
            shown += len(chunk.text)
            if not as_json:
                show.print_chunk(chunk)
    except CoSteerError as failure:
        error = str(failure)
        raise
    finally:  # whatever ended it, what was written is not lost
        generation.close()
        if as_json:
            click.echo(show.as_json(result, error))
        elif result.steps:
            click.echo(clean(result.text[shown:]))  # what was held back when it ended early
            sys.stdout.flush()
            console.print(show.summary(result), style="dim", markup=False)
