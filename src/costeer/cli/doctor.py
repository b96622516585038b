"""``costeer doctor``: what works on this machine, and how to fix the rest."""

from __future__ import annotations

import importlib.util
import json
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import click

from costeer import settings
from costeer.cli.terminal import clean, clean_json
from costeer.exceptions import CoSteerError
from costeer.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check: "ok", "warning" (not essential) or "missing"."""

    check: str
    state: str
    found: str
    remedy: str = ""


@click.command()
@click.option("--cloud", metavar="URL", help="A server to check as well. [COSTEER_CLOUD]")
@click.option("--slm", metavar="MODEL", help="The small model to compare its tokenizer with.")
@click.option("--port", default=8081, show_default=True, help="The port for `costeer serve`.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as a JSON list.")
def command(cloud: str | None, slm: str | None, port: int, as_json: bool) -> None:
    """Check the compiler, engines, models, port and cloud.

    The exit code is 1 if something that you need is missing.

    \b
    Examples:
      costeer doctor
      costeer doctor --cloud http://host:8081
    """
    chosen = settings.load().override({"cloud": cloud, "slm": slm})
    findings = list(_examine(chosen, port))
    if as_json:
        listed = [asdict(finding) for finding in findings]
        click.echo(clean_json(json.dumps(listed, ensure_ascii=False)))
    else:
        for finding in findings:
            _print(finding)
    if any(finding.state == "missing" for finding in findings):
        raise click.exceptions.Exit(1)


def _print(finding: Finding) -> None:
    marks = {"ok": ("ok", "green"), "warning": ("--", "yellow"), "missing": ("NO", "red")}
    mark, colour = marks[finding.state]
    click.echo(f"{click.style(mark, fg=colour)}  {finding.check}: {clean(finding.found)}")
    if finding.state != "ok":
        click.echo(f"    {finding.remedy}")


def _examine(chosen: Settings, port: int) -> Iterator[Finding]:
    yield _python()
    yield from _engines()
    yield from _models()
    yield _disk()
    yield _port(port)
    if "://" in chosen.cloud:
        yield _guard("cloud", lambda: _cloud(chosen))
    else:
        yield Finding("cloud", "ok", "none is set; the large model runs in this process")


def _guard(check: str, examine: Callable[[], Finding]) -> Finding:
    """Turn an error of a check into a finding."""
    try:
        return examine()
    except CoSteerError as error:
        return Finding(check, "missing", error.message, error.hint)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    state = "ok" if sys.version_info >= (3, 10) else "missing"
    return Finding("Python", state, version, "CoSteer needs Python 3.10 or later.")


def _engines() -> Iterator[Finding]:
    compiler = next((name for name in ("c++", "g++", "clang++") if shutil.which(name)), None)
    llama = importlib.util.find_spec("llama_cpp") is not None
    yield Finding(
        "llama.cpp engine",
        "ok" if llama else "missing",
        "installed" if llama else "not installed",
        'pip install "costeer[llama]" (compiles for about three minutes).',
    )
    yield Finding(
        "C++ compiler",
        "ok" if compiler else ("warning" if llama else "missing"),
        compiler or "none found (needed only to install the llama.cpp engine)",
        "Install one: apt install g++, dnf install gcc-c++, or xcode-select --install.",
    )
    for name, module, extra in (
        ("server", "uvicorn", "server"),
        ("model hub client", "huggingface_hub", "hub"),
        ("PyTorch engine", "torch", "torch"),
    ):
        there = importlib.util.find_spec(module) is not None
        yield Finding(
            name,
            "ok" if there else "warning",
            "installed" if there else "not installed",
            f'Only if you want it: pip install "costeer[{extra}]".',
        )


def _models() -> Iterator[Finding]:
    from costeer.models.files import catalog

    for name in (catalog.DEFAULT_PAIR.llm, catalog.DEFAULT_PAIR.slm):
        path = catalog.path_of(catalog.find(name))
        yield Finding(
            f"model {name}",
            "ok" if path.exists() else "missing",
            str(path) if path.exists() else "not fetched",
            f"costeer models fetch {name}",
        )


def _disk() -> Finding:
    folder = settings.home()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    return Finding(
        "disk",
        "ok" if free > 4e9 else "warning",
        f"{free / 1e9:.1f} GB free at {folder}",
        "The default pair needs 1.6 GB; COSTEER_HOME chooses another place.",
    )


def _port(port: int) -> Finding:
    with socket.socket() as probe:
        # As servers do: to them a port in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return Finding(
                f"port {port}", "warning", "in use", "costeer serve --port 0 takes a free one."
            )
    return Finding(f"port {port}", "ok", "free")


def _cloud(chosen: Settings) -> Finding:
    """Check that the server answers with log-probabilities, and shares the tokenizer."""
    from costeer.edge.runtime import Costeer

    with Costeer(chosen.cloud, chosen.slm, llm=chosen.llm, api_key=chosen.api_key) as costeer:
        result = costeer.generate("Say yes.", max_tokens=1)
        info = costeer.cloud.info()
        if result.unproven:
            return Finding(
                "cloud",
                "warning",
                f"{info.model} answers, but with too few log-probabilities to prove the choice",
                "Raise its limit (vLLM: --max-logprobs -1).",
            )
        vocabulary = costeer.note or "it has the small model's tokenizer"
        return Finding("cloud", "ok", f"{info.model} answers; {vocabulary}")
