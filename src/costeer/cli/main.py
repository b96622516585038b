"""The command line's entry: finds the command, and is the one place that shows errors.

Commands live in modules of their own and are imported only when asked for, so that ``--help``
appears at once.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import os
import sys
import traceback
from contextlib import suppress
from types import TracebackType

import click

from costeer import __version__
from costeer.cli.terminal import clean, discard_output, prepare_streams
from costeer.exceptions import CoSteerError, MissingDependencyError

COMMANDS = {
    "demo": "See it work on real models, and what left the device.",
    "generate": 'Write one text (the default: costeer "your question").',
    "chat": "Talk, turn by turn, in the terminal.",
    "serve": "Run the cloud side: an OpenAI-compatible completions server.",
    "models": "List, fetch and verify model files.",
    "eval": "Run the benchmarks of the paper and print its tables.",
    "doctor": "Check this machine and say how to fix what is missing.",
}
INTERRUPTED = 130  # 128 + SIGINT, as shells have it


EVALS = ("rouge_score", "nltk", "bm25s")
"""Packages of the extra without which ``costeer eval`` is not offered."""


class LazyGroup(click.Group):
    """A group whose commands are modules of this package with a ``command`` in them.

    ``eval`` is in ``costeer_evals``, which comes with its extra.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table above."""
        return [name for name in COMMANDS if name != "eval" or _has_evals()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module."""
        if cmd_name not in COMMANDS:
            return None
        if cmd_name == "eval" and not _has_evals():
            raise MissingDependencyError(
                "The benchmarks need packages that are not installed.",
                'Install them with: pip install "costeer[evals]"',
            )
        name = "costeer_evals.cli.main" if cmd_name == "eval" else f"costeer.cli.{cmd_name}"
        command = importlib.import_module(name).command
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take a first argument with a space in it as a query for ``generate``."""
        if args[0] not in COMMANDS and len(args[0].split()) > 1:
            return "generate", self.get_command(ctx, "generate"), args
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(_no_such_command(args[0]))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])


def _no_such_command(word: str) -> str:
    close = difflib.get_close_matches(word, COMMANDS, n=1)
    advice = f"Did you mean {close[0]!r}?" if close else f'To ask it: costeer generate "{word}".'
    return f"There is no command {word[:40]!r}. {advice}"


def _has_evals() -> bool:
    names = ("costeer_evals", *EVALS)
    return all(importlib.util.find_spec(name) is not None for name in names)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="costeer")
def cli() -> None:
    """Write with a strong cloud language model while your private context stays on your device.

    A small model on this device reads your private context and steers, token by token, what the
    large model in the cloud writes. Your query and the chosen tokens go up; nothing else does.

    \b
    Examples:
      costeer demo
      costeer generate "Recommend a dinner spot" --context-file me.txt
      costeer generate --query-file - --cloud http://host:8081 --json < question.txt
      costeer chat --context-file me.txt
    """


def main() -> None:
    """Run the command line and exit with its code: 0, 1 failure, 2 usage, 130 interrupted."""
    sys.excepthook = _unexpected
    try:
        prepare_streams()
        code = cli.main(standalone_mode=False)
        sys.stdout.flush()  # here, where its failure can be told
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        with suppress(KeyboardInterrupt):  # once more: we are leaving already
            click.echo("Interrupted.", err=True)
        code = INTERRUPTED
    except CoSteerError as error:
        code = _fail(str(error), error.exit_code)
    except BrokenPipeError:  # the reader of our output has gone, as in `costeer ... | head`
        discard_output()
        code = 1
    except OSError as error:
        discard_output()
        place = f" ({error.filename})" if error.filename else ""
        code = _fail(f"The operating system refuses: {error.strerror or 'no reason given'}{place}.")
    except MemoryError:
        code = _fail("There is not enough memory. Take smaller models or a shorter context.")
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str, code: int = 1) -> int:
    click.echo(f"{click.style('costeer:', fg='red')} {clean(message)}", err=True)
    return code


def _unexpected(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """A bug of ours: name the place, never the message, which might quote private text."""
    if issubclass(kind, KeyboardInterrupt):  # once more, while we were leaving
        return
    if os.environ.get("COSTEER_DEBUG"):
        sys.__excepthook__(kind, error, trace)
        return
    frames = traceback.extract_tb(trace)
    place = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else "start-up"  # noqa: PTH119
    click.echo(
        f"{click.style('costeer:', fg='red')} An unexpected {kind.__name__} at {place}; this is a "
        "bug. COSTEER_DEBUG=1 shows the traceback, which may quote your texts.",
        err=True,
    )
