#!/usr/bin/env python
"""Which rules close the gap between the LLM without and with context: the study behind own-words.

Each rule is fitted on one half of the samples, with its own temperature, and evaluated on the other
half, both ways round. The halves are those of ``costeer eval table --half``: "tune" and
"test". It needs torch, for gradients, and a log-probability store:

    runs/strength_study.py data/context-aware/dev.json --logprob-store logprobs > study.md

Sums over the vocabulary are estimated: each position keeps the tokens that any branch or the
private text finds likely, and a weighted draw of 128 others. The harness then scores the chosen
rule exactly.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch

from costeer.decoding.auto import AutoParams, following, private_part
from costeer.models.files.catalog import DEFAULT_PAIR
from costeer.models.load import load_model
from costeer_evals.methods.base import Branch
from costeer_evals.methods.text_cache import TextCache
from costeer_evals.prompts import TokenPrompts, encode
from costeer_evals.report.collect import half_of
from costeer_evals.run.logprob_store import LogprobStore
from costeer_evals.run.models import describe_model
from costeer_evals.samples import TaskSample
from costeer_evals.tasks.base import LoadOptions
from costeer_evals.tasks.cogenesis import TASK

BRANCHES: tuple[Branch, ...] = (
    "llm_without",
    "llm_guided",
    "llm_with",
    "slm_with",
    "slm_without",
)
LIKELY, COPIED, DRAWN = -9.0, -7.5, 128
NEVER = -1e4
RUNS = (4, 6, 8, 12)
Tensor: TypeAlias = Any  # torch.Tensor, which is not there where types are checked
Params: TypeAlias = Any


@dataclass(frozen=True)
class Text:
    """One reference: n positions, C candidates each.

    ``said`` is 1 for candidates that the reference had before, ``copying`` for those that would
    make a copied run longer than ``AutoParams.run``; ``weight`` is log, of those drawn;
    ``runs`` counts tokens that come after a copied run, of each length in RUNS.
    """

    half: str
    llm: Tensor
    guided: Tensor
    llm_with: Tensor
    small: Tensor
    small_without: Tensor
    cache: Tensor
    single: Tensor
    said: Tensor
    copying: Tensor
    weight: Tensor
    target: Tensor
    runs: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.target)


Rule = Callable[[Text, Params], Tensor]


def floored(x: Text, floor: Any) -> Tensor:
    """The delta, with the small model's log-probability without context at least ``floor``."""
    return x.small - torch.maximum(x.small_without, torch.as_tensor(floor))


def copied(x: Text, reach: float = 12.0) -> Tensor:
    """The cache's log-probability above ``-reach``."""
    return (x.cache + reach).clamp(min=0)


def normal(scores: Tensor, x: Text) -> Tensor:
    """Normalised log-probabilities."""
    return scores - torch.logsumexp(scores + x.weight, -1, keepdim=True)


def hinge(d: Tensor, p: Params, gain: int, sure: int, sure_gain: int) -> Tensor:
    """Slope p[gain] up to p[sure], then p[sure_gain]."""
    return p[gain] * d + (p[sure_gain] - p[gain]) * (d - p[sure]).clamp(min=0)


def entropy(scores: Tensor, x: Text) -> Tensor:
    """(n, 1) nats, over 3."""
    return -(torch.exp(scores + x.weight) * scores).sum(-1, keepdim=True) / 3


def divergence(x: Text) -> Tensor:
    """(n, 1) log KL(with || without) of the small model, over 3."""
    kl = (torch.exp(x.small + x.weight) * (x.small - x.small_without)).sum(-1, keepdim=True)
    return torch.log(kl.clamp(min=1e-3)) / 3


def own(x: Text) -> Tensor:
    """1 for the tokens that the private text contains, else 0."""
    return (x.single > -20).float()


def apart(
    x: Text, others: Any, up: Any, down: Any, others_down: Any = None, floor: float = -60.0
) -> Tensor:
    """The delta with four gains: others up, own tokens up, own down, others down (as own)."""
    d = floored(x, floor)
    below = down if others_down is None else others_down
    more = (others + (up - others) * own(x)) * d.clamp(min=0)
    less = (below + (down - below) * own(x)) * d.clamp(max=0)
    return more + less


def own_words(x: Text, others: Any, up: Any, down: Any) -> Tensor:
    """An own token counts ``up`` only until the text has it."""
    d = floored(x, -12.0)
    raised = up + (others - up) * x.said
    gain = torch.where(d > 0, raised, torch.as_tensor(down))
    return (others + (gain - others) * own(x)) * d


def end_copies(x: Text, bonus: Tensor) -> Tensor:
    """Nothing above 0 for what would copy on; with this, ``own_words`` is the method own-words."""
    return torch.where(x.copying > 0, bonus.clamp(max=0), bonus)


def mixed(x: Text, p: Params) -> Tensor:
    """The floor and the cache, and some of the small model itself mixed in."""
    push = x.llm + p[1] * floored(x, -11.0) + p[2] * copied(x)
    return torch.logaddexp(push, p[3] + p[4] * x.small + p[5] * copied(x))


def fixed(gain: float) -> Rule:
    """Delta steering."""
    return lambda x, p: p[0] * (x.llm + gain * (x.small - x.small_without))


RULES: dict[str, tuple[Rule, list[float]]] = {
    "LLM without": (lambda x, p: p[0] * x.llm, [0.85]),
    "LLM with": (lambda x, p: p[0] * x.llm_with, [0.85]),
    "gain 0.476": (fixed(0.4762), [0.85]),
    "gain 1.783": (fixed(1.7833), [0.8]),
    "one gain": (lambda x, p: p[0] * (x.llm + p[1] * (x.small - x.small_without)), [0.85, 0.55]),
    "gains up and down": (
        lambda x, p: p[0] * (x.llm + apart(x, p[1], p[1], p[2])),
        [0.85, 0.7, 0.3],
    ),
    "up 1, down 1": (lambda x, p: p[0] * (x.llm + apart(x, 1.0, 1.0, 1.0)), [0.85]),
    "up 0.8, down 0.2": (lambda x, p: p[0] * (x.llm + apart(x, 0.8, 0.8, 0.2)), [0.85]),
    "up 0.8, down 0.4": (lambda x, p: p[0] * (x.llm + apart(x, 0.8, 0.8, 0.4)), [0.85]),
    "up 1, down 0": (lambda x, p: p[0] * (x.llm + apart(x, 1.0, 1.0, 0.0)), [0.85]),
    "up 1, down 0.2": (lambda x, p: p[0] * (x.llm + apart(x, 1.0, 1.0, 0.2)), [0.85]),
    "up 1, down 0.4": (lambda x, p: p[0] * (x.llm + apart(x, 1.0, 1.0, 0.4)), [0.85]),
    "up 1.2, down 0.2": (lambda x, p: p[0] * (x.llm + apart(x, 1.2, 1.2, 0.2)), [0.85]),
    "gains for own tokens and for others": (
        lambda x, p: p[0] * (x.llm + apart(x, p[1], p[2], p[2], p[1])),
        [0.85, 0.4, 0.65],
    ),
    "... each up and down": (
        lambda x, p: p[0] * (x.llm + apart(x, p[1], p[2], p[3], p[4])),
        [0.85, 0.4, 0.8, 0.2, 0.4],
    ),
    "... floor of -12, one gain for others": (
        lambda x, p: p[0] * (x.llm + apart(x, p[1], p[2], p[3], p[1], -12.0)),
        [0.85, 0.4, 0.8, 0.2],
    ),
    "... own words up only until the text has them": (
        lambda x, p: p[0] * (x.llm + own_words(x, p[1], p[2], p[3])),
        [0.85, 0.4, 0.8, 0.2],
    ),
    "own-words: 0.4, own up 0.85, own down 0.2": (
        lambda x, p: p[0] * (x.llm + own_words(x, 0.4, 0.85, 0.2)),
        [0.8],
    ),
    "... copied runs ended": (
        lambda x, p: p[0] * (x.llm + end_copies(x, own_words(x, 0.4, 0.85, 0.2))),
        [0.8],
    ),
    "... and own up 1": (
        lambda x, p: p[0] * (x.llm + end_copies(x, own_words(x, 0.4, 1.0, 0.2))),
        [0.8],
    ),
    "guide alone": (lambda x, p: p[0] * x.guided, [0.85]),
    "guide, one gain": (
        lambda x, p: p[0] * (x.guided + p[1] * (x.small - x.small_without)),
        [0.85, 0.55],
    ),
    "guide, fitted like own-words": (
        lambda x, p: p[0] * (x.guided + own_words(x, p[1], p[2], p[3])),
        [0.85, 0.4, 0.8, 0.2],
    ),
    "guide, own-words": (
        lambda x, p: p[0] * (x.guided + end_copies(x, own_words(x, 0.4, 0.85, 0.2))),
        [0.8],
    ),
    "guide, fitted like own-words, cache": (
        lambda x, p: p[0] * (x.guided + own_words(x, p[1], p[2], p[3]) + p[4] * copied(x)),
        [0.85, 0.4, 0.8, 0.2, 0.05],
    ),
    "gain by the LLM's entropy": (
        lambda x, p: (
            p[0] * (x.llm + (p[1] + p[2] * entropy(x.llm, x)) * (x.small - x.small_without))
        ),
        [0.85, 0.55, 0.0],
    ),
    "gain by KL(with, without)": (
        lambda x, p: p[0] * (x.llm + (p[1] + p[2] * divergence(x)) * (x.small - x.small_without)),
        [0.85, 0.55, 0.0],
    ),
    "three weights": (
        lambda x, p: p[0] * x.llm + p[1] * x.small - p[2] * x.small_without,
        [0.8, 0.5, 0.4],
    ),
    "one gain, small model mixed in": (
        lambda x, p: (
            p[0]
            * torch.logaddexp(
                x.llm + p[1] * (x.small - x.small_without), p[2] + normal(p[3] * x.small, x)
            )
        ),
        [0.85, 0.5, -3.0, 1.0],
    ),
    "difference smoothed by the LLM": (
        lambda x, p: (
            p[0]
            * (
                x.llm
                + p[1]
                * (
                    torch.logaddexp(x.small, p[2] + x.llm)
                    - torch.logaddexp(x.small_without, p[2] + x.llm)
                )
            )
        ),
        [0.85, 0.8, -2.0],
    ),
    "LLM + cache, no small model": (lambda x, p: p[0] * x.llm + p[1] * copied(x), [0.85, 0.05]),
    "one gain + cache": (
        lambda x, p: p[0] * (x.llm + p[1] * (x.small - x.small_without) + p[2] * copied(x)),
        [0.85, 0.5, 0.07],
    ),
    "floor": (lambda x, p: p[0] * (x.llm + p[1] * floored(x, -11.0)), [0.8, 0.5]),
    "floor, public: without in place of with": (
        lambda x, p: p[0] * (x.llm + p[1] * (x.small_without - x.small_without.clamp(min=-11.0))),
        [0.8, 0.5],
    ),
    "floor + cache": (
        lambda x, p: p[0] * (x.llm + p[1] * floored(x, -11.0) + p[2] * copied(x)),
        [0.8, 0.5, 0.07],
    ),
    "floor + cache that knows no single words": (
        lambda x, p: (
            p[0]
            * (
                x.llm
                + p[1] * floored(x, -11.0)
                + p[2] * torch.where(x.cache > x.single + 1e-3, copied(x), torch.zeros(()))
            )
        ),
        [0.8, 0.5, 0.07],
    ),
    "floored: floor + cache + more weight from 4 nats on": (
        lambda x, p: p[0] * (x.llm + hinge(floored(x, -11.0), p, 1, 2, 3) + p[4] * copied(x)),
        [0.8, 0.45, 4.0, 1.2, 0.07],
    ),
    "floored with a floor of -10": (
        lambda x, p: p[0] * (x.llm + hinge(floored(x, -10.0), p, 1, 2, 3) + p[4] * copied(x)),
        [0.8, 0.45, 4.0, 1.2, 0.07],
    ),
    "floored with a floor of -12": (
        lambda x, p: p[0] * (x.llm + hinge(floored(x, -12.0), p, 1, 2, 3) + p[4] * copied(x)),
        [0.8, 0.45, 4.0, 1.2, 0.07],
    ),
    "floored with gain by KL(with, without)": (
        lambda x, p: (
            p[0]
            * (
                x.llm
                + hinge(floored(x, -11.0), p, 1, 2, 3)
                + p[5] * divergence(x) * floored(x, -11.0)
                + p[4] * copied(x)
            )
        ),
        [0.8, 0.45, 4.0, 1.2, 0.07, 0.0],
    ),
    "floor + cache, small model mixed in": (
        lambda x, p: p[0] * mixed(x, p),
        [0.8, 0.46, 0.07, -4.0, 1.1, 0.26],
    ),
}


def loss(scores: Tensor, x: Text) -> Tensor:
    """Negative log-likelihood of the reference, summed."""
    return -normal(scores, x).gather(1, x.target[:, None]).sum()


def fit(texts: Sequence[Text], rule: Rule, start: Sequence[float]) -> Tensor:
    """The parameters that maximise the likelihood."""
    p = torch.tensor(start, requires_grad=True)
    search = torch.optim.LBFGS([p], max_iter=80, line_search_fn="strong_wolfe")
    tokens = sum(map(len, texts))

    def step() -> Tensor:
        search.zero_grad()
        total = torch.zeros(())
        for text in texts:
            part = loss(rule(text, p), text) / tokens
            part.backward()
            total += part.detach()
        return total

    search.step(step)
    return p.detach()


def mean_nll(texts: Sequence[Text], rule: Rule, p: Params) -> float:
    """Mean negative log-likelihood per token, in nats."""
    with torch.no_grad():
        total = sum(float(loss(rule(text, p), text)) for text in texts)
    return total / sum(map(len, texts))


def count_copies(text: Sequence[int], reference: Sequence[int], run: int) -> int:
    """How many tokens of the reference follow a run of tokens that occurs in the text."""
    after = following(text, run)
    return sum(tuple(reference[i - run : i]) in after for i in range(run, len(reference)))


def thin(rows: dict[Branch, Any], prompts: TokenPrompts, half: str) -> Text:
    """Reduce a sample to the candidates that matter."""
    draw = np.random.default_rng(0)
    text = private_part(prompts.public, prompts.private)
    cache = TextCache(text)
    run = AutoParams().run
    after = following(text, run)
    single = np.full(rows["llm_with"].shape[1], -27.6, np.float32)
    single[cache.ids] = cache.logprobs([])
    columns: list[list[Any]] = []
    for i, target in enumerate(prompts.reference):
        full = np.stack([rows[branch][i].astype(np.float32) for branch in BRANCHES])
        copies = np.full(full.shape[1], -27.6, np.float32)
        copies[cache.ids] = cache.logprobs(prompts.reference[:i])
        keep = (full.max(axis=0) > LIKELY) | (copies > COPIED)
        keep[target] = True
        inside, others = np.flatnonzero(keep), np.flatnonzero(~keep)
        drawn = draw.choice(others, DRAWN, replace=False)
        ids = np.concatenate([inside, drawn])
        weight = np.concatenate(
            [np.zeros(inside.size), np.full(DRAWN, np.log(others.size / DRAWN))]
        )
        place = int(np.searchsorted(inside, target))
        said = np.isin(ids, prompts.reference[:i])
        copying = np.isin(ids, after.get(tuple(prompts.reference[max(0, i - run) : i]), []))
        columns.append([*full[:, ids], copies[ids], single[ids], said, copying, weight, place])
    width = max(len(column[0]) for column in columns)
    blanks = [-60.0] * len(BRANCHES) + [-27.6, -27.6, 0.0, 0.0, NEVER]

    def table(k: int) -> Tensor:
        out = np.full((len(columns), width), blanks[k], np.float32)
        for i, column in enumerate(columns):
            out[i, : len(column[k])] = column[k]
        return torch.from_numpy(out)

    places = torch.tensor([column[-1] for column in columns])
    runs = tuple(count_copies(text, prompts.reference, run) for run in RUNS)
    tables = [table(k) for k in range(len(blanks))]
    return Text(half, *tables, target=places, runs=runs)  # type: ignore[misc] # as many as fields


def load(data: Path, folder: Path) -> Iterator[Text]:
    """Load the samples whose log-probabilities are in the store."""
    names = {"llm": DEFAULT_PAIR.llm, "slm": DEFAULT_PAIR.slm}
    store = LogprobStore(folder, {r: json.dumps(describe_model(n)) for r, n in names.items()})
    model = load_model(DEFAULT_PAIR.slm, context=512, threads=1)
    for sample in TASK.load(data, LoadOptions()):
        prompts = encode(sample, model.tokenizer)
        rows = {branch: store.load(branch, prompts) for branch in BRANCHES}
        if all(found is not None for found in rows.values()):
            yield thin(rows, prompts, half_of(TaskSample(TASK.name, sample).group))
    model.close()


def main() -> None:
    """Fit all rules and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--logprob-store", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    texts = list(load(options.data, options.logprob_store))
    halves = [[t for t in texts if t.half == name] for name in ("tune", "test")]
    sizes = [sum(map(len, half)) for half in halves]
    print(f"{len(texts)} samples, {sum(sizes):,} tokens; halves of {list(map(len, halves))}.\n")
    counts = (f"{sum(t.runs[i] for t in texts)} come after {n}" for i, n in enumerate(RUNS))
    print(f"Of the references' tokens {', '.join(counts)} tokens copied from the records.\n")
    print("| rule | closed, fitted and judged on tune | tune to test | test to tune | pooled | ")
    print("|---|---|---|---|---|")
    bases: dict[str, list[float]] = {}

    def report(name: str, fitted: Sequence[tuple[Rule, Params]]) -> None:
        nll = [mean_nll(halves[0], *fitted[0]), mean_nll(halves[1], *fitted[0])]
        nll.append(mean_nll(halves[0], *fitted[1]))
        bases.setdefault(name, nll)
        if name.startswith("LLM with") and "cache" not in name:
            print(f"| {name}: {nll[0]:.3f}, {nll[1]:.3f} nats | | | | |", flush=True)
            return
        low, high = bases["LLM without"], bases["LLM with"]
        shares = [(a - b) / (a - c) for a, b, c in zip(low, nll, high, strict=True)]
        closed = sum(n * (low[i] - nll[i]) for n, i in ((sizes[1], 1), (sizes[0], 2)))
        gap = sum(n * (low[i] - high[i]) for n, i in ((sizes[1], 1), (sizes[0], 2)))
        figures = " | ".join(f"{share:.3f}" for share in [*shares, closed / gap])
        values = ", ".join(f"{value:.3f}" for value in fitted[0][1])
        print(f"| {name} | {figures} | {values} |", flush=True)

    for name, (rule, start) in RULES.items():
        report(name, [(rule, fit(half, rule, start)) for half in halves])


if __name__ == "__main__":
    main()
