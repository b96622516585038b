"""``costeer generate``: one text. The answer on stdout, everything else on stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from costeer import settings
from costeer.cli.options import (
    context_options,
    model_options,
    read_texts,
    sampling_options,
    system_messages,
    system_option,
)
from costeer.cli.profile_context import ProfileContext, profile_options
from costeer.cli.protection import (
    ask_before_sending,
    check_protection,
    load_budget,
    load_guard,
    protection_options,
)
from costeer.cli.terminal import clean
from costeer.settings import Settings

if TYPE_CHECKING:
    from costeer.edge.answer import Generation
    from costeer.edge.runtime import Costeer
    from costeer.models.base import Message
    from costeer.privacy.budget import Budget
    from costeer.privacy.guard import Guard


@click.command()
@click.argument("query", required=False)
@click.option("--query", "query_option", metavar="TEXT|-", help="The query, as an option.")
@click.option("--query-file", metavar="FILE|-", help="Read the query from a file.")
@context_options
@profile_options
@system_option
@model_options
@sampling_options
@protection_options
@click.option("--stop", multiple=True, help="End the answer before this text. May be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def command(
    query: str | None,
    query_option: str | None,
    query_file: str | None,
    context: str | None,
    context_file: str | None,
    profile: str | None,
    why: bool,
    system: str | None,
    stop: tuple[str, ...],
    as_json: bool,
    seed: int,
    **given: Any,
) -> None:
    """Write one text, steered by your private context.

    QUERY says what to write; "-" reads it from standard input. It is sent to the cloud, the context
    is not. You can leave out the word "generate" if QUERY has a space in it.

    \b
    Examples:
      costeer generate "Recommend a dinner spot" --context-file me.txt
      costeer "Recommend a dinner spot"         (with context_file set in costeer.toml)
      costeer generate --query-file - --context-file me.txt --strength gentle < question.txt
      costeer generate "Plan my week" --profile default --why
      costeer generate "Plan my week" --context-file me.txt --guard stand-in
      costeer generate "Plan my day" --cloud http://host:8081 --json
    """
    if query is not None and query_option is not None:
        raise click.UsageError("The query is given twice: as an argument and as --query.")
    chosen = settings.load().override(given)
    if context is None and context_file is None:
        context_file = chosen.context_file
    asked = query_option if query is None else query
    texts = read_texts(query=(asked, query_file), context=(context, context_file))
    require_query(texts["query"])
    chosen = check_protection(chosen, given, seed)
    check_sampling(chosen, seed)  # before models are loaded, which takes seconds
    records = ProfileContext(profile, why=why)
    private = records.add_to(texts["context"], texts["query"])
    said: list[Message] = [*system_messages(system), {"role": "user", "content": texts["query"]}]
    guard = load_guard(chosen, records.profiles)
    guard = ask_before_sending(guard, said, private, quiet=as_json)
    budget = load_budget(chosen, records.profile)
    with open_costeer(chosen, guard, budget, quiet=as_json) as costeer:
        generation = costeer.stream(
            said,
            private,
            stop=stop,
            max_tokens=chosen.max_tokens,
            temperature=chosen.temperature,
            top_p=chosen.top_p,
            seed=seed,
        )
        _write(generation, as_json=as_json, capped=chosen.epsilon is not None)


def require_query(query: str) -> None:
    """Raise InputError for an empty query, before any model is loaded."""
    from costeer.edge.prompts import conversation

    conversation([{"role": "user", "content": query}])


def check_sampling(chosen: Settings, seed: int) -> None:
    """Raise ParameterError for sampling settings or a strength out of range."""
    from costeer.decoding.sampling import SamplingParams
    from costeer.decoding.strength import resolve_strength

    SamplingParams(chosen.temperature, chosen.top_p, seed)
    if chosen.strength is not None:
        resolve_strength(chosen.strength)


def open_costeer(
    chosen: Settings, guard: Guard, budget: Budget | None, *, quiet: bool = False
) -> Costeer:
    """Load the models and connect, with a spinner on stderr."""
    from costeer.cli.show import note, stderr_console
    from costeer.edge.runtime import Costeer

    console = stderr_console()
    with console.status("Loading models ..."):
        costeer = Costeer.from_settings(chosen, guard=guard, budget=budget)
    if not quiet:
        for line in (destination(chosen.cloud), costeer.note):
            if line:
                note(console, line)
    return costeer


def destination(cloud: str) -> str:
    """Say where the query goes; "" if it stays in this process."""
    if "://" not in cloud:
        return ""
    from costeer.cloud.client.address import api_base, on_loopback

    base = api_base(cloud)
    if base.startswith("https:") or on_loopback(base):
        return f"Your query goes to {base}."
    return f"Your query goes to {base}, unencrypted: anyone on the way can read it. Use https."


def _write(generation: Generation, *, as_json: bool, capped: bool) -> None:
    from costeer.cli import show
    from costeer.exceptions import CoSteerError

    console, result = show.stderr_console(), generation.result
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
    finally:  # whatever ended it, nothing written is lost
        generation.close()
        if as_json:
            click.echo(show.as_json(result, error, capped=capped))
        elif result.steps:
            click.echo(clean(result.text[shown:]))  # text not shown yet when it ended early
            sys.stdout.flush()
            show.print_account(console, result, capped=capped)
        if result.warning:
            show.note(console, result.warning)
