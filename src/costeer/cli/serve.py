"""``costeer serve``: the LLM side as a server of its own. Parsing and printing only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from costeer.exceptions import InputError, MissingDependencyError
from costeer.serving.listen import LOOPBACK, url_host

if TYPE_CHECKING:
    import socket

    from costeer.models.base import LanguageModel


@click.command("serve")
@click.option("--model", required=True, metavar="NAME|PATH", help="A catalog name or a file.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    default=8081,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="The port to listen on; 0 picks a free one.",
)
@click.option(
    "--api-key-file",
    type=click.Path(path_type=Path),
    help="A file with the key that clients must send. Default: COSTEER_API_KEY, or no key.",
)
@click.option(
    "--context",
    default=4096,
    show_default=True,
    type=click.IntRange(min=1),
    help="The most tokens of one conversation.",
)
@click.option(
    "--parallel",
    default=4,
    show_default=True,
    type=click.IntRange(min=1),
    help="Conversations served at once; each has a cache of its own.",
)
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads. [all cores]")
@click.option(
    "--device", metavar="DEVICE", help="Where torch runs a model folder, e.g. cuda. [cpu]"
)
@click.option("--no-key", is_flag=True, help="Let anyone who can reach --host use the server.")
@click.option(
    "--allowed-host",
    multiple=True,
    metavar="NAME",
    help="Another name by which clients reach the server. May be repeated.",
)
@click.option("--exit-with-parent", is_flag=True, help="Stop when standard input is closed.")
def command(
    model: str,
    host: str,
    port: int,
    api_key_file: Path | None,
    context: int,
    parallel: int,
    threads: int | None,
    device: str | None,
    exit_with_parent: bool,
    no_key: bool,
    allowed_host: tuple[str, ...],
) -> None:
    """Run the cloud side: an OpenAI-compatible completions server.

    Once it is ready, it prints one line to standard output: "listening on URL".

    \b
    Example:
      costeer serve --model qwen2.5-coder-1.5b --port 8081
    """
    require_server()
    from costeer.serving import listen

    if exit_with_parent:
        listen.exit_with_parent()
    api_key = _api_key(api_key_file)
    hosts = allowed_names(host, allowed_host)
    _require_key(host, api_key, no_key)
    with listen.bind(host, port) as listening:  # before the model, which takes long to load
        from costeer.models.load import load_model

        click.echo(f"Loading {model} ...", err=True)
        loaded = load_model(
            model, context=context, sequences=parallel, threads=threads, device=device
        )
        try:
            _serve(loaded, listening, host, api_key, hosts)
        finally:
            loaded.close()


def _serve(
    model: LanguageModel,
    listening: socket.socket,
    host: str,
    api_key: str | None,
    hosts: frozenset[str],
) -> None:
    from costeer.cloud.server.app import create_app
    from costeer.serving import listen

    def ready() -> None:
        click.echo(f"Serving {model.name}; Ctrl-C stops it.", err=True)
        click.echo(f"listening on {listen.address(listening, host)}")

    app = create_app(model, api_key=api_key, hosts=hosts)
    listen.uvicorn_server(app, ready, app.state.scheduler.close).run(sockets=[listening])


def allowed_names(host: str, allowed: tuple[str, ...]) -> frozenset[str]:
    """Names that the Host header may have."""
    from costeer.serving.guard import ADDRESSES, LOOPBACK_NAMES

    names = LOOPBACK_NAMES.union(name.lower() for name in allowed)
    if host in LOOPBACK:
        return names
    import socket

    return names | {ADDRESSES, url_host(host).lower(), socket.gethostname().lower()}


def _require_key(host: str, key: str | None, no_key: bool) -> None:
    """Raise InputError where others could use the server, unless that was asked for."""
    if key is None and host not in LOOPBACK and not no_key:
        raise InputError(
            f"Without a key, anyone who can reach {host} could use this server.",
            "Set --api-key-file or COSTEER_API_KEY, or give --no-key if that is what you want.",
        )


def require_server() -> None:
    """Raise MissingDependencyError where the packages of a server are not installed."""
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError:
        raise MissingDependencyError(
            "The server needs packages that are not installed.",
            'Install them with: pip install "costeer[server]"',
        ) from None


def _api_key(path: Path | None) -> str | None:
    if path is None:
        return os.environ.get("COSTEER_API_KEY") or None
    try:
        key = path.expanduser().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise InputError(f"The key file {path} cannot be read.", "Check its path.") from None
    if not key:
        raise InputError(f"The key file {path} is empty.", "Write the key into it.")
    return key
