"""``costeer eval run | sweep | tune``: what runs models. Parsing and printing only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from costeer.cli.progress import progress
from costeer_evals.cli.options import job, job_options, names, work
from costeer_evals.cli.table import show

if TYPE_CHECKING:
    from costeer_evals.run.job import Job, Outcome


@click.command()
@click.option(
    "--methods",
    "-m",
    multiple=True,
    metavar="NAME[,NAME...]",
    help="With parameters as in costeer:gain=0.5. Default: all.",
)
@job_options
def run(methods: tuple[str, ...], **options: Any) -> None:
    """Run methods on samples; results go to a file, and a run that was stopped goes on there.

    A row holds scores and hashes, and never a text. Samples of the benchmarks are private data of
    made-up or real people: keep them where they are.

    \b
    Examples:
      costeer eval run -t cogenesis --data dev.json --out scores.jsonl --limit 10
      costeer eval run -t cogenesis --data dev.json --out texts.jsonl --kind generate \\
          -m llm-without,costeer:gain=0.5,llm-with --max-tokens 200
    """
    from costeer_evals.run.job import experiment

    both = bool(options["tuned"] and options["untuned"])
    chosen = experiment(names(methods), work(options), proxies=both)
    todo = job(chosen, options)
    outcome = executed(todo, quiet=options["as_json"])
    if options["as_json"]:
        click.echo(as_json(todo, outcome))


@click.command()
@click.option(
    "--gains",
    multiple=True,
    metavar="X[,X...]",
    help="[0.25,0.476,0.75,1,1.25,1.5,1.783,2.58]",
)
@click.option(
    "--figure-2",
    is_flag=True,
    help="Add the settings of the paper's Figure 2, and show which gain each comes to.",
)
@job_options
def sweep(gains: tuple[str, ...], figure_2: bool, **options: Any) -> None:
    """Run CoSteer over its strength, and show what each gain is worth.

    The paper varies alpha, beta, lambda, eta and T. Only the gain that they come to matters, so
    one sweep over gains holds all of its curves.

    \b
    Examples:
      costeer eval sweep -t cogenesis --data dev.json --out sweep.jsonl --gains 0.25,0.5,1
      costeer eval sweep -t cogenesis --data dev.json --out sweep.jsonl --figure-2
    """
    from costeer_evals.report import collect
    from costeer_evals.report import sweep as sweeping
    from costeer_evals.run.job import experiment

    given = [_number(text) for text in names(gains)] or sweeping.GAINS
    steered = [f"costeer:gain={g!r}" for g in sweeping.gains(given, figure_2)]
    chosen = experiment(["llm-without", "llm-with", *steered], work(options))
    todo = job(chosen, options)
    executed(todo, quiet=options["as_json"])
    found = collect.sections(
        collect.load([todo.out]), kind=chosen.kind, methods=[m.key() for m in chosen.methods]
    )
    grids = [sweeping.table(section) for section in found]
    if figure_2:
        grids += [sweeping.mapping(section) for section in found]
    show(grids, "markdown", options["as_json"])


@click.command()
@click.option("--gains", multiple=True, metavar="X[,X...]", help="[0.5,1.25,2.5,3.75]")
@job_options
def tune(gains: tuple[str, ...], **options: Any) -> None:
    """Find the strength that suits a pair of models, on everyday requests.

    Writes answers under several gains of 'auto' and says which respects the person most often. A
    smaller gain wins where a larger one is not clearly better. The figures are those of the half
    of the requests that is meant for choosing.

    \b
    Examples:
      costeer eval tune -t everyday --out tune.jsonl --max-tokens 90
      costeer eval tune -t everyday --out tune.jsonl --llm big.gguf --local small.gguf --limit 30
    """
    from costeer_evals.report import collect, texts, tuning
    from costeer_evals.run.job import experiment

    given = [_number(text) for text in names(gains)] or tuning.GAINS
    chosen = experiment(tuning.names(sorted(given)), work(options | {"kind": "generate"}))
    todo = job(chosen, options)
    executed(todo, quiet=options["as_json"])
    keys = [method.key() for method in chosen.methods]
    for section in collect.sections(
        collect.load([todo.out]), kind=chosen.kind, methods=keys, half="tune"
    ):
        show([texts.table(section)], "markdown", options["as_json"])
        if not options["as_json"]:
            click.echo(tuning.verdict(section), err=True)


def _number(text: str) -> float:
    from costeer.exceptions import ParameterError

    try:
        return float(text)
    except ValueError:
        raise ParameterError(
            f"The gain {text[:40]!r} is not a number.", "Write 0.5, say."
        ) from None


def executed(todo: Job, *, quiet: bool) -> Outcome:
    """Run a job with a bar on stderr, and say at the end what was done."""
    from costeer_evals.run.job import execute

    with progress("Rows", quiet=quiet) as bar:

        def stage(name: str, done: int, total: int) -> None:
            if name == "working":  # not before, so that an error stands alone
                bar.begin(done, total)

        outcome = execute(todo, stage, bar.advance)
    if not quiet:
        from costeer.cli.show import stderr_console

        stderr_console().print(_summary(todo, outcome), style="dim", markup=False)
    return outcome


def _summary(todo: Job, outcome: Outcome) -> str:
    if not outcome.written:
        return f"{todo.out} already holds all {outcome.rows} rows; nothing was done."
    return (
        f"{todo.out}: {outcome.written} rows written in {outcome.seconds:.1f} s, "
        f"{outcome.rows} in all."
    )


def as_json(todo: Job, outcome: Outcome) -> str:
    """What was done, as one JSON object."""
    return json.dumps(
        {
            "out": str(todo.out),
            "rows": outcome.rows,
            "written": outcome.written,
            "seconds": round(outcome.seconds, 3),
        }
    )
