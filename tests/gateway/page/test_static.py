"""The page's files: open to everybody, confined by their headers."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from costeer.gateway.page.static import HEADERS, is_static, static_routes


@pytest.fixture
def client(tmp_path: Any) -> Any:
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Page</title>")
    (folder / "main.js").write_text("export {};")
    (folder / "style.css").write_text("p {}")
    (tmp_path / "secret.txt").write_text("secret")
    return TestClient(Starlette(routes=static_routes(folder)))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/static/main.js", "text/javascript; charset=utf-8"),
        ("/static/style.css", "text/css; charset=utf-8"),
    ],
)
def test_files_and_their_headers(client: Any, path: Any, kind: Any) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"] == kind
    assert {name: response.headers[name] for name in HEADERS} == HEADERS


def test_the_policy_lets_nothing_in_from_elsewhere() -> None:
    policy = dict(one.strip().split(" ", 1) for one in HEADERS[
        "content-security-policy"
    ].split(";"))  # fmt: skip
    assert policy.pop("default-src") == "'none'"
    assert set(policy.values()) == {"'self'", "'none'"}
    assert {"base-uri", "form-action", "frame-ancestors"} <= policy.keys()


@pytest.mark.parametrize(
    "path", ["/static/../secret.txt", "/static/%2e%2e/secret.txt", "/static//etc/passwd", "/x"]
)
def test_nothing_else_is_served(client: Any, path: Any) -> None:
    assert client.get(path).status_code == 404
    assert not is_static(path) or path.startswith("/static/")


def test_without_the_files_there_is_no_page(tmp_path: Any, page: Any) -> None:
    client = TestClient(Starlette(routes=static_routes(tmp_path / "none")))
    assert client.get("/static/main.js").status_code == 404
    assert page.app.client.get("/static/none.js").status_code == 404
