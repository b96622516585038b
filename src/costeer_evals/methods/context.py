"""Methods that read the private text itself, besides the rows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

from costeer.decoding.auto import private_part
from costeer.decoding.steering import Array
from costeer_evals.methods.base import Branch, Method, Rows, Rule, require_number
from costeer_evals.prompts import TokenPrompts


@dataclass(frozen=True)
class ContextMethod(Method):
    """A method on CoSteer's three branches that knows the private text; its parameters are numbers.

    ``scores`` and ``combine`` without ``begin`` behave as if the private text were empty.

    Attributes:
        title: the name in tables, to which parameters other than the defaults are added.
    """

    title: ClassVar[str]

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            require_number(name, value)

    @abstractmethod
    def start_rule(self, text: Sequence[int]) -> Rule:
        """The rule for one answer, given the ids of the private text."""

    @property
    def needs(self) -> frozenset[Branch]:
        return frozenset({"llm_without", "slm_with", "slm_without"})

    @property
    def label(self) -> str:
        standard = asdict(type(self)())
        other = [f"{k} {v:g}" for k, v in asdict(self).items() if v != standard[k]]
        return self.title + (f" ({', '.join(other)})" if other else "")

    def begin(self, prompts: TokenPrompts | None = None) -> Rule:
        return self.start_rule(private_part(prompts.public, prompts.private) if prompts else ())

    def scores(self, rows: Rows, answer: Sequence[int] = ()) -> Array:
        return self.begin().scores(rows, answer)

    def combine(self, rows: Rows) -> Array:
        return self.begin().scores(rows)
