"""``costeer chat``: a conversation in the terminal."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from costeer import settings
from costeer.cli.generate import check_sampling, open_costeer
from costeer.cli.options import (
    context_options,
    model_options,
    read_context,
    read_texts,
    sampling_options,
    system_messages,
    system_option,
)
from costeer.cli.profile_context import ProfileContext, profile_options
from costeer.cli.protection import (
    ask_before_sending,
    check_protection,
    load_budget,
    load_guard,
    protection_options,
)
from costeer.cli.terminal import clean
from costeer.settings import Settings

if TYPE_CHECKING:
    from costeer.edge.answer import Generation
    from costeer.edge.runtime import Costeer
    from costeer.models.base import Message

HELP = """\
/strength X    change the strength from now on (off, gentle, auto, strong or a number)
/context FILE  read another private context; it stays on this device
/ledger        show every word that has left this device
/reset         forget the conversation
/help          this text
/quit          leave (as Ctrl-D does); Ctrl-C stops an answer"""


@click.command()
@context_options
@profile_options
@system_option
@model_options
@sampling_options
@protection_options
def command(
    context: str | None,
    context_file: str | None,
    profile: str | None,
    why: bool,
    system: str | None,
    seed: int,
    **given: Any,
) -> None:
    """Hold a conversation in the terminal.

    Ctrl-C stops an answer, Ctrl-D leaves, and /help lists the commands you can type.

    \b
    Examples:
      costeer chat --context-file me.txt
      costeer chat --profile default --why
      costeer chat --context-file me.txt --cloud http://host:8081 --strength 0.8
    """
    if context == "-" or context_file == "-":
        raise click.UsageError(
            "Standard input is the conversation here. Put the context into a file."
        )
    chosen = settings.load().override(given)
    text = read_context(context, context_file, chosen)
    chosen = check_protection(chosen, given, seed)
    check_sampling(chosen, seed)
    records = ProfileContext(profile, why=why)
    guard, budget = load_guard(chosen, records.profiles), load_budget(chosen, records.profile)
    with open_costeer(chosen, guard, budget) as costeer:
        Chat(costeer, text, chosen, records, seed, system_messages(system)).run()


@dataclass
class Chat:
    """The state of one conversation."""

    costeer: Costeer
    context: str
    settings: Settings
    records: ProfileContext
    seed: int = 0
    opening: list[Message] = field(default_factory=list)
    noted: str = ""  # the latest note, which is not repeated
    messages: list[Message] = field(default_factory=list)

    def run(self) -> None:
        """Read and answer until the input ends."""
        click.echo("Type a message, or /help. Ctrl-D leaves.", err=True)
        while True:
            try:
                line = self._read()
                if line is None or line == "/quit":
                    return
                if line.startswith("/"):
                    self._run_command(line)
                elif line:
                    self._answer(line)
            except KeyboardInterrupt:
                click.echo("\n(stopped; Ctrl-D leaves)", err=True)

    def _read(self) -> str | None:
        """Read one line; None at the end of the input."""
        if sys.stdin is None:  # closed
            return None
        if sys.stdin.isatty():
            import readline  # noqa: F401  # gives input() editing and history

            click.echo("> ", nl=False, err=True)
            sys.stderr.flush()
        try:
            return input().strip()
        except EOFError:
            return None
        except UnicodeDecodeError:
            click.echo("That line is not UTF-8 text; nothing was sent.", err=True)
            return ""

    def _run_command(self, line: str) -> None:
        from costeer.cli import show
        from costeer.exceptions import CoSteerError

        word, _, rest = line.partition(" ")
        try:
            if word == "/strength":
                self._set_strength(rest.strip())
            elif word == "/context":
                self.context = read_texts(context=(None, rest.strip()))["context"]
                click.echo("The new context is in use.", err=True)
            elif word == "/ledger":
                show.print_ledger(self.costeer)
            elif word == "/reset":
                self.messages.clear()
                self.records.forget()
                click.echo("The conversation is forgotten here.", err=True)
            else:
                click.echo(HELP, err=True)
        except CoSteerError as error:
            click.echo(clean(str(error)), err=True)

    def _set_strength(self, text: str) -> None:
        from costeer.decoding.strength import resolve_strength

        if text:
            resolve_strength(text)
            self.costeer.strength = text
        click.echo(f"The strength is {self.costeer.strength}.", err=True)

    def _stream(self, messages: list[Message]) -> Generation:
        chosen, protection = self.settings, self.costeer.protection
        private = self.records.add_to(self.context, messages[-1]["content"])
        protection.guard = ask_before_sending(protection.guard, messages, private)
        return self.costeer.stream(
            messages,
            private,
            max_tokens=chosen.max_tokens,
            temperature=chosen.temperature,
            top_p=chosen.top_p,
            seed=self.seed,
        )

    def _answer(self, line: str) -> None:
        from costeer.cli import show
        from costeer.exceptions import CoSteerError

        self.messages.append({"role": "user", "content": line})
        console = show.stderr_console()
        result, shown = None, 0
        try:
            generation = self._stream([*self.opening, *self.messages])
            result = generation.result
            if result.note and result.note != self.noted:
                show.note(console, result.note)
            self.noted = result.note
            for chunk in generation:
                shown += len(chunk.text)
                show.print_chunk(chunk)
        except CoSteerError as error:
            click.echo(f"\n{clean(str(error))}", err=True)
        finally:
            self.costeer.stop()
            if result is not None and result.text:
                click.echo(clean(result.text[shown:]))  # text not shown yet when it ended early
                self.messages.append({"role": "assistant", "content": result.text})
                show.print_account(console, result, capped=self.settings.epsilon is not None)
            else:  # no answer: the question does not become part of the conversation
                self.messages.pop()
            if result is not None and result.warning:
                show.note(console, result.warning)
