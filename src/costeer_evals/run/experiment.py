"""What to do with each sample: score its reference, or generate texts.

Knows nothing of models, files or samples.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from costeer.decoding.sampling import SamplingParams
from costeer.exceptions import ParameterError
from costeer_evals.baselines import BASELINES
from costeer_evals.methods.base import Branch, Method

Kind: TypeAlias = Literal["score", "generate"]


@dataclass(frozen=True, slots=True)
class ScoreConfig:
    """How references are scored.

    Attributes:
        kl: measure each policy's divergence from the LLM with context, which then reads every
            sample.
        rounded: log-probabilities are rounded to float16, as in the log-probability store.
        reference_tokens: score no more than the first so many of each reference; None for all.
    """

    kl: bool = True
    rounded: bool = False
    reference_tokens: int | None = None

    def settings(self) -> dict[str, Any]:
        """The settings that a row records."""
        settings: dict[str, Any] = {"kl": self.kl} | ({"rounded": True} if self.rounded else {})
        if self.reference_tokens is not None:
            settings["reference_tokens"] = self.reference_tokens
        return settings


@dataclass(frozen=True, slots=True)
class GenerateConfig:
    """How texts are generated.

    Attributes:
        max_tokens: the longest text.
        sampling: greedy, or drawn from a seed. Each sample has its own noise, which all methods
            share.
        lanes: samples generated at once. Rows do not record it, but engines whose rounding
            depends on the batch may decide near-ties differently (``LanguageModel.exact_batch``).
        llm_with_nll: measure how likely every text is to the LLM with context.
    """

    max_tokens: int = 256
    sampling: SamplingParams = field(default_factory=SamplingParams)
    lanes: int = 1
    llm_with_nll: bool = False

    def __post_init__(self) -> None:
        for name in ("max_tokens", "lanes"):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} must be 1 or more, not {getattr(self, name)}.")

    def settings(self) -> dict[str, Any]:
        """The settings that a row records; greedy decoding has no top_p and no seed."""
        judged = {"judged": True} if self.llm_with_nll else {}  # the name in published rows
        if self.sampling.greedy:
            return {"max_tokens": self.max_tokens, "temperature": 0.0} | judged
        return judged | {
            "max_tokens": self.max_tokens,
            "temperature": self.sampling.temperature,
            "top_p": self.sampling.top_p,
            "seed": self.sampling.seed,
        }

    def seed(self, task: str, sample: str) -> int:
        """The seed of a sample's noise."""
        content = f"{self.sampling.seed}\n{task}\n{sample}".encode()
        return int.from_bytes(hashlib.sha256(content).digest()[:8], "big")


@dataclass(frozen=True, slots=True)
class CopyBaseline:
    """A baseline that needs no model; see ``baselines``."""

    name: str

    def __post_init__(self) -> None:
        if self.name not in BASELINES:
            raise ParameterError(f"There is no baseline {self.name[:40]!r}.")

    @property
    def label(self) -> str:
        return f"({self.name.replace('-', ' ')})"

    def key(self) -> str:
        """The key of its rows, like a method's."""
        return self.name


@dataclass(frozen=True, slots=True)
class Experiment:
    """The methods to run, and how.

    Attributes:
        config: scoring or generating.
        methods: the methods that need models.
        baselines: the baselines that need none; for texts only.
    """

    config: ScoreConfig | GenerateConfig
    methods: tuple[Method, ...]
    baselines: tuple[CopyBaseline, ...] = ()

    def __post_init__(self) -> None:
        keys = self.keys
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ParameterError(f"A method is named twice: {', '.join(twice)}.")
        if not keys:
            raise ParameterError("There is no method to run.", "Name one with --methods.")

    @property
    def kind(self) -> Kind:
        return "score" if isinstance(self.config, ScoreConfig) else "generate"

    @property
    def lanes(self) -> int:
        """Samples that need their sequences at the same time."""
        return self.config.lanes if isinstance(self.config, GenerateConfig) else 1

    @property
    def keys(self) -> list[str]:
        """The keys of all methods and baselines."""
        return [*(m.key() for m in self.methods), *(b.key() for b in self.baselines)]

    @property
    def branches(self) -> frozenset[Branch]:
        """All branches that any method reads."""
        needed: set[Branch] = set()
        for method in self.methods:
            needed |= method.needs
        config = self.config
        if config.kl if isinstance(config, ScoreConfig) else config.llm_with_nll:
            needed.add("llm_with")
        return frozenset(needed)
