"""Respect, faults and right options in rows and tables, against numbers worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from costeer_evals.metrics.adherence import adherence, asides, refusal
from costeer_evals.report import compare, sweep, texts
from costeer_evals.report.collect import build_sections, load_results
from costeer_evals.run.experiment import GenerateConfig
from costeer_evals.run.job import run_job
from tests.support.tiny_report import BOUND, LIGHT, LLM, cells, file, only, row
from tests.support.tiny_runs import choices, cogenesis, everyday, job, people, rows


def kept(respected: bool, **more: Any) -> dict[str, Any]:
    counts = {"respected": respected, "mentions": True, "violates": not respected}
    return counts | {"artefact": False, "refusal": False, "repeated_4": 0.0, "length": 9} | more


def made(tmp_path: Path) -> Path:
    """Eight samples in two kinds: the LLM respects 1, the steered one 7, the bound all."""
    found = []
    for i in range(8):
        told = {"topic": "food" if i < 4 else "faith", "half": "tune" if i % 2 else "test"}
        for how, respected in ((LLM, i == 0), (LIGHT, i != 7), (BOUND, True)):
            changed = 3 if how is LIGHT else None
            scores = kept(respected, refusal=how is LLM)
            found.append(row(how, f"s{i}", scores, task="everyday", changed=changed, **told))
    return file(tmp_path, *found)


def test_a_table_shows_respect_and_faults(tmp_path: Path) -> None:
    table = texts.table(only(made(tmp_path)))
    light, alone = cells(table, "LightCoSteer"), cells(table, "LLM w/o")
    share = light["respected, %"]
    found = (share.estimate, share.low, share.high)
    assert found == pytest.approx((87.5, 52.911, 97.758), abs=1e-2)  # Wilson's, 7 of 8
    assert light["mentions, %"] == 100 and light["violates, %"] == 12.5
    assert light["artefacts, %"] == 0 and alone["refusals, %"] == 100
    assert light["repeated-4"] == 0 and light["words"] == 9
    assert light["steps changed, %"] == pytest.approx(30)
    difference = light["respected, %, difference to LLM w/o [95 %]"]
    assert difference.estimate == pytest.approx(75)
    # McNemar: the pairs that differ, 6 and 7, do so in one direction. Two tests: Holm.
    assert light["p, Holm"] == pytest.approx(2 / 2**6)
    bound = [line for line in table.rows if line[0].startswith("LLM w/ ")]
    assert bound[0][-1] == pytest.approx(2 * 2 / 2**7)


def test_a_table_by_kind(tmp_path: Path) -> None:
    table = texts.by_topic(only(made(tmp_path)))
    assert [list(line) for line in table.rows] == [
        ["food", 4, 25.0, 100.0, 100.0],
        ["faith", 4, 0.0, 75.0, 100.0],
    ]
    nothing = row(LLM, "s", kept(True))
    assert texts.by_topic(only(file(tmp_path, nothing, name="no.jsonl"))) is None


def test_the_halves_are_those_that_the_benchmark_names(tmp_path: Path) -> None:
    for half, expected in (("tune", [1, 3, 5, 7]), ("test", [0, 2, 4, 6])):
        section = only(made(tmp_path), half=half)
        assert list(section.samples) == [f"s{i}" for i in expected]


def test_two_methods_are_compared_by_respect(tmp_path: Path) -> None:
    table = compare.table(only(made(tmp_path)), LIGHT.key(), BOUND.key())
    found = {line[0]: line for line in table.rows}["respected, %"]
    assert found[1:3] == pytest.approx([87.5, 100]) and found[3].estimate == pytest.approx(12.5)


def test_asides_are_a_mean_with_its_interval_where_rows_have_them(tmp_path: Path) -> None:
    counts = {LLM: [0, 0, 0, 0], LIGHT: [0, 2, 4, 0], BOUND: [1, 1, 1, 1]}
    found = [
        row(how, f"s{i}", kept(True, asides=count), task="people")
        for how, values in counts.items()
        for i, count in enumerate(values)
    ]
    section = only(file(tmp_path, *found))
    table = texts.table(section)
    light, bound = (cells(table, label)["asides"] for label in ("LightCoSteer", BOUND.label))
    assert light.estimate == 1.5 and 0 <= light.low < 1.5 < light.high <= 4
    assert (bound.low, bound.estimate, bound.high) == (1, 1, 1)
    line = {line[0]: line for line in compare.table(section, LLM.key(), LIGHT.key()).rows}["asides"]
    assert line[1:3] == [0, 1.5] and line[3].estimate == 1.5
    others = texts.table(only(made(tmp_path)))
    assert "asides" not in [column.name for column in others.columns]


@pytest.mark.slow
def test_rows_of_texts_count_the_asides_of_their_samples(tmp_path: Path) -> None:
    out, source = tmp_path / "out.jsonl", people(tmp_path / "p.jsonl", 2)
    names = ("llm-without", "llm-with", "costeer:gain=0.5")
    run_job(job(out, "people", source, GenerateConfig(12), names=names, keep_texts=True))
    written = [json.loads(line) for line in (tmp_path / "out.texts.jsonl").read_text().splitlines()]
    said = {(line["sample"], line["method"]): line["text"] for line in written}
    assert len(said) == 6
    for (_, _, sample, method), found in rows(out).items():
        expected = asides(said[sample, method], ["Maren", "[a-z]", "$"])
        assert found["scores"]["asides"] == expected >= 1


@pytest.mark.slow
def test_rows_of_everyday_texts_count_what_the_texts_say(tmp_path: Path) -> None:
    out, source = tmp_path / "out.jsonl", everyday(tmp_path / "e.jsonl", 3)
    names = ("llm-without", "llm-with", "costeer:gain=0.5")
    options = {"work": GenerateConfig(12), "names": names, "keep_texts": True}
    assert run_job(job(out, "everyday", source, **options)).written == 9
    assert run_job(job(out, "everyday", source, **options)).written == 0
    written = [json.loads(line) for line in (tmp_path / "out.texts.jsonl").read_text().splitlines()]
    said = {(line["sample"], line["method"]): line["text"] for line in written}
    for (_, _, sample, method), found in rows(out).items():
        text, scores = said[sample, method], found["scores"]
        expected = adherence(text, "[a-z]", r"\d")
        assert scores["respected"] is expected.respected
        assert (scores["mentions"], scores["violates"]) == (expected.mentions, expected.violates)
        assert scores["refusal"] is refusal(text) and scores["artefact"] is False
        assert found["topic"] == "names" and "asides" not in scores
    section = only(out)
    assert len(texts.table(section).rows) == len(texts.by_topic(section).columns) - 2 == 3
    for private in ("Maren", "Who am I", *said.values()):
        assert private not in out.read_text()


@pytest.mark.slow
def test_options_have_a_table_of_their_own(tmp_path: Path) -> None:
    out, names = tmp_path / "out.jsonl", ("llm-without", "llm-with", "costeer:gain=0.5")
    run_job(job(out, "prefeval", choices(tmp_path / "p.jsonl", 4), names=names))
    section = only(out)
    assert not section.likelihoods and "choice of an option" in section.title
    table = texts.table(section)
    for column in section.columns:
        line = cells(table, column.label)
        margins = [r["scores"]["margin"] for r in column.rows]
        right = [r["scores"]["correct"] for r in column.rows]
        assert line["margin, nats a token"].estimate == pytest.approx(sum(margins) / 4)
        assert line["right option, %"].estimate == pytest.approx(100 * sum(right) / 4)
    assert texts.by_topic(section).rows[0][:2] == ["drinks", 4]
    table = compare.table(section, section.columns[0].key, section.columns[1].key)
    assert [line[0] for line in table.rows] == ["margin, nats a token", "right option, %"]
    assert sweep.headline_by_gain(section)[0] == "margin, nats a token"


def test_a_method_that_rules_tokens_out_has_no_margin_and_leaves_the_others_theirs(
    tmp_path: Path,
) -> None:
    out, names = tmp_path / "out.jsonl", ("llm-without", "contrastive-decoding", "llm-with")
    run_job(job(out, "prefeval", choices(tmp_path / "p.jsonl", 2), names=names))
    table = texts.table(only(out))
    ruling, others = cells(table, "Contrastive Decoding"), cells(table, "LLM w/o")
    assert ruling["margin, nats a token"] is None and ruling["p, Holm"] is None
    assert others["margin, nats a token"] is not None and ruling["right option, %"] is not None


def test_references_and_options_are_never_in_one_table(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    run_job(job(out, "prefeval", choices(tmp_path / "p.jsonl", 2), names=("llm-without",)))
    run_job(job(out, "cogenesis", cogenesis(tmp_path / "c.json", 2), names=("llm-without",)))
    found = build_sections(load_results([out]), pooled=True)
    assert [section.likelihoods for section in found] == [False, True]
