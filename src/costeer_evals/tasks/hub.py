"""Rows from a data set on the Hugging Face hub, through its own library."""

from __future__ import annotations

from collections.abc import Iterator

from costeer.exceptions import FetchError, MissingDependencyError
from costeer_evals.tasks.rows import EXTRA, DataRow


def read(repository: str, config: str, split: str, limit: int | None) -> Iterator[DataRow]:
    """Yield the first rows of one split.

    Raises:
        FetchError: the hub cannot be reached, or has no such data set.
    """
    try:
        import datasets
        import httpx2
    except ImportError:
        raise MissingDependencyError(
            "Loading from the hub needs the package datasets.", EXTRA
        ) from None
    try:
        table = datasets.load_dataset(repository, config, split=split)
    except (OSError, ValueError, httpx2.HTTPError, datasets.exceptions.DatasetsError) as error:
        raise FetchError(
            f"{repository} ({config}, {split}) could not be fetched from the hub: "
            f"{type(error).__name__}.",
            "Check the connection, or give the path of files that you already have.",
        ) from error
    size = len(table) if limit is None else min(limit, len(table))
    for index in range(size):
        yield DataRow(f"{repository} ({config}, {split})", index + 1, table[index])
