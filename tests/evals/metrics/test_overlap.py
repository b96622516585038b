"""ROUGE and METEOR as published; NLTK in processes of its own, because it keeps what it loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from costeer_evals.metrics.overlap import rouge_1, rouge_2, rouge_l
from tests.support import tiny_nltk

pytest.importorskip("rouge_score", reason="rouge-score is not installed")
pytest.importorskip("nltk", reason="nltk is not installed")

PREDICTION = "the cat sat on the mat"
REFERENCE = "a cat sat by the mat"


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (rouge_1, 4 / 6),  # cat sat the mat
        (rouge_2, 2 / 5),  # cat-sat, the-mat
        (rouge_l, 4 / 6),
    ],
)
def test_rouge_counts_words(metric: Callable[..., Any], expected: float) -> None:
    assert metric(PREDICTION, REFERENCE) == pytest.approx(expected)
    assert metric(PREDICTION, PREDICTION) == 1
    assert metric("", REFERENCE) == 0


def test_rouge_is_an_f_score_and_order_of_arguments_does_not_matter() -> None:
    assert rouge_1("cat", "the cat sat") == pytest.approx(2 * (1 * 1 / 3) / (1 + 1 / 3))
    assert rouge_1("the cat sat", "cat") == rouge_1("cat", "the cat sat")


def test_rouge_does_not_stem_and_ignores_case() -> None:
    assert rouge_1("cats", "cat") == 0
    assert rouge_1("Cat", "cat") == 1


SCRIPT = """
import json, sys
import nltk.data
nltk.data.path[:] = [sys.argv[1]]
from costeer_evals.metrics.overlap import meteor
from costeer.exceptions import CoSteerError
for prediction, reference in json.load(sys.stdin):
    try:
        print(json.dumps(meteor(prediction, reference)))
    except CoSteerError as error:
        print(json.dumps(str(error)))
"""


def meteors(folder: Path, pairs: list[tuple[Any, ...]]) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder)],
        input=json.dumps(pairs),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_meteor(tmp_path: Path) -> None:
    pairs = [
        (
            "It is a guide to action which ensures that the military always obeys the commands "
            "of the party",
            "It is a guide to action that ensures that the military will forever heed Party "
            "commands",
        ),
        ("this is a cat", "non matching hypothesis"),
        ("my car", "my auto"),
        ("Dr. Who left. He ran.", "Dr. Who left. He ran."),
        ("", "a cat"),
    ]
    known, nothing, synonyms, same, empty = meteors(tiny_nltk.write(tmp_path), pairs)
    assert known == pytest.approx(0.6944, abs=5e-5)  # the example of NLTK's documentation
    assert nothing == empty == 0
    assert synonyms == pytest.approx(1 - 0.5 * (1 / 2) ** 3)  # one chunk of two matches
    assert same == pytest.approx(1 - 0.5 * (1 / 7) ** 3)  # Dr. | Who | left | . | He | ran | .


@pytest.mark.slow
def test_meteor_says_how_to_get_its_data(tmp_path: Path) -> None:
    (message,) = meteors(tmp_path, [("a", "b")])
    assert "python -m nltk.downloader wordnet punkt_tab" in message
    assert "NLTK_DATA" in message and "\n" not in message
