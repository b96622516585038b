"""The client between proxies, certificates and servers that hang."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from costeer.cloud.client.address import on_loopback
from costeer.cloud.client.completions import CompletionsClient
from costeer.exceptions import CloudUnreachableError, UsageError
from costeer.models.fake import FakeModel
from tests.support.serving import PROMPT, Listener, Scripted, running

PEM = Path(__file__).with_name("self_signed.pem")  # of localhost and 127.0.0.1


class Secure(Scripted):
    """Speaks TLS with a certificate that unreachable_error has signed."""

    def __init__(self, *answers: Any) -> None:
        super().__init__(*answers)
        self.url = self.url.replace("http:", "https:")
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(PEM)

    def serve(self, connection: Any, number: Any) -> None:
        with self._context.wrap_socket(connection, server_side=True) as secure:
            super().serve(secure, number)


class Mute(Listener):
    """Takes requests and says nothing."""

    def serve(self, connection: Any, number: Any) -> None:
        self.connections = number + 1
        while connection.recv(65536):
            pass


def info(url: Any, **options: Any) -> Any:
    client = CompletionsClient(url, backoff=0.0, **options)
    try:
        return client.info()
    finally:
        client.close()


@pytest.mark.slow
def test_a_certificate_that_is_not_trusted_is_named() -> None:
    with Secure(b"") as server, pytest.raises(CloudUnreachableError) as caught:
        info(server.url)
    assert "certificate" in caught.value.message
    assert "SSL_CERT_FILE" in caught.value.hint


def test_a_certificate_that_was_named_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
    with Secure(b"") as server:
        assert info(server.url).model == "m"


def test_a_file_of_certificates_that_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for path in (tmp_path / "missing.pem", tmp_path / "empty.pem"):
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        with pytest.raises(UsageError, match="SSL_CERT_FILE"):
            CompletionsClient("https://127.0.0.1:9")
        (tmp_path / "empty.pem").write_text("nothing")


@pytest.mark.slow
def test_https_to_a_server_without_it() -> None:
    with running(FakeModel()) as app, pytest.raises(CloudUnreachableError) as caught:
        info(app.url.replace("http:", "https:"))
    assert "TLS" in caught.value.message
    assert "http://" in caught.value.hint


def test_proxies_are_for_other_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with running(FakeModel()) as app:
        client = CompletionsClient(app.url)
        assert len(list(client.stream(PROMPT, 2, 3))) == 3
        client.close()


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:1/v1", True),
        ("http://127.8.8.8/v1", True),
        ("http://[::1]:1/v1", True),
        ("http://LOCALHOST/v1", True),
        ("http://localhost.example.org/v1", False),
        ("http://10.0.0.1/v1", False),
        ("http://[::]/v1", False),
    ],
)
def test_this_machines_own_addresses(url: Any, here: Any) -> None:
    assert on_loopback(url) == here


@pytest.mark.slow
def test_a_server_that_is_mute_from_the_start_is_given_up_soon() -> None:
    with Mute() as server:
        with pytest.raises(CloudUnreachableError, match="stopped answering"):
            info(server.url, timeout=0.1)
        assert server.connections == 4  # not six times, as one that has answered
