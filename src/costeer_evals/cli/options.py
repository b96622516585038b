"""Options that the commands of ``costeer eval`` share, and the job that they describe.

Parsing only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from costeer import settings

if TYPE_CHECKING:
    from costeer_evals.run.experiment import Experiment, GenerateConfig, ScoreConfig
    from costeer_evals.run.job import EvalJob
    from costeer_evals.samples import TaskSample

F = TypeVar("F", bound=Callable[..., Any])

TASKS = click.option(
    "--tasks",
    "-t",
    multiple=True,
    required=True,
    metavar="NAME[,NAME...]",
    help="The benchmarks.",
)
DATA = click.option(
    "--data",
    multiple=True,
    metavar="[TASK=]PATH",
    help="The benchmark's own file. Without it, LongLaMP comes from the hub, and everyday "
    "and people are the sets that ship with CoSteer.",
)
LIMIT = click.option(
    "--limit", type=click.IntRange(min=1), help="Use only the first rows of each file."
)
SPLIT = click.option(
    "--split",
    type=click.Choice(["train", "val", "test"]),
    default="test",
    show_default=True,
    help="The split to use, for benchmarks that have splits.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
OPTIONS: list[Callable[[Any], Any]] = [
    TASKS,
    DATA,
    click.option(
        "--out",
        type=click.Path(path_type=Path),
        required=True,
        metavar="FILE",
        help="The file of results; a stopped run continues there.",
    ),
    click.option(
        "--kind",
        type=click.Choice(["score", "generate"]),
        default="score",
        show_default=True,
        help="Score references or options by likelihood, or generate texts.",
    ),
    LIMIT,
    SPLIT,
    click.option(
        "--max-tokens",
        type=click.IntRange(min=1),
        default=256,
        show_default=True,
        help="The longest text to generate.",
    ),
    click.option(
        "--temperature",
        type=float,
        default=0.0,
        show_default=True,
        help="Sampling temperature; 0 is greedy.",
    ),
    click.option(
        "--top-p",
        type=float,
        default=1.0,
        show_default=True,
        help="Sample from the smallest set of tokens with this probability mass.",
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="Seed for sampling."),
    click.option(
        "--kl/--no-kl",
        default=True,
        show_default=True,
        help="Measure divergences from the LLM with context, which then reads every sample.",
    ),
    click.option(
        "--reference-tokens",
        type=click.IntRange(min=1),
        help="Score only the first tokens of each reference.",
    ),
    click.option(
        "--logprob-store",
        type=click.Path(path_type=Path),
        metavar="FOLDER",
        help="Keep the models' log-probabilities there (0.3 MB per token and branch), so that "
        "further methods are scored in minutes. As private as the data.",
    ),
    click.option(
        "--llm-with-nll",
        is_flag=True,
        help="Measure how likely each text is to the LLM with context, in nats per token.",
    ),
    click.option(
        "--lanes",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="Samples generated at once. Above 1, near-ties may differ from run to run.",
    ),
    click.option(
        "--keep-texts",
        is_flag=True,
        help="Write generated texts to a second file. They may repeat private data.",
    ),
    click.option("--llm", metavar="MODEL", help="The large model."),
    click.option("--slm", metavar="MODEL", help="The small model."),
    click.option("--tuned", metavar="MODEL", help="The tuned small model, for proxy-tuning."),
    click.option("--untuned", metavar="MODEL", help="The untuned small model, for proxy-tuning."),
    click.option(
        "--context",
        type=click.IntRange(min=1),
        default=4096,
        show_default=True,
        help="Tokens that each model holds.",
    ),
    click.option("--threads", type=click.IntRange(min=1), help="Threads for each model."),
    click.option("--device", metavar="DEVICE", help="The device for transformers, e.g. cuda."),
    click.option(
        "--shards",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="Divide the samples into this many parts.",
    ),
    click.option(
        "--shard", type=int, default=0, show_default=True, help="The part to run, from 0."
    ),
    click.option(
        "--ray", is_flag=True, help="Run all shards at once, each in a process of a Ray cluster."
    ),
    JSON,
]


def job_options(command: F) -> F:
    """Add all of the above to a command."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def split_names(given: tuple[str, ...]) -> list[str]:
    """The names in a repeatable option whose values may hold several, separated by commas."""
    return [name.strip() for text in given for name in text.split(",") if name.strip()]


def build_config(options: dict[str, Any]) -> ScoreConfig | GenerateConfig:
    """How each sample is run."""
    from costeer.decoding.sampling import SamplingParams
    from costeer.exceptions import ParameterError
    from costeer_evals.run.experiment import GenerateConfig, ScoreConfig

    store = options["logprob_store"]
    if options["kind"] == "score":
        return ScoreConfig(options["kl"], store is not None, options["reference_tokens"])
    if store is not None:
        raise ParameterError(
            "Log-probabilities are kept for scores only.", "Leave --logprob-store out."
        )
    sampling = SamplingParams(options["temperature"], options["top_p"], options["seed"])
    return GenerateConfig(
        options["max_tokens"], sampling, options["lanes"], options["llm_with_nll"]
    )


def load_all(options: dict[str, Any]) -> list[TaskSample]:
    """The samples of all tasks."""
    from costeer_evals.run.job import parse_sources
    from costeer_evals.samples import load_samples
    from costeer_evals.tasks.base import LoadOptions
    from costeer_evals.tasks.registry import find_task

    tasks = [find_task(name) for name in split_names(options["tasks"])]
    sources = parse_sources(tasks, options["data"])
    return load_samples(tasks, sources, LoadOptions(options["split"], options["limit"]))


def load_shard(options: dict[str, Any]) -> list[TaskSample]:
    """The samples of one shard; all of them if Ray divides them."""
    from costeer_evals.samples import select_shard

    samples = load_all(options)
    if options["ray"]:
        return samples
    return select_shard(samples, options["shard"], options["shards"])


def build_job(experiment: Experiment, options: dict[str, Any]) -> EvalJob:
    """The whole job; samples are loaded, models are not."""
    from costeer.models.files.catalog import DEFAULT_PAIR
    from costeer_evals.run.job import EvalJob
    from costeer_evals.run.models import ModelChoice

    chosen = settings.load().override({name: options[name] for name in ("llm", "slm", "threads")})
    roles = {
        "llm": chosen.llm or DEFAULT_PAIR.llm,
        "slm": chosen.slm or DEFAULT_PAIR.slm,
        "tuned": options["tuned"],
        "untuned": options["untuned"],
    }
    return EvalJob(
        experiment=experiment,
        samples=load_shard(options),
        choice=ModelChoice(
            {role: name for role, name in roles.items() if name},
            context=options["context"],
            threads=chosen.threads,
            device=options["device"],
        ),
        out=options["out"],
        keep_texts=options["keep_texts"],
        ray_workers=options["shards"] if options["ray"] else 0,
        logprob_store=options["logprob_store"],
    )
