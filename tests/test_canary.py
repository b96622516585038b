"""Private text stays: a context full of unique strings is looked for wherever it could go."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from costeer import Costeer
from costeer.cloud.server.process import ServerProcess
from costeer.exceptions import CoSteerError
from costeer.models.fake import FakeModel
from tests.support.canary import Tap, contains

CANARIES = [f"kanarienvogel-{number:03d}-ß-{number * 7919}" for number in range(40)]
CONTEXT = "\n\n".join(f"I keep {name} in my kitchen." for name in CANARIES)
TOKENIZER = FakeModel().tokenizer


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with ServerProcess("fake:1") as process:
        yield process


@pytest.fixture
def tap(server: Any) -> Iterator[Any]:
    with Tap(urlsplit(server.url).port) as tap:
        yield tap


def assert_clean(haystack: bytes, where: str) -> None:
    for canary in CANARIES:
        assert not contains(haystack, canary, TOKENIZER.encode(canary)), f"{canary} in {where}"


@pytest.mark.slow
def test_the_search_would_find_a_leak(tap: Any) -> None:
    """The canary sings when the context does go up: here it is the query."""
    with Costeer(tap.url, FakeModel(seed=2), strength=0.5) as costeer:
        costeer.generate(CANARIES[0], max_tokens=1)
        sent = "".join(costeer.sent_texts())
    assert contains(tap.heard, CANARIES[0], TOKENIZER.encode(CANARIES[0]))
    assert CANARIES[0] in sent


@pytest.mark.parametrize("strength", [1.0, "auto"])
def test_nothing_private_goes_up_or_into_logs(
    tap: Any, caplog: pytest.LogCaptureFixture, strength: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    with Costeer(tap.url, FakeModel(seed=2), strength=strength) as costeer:
        result = costeer.generate("What is in my kitchen?", CONTEXT, max_tokens=60)
        sent = "".join(costeer.sent_texts())
        sent_bytes = costeer.ledger.totals.bytes_up
    assert result.changed > 0  # the context was really used
    assert len(tap.heard) == sent_bytes > 1000  # the search really has the traffic
    assert_clean(tap.heard, "the traffic")
    assert_clean(sent.encode(), "the ledger")
    assert_clean(caplog.text.encode(), "the logs at debug level")


def test_the_ledger_counts_the_bytes_that_really_went_up(tap: Any) -> None:
    with Costeer(tap.url, FakeModel(seed=2), strength=1.0) as costeer:
        costeer.generate("Q", CONTEXT, max_tokens=10)
        assert costeer.ledger.totals.bytes_up == len(tap.heard)


def test_two_contexts_with_the_same_tokens_are_the_same_to_the_cloud(server: Any) -> None:
    """Within one request, and where every choice is proven at once; README says what may differ."""
    heard = []
    for context in (CONTEXT, "Something else, and shorter.", ""):
        with Tap(urlsplit(server.url).port) as tap:
            # A steering too weak to change a token, and yet at work.
            with Costeer(tap.url, FakeModel(seed=2), strength=1e-7) as costeer:
                result = costeer.generate("Q?", context, max_tokens=15)
            heard.append((result.token_ids, tap.heard.replace(str(tap.port).encode(), b"PORT")))
    assert heard[0] == heard[1] == heard[2]
    assert len(heard[0][0]) > 3


@pytest.mark.parametrize(
    "trouble",
    [
        {"query": "Q", "max_tokens": 4090},  # no room for the context
        {"query": ""},
        {"query": "Q", "strength": "much"},
        {"query": "Q", "temperature": float("nan")},
    ],
)
def test_exceptions_quote_nothing_private(tap: Any, trouble: Any) -> None:
    with (
        Costeer(tap.url, FakeModel(seed=2)) as costeer,
        pytest.raises(CoSteerError) as caught,
    ):
        costeer.generate(context=CONTEXT, **trouble)
    assert_clean(f"{caught.value!r} {caught.value}".encode(), "an exception")


@pytest.mark.slow
def test_a_dying_server_gives_an_error_without_private_text() -> None:
    with (
        ServerProcess("fake:1") as server,
        Costeer(server.url, FakeModel(seed=2), strength=1.0, retries=1) as costeer,
    ):
        generation = costeer.stream("Q", CONTEXT, max_tokens=400)
        next(generation)
        server.close()
        with pytest.raises(CoSteerError) as caught:
            list(generation)
    assert_clean(f"{caught.value!r}".encode(), "an exception")
    assert generation.result.steps >= 1


def watch_command_lines(seen: Any, stop: Any) -> None:
    """Collect the arguments of every process on this machine (Linux)."""
    while not stop.wait(0.05):
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen.add(path.read_bytes())
            except OSError:
                continue


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
@pytest.mark.parametrize("way", ["file", "stdin"])
def test_the_command_leaves_no_trace(tap: Any, tmp_path: Path, way: Any) -> None:
    """A whole run: process arguments, temporary and other files, standard error."""
    folder, temporary, secret = (tmp_path / name for name in ("cwd", "tmp", "secret"))
    for path in (folder, temporary, secret):
        path.mkdir()
    (secret / "me.txt").write_text(CONTEXT, "utf-8")
    source = str(secret / "me.txt") if way == "file" else "-"
    environment = os.environ | {
        name: str(temporary) for name in ("TMPDIR", "HOME", "COSTEER_HOME", "XDG_CACHE_HOME")
    }
    seen, stop = set(), threading.Event()
    watcher = threading.Thread(target=watch_command_lines, args=(seen, stop))
    watcher.start()
    try:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "costeer", "generate", "--query", "Kitchen?", "--json"),
                *("--context-file", source, "--cloud", tap.url, "--slm", "fake:2"),
                *("--max-tokens", "30", "--strength", "1"),
            ],
            input=CONTEXT.encode() if way == "stdin" else b"",
            capture_output=True,
            cwd=folder,
            env=environment,
            timeout=60,
            check=False,
        )
    finally:
        stop.set()
        watcher.join()
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["changed"] > 0
    assert_clean(tap.heard, "the traffic")
    assert_clean(done.stderr, "standard error")
    assert any(b"costeer" in line for line in seen)
    assert_clean(b"\n".join(seen), "process arguments")
    for path in [*folder.rglob("*"), *temporary.rglob("*")]:
        if path.is_file():
            assert_clean(path.read_bytes(), str(path))
