"""Tables and comparisons, against numbers worked out by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from costeer.exceptions import InputError, ParameterError
from costeer_evals.methods.costeer import LIGHT_GAIN, PAPER_GAIN
from costeer_evals.methods.registry import make_method
from costeer_evals.metrics.likelihood import GRID
from costeer_evals.report import compare, likelihood, paper_tables, published, sweep, texts
from costeer_evals.report import table as tables
from costeer_evals.report.collect import build_sections, load_results
from costeer_evals.report.table import Column, Table
from costeer_evals.statistics import Interval
from costeer_evals.tasks.preference import PREFERENCES
from tests.support.tiny_report import (
    BOUND,
    LIGHT,
    LLM,
    PAPER,
    cells,
    file,
    header,
    only,
    overlap,
    row,
)
from tests.support.tiny_runs import scores, writings


def nll(total: int, tokens: int, hits: int = 0, ruled_out: int = 0) -> dict[str, Any]:
    """As of a policy whose partition function does not feel the temperature."""
    return {
        "tokens": tokens,
        "target": None if ruled_out else -total,
        "log_partition": [0.0] * GRID.size,
        "mean_logprob": [0.0] * GRID.size,
        "hits": hits,
        "ruled_out": ruled_out,
        "kl": 2.0,
    }


# Texts


def test_means_and_differences_of_texts(tmp_path: Path) -> None:
    base = [(0.2, 0.1, 0.3), (0.4, 0.3, 0.5), (0.6, 0.2, 0.4)]
    better = [(0.3, 0.2, 0.3), (0.5, 0.5, 0.5), (0.7, 0.5, 0.4)]  # R-L +10, +20, +30
    made = [row(LLM, f"s{i}", overlap(*v)) for i, v in enumerate(base)]
    made += [row(LIGHT, f"s{i}", overlap(*v), changed=i) for i, v in enumerate(better)]
    table = texts.table(only(file(tmp_path, *made)))
    light = cells(table, "LightCoSteer")
    assert light["R-1"] == pytest.approx(50)
    assert light["R-L"] == pytest.approx(40)
    assert light["MET"] == pytest.approx(40)
    assert light["steps changed, %"] == pytest.approx(10)  # 0 + 1 + 2 of 30
    difference = light["R-L, difference to LLM w/o [95 %]"]
    assert difference.estimate == pytest.approx(20)
    assert (difference.low, difference.high) == pytest.approx((10, 30))
    assert light["p, Holm"] == pytest.approx(2 / 8)  # +++ and --- of the 8 signs
    alone = cells(table, "LLM w/o")
    assert alone["R-L, difference to LLM w/o [95 %]"] is None and alone["p, Holm"] is None


def test_p_values_are_corrected_for_all_methods_of_the_table(tmp_path: Path) -> None:
    made = [row(LLM, f"s{i}", overlap(0, 0, 0)) for i in range(8)]
    for how in (LIGHT, PAPER, BOUND):
        made += [row(how, f"s{i}", overlap(0, 0.1, 0)) for i in range(8)]
    table = texts.table(only(file(tmp_path, *made)))
    for how in (LIGHT, PAPER, BOUND):
        assert cells(table, how.label)["p, Holm"] == pytest.approx(3 * 2 / 2**8)


def test_methods_are_compared_on_samples_that_all_have(tmp_path: Path) -> None:
    made = [row(LLM, f"s{i}", overlap(0, i / 10, 0)) for i in range(4)]
    made += [row(LIGHT, "s1", overlap(0, 0.5, 0)), row(LIGHT, "s3", overlap(0, 0.7, 0))]
    section = only(file(tmp_path, *made))
    assert list(section.samples) == ["s1", "s3"] and section.left_out == 2
    table = texts.table(section)
    assert cells(table, "LLM w/o")["R-L"] == pytest.approx(20)
    assert "2 more samples are left out" in " ".join(table.notes)


def test_near_twins_can_be_left_out(tmp_path: Path) -> None:
    made = [
        row(LLM, "s0", {**overlap(0, 0.9, 0), "nearest": 0.8}),
        row(LLM, "s1", {**overlap(0, 0.1, 0), "nearest": 0.2}),
    ]
    path = file(tmp_path, *made)
    assert list(only(path, without_twins=True).samples) == ["s1"]
    assert len(only(path).samples) == 2


def test_near_twins_that_nobody_measured(tmp_path: Path) -> None:
    path = file(tmp_path, row(LLM, "s0", overlap(0, 0.9, 0)))
    with pytest.raises(InputError, match="do not say which references"):
        only(path, without_twins=True)


def test_the_two_halves_share_no_group_and_leave_nothing_out(tmp_path: Path) -> None:
    made = [row(LLM, f"s{i}", overlap(0, 0.1, 0), group=f"{i // 2:016x}") for i in range(8)]
    path = file(tmp_path, *made)
    assert list(only(path, half="tune").samples) == ["s0", "s1", "s4", "s5"]
    assert list(only(path, half="test").samples) == ["s2", "s3", "s6", "s7"]


def test_one_preference_alone(tmp_path: Path) -> None:
    endings = ("concise", "verbose")
    made = [
        row(LLM, f"{i}-{e}", overlap(0, 0.1, 0), task="truthfulqa") for e in endings for i in "12"
    ]
    section = only(file(tmp_path, *made), preference="verbose")
    assert list(section.samples) == ["1-verbose", "2-verbose"]
    with pytest.raises(InputError, match="no samples"):
        only(file(tmp_path, *made), preference="creative")


def test_tasks_pooled(tmp_path: Path) -> None:
    made = [row(LLM, "1", overlap(0, 0.1, 0), task=task) for task in ("truthfulqa", "helpsteer")]
    section = only(file(tmp_path, *made), pooled=True)
    assert section.task == "truthfulqa, helpsteer"
    assert list(section.samples) == ["truthfulqa 1", "helpsteer 1"]


# Likelihoods


def test_likelihoods_by_hand(tmp_path: Path) -> None:
    made = []
    for i in range(4):
        made.append(row(LLM, f"s{i}", nll(30, 10, hits=4), kind="score"))
        made.append(row(BOUND, f"s{i}", nll(10, 10, hits=6), kind="score"))
        made.append(row(LIGHT, f"s{i}", nll(20 + i, 10, hits=5), kind="score"))
    table = likelihood.table(only(file(tmp_path, *made)))
    light = cells(table, "LightCoSteer")
    assert light["NLL"] == pytest.approx(86 / 40)
    assert light["accuracy, %"] == pytest.approx(50)
    assert light["KL to LLM w/"] == pytest.approx(0.2)
    # With a flat partition function the NLL is proportional to the inverse temperature: the grid's
    # least is best, and the gap is what it was.
    assert light["temperature"] == pytest.approx(1 / GRID[0])
    assert light["NLL, calibrated"] == pytest.approx(86 / 40 * GRID[0])
    assert light["gap closed [95 %]"].estimate == pytest.approx((120 - 86) / (120 - 40))
    assert light["gap closed, uncalibrated"] == pytest.approx((120 - 86) / (120 - 40))
    difference = light["difference to LLM w/o [95 %]"]
    assert difference.estimate == pytest.approx(-(120 - 86) / 40 * GRID[0])
    assert difference.low < difference.estimate < difference.high < 0
    # 16 assignments of signs, of which 2 reach it; of two methods the other is as good.
    assert light["p, Holm"] == pytest.approx(2 * 2 / 16)
    assert cells(table, LLM.label)["gap closed [95 %]"] == 0
    assert cells(table, BOUND.label)["gap closed [95 %]"] == 1


def test_what_rules_a_token_out_is_not_compared(tmp_path: Path) -> None:
    contrast = make_method("contrastive-decoding")
    made = []
    for i in range(3):
        made.append(row(LLM, f"s{i}", nll(30, 10), kind="score"))
        made.append(row(contrast, f"s{i}", nll(30, 10, ruled_out=5), kind="score"))
    table = likelihood.table(only(file(tmp_path, *made)))
    shown = cells(table, "Contrastive Decoding")
    assert math.isinf(shown["NLL"]) and shown["NLL, calibrated"] is None
    assert "50.0% of the references' tokens" in " ".join(table.notes)


def test_without_a_gap_there_is_nothing_to_close(tmp_path: Path) -> None:
    made = []
    for i in range(3):
        made.append(row(LLM, f"s{i}", nll(10, 10), kind="score"))
        made.append(row(BOUND, f"s{i}", nll(20, 10), kind="score"))
    table = likelihood.table(only(file(tmp_path, *made)))
    assert cells(table, BOUND.label)["gap closed [95 %]"] is None
    assert "no gap to close" in " ".join(table.notes)


def test_one_sample_alone_has_a_table(tmp_path: Path) -> None:
    table = likelihood.table(only(scores(tmp_path, count=1)))
    assert cells(table, "LLM w/o")["NLL"] > 0
    assert "cannot be calibrated" in " ".join(table.notes)


# Comparing


@pytest.mark.slow
def test_two_methods_compared(tmp_path: Path) -> None:
    made = [row(LLM, f"s{i}", overlap(0.1, 0.1, 0.1)) for i in range(3)]
    made += [row(LIGHT, f"s{i}", overlap(0.1, 0.1 * (i + 1), 0.1)) for i in range(3)]
    table = compare.table(only(file(tmp_path, *made)), LLM.key(), LIGHT.key())
    rouge = cells(table, "R-L")
    assert (rouge["first"], rouge["second"]) == pytest.approx((10, 20))
    assert rouge["second - first [95 %]"].estimate == pytest.approx(10)
    assert cells(table, "R-1")["second - first [95 %]"] == Interval(0, 0, 0)
    table = compare.table(only(scores(tmp_path)), LLM.key(), BOUND.key())
    assert [row[0] for row in table.rows] == ["NLL", "NLL, calibrated", "accuracy by text, %"]


# The paper's tables


def test_table_1_has_ours_above_the_papers(tmp_path: Path) -> None:
    made = [row(PAPER, "s0", overlap(0.5, 0.25, 0.3), task="longlamp-abstract")]
    for task in published.PREFERENCE_SETS:
        for i, preference in enumerate(PREFERENCES):
            made.append(row(PAPER, f"1-{preference}", {"armorm": 0.1 * i}, task=task))
    table = paper_tables.paper_table(1, build_sections(load_results([file(tmp_path, *made)])))
    ours = cells(table, "ours: CoSteer")
    assert ours["Abs R-L"] == pytest.approx(25) and ours["Rev R-L"] is None
    assert ours["uplifting"] == pytest.approx(0.3)
    assert cells(table, "paper: Qwen 7B-1.5B, CoSteer")["Abs R-L"] == 23.61
    assert len(table.rows) == 16
    five = paper_tables.paper_table(5, build_sections(load_results([file(tmp_path, *made)])))
    assert cells(five, "ours: CoSteer")["UltraChat concise"] == pytest.approx(0.2)
    assert cells(five, "paper: Llama 8B-1B, LLM w/")["HelpSteer creative"] == 0.9113


def test_tables_2_and_3(tmp_path: Path) -> None:
    made = []
    for how, seconds in ((LLM, 1.0), (LIGHT, 2.0), (PAPER, 4.0)):
        values = overlap(0.5, 0.25, 0.3)
        made.append(
            row(how, "s", values, task="longlamp-review", seconds={"decode": seconds}, steps=8)
        )
    found = build_sections(load_results([file(tmp_path, *made)]))
    table = paper_tables.paper_table(2, found)
    assert [row[0] for row in table.rows[:2]] == ["ours: LightCoSteer", "ours: CoSteer"]
    assert cells(table, "ours: CoSteer")["Rev MET"] == pytest.approx(30)
    speed = cells(paper_tables.paper_table(3, found), "CoSteer")
    assert speed["ours, tokens/s"] == pytest.approx(2)
    assert speed["ours, ratio"] == pytest.approx(0.25)
    assert speed["paper, ratio"] == pytest.approx(9.44 / 23.88)


@pytest.mark.slow
@pytest.mark.parametrize("number", paper_tables.NUMBERS)
def test_results_that_do_not_belong_into_a_table(tmp_path: Path, number: int) -> None:
    found = build_sections(load_results([scores(tmp_path)]))
    with pytest.raises(InputError, match=f"table {number}"):
        paper_tables.paper_table(number, found)


def test_every_row_that_the_paper_prints_has_all_columns() -> None:
    assert all(len(line.numbers) == len(published.COLUMNS_1) for line in published.TABLE_1)
    assert all(len(row) == len(published.COLUMNS_2) for row in published.TABLE_2.values())


def test_the_printed_averages_are_those_of_table_5() -> None:
    average: dict[tuple[str, str], Any] = {}
    for line in published.TABLE_5:
        by_set = np.array(line.numbers).reshape(4, 4)
        average[line.pair, line.setting] = by_set.mean(axis=0)
    assert all(len(line.numbers) == len(published.COLUMNS_1) for line in published.TABLE_1)
    for line in published.TABLE_1:  # its last four columns are averages of table 5
        assert np.allclose(line.numbers[-4:], average[line.pair, line.setting], atol=6e-3)


# Sweeps


def test_figure_2_is_one_number() -> None:
    points = {(p.parameter, p.value): p.gain for p in sweep.figure_2_points()}
    assert points["steps", 1] == pytest.approx(LIGHT_GAIN)
    assert points["steps", 20] == points["alpha", 2] == points["beta", 1] == PAPER_GAIN
    assert points["beta", 2] == pytest.approx(2 * PAPER_GAIN)
    assert not all(point.useful for point in sweep.figure_2_points())
    assert sweep.gains_to_run([1.783, 0.4761, 0.5], False) == [LIGHT_GAIN, 0.5, PAPER_GAIN]
    assert (
        len(sweep.gains_to_run(sweep.GAINS, True))
        == len(set(sweep.gains_to_run(sweep.GAINS, True)))
        > 20
    )


@pytest.mark.slow
def test_a_sweep_is_ordered_by_gain(tmp_path: Path) -> None:
    names = ["llm-without", "llm-with", "costeer:gain=1.5", "costeer", "costeer:gain=0.5"]
    section = only(scores(tmp_path, names=names))
    assert [g for g, _ in sweep.curve(section)] == [0.5, 1.5, PAPER_GAIN]
    table = sweep.table(section)
    assert [row[0] for row in table.rows][2:] == ["gain 0.5", "gain 1.5", f"gain {PAPER_GAIN:g}"]
    assert (
        cells(sweep.figure_2_table(section), "steps = 20")["NLL, calibrated"] == table.rows[-1][2]
    )
    assert cells(sweep.figure_2_table(section), "steps = 1")["NLL, calibrated"] is None
    texts_ = only(writings(tmp_path, names=names))
    assert sweep.headline_by_gain(texts_)[0] == "repeated-4"
    assert len(sweep.table(texts_).rows) == 5


def test_plots_are_written(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    from costeer_evals.report.plots import plot

    names = ["llm-without", "llm-with", *(f"costeer:gain={g}" for g in (0.5, 1, 2))]
    for number, section in enumerate(
        [only(scores(tmp_path, names=names)), only(writings(tmp_path))]
    ):
        plot(section, tmp_path / "new" / f"{number}.png")
        assert (tmp_path / "new" / f"{number}.png").read_bytes().startswith(b"\x89PNG")


# Files


@pytest.mark.slow
def test_files_of_several_shards_are_one(tmp_path: Path) -> None:
    parts = [scores(tmp_path, count=5, name=f"{i}.jsonl", shard=(i, 2)) for i in range(2)]
    whole = scores(tmp_path, count=5, name="whole.jsonl")
    (together,) = build_sections(load_results([*parts, whole]))
    assert len(together.samples) == 5
    assert sorted(only(whole).samples) == sorted(together.samples)


def test_files_that_cannot_be_read_as_one(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    with pytest.raises(InputError, match="holds no results"):
        load_results([empty])
    other = header()
    other["header"]["models"]["llm"]["name"] = "bigger"
    other["header"]["run"] = "q"
    path = tmp_path / "other.jsonl"
    path.write_text(json.dumps(other) + "\n" + json.dumps(row(LLM, "s", {}, run="q")) + "\n")
    with pytest.raises(InputError, match="different models"):
        load_results([path, file(tmp_path, row(LLM, "s", {}))])
    with pytest.raises(ParameterError, match="the method costeer-"):
        build_sections(load_results([path]), methods=[PAPER.key()])
    with pytest.raises(ParameterError, match="There are: cogenesis"):
        build_sections(load_results([path]), tasks=["ultrachat"])
    with pytest.raises(InputError, match="no samples"):
        build_sections(load_results([file(tmp_path, row(LLM, "a", {}), row(LIGHT, "b", {}))]))


# Grids

TABLE = Table(
    "T",
    [Column("Method"), Column("x", 1), Column("y", 2)],
    [["a", 1.25, Interval(1, 0.5, 2)], ["b", math.inf, None], ["c", -0.01, 3]],
    ["note"],
)


def test_markdown() -> None:
    assert tables.markdown([TABLE]) == (
        "**T**\n\n"
        "| Method |   x |                 y |\n"
        "| ------ | --: | ----------------: |\n"
        "| a      | 1.2 | 1.00 [0.50, 2.00] |\n"
        "| b      |   ∞ |                 – |\n"  # noqa: RUF001
        "| c      | 0.0 |                 3 |\n\n"
        "- note\n"
    )


def test_csv_and_json() -> None:
    assert tables.as_csv([TABLE]) == (
        "# T\nMethod,x,y,y low,y high\na,1.25,1,0.5,2\nb,inf,,,\nc,-0.01,3,,\n"
    )
    (made,) = json.loads(tables.as_json([TABLE]))
    assert made["rows"][0]["y"] == {"estimate": 1, "low": 0.5, "high": 2}
    assert made["rows"][1] == {"Method": "b", "x": None, "y": None}
    assert made["notes"] == ["note"]
