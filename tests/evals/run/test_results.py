"""The file that a run appends to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from costeer.exceptions import InputError
from costeer_evals.run import results
from tests.support.tiny_runs import rows, scores

HEADER = {"run": "r", "models": {"llm": {"name": "a", "sha256": "1"}}}


def row(sample: Any = "1", **more: Any) -> Any:
    return {
        "run": "r",
        "kind": "score",
        "task": "t",
        "sample": sample,
        "texts": "x",
        "method": "m",
        "settings": {"kl": True},
        **more,
    }


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "out.jsonl"
    with results.open_results(path) as file:
        file.write_header(HEADER)
        file.write_header(HEADER)
        file.append([row("1"), row("2", scores={"nll": 1.5})])
        file.append([row("2", scores={"nll": 9.0})])  # there already
    contents = results.read(path)
    assert list(contents.headers) == ["r"]
    assert [found["sample"] for found in contents.rows.values()] == ["1", "2"]
    assert contents.rows[results.key_of(row("2"))]["scores"] == {"nll": 1.5}
    assert contents.length == path.stat().st_size
    assert len(path.read_text().splitlines()) == 3


def test_ratings_stand_beside_rows(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    rating = {**row("1"), "answer": "a", "rater": {"name": "m"}, "scores": {"overall": 7}}
    with results.open_results(path) as file:
        file.write_header(HEADER)
        file.append([row("1")])
        file.append_rating(rating)
    contents = results.read(path)
    assert contents.ratings == [rating] and len(contents.rows) == 1
    with path.open("a") as end:
        end.write('{"rating": {"scores": {}}}\n{"rating": 1}\n')
    with pytest.raises(InputError, match="line 4"):
        results.read(path)


@pytest.mark.parametrize(("before", "after"), [("a\nb\nc", "a\nb\n"), ("a\n", "a\n"), ("a", "")])
def test_a_rest_is_cut_off(tmp_path: Path, before: Any, after: Any) -> None:
    path = tmp_path / "texts.jsonl"
    results.truncate_partial_line(path)
    assert not path.exists()
    path.write_text(before)
    results.truncate_partial_line(path)
    assert path.read_text() == after


@pytest.mark.slow
@pytest.mark.parametrize("rest", [b'{"run": "r", "ki', b"\0\0\0", b"\0\0\n", b"[1]\n"])
def test_a_line_cut_short_is_passed_over_and_cut_off(tmp_path: Path, rest: Any) -> None:
    path = scores(tmp_path)
    whole, expected = path.read_bytes(), rows(path)
    path.write_bytes(whole + rest)
    assert len(results.read(path).rows) == len(expected)
    with results.open_results(path):
        assert path.read_bytes() == whole


def test_a_damaged_line_in_the_middle_is_an_error_that_quotes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text('a secret\n{"header": {"run": "r", "models": {}}}\n')
    with pytest.raises(InputError, match="line 1") as caught:
        results.read(path)
    assert "secret" not in str(caught.value)


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with (
        results.open_results(path),
        pytest.raises(InputError, match="Another process is writing"),
        results.open_results(path),
    ):
        pass
    with results.open_results(path):
        pass


def test_paths_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        results.read(tmp_path / "no.jsonl")
    with pytest.raises(InputError, match="cannot be written"), results.open_results(tmp_path):
        pass


def test_models_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with results.open_results(path) as file:
        file.write_header(HEADER)
        more = {"run": "s", "models": {**HEADER["models"], "tuned": {"name": "b", "sha256": "2"}}}
        file.write_header(more)
        with pytest.raises(InputError, match="other models"):
            file.write_header({"run": "t", "models": {"llm": {"name": "a", "sha256": "3"}}})
