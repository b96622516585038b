"""A whole run: check everything, load models only if something is missing, run, write."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from costeer.exceptions import ParameterError
from costeer_evals.baselines import BASELINES
from costeer_evals.methods.base import Method
from costeer_evals.methods.registry import METHODS, parse_method
from costeer_evals.run import results, texts
from costeer_evals.run.experiment import CopyBaseline, Experiment, GenerateConfig, ScoreConfig
from costeer_evals.run.logprob_store import LogprobStore
from costeer_evals.run.loop import Evaluator, find_pending, write_results
from costeer_evals.run.models import ModelChoice
from costeer_evals.samples import TaskSample, require_references
from costeer_evals.tasks.base import Task

if TYPE_CHECKING:
    from costeer_evals.run.distributed import RayEvaluator

ALL = "all"


@dataclass(frozen=True, slots=True)
class EvalJob:
    """What to run, and where its results go.

    Attributes:
        experiment: the methods, and how to run them.
        samples: the samples; those of one shard, if there are several.
        choice: the models.
        out: the file of results.
        keep_texts: write the generated texts to a second file beside it.
        ray_workers: how many Ray processes to use; 0 runs in this process.
        logprob_store: a folder that keeps the branches' log-probabilities; for scores.
    """

    experiment: Experiment
    samples: Sequence[TaskSample]
    choice: ModelChoice
    out: Path
    keep_texts: bool = False
    ray_workers: int = 0
    logprob_store: Path | None = None


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a run did.

    Attributes:
        rows: how many rows of this experiment the file now has.
        written: how many of them this run wrote.
        seconds: the time of this run.
    """

    rows: int
    written: int
    seconds: float


def run_job(
    job: EvalJob,
    begin: Callable[[int, int], None] = lambda done, total: None,
    progress: Callable[[int], None] = lambda count: None,
) -> RunSummary:
    """Run whatever the file of results lacks.

    Args:
        job: what to run.
        begin: called once the models are loaded, with the rows that exist and the rows in all.
        progress: called with the number of rows just written.

    Raises:
        CoSteerError: anything wrong, before models are loaded where that can be known.
    """
    began = time.monotonic()
    _check(job)
    total = len(job.samples) * len(job.experiment.keys)
    written = 0
    with results.open_results(job.out) as file:
        pending = find_pending(job.experiment, job.samples, file.contents)
        header = job.choice.header(job.experiment)
        file.write_header(header)
        if pending:
            with _evaluator(job, header) as evaluator:
                begin(total - sum(len(item.missing) for item in pending), total)
                write_texts = (
                    texts.text_writer(texts.texts_path(job.out)) if job.keep_texts else None
                )
                made = evaluator.run(pending)
                written = write_results(made, file, write_texts=write_texts, progress=progress)
    return RunSummary(total, written, time.monotonic() - began)


def _check(job: EvalJob) -> None:
    if job.logprob_store is not None and job.ray_workers:
        raise ParameterError(
            "Log-probabilities are not kept over Ray.", "Use --shards and --shard instead."
        )
    if job.logprob_store is not None and any(one.sample.options for one in job.samples):
        raise ParameterError(
            "Log-probabilities are kept for references, not for options.",
            "Leave --logprob-store out.",
        )
    if isinstance(job.experiment.config, ScoreConfig):
        require_references(job.samples)
    elif any(one.sample.reference for one in job.samples):
        texts.require_metrics()


@contextlib.contextmanager
def _evaluator(job: EvalJob, header: Mapping[str, Any]) -> Iterator[Evaluator | RayEvaluator]:
    if job.ray_workers:
        from costeer_evals.run.distributed import RayEvaluator

        with RayEvaluator(job.experiment, job.choice, header["run"], job.ray_workers) as evaluator:
            yield evaluator
        return
    store = None
    if job.logprob_store is not None:
        identities = {role: json.dumps(model) for role, model in header["models"].items()}
        store = LogprobStore(job.logprob_store, identities)
    with contextlib.closing(job.choice.load(job.experiment)) as models:
        yield Evaluator(job.experiment, models, header["run"], store)


def build_experiment(
    names: Sequence[str], config: ScoreConfig | GenerateConfig, *, proxies: bool = False
) -> Experiment:
    """An experiment of methods by name; "all" is every method.

    Args:
        names: such as "llm-without", "costeer:gain=0.5" or "copy-query"; none means "all".
        config: how to run them.
        proxies: there are models for proxy-tuning, so "all" includes it.

    Raises:
        ParameterError: there is no such method.
    """
    methods: dict[str, Method] = {}
    baselines: dict[str, CopyBaseline] = {}
    for name in _expand(names or [ALL], config, proxies):
        if name not in BASELINES:
            method = parse_method(name)
            methods.setdefault(method.key(), method)
        elif isinstance(config, GenerateConfig):
            baselines[name] = CopyBaseline(name)
        else:
            raise ParameterError(f"{name} has no likelihood.", "Run it with --kind generate.")
    return Experiment(config, tuple(methods.values()), tuple(baselines.values()))


def method_key(name: str) -> str:
    """The key under which results of a method are stored.

    Raises:
        ParameterError: there is no such method.
    """
    return CopyBaseline(name).key() if name in BASELINES else parse_method(name).key()


def _expand(
    names: Sequence[str], config: ScoreConfig | GenerateConfig, proxies: bool
) -> Iterator[str]:
    for name in names:
        if name != ALL:
            yield name
            continue
        yield from (method for method in METHODS if method != "proxy-tuning" or proxies)
        if isinstance(config, GenerateConfig):
            yield from BASELINES


def parse_sources(tasks: Sequence[Task], given: Sequence[str]) -> Mapping[str, Path | None]:
    """Where the data of each task are.

    Args:
        tasks: the tasks.
        given: "TASK=PATH", or a lone PATH if there is one task.

    Raises:
        ParameterError: a path is given for none of these tasks, or for several.
    """
    names = [task.name for task in tasks]
    sources: dict[str, Path | None] = {}
    for text in given:
        name, equals, path = text.partition("=")
        if not (equals and name in names):
            if len(names) > 1:
                raise ParameterError(
                    f"It is not clear which task {text[:80]!r} is for.",
                    f"Write TASK=PATH with one of: {', '.join(names)}.",
                )
            name, path = names[0], text
        if name in sources:
            raise ParameterError(f"There are two paths for the task {name}.", "Give one.")
        sources[name] = Path(path).expanduser()
    return sources
