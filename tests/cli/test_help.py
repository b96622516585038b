"""`--help`: what it may import, and that everything in it is explained."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import click
import pytest

from costeer.cli.main import COMMANDS, cli

ALLOWED = {"click", "costeer", "costeer_evals"}
"""Packages outside the standard library that `--help` of any command may import."""

SCRIPT = """
import contextlib, io, json, sys
before = set(sys.modules)
from costeer.cli.main import cli
for line in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        cli.main([*line, "--help"], standalone_mode=False)
    assert "Usage:" in out.getvalue()
names = {name.split(".")[0] for name in set(sys.modules) - before}
print(json.dumps(sorted(names - set(sys.stdlib_module_names))))
"""


def commands(group: Any = cli, path: Any = ()) -> Iterator[Any]:
    """(words, command) of every command, those of groups included."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


ALL = list(commands())
PRODUCT = [(words, command) for words, command in ALL if words[0] != "eval"]


@pytest.mark.slow
def test_help_imports_nothing_heavy() -> None:
    lines = json.dumps([(), *(words for words, _ in ALL)])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, lines], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) <= ALLOWED


@pytest.mark.parametrize(("words", "command"), PRODUCT)
def test_every_command_and_every_option_is_explained(words: Any, command: Any) -> None:
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.opts
            assert len(parameter.help.split("[")[0].split()) > 1, parameter.opts


@pytest.mark.parametrize(("words", "command"), PRODUCT)
def test_every_command_has_an_example_of_itself(words: Any, command: Any) -> None:
    assert "Example" in command.help
    assert " ".join(["costeer", *words]) in command.help


def test_every_command_is_in_the_table() -> None:
    assert {words[0] for words, _ in ALL} == {
        name for name in COMMANDS if name in cli.list_commands(click.Context(cli))
    }
