"""The numbers that arXiv 2507.04756 (version 1) prints, to compare ours with.

They are of other models and, where data sets are sampled, of other samples, so they show a
direction and are not a target. Tables 1, 2, 3 and 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from costeer_evals.tasks.preference import PREFERENCES

PREFERENCE_SETS = {
    "helpsteer": "HelpSteer",
    "personal_preference_eval": "Personal_Eval",
    "truthfulqa": "TruthfulQA",
    "ultrachat": "UltraChat",
}
PAIR = "Qwen 7B-1.5B"
"""The models of Table 2."""

COLUMNS_1 = (
    "CoGenesis Ovl",
    "CoGenesis Per",
    *(f"{task} {metric}" for task in ("Abs", "Rev", "Top") for metric in ("R-1", "R-L", "MET")),
    *PREFERENCES,
)
COLUMNS_2 = tuple(f"{task} {metric}" for task in ("Abs", "Rev") for metric in ("R-1", "R-L", "MET"))
COLUMNS_5 = tuple(f"{name} {p}" for name in PREFERENCE_SETS.values() for p in PREFERENCES)


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

TABLE_5 = _parse(
    """
Qwen 7B-1.5B | SLM w/o | 0.6964 0.6690 0.7410 0.6830 0.7511 0.7272 0.7772 0.7546
             |         | 0.5791 0.5832 0.6493 0.5799 0.6799 0.6440 0.7159 0.6545
Qwen 7B-1.5B | SLM w/  | 0.7338 0.7723 0.7423 0.7546 0.7776 0.8053 0.8013 0.8066
             |         | 0.6352 0.7349 0.6801 0.6810 0.7480 0.7594 0.7653 0.7407
Qwen 7B-1.5B | LLM w/o | 0.8176 0.7865 0.7948 0.7935 0.8442 0.8091 0.7960 0.8300
             |         | 0.6924 0.7062 0.7592 0.6853 0.8193 0.7787 0.7863 0.7883
Qwen 7B-1.5B | CoSteer | 0.8396 0.8180 0.8060 0.8530 0.8780 0.8827 0.8089 0.8359
             |         | 0.7387 0.7758 0.7269 0.7482 0.8381 0.8072 0.7989 0.8377
Qwen 7B-1.5B | LLM w/  | 0.8717 0.8404 0.7852 0.9139 0.9238 0.8603 0.8091 0.9428
             |         | 0.7914 0.8206 0.7308 0.8276 0.8832 0.8270 0.7898 0.9013
Qwen 32B-7B  | SLM w/o | 0.8176 0.7865 0.7948 0.7935 0.8442 0.8091 0.7960 0.8300
             |         | 0.6924 0.7062 0.7592 0.6853 0.8193 0.7787 0.7863 0.7883
Qwen 32B-7B  | SLM w/  | 0.8717 0.8404 0.7852 0.9139 0.9238 0.8603 0.8091 0.9428
             |         | 0.7914 0.8206 0.7308 0.8276 0.8832 0.8270 0.7898 0.9013
Qwen 32B-7B  | LLM w/o | 0.8151 0.7807 0.8147 0.7892 0.8500 0.8119 0.8075 0.8366
             |         | 0.7072 0.7168 0.7810 0.7026 0.8275 0.7811 0.8110 0.7906
Qwen 32B-7B  | CoSteer | 0.8219 0.8595 0.7516 0.9209 0.8939 0.8755 0.7783 0.9447
             |         | 0.7464 0.8471 0.6849 0.8174 0.8082 0.8400 0.7396 0.9142
Qwen 32B-7B  | LLM w/  | 0.8956 0.8570 0.8105 0.9236 0.9313 0.8696 0.8385 0.9497
             |         | 0.8316 0.8394 0.7381 0.8485 0.8989 0.8404 0.8229 0.9107
Llama 8B-1B  | SLM w/o | 0.7644 0.7450 0.7144 0.7450 0.8295 0.7993 0.7564 0.8230
             |         | 0.6390 0.6445 0.6383 0.6166 0.7538 0.7294 0.7041 0.7303
Llama 8B-1B  | SLM w/  | 0.8204 0.7945 0.7661 0.8611 0.8937 0.8421 0.8567 0.9129
             |         | 0.7309 0.7571 0.6547 0.7922 0.8206 0.7843 0.7761 0.8363
Llama 8B-1B  | LLM w/o | 0.8119 0.7819 0.7746 0.7790 0.8460 0.8081 0.7758 0.8250
             |         | 0.7154 0.7089 0.7485 0.6937 0.8105 0.7700 0.7687 0.7703
Llama 8B-1B  | CoSteer | 0.8853 0.8231 0.8114 0.9180 0.9283 0.8442 0.8660 0.9365
             |         | 0.8140 0.8128 0.7159 0.8689 0.8890 0.8165 0.8189 0.9038
Llama 8B-1B  | LLM w/  | 0.9113 0.8466 0.8346 0.9191 0.9364 0.8609 0.8794 0.9313
             |         | 0.8465 0.8358 0.7596 0.8646 0.9003 0.8300 0.8426 0.8923
"""
)
