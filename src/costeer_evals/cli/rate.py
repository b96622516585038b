"""``costeer eval rate``: a judge or a reward model on kept texts. Parsing and printing only."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from costeer.cli.progress import progress
from costeer_evals.cli.options import DATA, JSON, LIMIT, SPLIT, TASKS, loaded, names
from costeer_evals.cli.table import FILES

if TYPE_CHECKING:
    from costeer_evals.run.rating import Found, Outcome, Rater

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
    help="Default: beside the first file, texts.jsonl -> texts.ratings.jsonl.",
)
@click.option("--judge", metavar="URL", help="An OpenAI-compatible server, up to and with /v1.")
@click.option("--judge-model", metavar="NAME", help="The paper's is gpt-4o-2024-08-06.")
@click.option(
    "--judge-sees-private-data",
    is_flag=True,
    help="Whoever runs the judge's server may see every user's profile, history, query and text.",
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
@click.option("--device", metavar="DEVICE", help="For the reward model, e.g. cuda.")
@JSON
def rate(files: tuple[Path, ...], **options: Any) -> None:
    """Rate texts that `costeer eval run --kind generate --keep-texts` wrote.

    The judge gives cogenesis two scores from 1 to 10, overall and personal; it is asked over the
    network, with its key in COSTEER_JUDGE_KEY. The reward model scores how well texts of the
    preference sets follow the preference. Ratings go to a file of their own, without texts; a run
    that was stopped goes on there, and asks again for what failed. Show them with
    `costeer eval table texts.jsonl texts.ratings.jsonl`.

    \b
    Examples:
      costeer eval rate texts.jsonl -t cogenesis --data dev.json --judge https://host/v1 \\
          --judge-model gpt-4o-2024-08-06 --judge-sees-private-data
      costeer eval rate texts.jsonl -t helpsteer --data helpsteer.jsonl --armorm --device cuda
    """
    from costeer_evals.run import rating

    rater = _rater(options)
    found = rating.find(files, loaded(options))
    out = options["out"] or rating.ratings_path(files[0])
    outcome = _executed(found, rater, out, quiet=options["as_json"])
    if options["as_json"]:
        click.echo(_as_json(out, outcome))


def _rater(options: dict[str, Any]) -> Rater:
    """Whoever is asked for; nothing is read before that is clear."""
    from costeer.exceptions import ParameterError
    from costeer_evals.run import raters

    judge, armorm = options["judge"], options["armorm"]
    if (judge is None) == (armorm is None):
        raise ParameterError("It is not clear who is to rate.", "Give --judge or --armorm.")
    tasks = names(options["tasks"])
    if judge is None:
        raters.require_suitable(tasks, "armorm")
        return raters.Rewarding(armorm, options["device"])
    if not options["judge_model"]:
        raise ParameterError("The judge's model is not named.", "Give --judge-model.")
    raters.require_suitable(tasks, "judge")
    return raters.Judging(
        judge,
        options["judge_model"],
        accepted=options["judge_sees_private_data"],
        api_key=os.environ.get(KEY, "").strip(),
        parallel=options["parallel"],
    )


def _executed(found: Found, rater: Rater, out: Path, *, quiet: bool) -> Outcome:
    """Rate with a bar on stderr, and say at the end what was done."""
    from costeer_evals.run.rating import execute

    with progress("Ratings", quiet=quiet) as bar:
        outcome = execute(found, rater, out, bar.begin, bar.advance)
    if not quiet:
        from costeer.cli.show import stderr_console

        stderr_console().print(_summary(out, outcome), style="dim", markup=False)
    return outcome


def _summary(out: Path, outcome: Outcome) -> str:
    if outcome.written or outcome.failed:
        lines = [
            f"{out}: {outcome.written} ratings written in {outcome.seconds:.1f} s, "
            f"{outcome.ratings} in all."
        ]
    else:
        lines = [f"{out} already holds all {outcome.ratings} ratings; nothing was done."]
    if outcome.failed:
        lines.append(f"{outcome.failed} failed; the same command asks for them again.")
    if outcome.skipped:
        lines.append(f"{outcome.skipped} rows were skipped: their samples are not in the data.")
    if outcome.not_kept:
        lines.append(f"{outcome.not_kept} rows were left out: their texts were not kept.")
    return "\n".join(lines)


def _as_json(out: Path, outcome: Outcome) -> str:
    from dataclasses import asdict

    return json.dumps({"out": str(out), **asdict(outcome), "seconds": round(outcome.seconds, 3)})
