"""What ``costeer eval run``, ``sweep`` and ``rate`` have in common: options, and a job of them.

Parsing only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from costeer import settings

if TYPE_CHECKING:
    from costeer_evals.run.experiment import Experiment, Generating, Scoring
    from costeer_evals.run.job import Job
    from costeer_evals.samples import Unit

F = TypeVar("F", bound=Callable[..., Any])

TASKS = click.option("--tasks", "-t", multiple=True, required=True, metavar="NAME[,NAME...]")
DATA = click.option(
    "--data",
    multiple=True,
    metavar="[TASK=]PATH",
    help="The benchmark's own file. Where none is given, LongLaMP comes from the hub, and the "
    "everyday requests are those that the project ships.",
)
LIMIT = click.option(
    "--limit", type=click.IntRange(min=1), help="Rows of each file, from its start."
)
SPLIT = click.option(
    "--split",
    type=click.Choice(["train", "val", "test"]),
    default="test",
    show_default=True,
    help="Of benchmarks that come split.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
OPTIONS: list[Callable[[Any], Any]] = [
    TASKS,
    DATA,
    click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE"),
    click.option(
        "--kind",
        type=click.Choice(["score", "generate"]),
        default="score",
        show_default=True,
        help="Likelihoods of references or options, or texts.",
    ),
    LIMIT,
    SPLIT,
    click.option("--max-tokens", type=click.IntRange(min=1), default=256, show_default=True),
    click.option("--temperature", type=float, default=0.0, help="0 is greedy. [0]"),
    click.option("--top-p", type=float, default=1.0, help="Draw from the likeliest mass. [1]"),
    click.option("--seed", type=int, default=0, show_default=True, help="Of sampled texts."),
    click.option(
        "--kl/--no-kl",
        default=True,
        help="Measure divergences from the LLM with context, which then reads every sample. [kl]",
    ),
    click.option(
        "--rows",
        type=click.Path(path_type=Path),
        metavar="FOLDER",
        help="Keep the models' log-probabilities there (0.3 MB a token and branch), and score "
        "further methods from them in minutes. As private as the data.",
    ),
    click.option(
        "--judged",
        is_flag=True,
        help="Measure how likely each text is to the LLM with context, in nats a token.",
    ),
    click.option(
        "--lanes",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="Samples written at once. Above 1, near-ties may flip from batch to batch.",
    ),
    click.option(
        "--keep-texts",
        is_flag=True,
        help="Write generated texts to a second file. They may repeat private data.",
    ),
    click.option("--llm", metavar="MODEL", help="The large model."),
    click.option("--slm", metavar="MODEL", help="The small model."),
    click.option("--tuned", metavar="MODEL", help="For proxy-tuning."),
    click.option("--untuned", metavar="MODEL", help="For proxy-tuning."),
    click.option("--context", type=click.IntRange(min=1), default=4096, show_default=True),
    click.option("--threads", type=click.IntRange(min=1), help="Threads for each model."),
    click.option("--device", metavar="DEVICE", help="For transformers, e.g. cuda."),
    click.option("--shards", type=click.IntRange(min=1), default=1, help="Divide the samples."),
    click.option("--shard", type=int, default=0, help="Which part to run, from 0."),
    click.option("--ray", is_flag=True, help="Run all shards at once as processes of Ray."),
    JSON,
]


def job_options(command: F) -> F:
    """All of the above."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def names(given: tuple[str, ...]) -> list[str]:
    """Options that may be repeated, and hold several names between commas."""
    return [name.strip() for text in given for name in text.split(",") if name.strip()]


def work(options: dict[str, Any]) -> Scoring | Generating:
    """What is to be done with each sample."""
    from costeer.decoding.sampling import SamplingParams
    from costeer.exceptions import ParameterError
    from costeer_evals.run.experiment import Generating, Scoring

    if options["kind"] == "score":
        return Scoring(kl=options["kl"], rounded=options["rows"] is not None)
    if options["rows"] is not None:
        raise ParameterError("Rows are kept for scores only.", "Leave --rows out.")
    sampling = SamplingParams(options["temperature"], options["top_p"], options["seed"])
    return Generating(options["max_tokens"], sampling, options["lanes"], options["judged"])


def loaded(options: dict[str, Any]) -> list[Unit]:
    """The samples of all tasks."""
    from costeer_evals.run import job
    from costeer_evals.samples import load
    from costeer_evals.tasks.base import LoadOptions
    from costeer_evals.tasks.registry import task

    tasks = [task(name) for name in names(options["tasks"])]
    how = LoadOptions(split=options["split"], limit=options["limit"])
    return load(tasks, job.sources(tasks, options["data"]), how)


def samples(options: dict[str, Any]) -> list[Unit]:
    """Of all tasks, or of one shard."""
    from costeer_evals.samples import shard

    found = loaded(options)
    if options["ray"]:
        return found
    return shard(found, options["shard"], options["shards"])


def job(experiment: Experiment, options: dict[str, Any]) -> Job:
    """Everything together; samples are loaded, models are not."""
    from costeer.models.files.catalog import DEFAULT_PAIR
    from costeer_evals.run.job import Job
    from costeer_evals.run.models import ModelChoice

    chosen = settings.load().override({name: options[name] for name in ("llm", "slm", "threads")})
    roles = {
        "llm": chosen.llm or DEFAULT_PAIR.llm,
        "slm": chosen.slm or DEFAULT_PAIR.slm,
        "tuned": options["tuned"],
        "untuned": options["untuned"],
    }
    return Job(
        experiment=experiment,
        samples=samples(options),
        choice=ModelChoice(
            {role: name for role, name in roles.items() if name},
            context=options["context"],
            threads=chosen.threads,
            device=options["device"],
        ),
        out=options["out"],
        keep_texts=options["keep_texts"],
        ray_workers=options["shards"] if options["ray"] else 0,
        rows=options["rows"],
    )
