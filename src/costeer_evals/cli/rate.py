"""``costeer eval rate``: a judge or a reward model on kept texts. Parsing and printing only."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from costeer.cli.progress import progress
from costeer_evals.cli.options import DATA, JSON, LIMIT, SPLIT, TASKS, load_all, split_names
from costeer_evals.cli.table import FILES

if TYPE_CHECKING:
    from costeer_evals.run.rating import KeptTexts, Rater, RatingSummary

KEY = "COSTEER_JUDGE_KEY"


@click.command()
@FILES
@TASKS
@DATA
@LIMIT
@SPLIT
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The file of ratings. Default: beside the first file, texts.jsonl -> texts.ratings.jsonl.",
)
@click.option("--judge", metavar="URL", help="An OpenAI-compatible server, up to and with /v1.")
@click.option("--judge-model", metavar="NAME", help="The paper's is gpt-4o-2024-08-06.")
@click.option(
    "--judge-sees-private-data",
    is_flag=True,
    help="The operator of the judge's server may see every user's profile, history, query and "
    "text.",
)
@click.option(
    "--parallel",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    help="Requests to the judge at once.",
)
@click.option(
    "--armorm",
    is_flag=False,
    flag_value="",
    metavar="[FOLDER_OR_ID]",
    help="The reward model, on this machine: 16 GB. Default: the paper's, from the hub.",
)
@click.option("--device", metavar="DEVICE", help="The device for the reward model, e.g. cuda.")
@JSON
def rate(files: tuple[Path, ...], **options: Any) -> None:
    """Rate texts that `costeer eval run --kind generate --keep-texts` wrote.

    The judge gives cogenesis two scores from 1 to 10, overall and personal. It is asked over the
    network, with the key in COSTEER_JUDGE_KEY. The reward model scores how well texts of the
    preference sets follow the preference. Ratings go to a separate file, without texts; a stopped
    run continues there, and failed ratings are asked for again. Show them with
    `costeer eval table texts.jsonl texts.ratings.jsonl`.

    \b
    Examples:
      costeer eval rate texts.jsonl -t cogenesis --data dev.json --judge https://host/v1 \\
          --judge-model gpt-4o-2024-08-06 --judge-sees-private-data
      costeer eval rate texts.jsonl -t helpsteer --data helpsteer.jsonl --armorm --device cuda
    """
    from costeer_evals.run import rating

    rater = _build_rater(options)
    kept = rating.find_texts(files, load_all(options))
    out = options["out"] or rating.ratings_path(files[0])
    summary = _rate_with_progress(kept, rater, out, quiet=options["as_json"])
    if options["as_json"]:
        click.echo(_as_json(out, summary))


def _build_rater(options: dict[str, Any]) -> Rater:
    """The rater that the options name; no file is read before that is clear."""
    from costeer.exceptions import ParameterError
    from costeer_evals.run import raters

    judge, armorm = options["judge"], options["armorm"]
    if (judge is None) == (armorm is None):
        raise ParameterError("It is not clear who is to rate.", "Give --judge or --armorm.")
    tasks = split_names(options["tasks"])
    if judge is None:
        raters.require_metric(tasks, "armorm")
        return raters.RewardModelRater(armorm, options["device"])
    if not options["judge_model"]:
        raise ParameterError("The judge's model is not named.", "Give --judge-model.")
    raters.require_metric(tasks, "judge")
    return raters.JudgeRater(
        judge,
        options["judge_model"],
        accepted=options["judge_sees_private_data"],
        api_key=os.environ.get(KEY, "").strip(),
        parallel=options["parallel"],
    )


def _rate_with_progress(kept: KeptTexts, rater: Rater, out: Path, *, quiet: bool) -> RatingSummary:
    """Rate with a progress bar on stderr, and say at the end what was done."""
    from costeer_evals.run.rating import rate_texts

    with progress("Ratings", quiet=quiet) as bar:
        summary = rate_texts(kept, rater, out, bar.begin, bar.advance)
    if not quiet:
        from costeer.cli.show import stderr_console

        stderr_console().print(_summarise(out, summary), style="dim", markup=False)
    return summary


def _summarise(out: Path, summary: RatingSummary) -> str:
    if summary.written or summary.failed:
        lines = [
            f"{out}: {summary.written} ratings written in {summary.seconds:.1f} s, "
            f"{summary.ratings} in all."
        ]
    else:
        lines = [f"{out} already holds all {summary.ratings} ratings; nothing was done."]
    if summary.failed:
        lines.append(f"{summary.failed} failed; the same command asks for them again.")
    if summary.skipped:
        lines.append(f"{summary.skipped} rows were skipped: their samples are not in the data.")
    if summary.not_kept:
        lines.append(f"{summary.not_kept} rows were left out: their texts were not kept.")
    return "\n".join(lines)


def _as_json(out: Path, summary: RatingSummary) -> str:
    from dataclasses import asdict

    return json.dumps({"out": str(out), **asdict(summary), "seconds": round(summary.seconds, 3)})
