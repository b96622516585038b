"""True of every source file: short functions, no long files, no import cycles, no name twice."""

from __future__ import annotations

import ast
import statistics
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).parents[1] / "src"
FILES = sorted(SOURCE.rglob("*.py"))


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def module(path: Any) -> Any:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Any, modules: Any) -> Iterator[Any]:
    """The modules of this project that a file imports at its top, typing-only ones included."""
    for node in top_level(parse(path).body):
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                full = f"{node.module}.{name.name}"
                yield full if full in modules else node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def top_level(body: Any) -> Iterator[Any]:
    for node in body:
        yield node
        if isinstance(node, ast.If):  # TYPE_CHECKING
            yield from top_level([*node.body, *node.orelse])


def functions() -> Iterator[Any]:
    for path in FILES:
        for node in ast.walk(parse(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield node


@pytest.mark.slow
def test_no_imports_go_in_circles() -> None:
    modules = {module(path): path for path in FILES}
    graph = {
        name: {found for found in imports(path, modules) if found in modules and found != name}
        for name, path in modules.items()
        if path.name != "__init__.py"
    }
    while leaves := [name for name, needs in graph.items() if not needs & graph.keys()]:
        for name in leaves:
            del graph[name]
    assert graph == {}


@pytest.mark.slow
def test_a_class_name_is_used_once() -> None:
    names = Counter(
        node.name
        for path in FILES
        for node in ast.walk(parse(path))
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_no_file_is_longer_than_300_lines() -> None:
    long = {str(p): n for p in FILES if (n := len(p.read_text("utf-8").splitlines())) > 300}
    assert long == {}


@pytest.mark.slow
def test_functions_are_short() -> None:
    lengths = [(node.end_lineno or 0) - node.lineno + 1 for node in functions()]
    assert statistics.median(lengths) <= 8
