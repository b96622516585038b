"""Which of a user's records matter for a query: a ranking, best first.

BM25 (Robertson and Zaragoza 2009) by bm25s, in Lucene's form with English stop words, over words of
two letters or more. The paper uses a cross-encoder (BAAI/bge-reranker-v2-m3) instead. Knows nothing
of tasks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from costeer.exceptions import MissingDependencyError


def rank_records(query: str, records: Sequence[str]) -> list[int]:
    """The indices of all records, best first; ties keep their order.

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
    order: list[int] = np.argsort(-index.get_scores(query_words), kind="stable").tolist()
    return order
