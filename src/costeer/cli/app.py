"""``costeer app``: the person's page, opened in a browser. Parsing and printing only."""

from __future__ import annotations

import os
import signal
import sys
import threading
import webbrowser
from typing import TYPE_CHECKING, Any

import click

from costeer.cli.gateway_serving import Opened, gateway_options, serve

if TYPE_CHECKING:
    from costeer.gateway.page.routes import Page
    from costeer.gateway.page.sessions import Sessions

DEFAULT = "default"
"""The profile that is opened unless another one is named."""


@click.command("app")
@click.option(
    "--port",
    default=8082,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0 picks a free one.",
)
@gateway_options
@click.option("--no-browser", is_flag=True, help="Print the link, and open nothing.")
def command(**given: Any) -> None:
    """Open the page: write, see what steering did, and what left the device.

    Your records and conversations are those of a profile (costeer profile); without one nothing is
    kept. Only programs on this machine can reach it. Applications can use it like costeer gateway,
    each with a token (costeer gateway token add NAME).

    \b
    Examples:
      costeer app
      costeer app --cloud http://host:8081 --context-file me.txt
      costeer app --profile work --no-browser
    """
    no_browser = given.pop("no_browser")
    profiles = _profiles(given["profiles"])
    given |= {"profiles": profiles, "host": "127.0.0.1", "allowed_host": (), "metrics": False}
    given |= {"keep_bytes": 0, "require_token": True}
    links = Links(no_browser)
    serve(given, links.make_page, links.announce)


def _profiles(names: tuple[str, ...]) -> tuple[str, ...]:
    """The profiles to open; says how to make one where there is none."""
    _require_app()
    from costeer.profile import profiles

    found = profiles.names()
    if names or DEFAULT in found:
        return names or (DEFAULT,)
    if found:
        others = ", ".join(found)
        line = f"No profile is open, so nothing is kept. --profile opens one of: {others}."
    else:
        line = "There is no profile, so nothing is kept. To make one: costeer profile init"
    click.echo(line, err=True)
    return ()


def _require_app() -> None:
    """Raise MissingDependencyError where a package is not installed."""
    from costeer.cli.serve import require_server
    from costeer.gateway.page.markdown import render
    from costeer.profile.cipher import driver

    require_server()
    driver()
    render("")


class Links:
    """Links to the page. Each works once, and for a minute."""

    def __init__(self, no_browser: bool) -> None:
        self._no_browser = no_browser
        self._address = ""
        self._sessions: Sessions | None = None

    def make_page(self, opened: Opened) -> Page:
        """Make the page of what has been opened."""
        from costeer.gateway.answering import DeviceAnswering
        from costeer.gateway.page.asking import Asking
        from costeer.gateway.page.routes import Page
        from costeer.gateway.page.sessions import Sessions
        from costeer.gateway.page.storage import Storage
        from costeer.gateway.page.talks import About

        costeer, cloud = opened.costeer, opened.chosen.cloud
        url = None if cloud == "in-process" else cloud
        storage = Storage(next(iter(opened.profiles.values()), None))
        answering = DeviceAnswering(costeer, **opened.sampling)
        self._sessions = Sessions(opened.tokens)
        return Page(
            About(costeer.cloud.info().model, costeer.slm.name, costeer.strength, url),
            self._sessions,
            storage,
            Asking(answering, storage, opened.text, url),
        )

    def announce(self, address: str) -> None:
        """Open the page, or print the link; Enter makes another one."""
        self._address = address
        click.echo(f"listening on {address}")
        if self._no_browser:
            self._show()
        else:
            # A browser in the terminal would keep the server waiting.
            threading.Thread(target=self._open, daemon=True).start()
        if _has_keyboard():
            click.echo("Enter shows a new link to the page.", err=True)
            threading.Thread(target=self._wait_for_enter, daemon=True).start()

    def _link(self) -> str:
        assert self._sessions is not None  # noqa: S101 - made before anything is announced
        return f"{self._address}/#ticket={self._sessions.issue()}"

    def _open(self) -> None:
        if not webbrowser.open(self._link()):
            click.echo("There is no browser here.", err=True)
            self._show()

    def _show(self) -> None:
        click.echo("Open this link within a minute; it works once:", err=True)
        click.echo(self._link())

    def _wait_for_enter(self) -> None:
        # os.read, not sys.stdin: a thread inside a buffered reader can deadlock the exit
        while _read_key():
            self._show()


def _has_keyboard() -> bool:
    """Whether a person can press Enter here."""
    if sys.stdin is None or not sys.stdin.isatty():
        return False
    if hasattr(signal, "SIGTTIN"):  # in the background, reading would stop this process
        signal.signal(signal.SIGTTIN, signal.SIG_IGN)
    return True


def _read_key() -> bytes:
    try:
        return os.read(0, 4096)
    except OSError:
        return b""
