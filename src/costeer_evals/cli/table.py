"""``costeer eval table | compare | plot``: what files of results say. Parsing and printing only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from costeer_evals.cli.options import names

if TYPE_CHECKING:
    from costeer_evals.report.sections import Section
    from costeer_evals.report.table import Grid

F = TypeVar("F", bound=Callable[..., Any])

FILES = click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
KIND = click.option(
    "--kind", type=click.Choice(["score", "generate"]), help="Only likelihoods, or only texts."
)
TASKS = click.option("--tasks", "-t", multiple=True, metavar="NAME[,NAME...]", help="Only these.")
TWINS = click.option(
    "--without-twins",
    is_flag=True,
    help="Leave out samples whose reference nearly repeats a record of the user.",
)
HALF = click.option(
    "--half",
    type=click.Choice(["tune", "test"]),
    help="Only the half on which things were chosen, or only the other.",
)
PREFERENCE = click.option(
    "--preference",
    type=click.Choice(["creative", "verbose", "concise", "uplifting"]),
    help="Only answers under this one, of the preference sets.",
)
POOLED = click.option("--pooled", is_flag=True, help="Samples of all tasks in one table.")
SEED = click.option("--seed", type=int, default=0, help="Of bootstrap, test and folds. [0]")
FORM = click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "csv", "json"]),
    default="markdown",
    show_default=True,
)
JSON = click.option("--json", "as_json", is_flag=True, help="The same as --format json.")


def shown(command: F) -> F:
    """The options of every table."""
    for option in (JSON, FORM, SEED, POOLED, PREFERENCE, HALF, TWINS, TASKS, KIND):
        command = option(command)
    return command


@click.command()
@FILES
@click.option("--methods", "-m", multiple=True, metavar="NAME[,NAME...]", help="Only these.")
@click.option(
    "--paper",
    type=click.Choice(["1", "2", "3", "5"]),
    multiple=True,
    help="This table of the paper: our numbers, and the paper's beside them. Repeatable.",
)
@shown
def table(
    files: tuple[Path, ...],
    methods: tuple[str, ...],
    paper: tuple[str, ...],
    form: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Print a table for each task: likelihoods, or texts.

    Several files (shards, say) are read as one. Methods are compared on the samples that all of
    them have; intervals are 95 % bootstrap intervals of paired differences, and p-values are
    corrected (Holm) for all methods of a table.

    \b
    Examples:
      costeer eval table scores.jsonl
      costeer eval table texts.jsonl --paper 1 --paper 3
      costeer eval table shard-0.jsonl shard-1.jsonl --format csv > table.csv
    """
    from costeer_evals.report import paper_tables
    from costeer_evals.run.job import key_of

    keys = [key_of(name) for name in names(methods)]
    found = sections(files, options, keys)
    if paper:
        numbers: list[paper_tables.Number] = [n for n in paper_tables.NUMBERS if str(n) in paper]
        show([paper_tables.layout(number, found) for number in numbers], form, as_json)
        return
    show([one for section in found for one in tables(section, options["seed"])], form, as_json)


@click.command()
@click.argument("first")
@click.argument("second")
@FILES
@shown
def compare(
    first: str,
    second: str,
    files: tuple[Path, ...],
    form: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Compare two methods, sample by sample.

    FIRST and SECOND are names as in `costeer eval run --methods`.

    \b
    Examples:
      costeer eval compare llm-without costeer:gain=0.5 scores.jsonl
      costeer eval compare light-costeer costeer texts.jsonl --json
    """
    from costeer_evals.report import compare as comparing
    from costeer_evals.run.job import key_of

    one, other = key_of(first), key_of(second)
    found = sections(files, options, [one, other])
    grids = [comparing.table(section, one, other, options["seed"]) for section in found]
    show(grids, form, as_json)


@click.command()
@FILES
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE.png")
@click.option("--methods", "-m", multiple=True, metavar="NAME[,NAME...]", help="Only these.")
@SEED
@POOLED
@PREFERENCE
@HALF
@TWINS
@TASKS
@KIND
def plot(files: tuple[Path, ...], out: Path, methods: tuple[str, ...], **options: Any) -> None:
    """Draw one task: a curve over gains where there are three or more, otherwise each method.

    \b
    Examples:
      costeer eval plot scores.jsonl --out scores.png
      costeer eval plot sweep.jsonl --kind generate -t cogenesis --out sweep.png
    """
    from costeer.exceptions import ParameterError
    from costeer_evals.report.plots import plot as draw
    from costeer_evals.run.job import key_of

    found = sections(files, options, [key_of(name) for name in names(methods)])
    if len(found) > 1:
        raise ParameterError(
            f"The files hold {len(found)} tables: {'; '.join(s.title for s in found)}.",
            "Choose one with --tasks and --kind.",
        )
    draw(found[0], out, options["seed"])
    click.echo(out)


def sections(
    files: Iterable[Path], options: dict[str, Any], methods: Iterable[str] = ()
) -> list[Section]:
    """What the options choose of the files."""
    from costeer_evals.report import collect

    return collect.sections(
        collect.load(files),
        kind=options["kind"],
        tasks=names(options["tasks"]),
        methods=list(methods),
        without_twins=options["without_twins"],
        half=options["half"],
        preference=options["preference"],
        pooled=options["pooled"],
    )


def tables(section: Section, seed: int) -> list[Grid]:
    """The table of a section, and one by kind of request where there are kinds."""
    from costeer_evals.report import likelihood, texts

    if section.likelihoods:
        return [likelihood.table(section, seed)]
    by_topic = texts.by_topic(section)
    return [texts.table(section, seed), *([by_topic] if by_topic is not None else [])]


def show(grids: list[Grid], form: str, as_json: bool) -> None:
    """Print tables on stdout."""
    from costeer_evals.report import table as tables

    write = {"markdown": tables.markdown, "csv": tables.as_csv, "json": tables.as_json}
    click.echo(write["json" if as_json else form](grids).rstrip("\n"))
