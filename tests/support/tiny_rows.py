"""Rows in the official formats of the benchmarks, and ways to use them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from costeer_evals.tasks.base import LoadOptions

ALL = LoadOptions()
SECRET = "zebra-quartz-71"

COGENESIS = {
    "tid": "3_7_4",
    "conversations": [
        {"from": "user", "value": "Write a toast."},
        {"from": "assistant", "value": "To Biscuit!"},
    ],
    "profile": [
        {"title": "A card", "text": "Dear all,\n\nthank you.", "id": "0"},
        {"title": "A note", "text": "Gone sailing.", "id": "1"},
    ],
    "additional_profile": f"Age: 61\nName: Maren {SECRET}",
    "additional_tasks": [],
}
COGENESIS_PROMPT = (
    "You are now a helpful personal AI assistant. You should emulate the author's style and tone "
    "based on provided history content. Your responses should be detailed and informative, using "
    "the personal information reasonably in the user's profile. Aim for insightful and "
    "high-quality solutions that make users satisfied.\n\n"
    f"## User Profile\nAge: 61\nName: Maren {SECRET}\n\n"
    "## User Writing History\nTask: A card\nContent: Dear all,\n\nthank you.\n\n"
    "Task: A note\nContent: Gone sailing.\n\n"
    "## Task\nWrite a toast.\n"
)
ABSTRACT_PROMPT = (
    "You are now a helpful personal AI assistant.\n\n## History Paper Abstracts\n"
    "Title: Old\nContent: We did it.\n\nAnd more.\n\nTitle: Older\nContent: We tried.\n\n"
    "## Task\nCompose an abstract for the title 'New' that matches the author's style.\n"
)


def write(path: Path, rows: Any) -> Path:
    """Write a .json or .jsonl file, its folders too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".json":
        path.write_text(json.dumps(rows))
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


class Backwards:
    """A ranker that prefers the last record."""

    name = "backwards"

    def rank(self, query: str, records: Sequence[str]) -> list[int]:
        return list(range(len(records)))[::-1]
