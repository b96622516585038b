"""Which of a user's records matter for a query: a ranking, best first.

``Bm25`` (Robertson and Zaragoza 2009, by bm25s) is the default; ``CrossEncoder`` is what the paper
uses, BAAI/bge-reranker-v2-m3 by its raw logits. Both run on the device, because they read private
text. Knows nothing of tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from costeer.exceptions import MissingDependencyError, ModelFileError

RERANKER = "BAAI/bge-reranker-v2-m3"
MAX_TOKENS = 512
"""The length of query and record together, as on the reranker's card; the rest is truncated."""


class Ranker(Protocol):
    """Ranks records by a query."""

    @property
    def name(self) -> str:
        """The name in tables and hashes."""
        ...

    def rank(self, query: str, records: Sequence[str]) -> list[int]:
        """The indices of all records, best first; ties keep their order."""
        ...


class Bm25:
    """Lucene's BM25 with English stop words, over words of two letters or more."""

    name = "bm25"

    def rank(self, query: str, records: Sequence[str]) -> list[int]:
        """Rank by BM25; see ``Ranker.rank``.

        Raises:
            MissingDependencyError: bm25s is not installed.
        """
        try:
            import bm25s
        except ImportError:
            raise MissingDependencyError(
                "Ranking records needs the package bm25s.",
                'Install it: pip install "costeer[evals]".',
            ) from None
        texts = [query, *records]
        query_words, *words = bm25s.tokenize(texts, return_ids=False, show_progress=False)
        if not query_words or not any(words):
            return list(range(len(records)))
        index = bm25s.BM25(method="lucene")
        index.index(words, show_progress=False)
        return best_first(index.get_scores(query_words))


class CrossEncoder:
    """A reranker that reads query and record together.

    Args:
        model: has one logit per pair; ``load`` takes a folder or a name on the hub instead.
        tokenizer: the model's.
        name: the name in tables and hashes.
        batch_size: pairs evaluated at once.
    """

    def __init__(self, model: Any, tokenizer: Any, name: str, batch_size: int = 8) -> None:
        self.name = name
        self._model, self._tokenizer, self._batch_size = model, tokenizer, batch_size

    @classmethod
    def load(cls, source: str = RERANKER, device: str = "cpu", batch_size: int = 8) -> CrossEncoder:
        """Load a reranker by transformers, in float32.

        Args:
            source: a folder or a name on the hub.
            device: the PyTorch device, e.g. "cuda".
            batch_size: pairs evaluated at once.

        Raises:
            MissingDependencyError: PyTorch or transformers is not installed.
            ModelFileError: the model is missing or of another kind.
        """
        try:
            from transformers import AutoModelForSequenceClassification, AutoTokenizer
        except ImportError:
            raise MissingDependencyError(
                "The reranker needs PyTorch and transformers.",
                'Install them: pip install "costeer[torch]".',
            ) from None
        try:
            tokenizer = AutoTokenizer.from_pretrained(source)
            model = AutoModelForSequenceClassification.from_pretrained(source)
        except (OSError, ValueError) as error:
            raise ModelFileError(
                f"The reranker {source} cannot be loaded: {type(error).__name__}.",
                "Give the folder of a sequence classification model.",
            ) from error
        return cls(model.float().to(device).eval(), tokenizer, source, batch_size)

    def scores(self, query: str, records: Sequence[str]) -> list[float]:
        """One raw logit per record; larger is better."""
        import torch

        logits: list[float] = []
        with torch.inference_mode():
            for start in range(0, len(records), self._batch_size):
                batch = list(records[start : start + self._batch_size])
                pairs = self._tokenizer(
                    [query] * len(batch),
                    batch,
                    padding=True,
                    truncation=True,
                    max_length=MAX_TOKENS,
                    return_tensors="pt",
                ).to(self._model.device)
                logits += self._model(**pairs).logits.view(-1).float().tolist()
        return logits

    def rank(self, query: str, records: Sequence[str]) -> list[int]:
        """Rank by logit; see ``Ranker.rank``."""
        return best_first(self.scores(query, records))


def best_first(scores: Any) -> list[int]:
    """The indices of (n,) scores from the largest down; ties keep their order."""
    order: list[int] = np.argsort(-np.asarray(scores, np.float64), kind="stable").tolist()
    return order
