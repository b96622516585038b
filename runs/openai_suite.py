"""The openai client's own API tests, run against the gateway on the toy models.

    python runs/openai_suite.py CHECKOUT [--python PYTHON] [--json]

CHECKOUT is a working copy of github.com/openai/openai-python, and PYTHON an interpreter in which it
and what its tests need are installed (``pip install -e CHECKOUT pytest pytest-asyncio pytest-xdist
respx inline-snapshot dirty-equals aiohttp httpx-aiohttp rich``). Nothing is fetched, and nothing of
it is part of this project. Printed is what passed; what the gateway refused, with the field that it
named; what it does not serve; and what failed in another way, which should be nothing. Many of the
tests send every field there is at once, so refusals are expected.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

FILES = ("chat/test_completions.py", "test_responses.py", "test_models.py")
ALIASES = ("gpt-5.4", "gpt-5.1", "gpt-4o", "gpt-4o-mini", "model")
"""Model ids that the tests use."""

Outcomes = dict[str, dict[str, list[str]]]
"""Test names by reason by outcome."""


@contextmanager
def gateway() -> Iterator[str]:
    """A gateway on the toy models; its base URL."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "costeer", "gateway", "--port", "0"]
        command += ["--llm", "fake:1", "--slm", "fake:2", "--context", "-", "--max-tokens", "8"]
        command += [part for alias in ALIASES for part in ("--alias", alias)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "COSTEER_GATEWAY": home}, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stdin and process.stdout  # noqa: S101
        try:
            process.stdin.write("I am vegan.")
            process.stdin.close()
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()


def run(checkout: Path, python: str, url: str) -> ElementTree.Element:
    """The report of pytest."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        done = subprocess.run(
            [python, "-m", "pytest", "-q", "-o", "addopts=", "-p", "no:cacheprovider", "-n", "2",
             f"--junitxml={report.name}",
             *(f"tests/api_resources/{name}" for name in FILES)],
            cwd=checkout, env={**os.environ, "TEST_API_BASE_URL": url}, check=False,
            capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode not in (0, 1):  # 1: some tests failed
            sys.exit(done.stdout[-2000:] + done.stderr[-2000:])
        return ElementTree.parse(report.name).getroot()  # noqa: S314 - pytest wrote it


def judge(case: ElementTree.Element) -> tuple[str, str]:
    """The outcome of one test, and the reason."""
    failure = case.find("failure")
    if failure is None:
        return ("skipped" if case.find("skipped") is not None else "passed"), ""
    text = failure.get("message", "")
    if "Error code: 404" in text and "unknown_url" in text:
        return "not served", ""
    if "Error code: 405" in text:
        return "not served", ""
    if refused := re.search(r"Error code: 400.*'param': '(\w+)'", text):
        return "refused", refused[1]
    return "failed", " ".join(text.split())[:200]


def outcomes(report: ElementTree.Element) -> Outcomes:
    """All tests, sorted."""
    found: Outcomes = defaultdict(lambda: defaultdict(list))
    for case in report.iter("testcase"):
        outcome, reason = judge(case)
        file = case.get("classname", "").removeprefix("tests.api_resources.")
        found[outcome][reason].append(f"{file}::{case.get('name')}")
    return found


def main() -> None:
    """Run and print; the exit status is 1 where a test failed in an unexpected way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with gateway() as url:
        found = outcomes(run(options.checkout, options.python, url))
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        show(found)
    sys.exit(bool(found["failed"]))


def show(found: Outcomes) -> None:
    """Print for people."""
    for outcome, reasons in found.items():
        print(f"{outcome}: {sum(map(len, reasons.values()))}")
        for reason, names in sorted(reasons.items()):
            print(f"  {reason or '-'}: {len(names)}")
            print("".join(f"    {name}\n" for name in names), end="")


if __name__ == "__main__":
    main()
