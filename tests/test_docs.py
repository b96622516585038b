"""What the pages tell people to type exists: commands, options, targets, variables, files, code."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from costeer.cli.main import cli
from costeer.models.fake import FakeModel
from costeer.settings import Settings
from tests.support.serving import running

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "results" / "README.md",
]
SCRIPTS = sorted((ROOT / "runs").glob("*.sh"))

OTHERS = {
    "--max-logprobs": "vLLM",
    "--generation-config": "vLLM",
    "--served-model-name": "vLLM",
    "--dtype": "vLLM",
    "--logprobs-mode": "vLLM",
    "--max-model-len": "vLLM",
    "--max-num-batched-tokens": "vLLM",
    "--alias": "llama-server",
    "--cache-ram": "llama-server",
    "--context-shift": "llama-server",
    "--hypothesis-profile": "pytest",
}
"""Options of other programs that the pages mention."""

CLIENTS = {"openai", "langchain_openai"}
"""Other people's packages that the pages import."""

NOT_SETTINGS = {
    "COSTEER_HOME": "where models are kept",
    "COSTEER_DEBUG": "tracebacks",
    "COSTEER_PRIVATE": "the list of guarded values, and what is spent",
    "COSTEER_PROFILES": "where profiles are kept",
    "COSTEER_PASSPHRASE_FILE": "a file with the passphrase of a profile",
    "COSTEER_JUDGE_KEY": "the key of a judge on the network",
    "COSTEER_EVAL_DATA": "the official files of the benchmarks, for tests",
}


def read(path: Any) -> Any:
    return path.read_text("utf-8")


def name(path: Any) -> Any:
    return str(path.relative_to(ROOT))


def blocks(text: Any, language: Any = None) -> Any:
    """The fenced blocks of a page; those of one language, if it is given."""
    found = re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [block for kind, block in found if language in (None, kind)]


def inline(text: Any) -> Any:
    """What stands between backticks within the prose."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose)]


def lines(text: Any) -> Any:
    """Lines of a shell script, with continued ones joined."""
    return re.sub(r"\\\n\s*", " ", text).splitlines()


def command_lines(path: Any) -> Iterator[Any]:
    """Every `costeer ...` of a page or a script, as its words."""
    text = read(path)
    if path.suffix == ".sh":
        found = [line.replace('"$costeer"', "costeer").strip() for line in lines(text)]
    else:
        found = [line for block in blocks(text) for line in lines(block)] + inline(text)
    for line in found:
        if line.startswith("costeer ") and not re.match(r"costeer(\.|:| +\()", line):
            yield re.split(r"\s[|>&;]|\s#", line)[0]


@cache
def lookup(group: Any, word: Any) -> Any:
    return group.get_command(click.Context(group), word)


def resolve(words: Any) -> Any:
    """The command that these words begin with, and the rest."""
    command = cli
    if len(words[0].split()) > 1:  # costeer "a question"
        return lookup(cli, "generate"), words
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = lookup(command, words[0])
        assert found is not None, f"there is no command {words[0]!r}"
        command, words = found, words[1:]
    return command, words


def options(command: Any) -> Any:
    names = {option for parameter in command.params for option in parameter.opts}
    more = {o for parameter in command.params for o in getattr(parameter, "secondary_opts", ())}
    return names | more | {"--help", "-h", "--version"}


def all_options(command: Any = cli) -> Any:
    found = options(command)
    if isinstance(command, click.Group):
        for word in command.list_commands(click.Context(command)):
            found |= all_options(lookup(command, word))
    return found


def bench_options() -> Any:
    text = "".join(read(path) for path in (ROOT / "bench").glob("*.py"))
    return set(re.findall(r'add_argument\(\s*"(--[\w-]+)"', text))


def needs_evals(path: Any) -> None:
    if "eval" not in cli.list_commands(click.Context(cli)) and "costeer eval" in read(path).replace(
        '"$costeer"', "costeer"
    ):
        pytest.skip("the packages of the experiments are not installed")


@pytest.mark.parametrize("path", [*PAGES, *SCRIPTS], ids=name)
def test_commands_and_their_options_exist(path: Any) -> None:
    needs_evals(path)
    for line in command_lines(path):
        command, rest = resolve(shlex.split(line)[1:])
        asked = {word.split("=")[0] for word in rest if re.match(r"--?[a-z]", word)}
        assert asked <= options(command), line


def test_there_are_commands_to_check() -> None:
    assert sum(len(list(command_lines(path))) for path in PAGES) > 20
    assert any(list(command_lines(path)) for path in SCRIPTS)


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_options_in_the_prose_exist(path: Any) -> None:
    needs_evals(path)
    known = all_options() | bench_options() | OTHERS.keys()
    mentioned = {
        option
        for code in inline(read(path))
        for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", code)
    }
    assert mentioned - known == set()


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_targets_variables_and_files_exist(path: Any) -> None:
    text = read(path)
    targets = set(re.findall(r"^([a-z-]+):", read(ROOT / "Makefile"), re.MULTILINE))
    code = [*inline(text), *(line for block in blocks(text) for line in block.splitlines())]
    assert {m[1] for line in code if (m := re.match(r"make ([a-z-]+)", line))} <= targets
    settings = {f"COSTEER_{field.name.upper()}" for field in fields(Settings)}
    assert set(re.findall(r"\bCOSTEER_[A-Z_]+\b", text)) <= settings | NOT_SETTINGS.keys()
    named = {
        c for c in inline(text) if re.fullmatch(r"(src|tests|bench|runs|docs|results)/[\w./-]+", c)
    }
    assert {file for file in named if not (ROOT / file).exists()} == set()
    links = {link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link}
    assert {link for link in links if not (path.parent / link).exists()} == set()


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_python_blocks_import_what_exists(path: Any) -> None:
    for block in blocks(read(path), "python"):
        tree = ast.parse(block)
        imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
        for node in imports:
            if getattr(node, "module", None) in CLIENTS:
                pytest.importorskip(node.module, reason="the extra clients is not installed")
        exec(compile(ast.Module(imports, []), name(path), "exec"), {})


class Brief(FakeModel):
    """Ends its answers early."""

    def logprobs(self, ids: Any) -> Any:
        if len(ids) < 150:
            return super().logprobs(ids)
        row = np.full(self.vocab_size, -30, np.float32)
        row[min(self.tokenizer.eos_ids)] = -1e-3
        return row


@pytest.mark.slow
def test_the_snippet_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (snippet,) = blocks(read(ROOT / "README.md"), "python")
    with running(Brief(seed=1)) as app:
        for real, fake in {
            "http://127.0.0.1:8081": app.url,
            "qwen2.5-coder-0.5b": "fake:2",
        }.items():
            assert real in snippet
            snippet = snippet.replace(real, fake)
        exec(compile(snippet, "README.md", "exec"), {})
    out = capsys.readouterr().out
    assert "Recommend a dinner spot" in out  # the ledger has the query ...
    assert "I am vegetarian" not in out  # ... and not the context
