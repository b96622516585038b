"""Ratings in tables, against numbers worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from costeer.exceptions import InputError
from costeer_evals.report import compare, paper_tables, texts
from costeer_evals.report.collect import build_sections, load_results
from costeer_evals.run.results import REQUIRED
from tests.support.tiny_report import LIGHT, LLM, PAPER, cells, file, only, overlap, row

JUDGE = {"kind": "judge", "name": "m", "prompts": "p"}


def rating(how: Any, sample: Any, values: Any, rater: Any = JUDGE, **more: Any) -> Any:
    made = row(how, sample, {})
    identity = {name: made[name] for name in REQUIRED}
    return {"rating": {**identity, "answer": "a", "rater": rater, "scores": values, **more}}


def test_ratings_are_means_over_samples_that_every_rated_method_has(tmp_path: Path) -> None:
    made = [row(how, f"s{i}", overlap(0, 0.1, 0)) for how in (LLM, LIGHT, PAPER) for i in range(4)]
    made += [rating(LLM, f"s{i}", {"overall": 2 + i}) for i in range(4)]
    made += [rating(LIGHT, f"s{i}", {"overall": 9 if i == 3 else None}) for i in range(4)]
    made += [rating(LIGHT, f"s{i}", {"overall": 5}) for i in (1, 2)]  # of a later run
    section = only(file(tmp_path, *made))
    table = texts.table(section)
    assert cells(table, "LLM w/o")["judge, overall"] == pytest.approx(4)  # of 3, 4, 5
    assert cells(table, "LightCoSteer")["judge, overall"] == pytest.approx(19 / 3)
    assert cells(table, "CoSteer")["judge, overall"] is None
    assert cells(table, "CoSteer")["R-L"] == pytest.approx(10)  # of all four
    assert table.notes == [
        "judge, overall: on the 3 of 4 samples for which every rated method has a rating; "
        "1 ratings are missing.",
        "judge, overall: not rated at all are CoSteer.",
    ]
    assert "judge, personal" not in cells(table, "LLM w/o")
    compared = compare.table(section, LLM.key(), LIGHT.key())
    judged = cells(compared, "judge, overall")
    assert (judged["first"], judged["second"]) == pytest.approx((4, 19 / 3))
    assert judged["second - first [95 %]"].estimate == pytest.approx((2 + 1 + 4) / 3)
    assert compared.notes[1:] == table.notes
    compared = compare.table(section, LLM.key(), PAPER.key())
    assert "judge, overall" not in [line[0] for line in compared.rows]


def test_no_sample_that_all_have_is_no_column_but_a_note(tmp_path: Path) -> None:
    made = [row(how, sample, {}) for how in (LLM, LIGHT) for sample in "ab"]
    made += [rating(LLM, "a", {"personal": 7}), rating(LIGHT, "b", {"personal": 8})]
    table = texts.table(only(file(tmp_path, *made)))
    assert "judge, personal" not in cells(table, "LLM w/o")
    assert "judge, personal: on the 0 of 2 samples" in table.notes[0]


def test_the_papers_tables_say_what_is_not_rated(tmp_path: Path) -> None:
    made = [row(how, f"s{i}", {}) for how in (LLM, PAPER) for i in range(2)]
    made += [rating(LLM, "s0", {"overall": 8, "personal": 7}), rating(LLM, "s1", {"overall": 2})]
    made += [rating(PAPER, "s0", {"overall": 6, "personal": 5})]
    table = paper_tables.paper_table(1, build_sections(load_results([file(tmp_path, *made)])))
    assert cells(table, "ours: LLM w/o")["CoGenesis Ovl"] == 8
    assert cells(table, "ours: CoSteer")["CoGenesis Per"] == 5
    assert "Ours, cogenesis, judge, overall: on the 1 of 2 samples" in "\n".join(table.notes)


def test_ratings_of_other_texts_are_passed_over(tmp_path: Path) -> None:
    results = file(tmp_path, row(LLM, "s", overlap(0, 0, 0), answer="a"))
    others = [
        rating(LLM, "s", {"overall": 1}, run="q"),
        rating(LLM, "s", {"overall": 1}, texts="y"),
        rating(LLM, "s", {"overall": 1}, answer="b"),
        rating(LLM, "elsewhere", {"overall": 1}, {"kind": "judge", "name": "other"}),
        rating(LIGHT, "s", {"overall": 1}),
        rating(LLM, "s", {"personal": 9}),
    ]
    path = tmp_path / "ratings.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in others))
    (section,) = build_sections(load_results([path, results]))
    shown = cells(texts.table(section), "LLM w/o")
    assert shown["judge, personal"] == 9 and "judge, overall" not in shown


def test_ratings_of_two_raters_are_not_mixed(tmp_path: Path) -> None:
    made = [row(LLM, sample, {}) for sample in "ab"]
    other = {**JUDGE, "prompts": "q"}
    failed = rating(LLM, "a", {"overall": None}, other)
    load_results([file(tmp_path, *made, rating(LLM, "a", {"overall": 1}), failed)])
    second = rating(LLM, "b", {"overall": 1}, other)
    with pytest.raises(InputError, match=r"by two raters: m \(prompts p\) and m \(prompts q\)"):
        load_results([file(tmp_path, *made, rating(LLM, "a", {"overall": 1}), second)])
    with pytest.raises(InputError, match="only ratings"):
        load_results([file(tmp_path, second)])
