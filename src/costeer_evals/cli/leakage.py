"""``costeer eval leakage | leakage-table``: what answers tell. Parsing and printing only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from costeer import settings
from costeer.cli.progress import progress
from costeer_evals.cli.options import split_names
from costeer_evals.cli.table import show

if TYPE_CHECKING:
    from costeer_evals.leakage.job import LeakageJob


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="The file of rows; a stopped run continues there. The answers go beside it, into "
    "NAME.texts.jsonl, and are as private as the data.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Everyday requests of several people. Default: the set that ships with CoSteer.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), help="Attack only the first people; all are candidates."
)
@click.option("--arms", multiple=True, metavar="NAME[,NAME...]", help="Default: all.")
@click.option(
    "--max-tokens",
    type=click.IntRange(min=1),
    default=60,
    show_default=True,
    help="The longest answer.",
)
@click.option("--llm", metavar="MODEL", help="The large model.")
@click.option("--slm", metavar="MODEL", help="The small model.")
@click.option("--threads", type=click.IntRange(min=1), help="Threads for each model.")
@click.option(
    "--shards",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Divide the people into this many parts.",
)
@click.option(
    "--shard",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="The part to run, from 0.",
)
def leakage(
    out: Path,
    data: Path | None,
    limit: int | None,
    arms: tuple[str, ...],
    max_tokens: int,
    llm: str | None,
    slm: str | None,
    threads: int | None,
    shards: int,
    shard: int,
) -> None:
    """Let an attacker guess from an answer whose context steered it.

    The attacker has the query, the settings, both models and twenty contexts, and computes how
    likely each of them makes the answer.

    \b
    Examples:
      costeer eval leakage --out leakage.jsonl --limit 2
      costeer eval leakage --out leakage.jsonl --data people.jsonl --arms llm-without,auto
      costeer eval leakage-table leakage.jsonl
    """
    from costeer.cli.show import stderr_console
    from costeer_evals.leakage.job import run_leakage

    chosen = settings.load().override({"llm": llm, "slm": slm, "threads": threads})
    job = _build_job(chosen, out, data, limit, arms, max_tokens, (shard, shards))
    with progress("Rows", quiet=False) as bar:
        written = run_leakage(job, bar.begin, bar.advance)
    stderr_console().print(f"{out}: {written} rows written.", style="dim", markup=False)


@click.command("leakage-table")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def leakage_table(files: tuple[Path, ...], as_json: bool) -> None:
    """Show what answers told, with what they were worth beside it.

    \b
    Example:
      costeer eval leakage-table leakage.0.jsonl leakage.1.jsonl
    """
    from costeer_evals.leakage.table import build_table
    from costeer_evals.run.results import read

    show([build_table([read(file) for file in files])], "markdown", as_json)


def _build_job(
    chosen: settings.Settings,
    out: Path,
    data: Path | None,
    limit: int | None,
    arms: tuple[str, ...],
    max_tokens: int,
    shard: tuple[int, int],
) -> LeakageJob:
    from costeer.exceptions import ParameterError
    from costeer.models.files.catalog import DEFAULT_PAIR
    from costeer_evals.leakage.arms import find_arms
    from costeer_evals.leakage.job import LeakageJob
    from costeer_evals.samples import load_samples
    from costeer_evals.tasks.base import LoadOptions
    from costeer_evals.tasks.registry import find_task

    index, count = shard
    if index >= count:
        raise ParameterError(f"There is no shard {index} of {count}.", "They begin with 0.")
    samples = load_samples([find_task("everyday")], {"everyday": data}, LoadOptions())
    return LeakageJob(
        samples=samples,
        cases=range(len(samples))[:limit][index::count],
        arms=find_arms(split_names(arms)),
        names={"llm": chosen.llm or DEFAULT_PAIR.llm, "slm": chosen.slm or DEFAULT_PAIR.slm},
        out=out,
        max_tokens=max_tokens,
        threads=chosen.threads,
    )
