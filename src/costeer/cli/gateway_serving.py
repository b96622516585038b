"""What ``costeer gateway`` and ``costeer app`` share: their options, and serving until Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from costeer import settings
from costeer.cli.options import apply_options, context_options, model_options, read_context
from costeer.cli.protection import check_protection, load_budget, load_guard, protection_options
from costeer.cli.serve import allowed_names, require_server
from costeer.cli.terminal import clean
from costeer.exceptions import InputError
from costeer.settings import Settings

if TYPE_CHECKING:
    import socket

    from starlette.applications import Starlette

    from costeer.edge.runtime import Costeer
    from costeer.gateway.answering import Context
    from costeer.gateway.page.routes import Page
    from costeer.gateway.tokens import TokenStore
    from costeer.profile.profiles import Profile

F = TypeVar("F", bound=Callable[..., Any])
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def gateway_options(command: F) -> F:
    """What both commands take."""
    return apply_options(
        [
            context_options,
            click.option(
                "--profile",
                "profiles",
                multiple=True,
                metavar="NAME",
                help="Read records of this profile, beside any other context; may be repeated. The "
                "model id 'costeer' reads the first, 'costeer/NAME' that one.",
            ),
            model_options,
            protection_options,
            click.option(
                "--lanes",
                type=click.IntRange(1, 64),
                help="Answers that are steered at the same time; each takes memory of its own. [2, "
                "or 1 with --epsilon]",
            ),
            click.option(
                "--queue",
                default=16,
                show_default=True,
                type=click.IntRange(0, 1000),
                help="Requests that may wait; more get status 429.",
            ),
            click.option(
                "--max-tokens",
                type=click.IntRange(min=1),
                help="Longest answer to any request. [what fits]",
            ),
            click.option("--temperature", type=float, help="Where a request does not say. [0]"),
            click.option("--top-p", type=float, help="Where a request does not say. [1]"),
            click.option(
                "--alias",
                multiple=True,
                metavar="ID",
                help="A model id that means 'costeer', for clients with fixed names; may be "
                "repeated.",
            ),
        ],
        command,
    )


@dataclass(frozen=True, slots=True)
class Opened:
    """What has been opened for serving.

    Attributes:
        costeer: both models.
        tokens: of applications.
        profiles: by name, the first one first.
        text: the private text beside them.
        chosen: the settings.
        given: the options.
    """

    costeer: Costeer
    tokens: TokenStore
    profiles: dict[str, Profile]
    text: str
    chosen: Settings
    given: dict[str, Any]

    @property
    def sampling(self) -> dict[str, Any]:
        """How answers are written where a request does not say."""
        return {
            "temperature": self.chosen.temperature,
            "top_p": self.chosen.top_p,
            "max_tokens": self.given["max_tokens"],
        }


MakePage = Callable[[Opened], "Page"]


def serve(
    given: dict[str, Any],
    make_page: MakePage | None = None,
    announce: Callable[[str], None] = lambda address: click.echo(f"listening on {address}/v1"),
) -> None:
    """Load the models and serve until Ctrl-C.

    Args:
        given: the options.
        make_page: makes the person's page, where there is to be one.
        announce: called with the address once requests are answered.
    """
    require_server()
    from costeer.cli.generate import check_sampling
    from costeer.gateway.tokens import TokenStore
    from costeer.serving import listen

    chosen = settings.load().override({**given, "max_tokens": None})
    text = read_context(given["context"], given["context_file"], chosen)
    chosen = check_protection(chosen, given)
    check_sampling(chosen, seed=0)  # before models are loaded, which takes seconds
    tokens = TokenStore()
    tokens.tokens()
    if given["host"] not in LOOPBACK and not tokens.exists:
        raise InputError(
            f"Without tokens, everybody who can reach {given['host']} could use your context.",
            "Make one for each application: costeer gateway token add NAME",
        )
    if not (text.strip() or given["profiles"] or make_page):
        click.echo("There is no context: answers are the large model's own.", err=True)
    with ExitStack() as stack:
        listening = stack.enter_context(listen.bind(given["host"], given["port"]))
        profiles = _open_profiles(given["profiles"], stack)
        costeer = stack.enter_context(_open_models(chosen, given, list(profiles.values())))
        opened = Opened(costeer, tokens, profiles, text, chosen, given)
        _run(_app(opened, make_page), listening, given["host"], announce)


def _open_profiles(names: tuple[str, ...], stack: ExitStack) -> dict[str, Profile]:
    if not names:
        return {}
    from costeer.cli.profile_access import open_profile

    return {name: stack.enter_context(open_profile(name)) for name in dict.fromkeys(names)}


def _open_models(chosen: Settings, given: dict[str, Any], profiles: list[Profile]) -> Costeer:
    """The models; a budget is spent from the account of the first profile."""
    from costeer.cli.generate import destination
    from costeer.edge.runtime import Costeer

    click.echo("Loading models ...", err=True)
    lanes = given["lanes"] or (2 if chosen.epsilon is None else 1)
    guard, keep_bytes = load_guard(chosen, profiles), given["keep_bytes"]
    budget = load_budget(chosen, next(iter(profiles), None))
    costeer = Costeer.from_settings(
        chosen, guard=guard, budget=budget, lanes=lanes, keep_bytes=keep_bytes
    )
    for line in (destination(chosen.cloud), costeer.note):
        if line:
            click.echo(clean(line), err=True)  # the name of the model is the server's
    return costeer


def _contexts(opened: Opened) -> dict[str, Context]:
    """The contexts by profile; the usual one is that of ""."""
    from costeer.gateway.contexts import of_profile, of_text

    contexts = {name: of_profile(one, opened.text) for name, one in opened.profiles.items()}
    usual = next(iter(contexts.values()), of_text(opened.text))
    return {"": usual, **contexts}


def _app(opened: Opened, make_page: MakePage | None) -> Starlette:
    from costeer.gateway.answering import DeviceAnswering
    from costeer.gateway.answers import GatewayLimits
    from costeer.gateway.app import create_app
    from costeer.gateway.ledger import ledger_json

    given, contexts = opened.given, _contexts(opened)
    named = {name: one for name, one in contexts.items() if name}
    return create_app(
        DeviceAnswering(opened.costeer, contexts[""], named, **opened.sampling),
        opened.tokens,
        token_required=given["require_token"] or given["host"] not in LOOPBACK,
        hosts=allowed_names(given["host"], given["allowed_host"]),
        aliases=given["alias"],
        metrics=given["metrics"],
        limits=GatewayLimits(queue=given["queue"]),
        ledger=lambda: ledger_json(opened.costeer),
        page=None if make_page is None else make_page(opened),
    )


def _run(
    app: Starlette, listening: socket.socket, host: str, announce: Callable[[str], None]
) -> None:
    from costeer.serving import listen

    def ready() -> None:
        click.echo("Ctrl-C stops it.", err=True)
        announce(listen.address(listening, host))

    listen.uvicorn_server(app, ready, app.state.answers.close).run(sockets=[listening])
