"""The numbers that arXiv 2507.04756 (version 1) prints, to compare ours with.

They are of other models and, where data sets are sampled, of other samples, so they show a
direction and are not a target. Tables 1, 2 and 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from costeer_evals.tasks.preference import PREFERENCES

PAIR = "Qwen 7B-1.5B"
"""The models of Table 2."""

COLUMNS_1 = (
    "CoGenesis Ovl",
    "CoGenesis Per",
    *(f"{task} {metric}" for task in ("Abs", "Rev", "Top") for metric in ("R-1", "R-L", "MET")),
    *PREFERENCES,
)
COLUMNS_2 = tuple(f"{task} {metric}" for task in ("Abs", "Rev") for metric in ("R-1", "R-L", "MET"))


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """A row of a table: the pair of models, the setting, and a number per column."""

    pair: str
    setting: str
    numbers: tuple[float, ...]


def _parse(text: str) -> tuple[PublishedRow, ...]:
    """Parse ``pair | setting | numbers``; a line without a pair continues the line above it."""
    rows: list[PublishedRow] = []
    pair = setting = ""
    for line in text.strip().splitlines():
        first, second, numbers = (part.strip() for part in line.split("|"))
        values = tuple(float(number) for number in numbers.split())
        if first:
            pair, setting = first, second
            rows.append(PublishedRow(pair, setting, values))
        else:
            rows[-1] = PublishedRow(pair, setting, rows[-1].numbers + values)
    return tuple(rows)


TABLE_1 = _parse(
    """
Qwen 7B-1.5B | SLM w/o | 6.63 6.21 36.48 17.74 27.57 20.40 10.39 10.39 25.21 11.09 17.51
             |         | 0.6766 0.6559 0.7209 0.6680
Qwen 7B-1.5B | SLM w/  | 7.81 7.63 39.75 22.03 27.76 23.08 12.40 12.94 22.89 11.46 17.12
             |         | 0.7237 0.7680 0.7473 0.7457
Qwen 7B-1.5B | LLM w/o | 8.00 7.63 39.81 20.53 25.56 30.15 14.04 17.71 27.64 11.93 21.49
             |         | 0.7934 0.7701 0.7841 0.7743
Qwen 7B-1.5B | CoSteer | 8.44 8.50 42.98 23.61 28.20 32.72 15.92 20.36 25.93 12.38 22.84
             |         | 0.8236 0.8209 0.7852 0.8187
Qwen 7B-1.5B | LLM w/  | 8.62 8.60 44.50 24.63 31.15 33.83 15.55 22.42 28.82 13.77 23.44
             |         | 0.8675 0.8371 0.7787 0.8964
Qwen 32B-7B  | SLM w/o | 8.00 7.63 39.81 20.53 25.56 30.15 14.04 17.71 27.64 11.93 21.49
             |         | 0.7934 0.7701 0.7841 0.7743
Qwen 32B-7B  | SLM w/  | 8.62 8.60 44.50 24.63 31.15 33.83 15.55 22.42 28.82 13.77 23.44
             |         | 0.8675 0.8371 0.7787 0.8964
Qwen 32B-7B  | LLM w/o | 8.12 7.87 40.66 21.02 26.61 32.21 14.44 19.61 28.82 12.20 21.16
             |         | 0.8000 0.7726 0.8036 0.7798
Qwen 32B-7B  | CoSteer | 8.78 8.64 45.41 26.04 33.52 34.88 15.89 26.51 30.10 14.52 24.20
             |         | 0.8176 0.8555 0.7386 0.8993
Qwen 32B-7B  | LLM w/  | 8.83 8.76 43.33 23.47 30.10 34.65 15.74 22.77 30.73 14.20 24.25
             |         | 0.8894 0.8516 0.8025 0.9081
Llama 8B-1B  | SLM w/o | 7.04 6.55 33.20 18.20 28.55 31.75 14.92 19.78 20.81 10.21 17.30
             |         | 0.7467 0.7296 0.7033 0.7287
Llama 8B-1B  | SLM w/  | 7.69 7.52 39.81 21.53 30.11 32.36 15.02 22.06 20.17 10.58 18.64
             |         | 0.8164 0.7945 0.7634 0.8506
Llama 8B-1B  | LLM w/o | 7.69 7.13 39.33 20.69 29.41 34.58 15.32 22.10 26.93 12.35 21.82
             |         | 0.7960 0.7672 0.7669 0.7670
Llama 8B-1B  | CoSteer | 7.29 7.73 41.28 24.97 31.19 31.68 13.68 24.57 26.11 12.00 23.69
             |         | 0.8792 0.8242 0.8031 0.9068
Llama 8B-1B  | LLM w/  | 8.61 8.44 43.91 23.93 32.01 36.39 15.95 23.56 30.54 14.02 23.81
             |         | 0.8986 0.8433 0.8291 0.9018
"""
)

TABLE_2: Mapping[str, tuple[float, ...]] = {
    "LightCoSteer": (41.79, 21.86, 26.44, 31.46, 14.80, 18.31),
    "CoSteer": (42.98, 23.61, 28.20, 32.72, 15.92, 20.36),
}

TABLE_3: Mapping[str, float] = {"LLM w/o": 23.88, "LightCoSteer": 13.73, "CoSteer": 9.44}
"""Tokens per second; the paper calls the first "Vanilla"."""
