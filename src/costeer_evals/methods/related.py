"""Methods of other papers, each as its rule for one token.

Three of them strengthen a context that the same model sees. On the LLM this sends the context to
the cloud; with ``model="slm"`` it stays on the device, as a fair comparison without any cloud.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Literal

import numpy as np

from costeer.decoding.steering import LOG_FLOOR, Array, SteeringParams, delta, gain, score
from costeer.exceptions import ParameterError
from costeer_evals.methods.base import Branch, Method, Rows, require_number


@dataclass(frozen=True)
class ContrastiveDecoding(Method):
    """log P_expert - c log P_amateur, over tokens with P_expert >= a max P_expert.

    Source: arXiv 2210.15097, section 3, where c = 1 and a = 0.1; its code also takes c below 1.
    The LLM is the expert and the SLM the amateur, both without context, so nothing is personal.
    It rules tokens out, so a reference's likelihood may be zero.
    """

    name = "contrastive-decoding"
    coefficient: float = 1.0
    plausibility: float = 0.1

    def __post_init__(self) -> None:
        require_number("coefficient", self.coefficient)
        require_number("plausibility", self.plausibility, 1e-30, 1)

    @property
    def needs(self) -> frozenset[Branch]:
        return frozenset({"llm_without", "slm_without"})

    @property
    def label(self) -> str:
        return "Contrastive Decoding" + (
            "" if self.coefficient == 1 else f" ({self.coefficient:g})"
        )

    def combine(self, rows: Rows) -> Array:
        expert = rows["llm_without"]
        bar = expert.max(axis=-1, keepdims=True) + np.float32(np.log(self.plausibility))
        amateur = np.maximum(rows["slm_without"], np.float32(LOG_FLOOR))
        contrast = score(expert, amateur, -self.coefficient)
        return np.where(expert >= bar, contrast, np.float32(-np.inf))


@dataclass(frozen=True)
class Amplified(Method):
    """log pi = log P_with + r (log P_with - log P_without), all of one model."""

    model: Literal["llm", "slm"] = "llm"

    def __post_init__(self) -> None:
        if self.model not in ("llm", "slm"):
            raise ParameterError(f"model must be llm or slm, not {str(self.model)[:40]!r}.")
        require_number(f"the ratio of {self.name}", self.ratio)

    @property
    @abstractmethod
    def ratio(self) -> float:
        """The factor r."""

    @property
    @abstractmethod
    def title(self) -> str:
        """The name of the paper's method."""

    @property
    def branches(self) -> tuple[Branch, Branch]:
        if self.model == "llm":
            return "llm_with", "llm_without"
        return "slm_with", "slm_without"

    @property
    def needs(self) -> frozenset[Branch]:
        return frozenset(self.branches)

    @property
    def label(self) -> str:
        where = "LLM, violates privacy" if self.violates_privacy else "SLM"
        return f"{self.title} ({self.ratio:.3g}; {where})"

    def combine(self, rows: Rows) -> Array:
        seen, unseen = (rows[branch] for branch in self.branches)
        return score(seen, delta(seen, unseen), self.ratio)


@dataclass(frozen=True)
class ContextSteering(Amplified):
    """arXiv 2405.01768, whose lambda is ``strength``; as in its code, cos/core.py."""

    name = "context-steering"
    title = "Context Steering"
    strength: float = 1.0

    @property
    def ratio(self) -> float:
        return self.strength


@dataclass(frozen=True)
class LinearAlignment(Amplified):
    """arXiv 2401.11458 in closed form; the ratio of its code is 2."""

    name = "linear-alignment"
    title = "Linear Alignment"
    strength: float = 2.0

    @property
    def ratio(self) -> float:
        return self.strength


@dataclass(frozen=True)
class Amulet(Amplified):
    """arXiv 2502.19148 in closed form: at its defaults, Linear Alignment at ratio 4.65.

    Its loop starts at log P_with and has the utility alpha (log pi_t - log P_without). With
    log pi_t = log P_with + h_t delta that is alpha (1 + h_t) delta, so h follows CoSteer's
    recursion with beta = alpha.
    """

    name = "amulet"
    title = "Amulet"
    alpha: float = 2.0
    lam: float = 2.0
    eta: float = 10.0
    steps: int = 60

    @property
    def ratio(self) -> float:
        return gain(
            SteeringParams(
                alpha=self.alpha, beta=self.alpha, lam=self.lam, eta=self.eta, steps=self.steps
            )
        )


@dataclass(frozen=True)
class ProxyTuning(Method):
    """log P_large + g (log P_tuned - log P_untuned): arXiv 2401.08565, where g = 1.

    Any three models of one vocabulary will do.
    """

    name = "proxy-tuning"
    gain: float = 1.0

    def __post_init__(self) -> None:
        require_number("gain", self.gain)

    @property
    def needs(self) -> frozenset[Branch]:
        return frozenset({"llm_without", "tuned_slm", "untuned_slm"})

    @property
    def label(self) -> str:
        return "Proxy-tuning" + ("" if self.gain == 1 else f" (gain {self.gain:g})")

    def combine(self, rows: Rows) -> Array:
        return score(rows["llm_without"], delta(rows["tuned_slm"], rows["untuned_slm"]), self.gain)


@dataclass(frozen=True)
class Mixture(Method):
    """P = w P_SLM,with + (1 - w) P_LLM,without, in the manner of CoGenesis (arXiv 2403.03129).

    Deviations: CoGenesis learns w for each token by a network over both rows, and keeps ten tokens
    of each model; here w is one number and rows are whole.
    """

    name = "mixture"
    weight: float = 0.5

    def __post_init__(self) -> None:
        require_number("weight", self.weight, 1e-6, 1 - 1e-6)

    @property
    def needs(self) -> frozenset[Branch]:
        return frozenset({"llm_without", "slm_with"})

    @property
    def label(self) -> str:
        return f"CoGenesis-style mixture ({self.weight:g})"

    def combine(self, rows: Rows) -> Array:
        small = rows["slm_with"] + np.float32(np.log(self.weight))
        large = rows["llm_without"] + np.float32(np.log1p(-self.weight))
        mixed: Array = np.logaddexp(small, large)
        return mixed
