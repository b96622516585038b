"""``costeer eval table | compare | plot``: files of results. Parsing and printing only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from costeer_evals.cli.options import split_names
from costeer_evals.tasks.preference import PREFERENCES

if TYPE_CHECKING:
    from costeer_evals.report.sections import Section
    from costeer_evals.report.table import Table

F = TypeVar("F", bound=Callable[..., Any])

FILES = click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
KIND = click.option(
    "--kind", type=click.Choice(["score", "generate"]), help="Only likelihoods, or only texts."
)
TASKS = click.option(
    "--tasks", "-t", multiple=True, metavar="NAME[,NAME...]", help="Only these tasks."
)
METHODS = click.option(
    "--methods", "-m", multiple=True, metavar="NAME[,NAME...]", help="Only these methods."
)
TWINS = click.option(
    "--without-twins",
    is_flag=True,
    help="Leave out samples whose reference nearly repeats a record of the user.",
)
HALF = click.option(
    "--half",
    type=click.Choice(["tune", "test"]),
    help="Only the half that was used for choosing, or only the other.",
)
PREFERENCE = click.option(
    "--preference",
    type=click.Choice(PREFERENCES),
    help="Only answers under this preference, for the preference sets.",
)
POOLED = click.option("--pooled", is_flag=True, help="Put the samples of all tasks in one table.")
SEED = click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Seed for the bootstrap, the test and the folds.",
)
FORM = click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "csv", "json"]),
    default="markdown",
    show_default=True,
    help="How to print the table.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="The same as --format json.")


def section_options(command: F) -> F:
    """Add the options that select rows."""
    for option in (SEED, POOLED, PREFERENCE, HALF, TWINS, TASKS, KIND):
        command = option(command)
    return command


def table_options(command: F) -> F:
    """Add the options of every table."""
    return section_options(FORM(JSON(command)))


@click.command()
@FILES
@METHODS
@click.option(
    "--paper",
    type=click.Choice(["1", "2", "3", "5"]),
    multiple=True,
    help="Print this table of the paper, our numbers above the paper's. Repeatable.",
)
@table_options
def table(
    files: tuple[Path, ...],
    methods: tuple[str, ...],
    paper: tuple[str, ...],
    form: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Print a table for each task, of likelihoods or of texts.

    Several files (such as shards) are read as one. Methods are compared on the samples that all of
    them have; intervals are 95 % bootstrap intervals of paired differences, and p-values are
    Holm-corrected for all methods of a table.

    \b
    Examples:
      costeer eval table scores.jsonl
      costeer eval table texts.jsonl --paper 1 --paper 3
      costeer eval table shard-0.jsonl shard-1.jsonl --format csv > table.csv
    """
    from costeer_evals.report import paper_tables

    sections = select_sections(files, options, split_names(methods))
    if paper:
        numbers: list[paper_tables.Number] = [n for n in paper_tables.NUMBERS if str(n) in paper]
        show([paper_tables.paper_table(number, sections) for number in numbers], form, as_json)
        return
    tables = [one for section in sections for one in build_tables(section, options["seed"])]
    show(tables, form, as_json)


@click.command()
@click.argument("first")
@click.argument("second")
@FILES
@table_options
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
    from costeer_evals.report import compare as comparison
    from costeer_evals.run.job import method_key

    keys = method_key(first), method_key(second)
    sections = select_sections(files, options, [first, second])
    tables = [comparison.table(section, *keys, options["seed"]) for section in sections]
    show(tables, form, as_json)


@click.command()
@FILES
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE.png")
@METHODS
@section_options
def plot(files: tuple[Path, ...], out: Path, methods: tuple[str, ...], **options: Any) -> None:
    """Draw one task: a curve over gains if there are three or more, otherwise each method.

    \b
    Examples:
      costeer eval plot scores.jsonl --out scores.png
      costeer eval plot sweep.jsonl --kind generate -t cogenesis --out sweep.png
    """
    from costeer.exceptions import ParameterError
    from costeer_evals.report.plots import plot as draw

    sections = select_sections(files, options, split_names(methods))
    if len(sections) > 1:
        raise ParameterError(
            f"The files hold {len(sections)} tables: {'; '.join(s.title for s in sections)}.",
            "Choose one with --tasks and --kind.",
        )
    draw(sections[0], out, options["seed"])
    click.echo(out)


def select_sections(
    files: Iterable[Path], options: dict[str, Any], methods: Iterable[str]
) -> list[Section]:
    """The sections of the files that the options select; no method means all."""
    from costeer_evals.report import collect
    from costeer_evals.run.job import method_key

    keys = [method_key(name) for name in methods]
    return collect.build_sections(
        collect.load_results(files),
        kind=options["kind"],
        tasks=split_names(options["tasks"]),
        methods=keys,
        without_twins=options["without_twins"],
        half=options["half"],
        preference=options["preference"],
        pooled=options["pooled"],
    )


def build_tables(section: Section, seed: int) -> list[Table]:
    """The table of a section, and one by kind of request if there are kinds."""
    from costeer_evals.report import likelihood, texts

    if section.likelihoods:
        return [likelihood.table(section, seed)]
    by_topic = texts.by_topic(section)
    return [texts.table(section, seed), *([by_topic] if by_topic is not None else [])]


def show(tables: list[Table], form: str, as_json: bool) -> None:
    """Print tables on stdout."""
    from costeer_evals.report import table as formats

    write = {"markdown": formats.markdown, "csv": formats.as_csv, "json": formats.as_json}
    click.echo(write["json" if as_json else form](tables).rstrip("\n"))
