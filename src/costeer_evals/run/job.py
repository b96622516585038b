"""A whole run: check everything, load models only if something is missing, work, write."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from costeer.exceptions import ParameterError
from costeer_evals.baselines import BASELINES
from costeer_evals.methods.base import Method
from costeer_evals.methods.registry import METHODS, parse
from costeer_evals.run import results, texts
from costeer_evals.run.experiment import Copying, Experiment, Generating, Scoring
from costeer_evals.run.logprob_store import KeptRows
from costeer_evals.run.loop import Worker, pending, run
from costeer_evals.run.models import ModelChoice
from costeer_evals.run.worker import LocalWorker
from costeer_evals.samples import Unit, require_references
from costeer_evals.tasks.base import Task

Stage: TypeAlias = Literal["hashing", "loading", "working"]
ALL = "all"


@dataclass(frozen=True, slots=True)
class Job:
    """What to run and where its results go.

    Attributes:
        experiment: what to do.
        samples: with which texts; of one shard, if there are several.
        choice: the models.
        out: the file of results.
        keep_texts: write the generated texts to a second file beside it.
        ray_workers: how many processes of Ray to use; 0: none, this process works.
        rows: a folder where the branches' rows are kept, and taken from; for scores.
    """

    experiment: Experiment
    samples: Sequence[Unit]
    choice: ModelChoice
    out: Path
    keep_texts: bool = False
    ray_workers: int = 0
    rows: Path | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did.

    Attributes:
        rows: that the file now has of this experiment.
        written: of these, by this run.
        seconds: of this run.
    """

    rows: int
    written: int
    seconds: float


def execute(
    job: Job,
    stage: Callable[[Stage, int, int], None] = lambda name, done, total: None,
    progress: Callable[[int], None] = lambda count: None,
) -> Outcome:
    """Run it.

    Args:
        job: what.
        stage: called with what begins, the rows that exist, and the rows in total.
        progress: called with the number of new rows.

    Raises:
        CoSteerError: whatever is wrong, before models are loaded where that can be known.
    """
    began = time.monotonic()
    _check(job)
    total = len(job.samples) * len(job.experiment.keys)
    with results.opened(job.out) as file:
        todo = pending(job.experiment, job.samples, file.contents)
        done = total - sum(len(item.missing) for item in todo)
        stage("hashing", done, total)
        header = job.choice.header(job.experiment)
        file.begin(header)
        if not todo:
            return Outcome(total, 0, time.monotonic() - began)
        stage("loading", done, total)
        with _worker(job, header) as worker:
            stage("working", done, total)
            keep = texts.keeper(texts_path(job.out)) if job.keep_texts else None
            written = run(todo, worker, file, keep=keep, progress=progress)
    return Outcome(total, written, time.monotonic() - began)


def _check(job: Job) -> None:
    if job.rows is not None and job.ray_workers:
        raise ParameterError("Rows are not kept over Ray.", "Use --shards and --shard instead.")
    if job.rows is not None and any(unit.sample.options for unit in job.samples):
        raise ParameterError("Rows are kept for references, not for options.", "Leave --rows out.")
    if isinstance(job.experiment.work, Scoring):
        require_references(job.samples)
    elif any(unit.sample.reference for unit in job.samples):
        texts.require_metrics()


@contextlib.contextmanager
def _worker(job: Job, header: Mapping[str, Any]) -> Iterator[Worker]:
    run_id = header["run"]
    if job.ray_workers:
        from costeer_evals.run.distributed import RayWorker

        with RayWorker(job.experiment, job.choice, run_id, job.ray_workers) as distributed:
            yield distributed
        return
    kept = None
    if job.rows is not None:
        identities = {role: json.dumps(model) for role, model in header["models"].items()}
        kept = KeptRows(job.rows, identities)
    models = job.choice.open(job.experiment)
    try:
        yield LocalWorker(job.experiment, models, run_id, kept)
    finally:
        models.close()


def texts_path(out: Path) -> Path:
    """Where generated texts go: OUT.jsonl -> OUT.texts.jsonl."""
    return out.with_name(f"{out.stem}.texts{out.suffix}")


def experiment(
    names: Sequence[str], work: Scoring | Generating, *, proxies: bool = False
) -> Experiment:
    """Methods by name, with parameters where they take any; "all" is every method.

    Args:
        names: such as "llm-without", "costeer:gain=0.5" or "copy-query"; none is "all".
        work: what they are to do.
        proxies: whether there are models for proxy-tuning, so that "all" may have it.

    Raises:
        ParameterError: there is no such method.
    """
    methods: dict[str, Method] = {}
    copying: dict[str, Copying] = {}
    for name in _expanded(names or [ALL], work, proxies):
        if name not in BASELINES:
            found = parse(name)
            methods.setdefault(found.key(), found)
        elif isinstance(work, Generating):
            copying[name] = Copying(name)
        else:
            raise ParameterError(f"{name} has no likelihood.", "Run it with --kind generate.")
    return Experiment(work, tuple(methods.values()), tuple(copying.values()))


def key_of(name: str) -> str:
    """The key under which results of a method stand.

    Raises:
        ParameterError: there is no such method.
    """
    return Copying(name).key() if name in BASELINES else parse(name).key()


def _expanded(names: Sequence[str], work: Scoring | Generating, proxies: bool) -> Iterator[str]:
    for name in names:
        if name != ALL:
            yield name
            continue
        yield from (known for known in METHODS if known != "proxy-tuning" or proxies)
        if isinstance(work, Generating):
            yield from BASELINES


def sources(tasks: Sequence[Task], given: Sequence[str]) -> Mapping[str, Path | None]:
    """Where the data of each task are.

    Args:
        tasks: which.
        given: "TASK=PATH", or a lone PATH where there is one task.

    Raises:
        ParameterError: a path is given for no task of these, or for several.
    """
    names = [task.name for task in tasks]
    found: dict[str, Path | None] = {}
    for text in given:
        name, equals, path = text.partition("=")
        if not (equals and name in names):
            if len(names) > 1:
                raise ParameterError(
                    f"It is not clear which task {text[:80]!r} is for.",
                    f"Write TASK=PATH with one of: {', '.join(names)}.",
                )
            name, path = names[0], text
        if name in found:
            raise ParameterError(f"There are two paths for the task {name}.", "Give one.")
        found[name] = Path(path).expanduser()
    return found
