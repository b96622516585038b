"""ROUGE-1, ROUGE-L and METEOR, exactly as this family of papers computes them.

ROUGE: F of ``rouge_score`` without stemming; average examples by a plain mean. METEOR: NLTK's with
alpha 0.9, beta 3, gamma 0.5 over ``nltk.word_tokenize`` of both sides, sentence splitting included
(without it the same texts score more than a point lower).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from costeer.exceptions import MissingDependencyError

EXTRA = 'Install it: pip install "costeer[evals]".'


@dataclass(frozen=True, slots=True)
class Overlap:
    """Fractions from 0 to 1; tables show them times 100."""

    rouge_1: float
    rouge_l: float
    meteor: float


def overlap(prediction: str, reference: str) -> Overlap:
    """Compute all three for one pair of texts."""
    scores = _scorer().score(reference, prediction)
    return Overlap(
        rouge_1=float(scores["rouge1"].fmeasure),
        rouge_l=float(scores["rougeL"].fmeasure),
        meteor=meteor(prediction, reference),
    )


def rouge_1(prediction: str, reference: str) -> float:
    """F over single words, 0 to 1."""
    return float(_scorer().score(reference, prediction)["rouge1"].fmeasure)


def rouge_2(prediction: str, reference: str) -> float:
    """F over pairs of words, 0 to 1."""
    return float(_scorer().score(reference, prediction)["rouge2"].fmeasure)


def rouge_l(prediction: str, reference: str) -> float:
    """F over the longest common subsequence of the whole texts, 0 to 1."""
    return float(_scorer().score(reference, prediction)["rougeL"].fmeasure)


def meteor(prediction: str, reference: str) -> float:
    """METEOR, 0 to 1.

    Raises:
        MissingDependencyError: NLTK or its data are not installed.
    """
    try:
        from nltk import word_tokenize
        from nltk.translate.meteor_score import single_meteor_score
    except ImportError:
        raise MissingDependencyError("METEOR needs the package nltk.", EXTRA) from None
    try:
        score = single_meteor_score(
            word_tokenize(reference), word_tokenize(prediction), alpha=0.9, beta=3.0, gamma=0.5
        )
    except LookupError:
        raise MissingDependencyError(
            "METEOR needs NLTK's data: WordNet and the Punkt tables.",
            "Fetch them once: python -m nltk.downloader wordnet punkt_tab; "
            "or name their folder in the environment variable NLTK_DATA.",
        ) from None
    return float(score)


@cache
def _scorer() -> Any:
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError:
        raise MissingDependencyError("ROUGE needs the package rouge-score.", EXTRA) from None
    return RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=False)
