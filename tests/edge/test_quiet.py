"""With ``quiet``, the cloud hears of an answer once the small model has read its prompts."""

import threading
from typing import Any

import pytest

from costeer import Costeer
from costeer.cloud.in_process import InProcess
from tests.support.gateway import TextModel


class Heard(InProcess):
    """Says when it is asked."""

    def __init__(self) -> None:
        super().__init__(TextModel(seed=1))
        self.asked = threading.Event()

    def stream(self, *args: Any, **options: Any) -> Any:
        self.asked.set()
        return super().stream(*args, **options)


class Reading(TextModel):
    """Notes whether the cloud was asked before a prompt had been read."""

    def __init__(self, cloud: Any) -> None:
        super().__init__(seed=2)
        self.cloud, self.asked = cloud, []

    def extend_many(self, work: Any, rows: Any = None) -> Any:
        self.asked.append(self.cloud.asked.is_set())
        return super().extend_many(work, rows)


@pytest.mark.parametrize("mode", ["run-ahead", "lockstep"])
def test_nothing_is_asked_before_the_private_prompt_is_read(mode: Any) -> None:
    texts = []
    for quiet in (True, False):
        cloud = Heard()
        slm = Reading(cloud)
        with Costeer(cloud, slm, strength=2.0, mode=mode, quiet=quiet) as costeer:
            texts.append(costeer.generate("Hello?", "I am vegan.", max_tokens=6).text)
        if quiet:
            assert not any(slm.asked[:2])  # the private prompt, and the plain one
            assert slm.asked[-1]
        elif mode == "run-ahead":  # in lockstep a thread asks, when it gets to it
            assert slm.asked[0]
    assert texts[0] == texts[1]
