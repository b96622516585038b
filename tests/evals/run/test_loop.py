"""Every method on every sample, once: against plain loops, across kills, shards and lanes."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from costeer.decoding.sampling import SamplingParams, choose, gumbel
from costeer.decoding.steering import log_softmax
from costeer.exceptions import InputError, ParameterError
from costeer.models.load import load_model
from costeer_evals.methods.registry import METHODS, make_method, parse_method
from costeer_evals.metrics.likelihood import score_tokens
from costeer_evals.prompts import encode
from costeer_evals.run import results, texts
from costeer_evals.run.experiment import Experiment, GenerateConfig, ScoreConfig
from costeer_evals.run.job import build_experiment, run_job
from costeer_evals.run.row import parse_likelihood
from costeer_evals.run.scoring import PIECE
from costeer_evals.samples import select_shard
from costeer_evals.tasks.base import LoadOptions
from costeer_evals.tasks.registry import find_task
from tests.support.tiny_rows import SECRET
from tests.support.tiny_runs import FAKES, cogenesis, job, questions, rows, scores, writings

WITHOUT_PROXIES = [name for name in METHODS if name != "proxy-tuning"]
SCORED = [*WITHOUT_PROXIES, "guided-llm-without", "guided-auto", "capped-2-guided-auto"]
MODEL = {
    "llm_without": 1,
    "llm_guided": 1,
    "llm_with": 1,
    "slm_without": 2,
    "slm_with": 2,
    "slm_about": 2,
}


def branch_row(branch: Any, prompts: Any, answer: Any) -> Any:
    prompt = prompts.private if branch.endswith("_with") else prompts.public
    prompt = prompts.guided if branch.endswith("_guided") else prompt
    prompt = prompts.about if branch.endswith("_about") else prompt
    return load_model(f"fake:{MODEL[branch]}").logprobs([*prompt, *answer])


@pytest.mark.slow
def test_scores_are_those_of_whole_rows(tmp_path: Path) -> None:
    path = cogenesis(tmp_path / "dev.json", 2)
    data = json.loads(path.read_text())
    data[1]["conversations"][1]["value"] = "long " * (PIECE // 4)  # more than one piece
    path.write_text(json.dumps(data))
    out = tmp_path / "scores.jsonl"
    run_job(job(out, "cogenesis", path, names=SCORED))
    found, count = rows(out), 0
    for sample in find_task("cogenesis").load(path, LoadOptions()):
        prompts = encode(sample, load_model("fake:1").tokenizer)
        targets = np.array(prompts.reference)
        whole = {
            branch: np.stack(
                [branch_row(branch, prompts, targets[:i]) for i in range(len(targets))]
            )
            for branch in MODEL
        }
        for name in SCORED:
            scores = parse_method(name).begin(prompts).scores(whole, prompts.reference[:-1])
            expected = score_tokens(log_softmax(scores), targets, whole["llm_with"]).summed()
            row = found["score", "cogenesis", sample.id, parse_method(name).key()]
            kept = parse_likelihood(row["scores"])
            assert kept.tokens == len(targets)
            assert kept.target == pytest.approx(expected.target, abs=1e-3)
            assert np.allclose(kept.log_partition, expected.log_partition, atol=1e-2)
            assert kept.kl == pytest.approx(expected.kl, abs=1e-2)
            assert (kept.hits, kept.ruled_out) == (expected.hits, expected.ruled_out)
            assert "nearest" in row["scores"]
            count += 1
    assert count == len(found) == 2 * len(SCORED)


@pytest.mark.slow
@pytest.mark.parametrize("sampling", [SamplingParams(), SamplingParams(0.8, 0.9, seed=3)])
@pytest.mark.parametrize("lanes", [1, 3])
def test_texts_are_those_of_a_plain_loop(tmp_path: Path, sampling: Any, lanes: Any) -> None:
    names = [
        "slm-with",
        "llm-without",
        "costeer",
        "adacosteer:threshold=0.2",
        "mixture",
        "auto",
        "floored",
    ]
    work = GenerateConfig(9, sampling, lanes, llm_with_nll=True)
    out, source = tmp_path / "texts.jsonl", questions(tmp_path / "q.jsonl", 1)
    run_job(job(out, "truthfulqa", source, work, names, keep_texts=True))
    texts = {}
    for line in (tmp_path / "texts.texts.jsonl").read_text().splitlines():
        row = json.loads(line)
        texts[row["sample"], row["method"]] = row["text"]
    found, tokenizer = rows(out), load_model("fake:1").tokenizer
    for sample in find_task("truthfulqa").load(source, LoadOptions()):
        prompts = encode(sample, tokenizer)
        for name in names:
            how = parse_method(name)
            rule, ids, changed, steps = how.begin(prompts), [], 0, 0
            while len(ids) < 9:
                given = {b: branch_row(b, prompts, ids)[None] for b in how.needs}
                noise = None
                if not sampling.greedy:
                    noise = gumbel(work.seed("truthfulqa", sample.id), len(ids), 320)
                token = choose(rule.scores(given, ids)[0], sampling, noise)
                steps += 1
                if "llm_without" in given:
                    changed += token != choose(given["llm_without"][0], sampling, noise)
                if token in tokenizer.eos_ids:
                    break
                ids.append(token)
            row = found["generate", "truthfulqa", sample.id, how.key()]
            text = tokenizer.decode_bytes(ids).decode("utf-8", errors="replace")
            assert texts[sample.id, how.key()] == text
            assert row["steps"] == steps
            # Under this sample's context, also where another sample's text was taken over.
            nats = [-branch_row("llm_with", prompts, ids[:i])[t] for i, t in enumerate(ids)]
            assert row["scores"]["nats_llm_with"] == pytest.approx(np.mean(nats), abs=1e-4)
            assert row["ended"] == ("length" if len(ids) == 9 else "stop")
            plain = name in ("slm-with", "llm-without")
            assert row["changed"] == (None if plain else changed)


@pytest.mark.slow
def test_what_has_the_same_prompts_is_written_once(tmp_path: Path) -> None:
    found = [json.loads(line) for line in writings(tmp_path, count=1).read_text().splitlines()[1:]]
    reused = [row for row in found if "decode" not in row["seconds"]]
    assert {row["label"] for row in reused} == {"LLM w/o"} and len(reused) == 3


@pytest.mark.slow
def test_rows_name_their_kept_texts_after_a_kill_too(tmp_path: Path) -> None:
    out = writings(tmp_path, count=1, keep_texts=True)
    kept = tmp_path / "texts.texts.jsonl"
    with kept.open("a") as end:
        end.write('{"kind": "generate", "task": "truth')  # what a kill may leave
    writings(tmp_path, count=2, keep_texts=True)
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    found = {results.key_of(line): texts.answer_hash(line["text"]) for line in lines}
    written = results.read(out).rows
    assert len(written) == len(lines) == 24
    assert found == {key: row["answer"] for key, row in written.items()}


@pytest.mark.slow
def test_rows_hold_no_text_of_the_data(tmp_path: Path) -> None:
    text = scores(tmp_path).read_text() + writings(tmp_path).read_text()
    for private in (SECRET, "Maren", "toast", "Biscuit", "Why", "sailing"):
        assert private not in text
    assert list(tmp_path.glob("*.texts.jsonl")) == []


def test_only_the_first_tokens_of_a_reference_can_be_scored(tmp_path: Path) -> None:
    path = cogenesis(tmp_path / "dev.json", 1)
    out = tmp_path / "scores.jsonl"
    run_job(job(out, "cogenesis", path, ScoreConfig(reference_tokens=3), names=["llm-without"]))
    (row,) = rows(out).values()
    assert row["settings"] == {"kl": True, "reference_tokens": 3}
    assert row["tokens"]["reference"] == row["scores"]["tokens"] == 3


@pytest.mark.slow
def test_rows_say_what_made_them(tmp_path: Path) -> None:
    header, row, *_ = map(json.loads, scores(tmp_path).read_text().splitlines())
    assert row["run"] == header["header"]["run"]
    assert header["header"]["models"]["llm"]["name"] == "fake:1"
    assert {"costeer", "numpy", "python", "rules"} <= header["header"]["versions"].keys()
    assert row["parameters"] == {"name": "plain", "branch": "llm_without"}
    assert row["settings"] == {"kl": True}
    assert row["tokens"]["reference"] == row["scores"]["tokens"]


# Going on


@pytest.mark.slow
def test_a_finished_run_does_nothing_and_opens_no_model(tmp_path: Path) -> None:
    out = scores(tmp_path)
    before = out.read_bytes()
    again = job(out, "cogenesis", tmp_path / "dev.json")
    # With a context of one token, opening the models would fail.
    outcome = run_job(replace(again, choice=replace(again.choice, context=1)))
    assert (outcome.written, outcome.rows) == (0, 9)
    assert rows(out) and out.read_bytes().startswith(before)


@pytest.mark.slow
def test_more_methods_and_samples_are_added_to_what_is_there(tmp_path: Path) -> None:
    whole = rows(scores(tmp_path, count=3, name="whole.jsonl"))
    out = scores(tmp_path, count=1, names=["llm-with"])
    scores(tmp_path, count=3)
    assert rows(out) == whole


@pytest.mark.slow
def test_a_file_cut_at_any_byte_goes_on_to_the_same_rows(tmp_path: Path) -> None:
    out = scores(tmp_path)
    content, expected = out.read_bytes(), rows(out)
    random.seed(0)
    for cut in [0, 1, len(content) - 1, *random.sample(range(len(content)), 6)]:
        out.write_bytes(content[:cut])
        scores(tmp_path)
        assert rows(out) == expected
        assert out.read_bytes().endswith(b"\n")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["score", "generate"])
def test_a_killed_run_that_continues_has_the_rows_of_a_run_in_one_go(
    tmp_path: Path, kind: Any
) -> None:
    if kind == "score":
        source, name = cogenesis(tmp_path / "dev.json", 25), "cogenesis"
        whole = rows(scores(tmp_path, count=25, name="whole.jsonl"))
    else:
        source, name = questions(tmp_path / "questions.jsonl", 8), "truthfulqa"
        whole = rows(writings(tmp_path, count=8, name="whole.jsonl"))
    out = tmp_path / "killed.jsonl"
    command = [sys.executable, "-m", "costeer", "eval", "run", "--json", "--kind", kind]
    command += ["--tasks", name, "--data", str(source), "--out", str(out), "--max-tokens", "8"]
    command += ["--methods", "llm-without,llm-with,costeer:gain=0.5"]
    command += ["--llm", FAKES["llm"], "--slm", FAKES["slm"]]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    enough = random.Random(kind).randrange(1, 8000)
    while process.poll() is None and (not out.exists() or out.stat().st_size < enough):
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    make, count = (scores, 25) if kind == "score" else (writings, 8)
    make(tmp_path, count=count, name="killed.jsonl")
    assert rows(out) == whole


# Shards


@pytest.mark.slow
@pytest.mark.parametrize("make", [scores, writings])
def test_shards_together_are_the_whole(tmp_path: Path, make: Any) -> None:
    whole = rows(make(tmp_path, count=5, name="whole.jsonl"))
    parts = [make(tmp_path, count=5, name=f"{i}.jsonl", shard=(i, 3)) for i in range(3)]
    assert rows(*parts) == whole
    assert all(rows(part) for part in parts)


def test_there_are_only_so_many_shards() -> None:
    with pytest.raises(ParameterError, match="from 0 to 2"):
        select_shard([], 3, 3)


# What is refused, and when


@pytest.mark.slow
def test_other_data_under_the_same_ids_are_refused(tmp_path: Path) -> None:
    out = scores(tmp_path)
    path = tmp_path / "dev.json"
    path.write_text(path.read_text().replace("sailing", "rowing"))
    with pytest.raises(InputError, match="other texts"):
        run_job(job(out, "cogenesis", path))


@pytest.mark.slow
def test_other_models_are_refused(tmp_path: Path) -> None:
    out = scores(tmp_path)
    again = job(out, "cogenesis", tmp_path / "dev.json", names=["slm-with"])
    others = replace(again.choice, names={"llm": "fake:1", "slm": "fake:3"})
    with pytest.raises(InputError, match="other models"):
        run_job(replace(again, choice=others))


def test_a_sample_that_does_not_fit_is_told_before_any_work(tmp_path: Path) -> None:
    again = job(tmp_path / "out.jsonl", "cogenesis", cogenesis(tmp_path / "dev.json", 3))
    small = replace(again.choice, context=100)
    with pytest.raises(InputError, match=r"3 of 3 samples need up to \d+ tokens"):
        run_job(replace(again, choice=small))
    assert not rows(tmp_path / "out.jsonl")


def test_proxy_tuning_needs_two_more_models(tmp_path: Path) -> None:
    out, path = tmp_path / "out.jsonl", cogenesis(tmp_path / "dev.json", 1)
    proxy = job(out, "cogenesis", path, names=["proxy-tuning"])
    with pytest.raises(ParameterError, match="--tuned and --untuned"):
        run_job(proxy)
    names = {**FAKES, "tuned": "fake:3", "untuned": "fake:4"}
    assert run_job(replace(proxy, choice=replace(proxy.choice, names=names))).written == 1


def test_methods_are_named_once_and_only_where_they_can_run() -> None:
    assert len(build_experiment(["costeer", "costeer"], ScoreConfig()).methods) == 1
    assert "copy-query" in build_experiment([], GenerateConfig()).keys
    assert "copy-query" not in build_experiment([], ScoreConfig()).keys
    with pytest.raises(ParameterError, match="no likelihood"):
        build_experiment(["copy-query"], ScoreConfig())
    with pytest.raises(ParameterError, match="named twice"):
        Experiment(ScoreConfig(), (make_method("costeer"), make_method("costeer")))
    with pytest.raises(ParameterError, match="no method"):
        Experiment(ScoreConfig(), ())


@pytest.mark.parametrize(
    "text", ["cost", "costeer:gain", "costeer:gain=much", "costeer:strength=1", "amulet:steps=x"]
)
def test_methods_that_cannot_be_read(text: Any) -> None:
    with pytest.raises(ParameterError):
        parse_method(text)


def test_methods_with_parameters() -> None:
    assert parse_method("costeer:gain=0.5") == make_method("costeer", gain=0.5)
    assert parse_method("amulet:alpha=1:steps=20") == make_method("amulet", alpha=1.0, steps=20)
    assert parse_method("context-steering:model=slm") == make_method(
        "context-steering", model="slm"
    )


def test_the_noise_of_a_sample_is_its_own() -> None:
    work = GenerateConfig(sampling=SamplingParams(1.0, seed=4))
    seeds = {
        work.seed("a", "1"),
        work.seed("a", "2"),
        work.seed("b", "1"),
        GenerateConfig().seed("a", "1"),
    }
    assert len(seeds) == 4 and all(0 <= seed < 2**64 for seed in seeds)
