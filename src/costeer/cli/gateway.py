"""``costeer gateway``: an API for applications, and their tokens. Parsing and printing only."""

from __future__ import annotations

from typing import Any

import click

from costeer.cli.gateway_serving import gateway_options, serve


@click.group("gateway", invoke_without_command=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    default=8082,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0 picks a free one.",
)
@gateway_options
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
