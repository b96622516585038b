"""The tree in ARCHITECTURE.md is the tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def drawn() -> Iterator[Any]:
    """Paths of the tree, with the folders that they stand in."""
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8").split("## The house\n\n```\n")[1]
    folders = []
    for line in text.split("```")[0].splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        for name in re.findall(r"\S+", re.split(r"\s{3,}", line.strip())[0]):
            yield "".join(folders[:depth]) + name
            if name.endswith("/"):
                folders = [*folders[:depth], name]


def test_everything_drawn_is_there() -> None:
    assert [path for path in drawn() if not (ROOT / path).exists()] == []


def test_every_file_of_the_product_is_drawn() -> None:
    source = ROOT / "src" / "costeer"
    rooms = [path for path in source.rglob("*.py") if path.name != "__init__.py"]
    assert {str(path.relative_to(ROOT).as_posix()) for path in rooms} <= set(drawn())


def test_what_the_table_of_changes_names_is_there() -> None:
    table = (ROOT / "ARCHITECTURE.md").read_text("utf-8").split("## Where do I change")[1]
    paths = re.findall(r"`(costeer[^`]*)`", table.split("## Glossary")[0])
    assert len(paths) >= 24
    assert [path for path in paths if not (ROOT / "src" / path).exists()] == []
