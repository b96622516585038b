"""``costeer eval run | sweep | tune``: the commands that run models. Parsing and printing only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from costeer.cli.progress import progress
from costeer_evals.cli.options import build_config, build_job, job_options, split_names
from costeer_evals.cli.table import show

if TYPE_CHECKING:
    from costeer_evals.run.job import EvalJob, RunSummary


@click.command()
@click.option(
    "--methods",
    "-m",
    multiple=True,
    metavar="NAME[,NAME...]",
    help="The methods, with parameters as in costeer:gain=0.5. Default: all.",
)
@job_options
def run(methods: tuple[str, ...], **options: Any) -> None:
    """Run methods on samples and append the results to a file; a stopped run continues there.

    A row holds scores and hashes, never a text. The samples of the benchmarks are private data of
    real or invented people: keep them where they are.

    \b
    Examples:
      costeer eval run -t cogenesis --data dev.json --out scores.jsonl --limit 10
      costeer eval run -t cogenesis --data dev.json --out texts.jsonl --kind generate \\
          -m llm-without,costeer:gain=0.5,llm-with --max-tokens 200
    """
    from costeer_evals.run.job import build_experiment

    proxies = bool(options["tuned"] and options["untuned"])
    experiment = build_experiment(split_names(methods), build_config(options), proxies=proxies)
    job = build_job(experiment, options)
    summary = run_with_progress(job, quiet=options["as_json"])
    if options["as_json"]:
        click.echo(_as_json(job, summary))


@click.command()
@click.option(
    "--gains",
    multiple=True,
    metavar="X[,X...]",
    help="The gains to run. [0.25,0.476,0.75,1,1.25,1.5,1.783,2.58]",
)
@click.option(
    "--figure-2",
    is_flag=True,
    help="Add the settings of the paper's Figure 2, and show the gain of each.",
)
@job_options
def sweep(gains: tuple[str, ...], figure_2: bool, **options: Any) -> None:
    """Run CoSteer at several gains, and show a table by gain.

    The paper varies alpha, beta, lambda, eta and T. Only the gain that they amount to matters, so
    one sweep over gains contains all of its curves.

    \b
    Examples:
      costeer eval sweep -t cogenesis --data dev.json --out sweep.jsonl --gains 0.25,0.5,1
      costeer eval sweep -t cogenesis --data dev.json --out sweep.jsonl --figure-2
    """
    from costeer_evals.report import sweep as sweeps
    from costeer_evals.report.collect import build_sections, load_results
    from costeer_evals.run.job import build_experiment

    given = _parse_gains(gains) or sweeps.GAINS
    steered = [f"costeer:gain={g!r}" for g in sweeps.gains_to_run(given, figure_2)]
    experiment = build_experiment(["llm-without", "llm-with", *steered], build_config(options))
    job = build_job(experiment, options)
    run_with_progress(job, quiet=options["as_json"])
    contents = load_results([job.out])
    sections = build_sections(contents, kind=experiment.kind, methods=experiment.keys)
    tables = [sweeps.table(section) for section in sections]
    if figure_2:
        tables += [sweeps.figure_2_table(section) for section in sections]
    show(tables, "markdown", options["as_json"])


@click.command()
@click.option(
    "--gains", multiple=True, metavar="X[,X...]", help="The gains to run. [0.5,1.25,2.5,3.75]"
)
@job_options
def tune(gains: tuple[str, ...], **options: Any) -> None:
    """Find the strength that suits a pair of models, on everyday requests.

    Writes answers under several gains of 'auto' and reports which respects the person most often.
    A smaller gain wins where a larger one is not clearly better. The figures are from the half of
    the requests that is meant for choosing.

    \b
    Examples:
      costeer eval tune -t everyday --out tune.jsonl --max-tokens 90
      costeer eval tune -t everyday --out tune.jsonl --llm big.gguf --slm small.gguf --limit 30
    """
    from costeer_evals.report import texts, tuning
    from costeer_evals.report.collect import build_sections, load_results
    from costeer_evals.run.job import build_experiment

    given = _parse_gains(gains) or tuning.GAINS
    config = build_config(options | {"kind": "generate"})
    experiment = build_experiment(tuning.method_names(sorted(given)), config)
    job = build_job(experiment, options)
    run_with_progress(job, quiet=options["as_json"])
    contents = load_results([job.out])
    for section in build_sections(contents, kind="generate", methods=experiment.keys, half="tune"):
        show([texts.table(section)], "markdown", options["as_json"])
        if not options["as_json"]:
            click.echo(tuning.verdict(section), err=True)


def _parse_gains(given: tuple[str, ...]) -> list[float]:
    from costeer.exceptions import ParameterError

    gains = []
    for text in split_names(given):
        try:
            gains.append(float(text))
        except ValueError:
            raise ParameterError(
                f"The gain {text[:40]!r} is not a number.", "Write 0.5, for example."
            ) from None
    return gains


def run_with_progress(job: EvalJob, *, quiet: bool) -> RunSummary:
    """Run a job with a progress bar on stderr, and say at the end what was done."""
    from costeer_evals.run.job import run_job

    with progress("Rows", quiet=quiet) as bar:
        summary = run_job(job, bar.begin, bar.advance)
    if not quiet:
        from costeer.cli.show import stderr_console

        stderr_console().print(_summarise(job, summary), style="dim", markup=False)
    return summary


def _summarise(job: EvalJob, summary: RunSummary) -> str:
    if not summary.written:
        return f"{job.out} already holds all {summary.rows} rows; nothing was done."
    return (
        f"{job.out}: {summary.written} rows written in {summary.seconds:.1f} s, "
        f"{summary.rows} in all."
    )


def _as_json(job: EvalJob, summary: RunSummary) -> str:
    return json.dumps(
        {
            "out": str(job.out),
            "rows": summary.rows,
            "written": summary.written,
            "seconds": round(summary.seconds, 3),
        }
    )
