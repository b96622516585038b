"""With ``quiet``, the cloud hears of an answer once the small model has read its prompts."""

from typing import Any

import pytest

from costeer import Costeer
from costeer.cloud.in_process import InProcess
from tests.support.gateway import TextModel

TOKENS = 6


class Reading(TextModel):
    """Counts the tokens that it has been given."""

    read = 0

    def extend_many(self, work: Any, rows: Any = None) -> Any:
        result = super().extend_many(work, rows)
        self.read += sum(len(ids) for _, ids in work)
        return result


class Heard(InProcess):
    """Keeps how much the small model had read whenever the cloud was asked."""

    def __init__(self, slm: Any) -> None:
        super().__init__(TextModel(seed=1))
        self.slm, self.read = slm, []

    def stream(self, *args: Any, **options: Any) -> Any:
        self.read.append(self.slm.read)
        return super().stream(*args, **options)


@pytest.mark.slow
@pytest.mark.parametrize("context", ["I am vegan.", "I am vegan. " * 200], ids=["short", "long"])
@pytest.mark.parametrize("mode", ["run-ahead", "lockstep"])
def test_nothing_is_asked_before_both_prompts_are_read(mode: Any, context: Any) -> None:
    texts = []
    for quiet in (True, False):
        slm = Reading(seed=2, context_length=8192)
        cloud = Heard(slm)
        with Costeer(cloud, slm, strength=2.0, mode=mode, quiet=quiet) as costeer:
            texts.append(costeer.generate("Hello?", context, max_tokens=TOKENS).text)
        answers = slm.read - cloud.read[0]  # what was read after the first request
        if quiet:
            assert answers <= 2 * 2 * TOKENS  # drafts that were rolled back are read again
        elif mode == "run-ahead":  # in lockstep a thread asks, when it gets to it
            assert answers > len(context)
    assert texts[0] == texts[1]
