"""``costeer gateway``: an API for applications, and their tokens. Parsing and printing only."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from costeer import settings
from costeer.cli.options import context_options, model_options, read_texts
from costeer.cli.serve import allowed_names, require_server
from costeer.exceptions import InputError
from costeer.settings import Settings

if TYPE_CHECKING:
    import socket

    from costeer.edge.runtime import Costeer
    from costeer.gateway.answering import Context
    from costeer.gateway.tokens import TokenStore

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@click.group("gateway", invoke_without_command=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    default=8082,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0 picks a free one.",
)
@context_options
@click.option(
    "--profile",
    "profiles",
    multiple=True,
    metavar="NAME",
    help="Read records of this profile, beside any other context; may be repeated. The model id "
    "'costeer' reads the first, 'costeer/NAME' that one.",
)
@model_options
@click.option(
    "--lanes",
    default=2,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Answers that are steered at the same time; each takes memory of its own.",
)
@click.option(
    "--queue",
    default=16,
    show_default=True,
    type=click.IntRange(0, 1000),
    help="Requests that may wait; more get status 429.",
)
@click.option(
    "--max-tokens", type=click.IntRange(min=1), help="Longest answer to any request. [what fits]"
)
@click.option("--temperature", type=float, help="Where a request does not say. [0]")
@click.option("--top-p", type=float, help="Where a request does not say. [1]")
@click.option(
    "--alias",
    multiple=True,
    metavar="ID",
    help="A model id that means 'costeer', for clients with fixed names; may be repeated.",
)
@click.option(
    "--allowed-host",
    multiple=True,
    metavar="NAME",
    help="A further name by which clients reach the gateway; may be repeated.",
)
@click.option("--require-token", is_flag=True, help="Let nobody in without a token.")
@click.option("--metrics", is_flag=True, help="Offer /metrics for Prometheus.")
@click.option(
    "--keep-bytes",
    default=0,
    type=click.IntRange(min=0),
    help="Bytes of request bodies to the cloud that the ledger keeps in memory. [0]",
)
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Serve applications: an OpenAI-compatible API with your context behind it.

    Any OpenAI client works with the base URL that is printed. Your context stays on this device;
    the conversation goes to the large model.

    \b
    Examples:
      costeer gateway --context-file me.txt
      costeer gateway --cloud http://host:8081 --context-file me.txt
      costeer gateway token add open-webui
    """
    if ctx.invoked_subcommand is None:
        serve(given)


def serve(given: dict[str, Any]) -> None:
    """Load the models and serve until Ctrl-C."""
    require_server()
    from costeer.cli.generate import check_sampling
    from costeer.gateway.tokens import TokenStore
    from costeer.serving import listen

    chosen = settings.load().override({**given, "max_tokens": None})
    text = _context(given, chosen)
    check_sampling(chosen, seed=0)  # before models are loaded, which takes seconds
    tokens = TokenStore()
    tokens.tokens()
    elsewhere = given["host"] not in LOOPBACK
    if elsewhere and not tokens.exists:
        raise InputError(
            f"Without tokens, everybody who can reach {given['host']} could use your context.",
            "Make one for each application: costeer gateway token add NAME",
        )
    if not (text.strip() or given["profiles"]):
        click.echo("There is no context: answers are the large model's own.", err=True)
    with ExitStack() as stack:
        listening = stack.enter_context(listen.bind(given["host"], given["port"]))
        contexts = _contexts(given["profiles"], text, stack)
        costeer = stack.enter_context(_open(chosen, given))
        _run(costeer, listening, tokens, chosen, contexts, {**given, "elsewhere": elsewhere})


def _contexts(names: tuple[str, ...], text: str, stack: ExitStack) -> dict[str, Context]:
    """The contexts by profile; the usual one is that of ""."""
    from costeer.gateway.contexts import of_profile, of_text

    if not names:
        return {"": of_text(text)}
    from costeer.cli.profile_access import open_profile

    opened = {name: stack.enter_context(open_profile(name)) for name in names}
    contexts = {name: of_profile(profile, text) for name, profile in opened.items()}
    return {"": contexts[names[0]], **contexts}


def _context(given: dict[str, Any], chosen: Settings) -> str:
    context, file = given["context"], given["context_file"]
    if context is None and file is None:
        file = chosen.context_file
    return read_texts(context=(context, file))["context"]


def _open(chosen: Settings, given: dict[str, Any]) -> Costeer:
    from costeer.cli.generate import destination
    from costeer.edge.runtime import Costeer

    click.echo("Loading models ...", err=True)
    lanes, keep_bytes = given["lanes"], given["keep_bytes"]
    costeer = Costeer.from_settings(chosen, lanes=lanes, keep_bytes=keep_bytes)
    for line in (destination(chosen.cloud), costeer.note):
        if line:
            click.echo(line, err=True)
    return costeer


def _run(
    costeer: Costeer,
    listening: socket.socket,
    tokens: TokenStore,
    chosen: Settings,
    contexts: dict[str, Context],
    given: dict[str, Any],
) -> None:
    from costeer.gateway.answering import DeviceAnswering
    from costeer.gateway.answers import GatewayLimits
    from costeer.gateway.app import create_app
    from costeer.gateway.ledger import ledger_json
    from costeer.serving import listen

    app = create_app(
        DeviceAnswering(
            costeer,
            contexts[""],
            {name: one for name, one in contexts.items() if name},
            temperature=chosen.temperature,
            top_p=chosen.top_p,
            max_tokens=given["max_tokens"],
        ),
        tokens,
        token_required=given["require_token"] or given["elsewhere"],
        hosts=allowed_names(given["host"], given["allowed_host"]),
        aliases=given["alias"],
        metrics=given["metrics"],
        limits=GatewayLimits(queue=given["queue"]),
        ledger=lambda: ledger_json(costeer),
    )

    def ready() -> None:
        click.echo("Ctrl-C stops it.", err=True)
        click.echo(f"listening on {listen.address(listening, given['host'])}/v1")

    listen.uvicorn_server(app, ready, app.state.answers.close).run(sockets=[listening])


@command.group("token")
def token() -> None:
    """Make, list and revoke the tokens of applications.

    Once a token was made, nobody gets in without one, even if all are revoked.

    \b
    Examples:
      costeer gateway token add open-webui
      costeer gateway token list
    """


@token.command("add")
@click.argument("name")
@click.option(
    "--owner", is_flag=True, help="Scope owner: traces and the ledger, for yourself alone."
)
def add(name: str, owner: bool) -> None:
    """Make a token for the application NAME and print it, once.

    \b
    Example:
      costeer gateway token add open-webui
    """
    from costeer.gateway.tokens import TokenStore

    click.echo(TokenStore().add(name, "owner" if owner else "app"))
    click.echo("Give it to the application as its API key; it cannot be shown again.", err=True)


@token.command("list")
def list_tokens() -> None:
    """List the names of all tokens.

    \b
    Example:
      costeer gateway token list
    """
    import time

    from costeer.gateway.tokens import TokenStore

    for one in TokenStore().tokens():
        made = time.strftime("%Y-%m-%d", time.localtime(one.created))
        click.echo(f"{one.name}  {one.scope}  {made}")


@token.command("revoke")
@click.argument("name")
def revoke(name: str) -> None:
    """Make the token NAME worthless, at once.

    \b
    Example:
      costeer gateway token revoke open-webui
    """
    from costeer.gateway.tokens import TokenStore

    TokenStore().revoke(name)
    click.echo(f"Revoked {name}.", err=True)
