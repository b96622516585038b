"""Tickets work once and for a minute; nobody else's token opens the page."""

from typing import Any

import pytest

from costeer.gateway.page.sessions import MOST_TICKETS, TICKET_SECONDS, Sessions
from costeer.gateway.tokens import TokenStore


class Clock:
    time = 100.0

    def __call__(self) -> Any:
        return self.time


@pytest.fixture
def clock() -> Any:
    return Clock()


@pytest.fixture
def sessions(tmp_path: Any, clock: Any) -> Any:
    return Sessions(TokenStore(tmp_path / "gateway"), clock)


def test_a_ticket_is_exchanged_once_for_a_token_of_the_owner(sessions: Any) -> None:
    ticket = sessions.issue()
    token = sessions.redeem(ticket)
    assert sessions.find(token).scope == "owner"
    assert sessions.redeem(ticket) is None
    assert sessions.find(ticket) is None
    assert sessions.find(token).scope == "owner"


@pytest.mark.parametrize(("age", "works"), [(TICKET_SECONDS, True), (TICKET_SECONDS + 0.1, False)])
def test_a_ticket_expires(sessions: Any, clock: Any, age: Any, works: Any) -> None:
    ticket = sessions.issue()
    clock.time += age
    assert (sessions.redeem(ticket) is not None) == works
    clock.time -= age
    assert sessions.redeem(ticket) is None


def test_a_session_outlives_its_ticket(sessions: Any, clock: Any) -> None:
    token = sessions.redeem(sessions.issue())
    clock.time += 1e6
    assert sessions.find(token)


@pytest.mark.parametrize("ticket", ["", "no", "ä" * 1000, "\ud800"])
def test_other_tickets_are_worth_nothing(sessions: Any, ticket: Any) -> None:
    sessions.issue()
    assert sessions.redeem(ticket) is None


def test_only_the_latest_tickets_are_kept(sessions: Any) -> None:
    tickets = [sessions.issue() for _ in range(MOST_TICKETS + 1)]
    assert [sessions.redeem(one) is not None for one in tickets] == [False] + [True] * MOST_TICKETS


def test_the_tokens_of_applications_work_beside_it(sessions: Any, tmp_path: Any) -> None:
    assert not sessions.exists
    token = TokenStore(tmp_path / "gateway").add("a", "app")
    assert sessions.exists
    assert sessions.find(token).scope == "app"


def test_through_the_socket(page: Any) -> None:
    ticket = page.page.sessions.issue()
    redeem = lambda: page.app.client.post("/app/session", json={"ticket": ticket})  # noqa: E731
    assert set(redeem().json()) == {"token"}
    second = redeem()
    assert second.status_code == 401
    assert ticket not in second.text
