"""Methods that read the private text itself, beside the rows."""

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
class Reading(Method):
    """Starts from CoSteer's three branches; all parameters are numbers.

    Attributes:
        title: for tables.
    """

    title: ClassVar[str]

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            require_number(name, value)

    @abstractmethod
    def start(self, text: Sequence[int]) -> Rule:
        """The rule for one text, given the ids of the private one."""

    @property
    def needs(self) -> frozenset[Branch]:
        """Those of CoSteer."""
        return frozenset({"llm_without", "slm_with", "slm_without"})

    @property
    def label(self) -> str:
        """With the parameters that are not the default's."""
        standard = asdict(type(self)())
        other = [f"{k} {v:g}" for k, v in asdict(self).items() if v != standard[k]]
        return self.title + (f" ({', '.join(other)})" if other else "")

    def begin(self, prompts: TokenPrompts | None = None) -> Rule:
        """Start a text, with a look at the private one."""
        return self.start(private_part(prompts.public, prompts.private) if prompts else ())

    def scores(self, rows: Rows, answer: Sequence[int] = ()) -> Array:
        """See ``Method.scores``; as if there were no private text."""
        return self.begin().scores(rows, answer)

    def combine(self, rows: Rows) -> Array:
        """As if there were no private text."""
        return self.begin().scores(rows)
