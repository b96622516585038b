"""What is to be done with each sample: likelihoods of the reference, or texts.

Knows nothing of models, files or samples.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from costeer.decoding.sampling import SamplingParams
from costeer.exceptions import ParameterError
from costeer_evals.baselines import BASELINES
from costeer_evals.methods.base import Branch, Method

Kind: TypeAlias = Literal["score", "generate"]
KINDS: tuple[Kind, ...] = ("score", "generate")
MAX_TOKENS = 256


@dataclass(frozen=True, slots=True)
class Scoring:
    """How references are scored.

    Attributes:
        kl: measure every policy's divergence from the LLM with context, whose rows are then
            needed for every sample.
        rounded: whether rows are rounded to float16, as they are where they are kept.
    """

    kl: bool = True
    rounded: bool = False

    def settings(self) -> dict[str, Any]:
        """As a row holds it."""
        return {"kl": self.kl} | ({"rounded": True} if self.rounded else {})


@dataclass(frozen=True, slots=True)
class Generating:
    """How texts are written.

    Attributes:
        max_tokens: at most.
        sampling: greedy, or drawn from a seed; each sample has noise of its own, which all methods
            share.
        lanes: samples written at once. It is no part of what a result is: engines whose rounding
            depends on the batch may flip near-ties (see ``LanguageModel.exact_batch``).
        judged: measure how likely every text is to the LLM with context.
    """

    max_tokens: int = MAX_TOKENS
    sampling: SamplingParams = field(default_factory=SamplingParams)
    lanes: int = 1
    judged: bool = False

    def __post_init__(self) -> None:
        for name in ("max_tokens", "lanes"):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} must be 1 or more, not {getattr(self, name)}.")

    def settings(self) -> dict[str, Any]:
        """As a row holds it; what does not matter when greedy is left out."""
        judged = {"judged": True} if self.judged else {}
        if self.sampling.greedy:
            return {"max_tokens": self.max_tokens, "temperature": 0.0} | judged
        return judged | {
            "max_tokens": self.max_tokens,
            "temperature": self.sampling.temperature,
            "top_p": self.sampling.top_p,
            "seed": self.sampling.seed,
        }

    def seed(self, task: str, sample: str) -> int:
        """Of a sample's noise."""
        content = f"{self.sampling.seed}\n{task}\n{sample}".encode()
        return int.from_bytes(hashlib.sha256(content).digest()[:8], "big")


@dataclass(frozen=True, slots=True)
class Copying:
    """A baseline that needs no model; see ``baselines``."""

    name: str

    def __post_init__(self) -> None:
        if self.name not in BASELINES:
            raise ParameterError(f"There is no baseline {self.name[:40]!r}.")

    @property
    def label(self) -> str:
        """For tables."""
        return f"({self.name.replace('-', ' ')})"

    def key(self) -> str:
        """As a method's."""
        return self.name


@dataclass(frozen=True, slots=True)
class Experiment:
    """Methods, and what each is to do.

    Attributes:
        work: scoring or generating, and how.
        methods: those that need models.
        copying: those that need none; for texts only.
    """

    work: Scoring | Generating
    methods: tuple[Method, ...]
    copying: tuple[Copying, ...] = ()

    def __post_init__(self) -> None:
        keys = self.keys
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ParameterError(f"A method is named twice: {', '.join(twice)}.")
        if not keys:
            raise ParameterError("There is no method to run.", "Name one with --methods.")

    @property
    def kind(self) -> Kind:
        """Of work."""
        return "score" if isinstance(self.work, Scoring) else "generate"

    @property
    def settings(self) -> Mapping[str, Any]:
        """Of the work, as a row holds them."""
        return self.work.settings()

    @property
    def keys(self) -> list[str]:
        """Of all methods."""
        return [*(m.key() for m in self.methods), *(c.key() for c in self.copying)]

    @property
    def branches(self) -> frozenset[Branch]:
        """All that any method reads."""
        needed: set[Branch] = set()
        for method in self.methods:
            needed |= method.needs
        if self.work.kl if isinstance(self.work, Scoring) else self.work.judged:
            needed.add("llm_with")
        return frozenset(needed)
