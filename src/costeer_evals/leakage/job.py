"""A whole run: answers, attacks and rows, case by case; a stopped one goes on where it was.

Answers are written once and kept in a file beside the rows, because they are as private as the
contexts. Rows hold scores and hashes only.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from costeer.models.load import load_model
from costeer_evals.leakage.arms import Arm
from costeer_evals.leakage.candidates import Candidates, choose_candidates, find_pair
from costeer_evals.leakage.reader import AnswerReader
from costeer_evals.leakage.replay import Attacker, Replay, ReplayedAnswer
from costeer_evals.leakage.scores import attack_fields, text_fields
from costeer_evals.leakage.writing import Writer, Written
from costeer_evals.retrieval import Bm25
from costeer_evals.run import results
from costeer_evals.run.models import describe_header
from costeer_evals.run.results import ResultFile, ResultRow, append_lines, make_key
from costeer_evals.run.texts import texts_path
from costeer_evals.samples import TaskSample, short_hash

KIND = "leakage"
READER_KIND = "leakage-reader"
"""The reader's verdicts are rows of their own, so that they can be added to a finished run."""

RULES = 1
"""Increment it when answers, attacks or scores change, so that earlier rows are not reused."""


@dataclass(frozen=True, slots=True)
class LeakageJob:
    """What to run, and where its rows go.

    Attributes:
        samples: of the whole data set; candidates are taken from all of them.
        cases: the places of those to answer.
        arms: the ways to answer.
        names: the models, by role: "llm" and "slm".
        out: the file of rows; the answers go beside it.
        max_tokens: the longest answer.
        context: the most tokens of a prompt and its answer.
        threads: for each model; None for the physical cores.
    """

    samples: Sequence[TaskSample]
    cases: Sequence[int]
    arms: Sequence[Arm]
    names: Mapping[str, str]
    out: Path
    max_tokens: int = 60
    context: int = 2048
    threads: int | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """What a row depends on beside its sample, its arm and the models."""
        people = short_hash(json.dumps([one.texts_hash for one in self.samples]))
        return {"max_tokens": self.max_tokens, "people": people, "rules": RULES}


@dataclass(frozen=True, slots=True)
class Case:
    """One sample, the arms that it lacks, and those that the reader has not read."""

    one: TaskSample
    candidates: Candidates
    missing: Sequence[Arm]
    unread: Sequence[Arm]

    @property
    def rows(self) -> int:
        """How many rows it lacks."""
        return len(self.missing) + len(self.unread)


@dataclass(frozen=True, slots=True)
class Tools:
    """What writes answers, and what attacks them."""

    writer: Writer
    attacker: Attacker
    reader: AnswerReader


def run_leakage(
    job: LeakageJob,
    begin: Callable[[int, int], None] = lambda done, total: None,
    progress: Callable[[int], None] = lambda count: None,
) -> int:
    """Run whatever the file of rows lacks.

    Args:
        job: what to run.
        begin: called once the models are loaded, with 0 and the number of rows to write.
        progress: called with the number of rows just written.

    Returns:
        How many rows were written.

    Raises:
        CoSteerError: anything wrong, before models are loaded where that can be known.
    """
    header = describe_header(job.names, {"context": job.context, "threads": job.threads})
    with results.open_results(job.out) as file:
        pending = find_pending(job, file)
        file.write_header(header)
        missing = sum(case.rows for case in pending)
        if not missing:
            return 0
        with _tools(job) as tools:
            begin(0, missing)
            for case in pending:
                file.append(run_case(job, case, tools, header["run"]) if case.missing else [])
                file.append(read_case(job, case, tools, header["run"]))
                progress(case.rows)
    return missing


def find_pending(job: LeakageJob, file: ResultFile) -> list[Case]:
    """The cases that lack rows."""
    samples = [one.sample for one in job.samples]
    cases = []
    for number in job.cases:
        one, done = job.samples[number], file.contents.rows
        missing = [arm for arm in job.arms if _key(job, one, arm) not in done]
        unread = [
            arm for arm in job.arms if arm.attacked and _key(job, one, arm, READER_KIND) not in done
        ]
        if missing or (unread and find_pair(samples, number)):
            candidates = choose_candidates(samples, number, Bm25())
            cases.append(Case(one, candidates, missing, unread if candidates.pair else ()))
    return cases


def run_case(job: LeakageJob, case: Case, tools: Tools, run: str) -> list[ResultRow]:
    """Answer one request in every way that is missing, and attack the answers."""
    began = time.monotonic()
    written = [(arm, _answer(job, case.one, arm, tools.writer)) for arm in case.missing]
    attacked = attack(case, [one for one in written if one[0].attacked], tools.attacker)
    seconds = round((time.monotonic() - began) / len(written), 3)
    return [
        _row(job, case.one, arm, KIND)
        | {
            "run": run,
            "scores": text_fields(case.one.sample, answer) | attacked.get(arm.name, {}),
            "seconds": seconds,
        }
        for arm, answer in written
    ]


def read_case(job: LeakageJob, case: Case, tools: Tools, run: str) -> Iterator[ResultRow]:
    """Let the reader judge the answers that it has not read."""
    for arm in case.unread:
        began = time.monotonic()
        answer = _answer(job, case.one, arm, tools.writer)
        pair = tools.reader.prefers(answer, case.candidates)
        seconds = round(time.monotonic() - began, 3)
        yield _row(job, case.one, arm, READER_KIND) | {
            "run": run,
            "scores": {"pair": pair},
            "seconds": seconds,
        }


def attack(
    case: Case, answers: Sequence[tuple[Arm, Written]], attacker: Attacker
) -> dict[str, dict[str, Any]]:
    """The fields of the attack, by the name of the arm."""
    if not answers:
        return {}
    candidates, swapped = case.candidates, dict[str, ReplayedAnswer]()
    replay = Replay(answers, attacker, seed=case.one.sample.id)
    found = [replay.score(context) for context in candidates.contexts]
    if candidates.swapped is not None:
        swapped = replay.score(candidates.swapped)
    return {
        arm.name: attack_fields(
            arm, candidates, [scores[arm.name] for scores in found], swapped.get(arm.name)
        )
        for arm, _ in answers
    }


def _answer(job: LeakageJob, one: TaskSample, arm: Arm, writer: Writer) -> Written:
    """The stored answer, or a new one."""
    path, key = texts_path(job.out), list(_key(job, one, arm))
    for values in _stored(path):
        if values["key"] == key and values["texts"] == one.texts_hash:
            return Written.from_json(values["answer"])
    answer = writer.write(one.sample, arm)
    append_lines(path, [{"key": key, "texts": one.texts_hash, "answer": answer.as_json()}])
    return answer


def _stored(path: Path) -> Iterator[dict[str, Any]]:
    """The stored answers; a line that a kill has cut is passed over."""
    if not path.exists():
        return
    for line in path.read_bytes().splitlines():
        try:
            values = json.loads(line)
        except ValueError:
            continue
        if isinstance(values, dict) and {"key", "texts", "answer"} <= values.keys():
            yield values


def _key(job: LeakageJob, one: TaskSample, arm: Arm, kind: str = KIND) -> results.Key:
    return make_key(kind, one.task, one.sample.id, arm.name, job.settings)


def _row(job: LeakageJob, one: TaskSample, arm: Arm, kind: str) -> ResultRow:
    """What names a row."""
    return {
        "kind": kind,
        "task": one.task,
        "sample": one.sample.id,
        "texts": one.texts_hash,
        "method": arm.name,
        "settings": job.settings,
    }


@contextmanager
def _tools(job: LeakageJob) -> Iterator[Tools]:
    """The writer and the attackers, on the same models.

    The attackers take their sequences first, because the LLM in this process takes all that are
    left.
    """
    with ExitStack() as stack:
        llm, slm = (
            stack.enter_context(
                closing(
                    load_model(
                        job.names[role], context=job.context, sequences=4, threads=job.threads
                    )
                )
            )
            for role in ("llm", "slm")
        )
        attacker = stack.enter_context(closing(Attacker(llm, slm)))
        reader = stack.enter_context(closing(AnswerReader(llm)))
        writer = stack.enter_context(closing(Writer(llm, slm, job.max_tokens)))
        yield Tools(writer, attacker, reader)
