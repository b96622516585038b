"""The entry point of the command line: finds the command, and is the one place that shows errors.

Each command is a module of its own, imported only when it is used, so that ``--help`` is instant.
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
    "demo": "Watch it work on two real models, and see what left the device.",
    "generate": 'Write one text. This is the default: costeer "QUERY".',
    "chat": "Hold a conversation in the terminal.",
    "app": "Open the page: write, see what steering did, and what left the device.",
    "gateway": "Serve applications: an OpenAI-compatible API, with your context behind it.",
    "serve": "Run the cloud side: an OpenAI-compatible completions server.",
    "profile": "Keep facts, preferences and texts about yourself, encrypted.",
    "guard": "List the values that must not leave as they are.",
    "privacy": "Say what answers have told of your context.",
    "budget": "Show what answers under --epsilon have told so far.",
    "models": "List, fetch and verify model files.",
    "eval": "Run the benchmarks of the paper and print its tables.",
    "doctor": "Check this machine, and say how to fix what is missing.",
}
INTERRUPTED = 130  # 128 + SIGINT, as shells report it

EVALS = ("rouge_score", "nltk", "bm25s")
"""Packages of the extra "evals"; ``costeer eval`` is listed only where they are installed."""


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is used.

    Each module of this package defines its ``command``; ``eval`` is in ``costeer_evals``.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands in the order of ``COMMANDS``."""
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

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take options that are not the group's own as options of ``generate``."""
        own = {option for parameter in self.get_params(ctx) for option in parameter.opts}
        if args and args[0].startswith("-") and args[0] not in own:
            args = ["generate", *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take a first argument with a space in it as a query for ``generate``."""
        if args[0] not in COMMANDS and len(args[0].split()) > 1:
            return "generate", self.get_command(ctx, "generate"), args
        if args[0] not in COMMANDS:
            ctx.fail(_no_such_command(args[0]))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])


def _no_such_command(word: str) -> str:
    close = difflib.get_close_matches(word, COMMANDS, n=1)
    advice = f"Did you mean {close[0]!r}?" if close else f'To ask it: costeer generate "{word}".'
    return f"There is no command {word[:40]!r}. {advice}"


def _has_evals() -> bool:
    names = ("costeer_evals", *EVALS)
    return all(importlib.util.find_spec(name) is not None for name in names)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    subcommand_metavar='COMMAND [ARGS]... | "QUERY" [OPTIONS]',
)
@click.version_option(__version__, prog_name="costeer")
def cli() -> None:
    """Write with a strong cloud language model while your private context stays on your device.

    A small model on this device reads your private context and steers, token by token, what the
    large model in the cloud writes. Your query and the chosen tokens are sent; the context is not.

    \b
    Examples:
      costeer demo
      costeer "Recommend a dinner spot" --context-file me.txt
      costeer "Plan my day" --cloud http://host:8081 --json
      costeer chat --context-file me.txt
    """


def main() -> None:
    """Run the command line and exit with its code: 0, 1 failure, 2 usage, 130 interrupted."""
    sys.excepthook = _unexpected
    sys.unraisablehook = _unraisable
    try:
        prepare_streams()
        code = cli.main(standalone_mode=False)
        sys.stdout.flush()  # here, where a failure is still reported
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        with suppress(KeyboardInterrupt):  # Ctrl-C again, while we are already exiting
            click.echo("Interrupted.", err=True)
        code = INTERRUPTED
    except CoSteerError as error:
        code = _fail(str(error), error.exit_code)
    except BrokenPipeError:  # nobody reads our output any more, as in `costeer ... | head`
        discard_output()
        code = 1
    except OSError as error:
        discard_output()
        place = f" ({error.filename})" if error.filename else ""
        code = _fail(f"The operating system refused: {error.strerror or 'no reason given'}{place}.")
    except MemoryError:
        code = _fail("There is not enough memory. Use smaller models or a shorter context.")
    sys.exit(code if isinstance(code, int) else 0)


def _unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    """Report what a destructor raised; Python would print its message."""
    error = unraisable.exc_value
    if error is not None:
        _unexpected(unraisable.exc_type, error, unraisable.exc_traceback)


def _fail(message: str, code: int = 1) -> int:
    click.echo(f"{click.style('costeer:', fg='red')} {clean(message)}", err=True)
    return code


def _unexpected(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Report a bug by its place, never by its message, which might quote private text."""
    if issubclass(kind, KeyboardInterrupt):  # Ctrl-C again, while we were exiting
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
