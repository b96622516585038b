"""``costeer eval``: its commands."""

from __future__ import annotations

import click

from costeer_evals.cli.leakage import leakage, leakage_table
from costeer_evals.cli.rate import rate
from costeer_evals.cli.run import run, sweep, tune
from costeer_evals.cli.table import compare, plot, table


@click.group(name="eval")
def command() -> None:
    """Measure methods on the benchmarks of the paper.

    \b
    Examples:
      costeer eval run -t cogenesis --data dev.json --out scores.jsonl
      costeer eval table scores.jsonl
      costeer eval sweep -t cogenesis --data dev.json --out sweep.jsonl
      costeer eval tune -t everyday --out tune.jsonl --max-tokens 90
      costeer eval plot sweep.jsonl --out sweep.png
    """


for _command in (run, rate, sweep, tune, leakage, leakage_table, table, compare, plot):
    command.add_command(_command)
