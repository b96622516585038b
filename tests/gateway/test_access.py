"""Who gets in: Host, Origin, tokens and their scopes."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from tests.support.gateway import CHAT, HELLO, post, running_gateway


def raw(app: Any, request: bytes) -> Any:
    with socket.create_connection(("127.0.0.1", int(app.url.rsplit(":", 1)[1]))) as connection:
        connection.sendall(request)
        return connection.makefile("rb").readline().split()[1]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "192.168.1.2", "", "localhost@x"],
)
def test_a_rebound_page_is_refused(gateway: Any, host: Any) -> None:
    for method, path in (("POST", CHAT), ("GET", "/v1/models"), ("GET", "/health")):
        response = gateway.client.request(method, path, headers={"host": host}, json=HELLO)
        assert response.status_code == 400
        assert response.json()["error"]["code"] == "wrong_host"


@pytest.mark.parametrize("line", [b"", b"Host:\r\n", b"Host: \r\n"])
def test_an_empty_host_is_refused(gateway: Any, line: Any) -> None:
    assert raw(gateway, b"GET /v1/models HTTP/1.1\r\n" + line + b"\r\n") == b"400"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "", "http://localhost:1", "http://127.0.0.1"]
)
def test_pages_of_other_origins_are_refused(gateway: Any, origin: Any) -> None:
    response = post(gateway, HELLO, origin=origin)
    assert (response.status_code, response.json()["error"]["code"]) == (403, "wrong_origin")
    assert not [name for name in response.headers if name.startswith("access-control")]


def test_the_gateways_own_origin_passes(gateway: Any) -> None:
    assert post(gateway, HELLO, origin=gateway.url).status_code == 200


def test_a_preflight_gets_no_permission(gateway: Any) -> None:
    response = gateway.client.options(
        CHAT,
        headers={"origin": "https://evil.example", "access-control-request-method": "POST"},
    )
    assert response.status_code == 403
    assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_bodies_are_json(gateway: Any, kind: Any) -> None:
    response = gateway.client.post(CHAT, content=b"{}", headers={"content-type": kind})
    assert response.status_code == 415


@pytest.mark.slow
def test_without_any_token_the_loopback_is_open_but_not_for_what_is_private(gateway: Any) -> None:
    assert post(gateway, HELLO).status_code == 200
    assert post(gateway, HELLO, token="anything").status_code == 200  # clients always send a key
    assert post(gateway, HELLO | {"costeer": {"trace": True}}).status_code == 403
    assert gateway.client.get("/costeer/ledger").status_code == 401


@pytest.mark.slow
def test_scopes(tmp_path: Path) -> None:
    with running_gateway(tmp_path) as app:
        get = app.client.get
        tokens = {"app": app.tokens.add("a", "app"), "owner": app.tokens.add("o", "owner")}
        traced = HELLO | {"costeer": {"trace": True}}
        ledger = "/costeer/ledger"
        for scope, token in tokens.items():
            key = {"authorization": f"Bearer {token}"}
            expected = 200 if scope == "owner" else 403
            assert post(app, HELLO, token=token).status_code == 200
            assert post(app, traced, token=token).status_code == expected
            assert get(ledger, headers=key).status_code == expected
        for wrong in ({}, {"authorization": "Bearer x"}, {"authorization": tokens["app"]}):
            for path in ("/v1/models", "/costeer/ledger", "/nothing"):
                response = app.client.get(path, headers=wrong)
                assert response.status_code == 401
                assert response.json()["error"]["code"] == "invalid_api_key"
        assert app.client.get("/health").status_code == 200
        app.tokens.revoke("a")
        assert post(app, HELLO, token=tokens["app"]).status_code == 401
        app.tokens.revoke("o")
        assert post(app, HELLO).status_code == 401  # not open again


def test_tokens_that_cannot_be_read_let_nobody_in(tmp_path: Path) -> None:
    with running_gateway(tmp_path) as app:
        token = app.tokens.add("a", "app")
        (tmp_path / "gateway" / "tokens.json").write_text("{")
        response = post(app, HELLO, token=token)
        assert (response.status_code, response.json()["error"]["code"]) == (503, "tokens_unusable")


def test_a_token_may_be_required_before_there_is_one(tmp_path: Path) -> None:
    with running_gateway(tmp_path, token_required=True) as app:
        assert post(app, HELLO).status_code == 401


def test_every_response_has_an_id_and_is_kept_nowhere(gateway: Any) -> None:
    seen = set()
    for response in (
        post(gateway, HELLO),
        post(gateway, {}),
        gateway.client.get("/nothing"),
        gateway.client.get("/v1/models", headers={"host": "evil"}),
    ):
        seen.add(response.headers["x-request-id"])
        assert "no-store" in response.headers["cache-control"]
    assert len(seen) == 4
