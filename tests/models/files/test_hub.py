"""The hub source with the real ``huggingface_hub`` against a small hub on this machine."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from costeer.exceptions import FetchError, ModelFileError
from costeer.models.files.catalog import path_of
from costeer.models.files.fetch import fetch
from costeer.models.files.hub import HubSource
from tests.support.wheelhouse import parts, spec_of

pytest.importorskip("huggingface_hub")

DATA = parts()[1]
TINY = spec_of([DATA])
REVISION = "1" * 40


class FakeHub(BaseHTTPRequestHandler):
    """Answers ``/REPO/resolve/REVISION/FILE`` and the two listings that a snapshot reads."""

    def do_HEAD(self) -> None:
        """The same without a body."""
        self.do_GET()

    def do_GET(self) -> Any:
        """One file, or one listing."""
        path = unquote(self.path.partition("?")[0])
        if self.server.gated:
            return self.answer(403, b"", {"X-Error-Code": "GatedRepo"})
        if path.startswith("/api/models/"):
            return self.answer(200, self.listing(path), {"Content-Type": "application/json"})
        name = path.rpartition("/resolve/")[2].partition("/")[2]
        if name not in self.server.files:
            return self.answer(404, b"", {"X-Error-Code": "EntryNotFound"})
        data = self.server.files[name]
        tag = hashlib.sha256(data).hexdigest()
        return self.answer(200, data, {"ETag": f'"{tag}"', "X-Repo-Commit": REVISION})

    def listing(self, path: Any) -> Any:
        """Names only, or with sizes."""
        files = self.server.files
        if "/tree/" in path:
            rows = [
                {"type": "file", "path": n, "size": len(d), "oid": "0" * 40}
                for n, d in files.items()
            ]
            return json.dumps(rows).encode()
        siblings = [{"rfilename": name} for name in files]
        return json.dumps({"id": "somebody/tiny", "sha": REVISION, "siblings": siblings}).encode()

    def answer(self, status: Any, body: Any, headers: Any) -> None:
        """Send."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    monkeypatch.setenv("COSTEER_HOME", str(tmp_path / "home"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeHub)
    server.files, server.gated = {}, False
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def ask(hub: Any, spec: Any = TINY, progress: Any = None) -> Any:
    return fetch(spec, sources=[HubSource(hub.url)], progress=progress)


def visible(path: Any) -> Any:
    return sorted(p.name for p in path.parent.iterdir() if not p.name.endswith(".lock"))


@pytest.mark.slow
def test_one_file(hub: Any) -> None:
    hub.files = {"tiny.gguf": DATA, "other.gguf": b"no"}
    told = []
    path = ask(hub, progress=lambda *report: told.append(report))
    assert path.read_bytes() == DATA
    assert visible(path) == ["tiny.gguf"]
    assert told[-1] == (len(DATA), len(DATA), "checking")


def test_another_size_is_refused_before_the_download(hub: Any) -> None:
    hub.files = {"tiny.gguf": DATA + b"more"}
    with pytest.raises(ModelFileError, match=r"1500004 bytes instead of 1500000"):
        ask(hub)


def test_another_hash_is_removed(hub: Any) -> None:
    hub.files = {"tiny.gguf": b"\0" * len(DATA)}
    with pytest.raises(ModelFileError, match="SHA-256"):
        ask(hub)
    assert visible(path_of(TINY)) == []


@pytest.mark.slow
def test_a_transformers_model_is_a_folder(hub: Any) -> None:
    hub.files = {
        "config.json": b"{}",
        "model.safetensors": DATA,
        "original/params.json": b"{}",
        "README.md": b"hello",
    }
    path = ask(hub, replace(TINY, engine="transformers", filename=None, sha256=None, size=None))
    assert sorted(p.name for p in path.iterdir()) == ["config.json", "model.safetensors"]
    assert visible(path) == ["tiny"]


def test_what_the_hub_has_not(hub: Any) -> None:
    with pytest.raises(FetchError, match="hub: "):
        ask(hub)


def test_a_licence_to_accept(hub: Any) -> None:
    hub.gated = True
    with pytest.raises(FetchError, match="somebody/tiny requires accepting its licence"):
        ask(hub)


@pytest.mark.timeout(20)  # its client alone would try for 23 s
def test_an_unreachable_hub_is_known_at_once(hub: Any) -> None:
    with pytest.raises(FetchError, match="hub: "):
        fetch(TINY, sources=[HubSource("http://127.0.0.1:1")])
