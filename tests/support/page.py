"""The page's server on a real socket, over the fake pair; and a client that asks as it does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from costeer.gateway.answering import DeviceAnswering
from costeer.gateway.page.asking import Asking
from costeer.gateway.page.routes import Page
from costeer.gateway.page.sessions import Sessions
from costeer.gateway.page.storage import Storage
from costeer.gateway.page.talks import About
from tests.support.gateway import events, running_gateway


class PageClient:
    """What the page asks for, with its token."""

    def __init__(self, app: Any, token: Any) -> None:
        self.app, self.token = app, token
        self.headers = {"authorization": f"Bearer {token}"}

    def send(self, method: Any, path: Any, body: Any = None) -> Any:
        """One request under ``/app``, as a response."""
        more = {} if body is None else {"json": body}
        return self.app.client.request(method, f"/app{path}", headers=self.headers, **more)

    def __call__(self, method: Any, path: Any, body: Any = None) -> Any:
        """One request that works, as JSON."""
        response = self.send(method, path, body)
        assert response.status_code == 200, response.text
        return response.json()

    def new(self) -> Any:
        """The number of a new conversation."""
        return self("POST", "/conversations", {})["id"]

    def get(self, conversation: Any) -> Any:
        """A conversation."""
        return self("GET", f"/conversations/{conversation}")

    @contextmanager
    def asking(self, conversation: Any, **body: Any) -> Iterator[Any]:
        """The events of an answer, one by one."""
        path = f"/app/conversations/{conversation}/ask"
        more = {"json": body, "headers": self.headers}
        with self.app.client.stream("POST", path, **more) as response:
            assert response.status_code == 200, response.read()
            yield events(response)

    def ask(self, conversation: Any, **body: Any) -> Any:
        """All events of an answer."""
        with self.asking(conversation, **body) as found:
            return list(found)


@contextmanager
def running_page(
    folder: Any,
    profile: Any = None,
    text: Any = "",
    url: Any = None,
    limit: Any = 8,
    clock: Any = None,
    temperature: Any = 0.0,
    **options: Any,
) -> Iterator[Any]:
    """Serve the page; yields a client with a session."""
    kept = {}

    def make_page(costeer: Any, tokens: Any) -> Any:
        sessions = Sessions(tokens, clock) if clock else Sessions(tokens)
        storage = Storage(profile)
        about = About(costeer.cloud.info().model, costeer.slm.name, costeer.strength, url)
        answering = DeviceAnswering(costeer, max_tokens=limit, temperature=temperature)
        kept["page"] = Page(about, sessions, storage, Asking(answering, storage, text, url))
        return kept["page"]

    with running_gateway(folder, make_page=make_page, **options) as app:
        ticket = kept["page"].sessions.issue()
        token = app.client.post("/app/session", json={"ticket": ticket}).json()["token"]
        client = PageClient(app, token)
        client.page = kept["page"]
        yield client
    kept["page"].storage.close()


def tokens_of(found: Any) -> Any:
    """The token events."""
    return [event for event in found if event["type"] == "token"]


def text_of(found: Any) -> Any:
    """The text of an answer's events."""
    return "".join(event["text"] for event in tokens_of(found))
