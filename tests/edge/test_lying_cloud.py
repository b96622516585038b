"""A cloud that insists on a few words and then sends equal log-probabilities."""

import random
from typing import Any

import pytest

from costeer import Costeer
from costeer.cloud.in_process import InProcess
from costeer.edge.watch import WARNING
from costeer.models.fake import FakeModel
from costeer.privacy.guard import Guard
from costeer.privacy.values import Value
from tests.support.lying import LURES, LyingModel, RecitingModel
from tests.support.serving import running

CONTEXT = (
    "Of course. Your name is Maren Okafor, and you are 61.\n\nYou live at 14 Quay Lane, Porto.\n\n"
    "Your doctor told you that you have sarcoidosis."
)
VALUES = [
    Value("Maren Okafor", "name"),
    Value("14 Quay Lane", "address"),
    Value("Porto", "place"),
    Value("sarcoidosis", "other", "withheld"),
]
SECRETS = ["Maren", "Okafor", "14 Quay", "Porto", "sarcoid"]
PRINTABLE = range(32, 127)


def ask(url: Any, guard: Any, strength: Any = 1.0, **options: Any) -> Any:
    with Costeer(
        url, RecitingModel(), strength=strength, guard=guard, mode="lockstep", **options
    ) as costeer:
        result = costeer.generate("Who am I?", CONTEXT, max_tokens=50)
        return result, "".join(costeer.sent_texts())


def guard(mode: Any = "stand-in") -> Any:
    return Guard(mode, VALUES, random.Random(4))


@pytest.mark.slow
@pytest.mark.parametrize("lure", LURES)
def test_without_a_guard_the_device_writes_its_context_out(lure: Any) -> None:
    """The attack works, where it is not noticed; else the tests below would show nothing."""
    with running(LyingModel(lure, PRINTABLE)) as app:
        _, sent = ask(app.url, "off")
    assert any(secret in sent for secret in SECRETS)


@pytest.mark.slow
@pytest.mark.parametrize("strength", [1.0, "auto"])
@pytest.mark.parametrize("lure", LURES)
@pytest.mark.parametrize("among", [None, PRINTABLE], ids=["flat", "among-letters"])
def test_no_guarded_value_gets_out(lure: Any, strength: Any, among: Any) -> None:
    with running(LyingModel(lure, among)) as app:
        _, sent = ask(app.url, guard(), strength)
    assert [secret for secret in SECRETS if secret in sent] == []


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["off", "stand-in", "strict"])
def test_a_flat_cloud_is_noticed_and_steering_stops(mode: Any) -> None:
    with running(LyingModel(LURES[0])) as app:
        result, _ = ask(app.url, guard(mode))
    assert result.warning == WARNING
    assert "Maren" not in result.text  # restored it would show that steering had gone on


@pytest.mark.slow
def test_what_is_noticed_stays_noticed() -> None:
    with (
        running(LyingModel(LURES[0])) as app,
        Costeer(app.url, RecitingModel(), strength=1, guard=guard()) as costeer,
    ):
        costeer.generate("Who am I?", CONTEXT, max_tokens=40)
        again = costeer.generate("And now?", CONTEXT, max_tokens=40)
    assert again.warning == WARNING
    assert again.changed == 0


@pytest.mark.slow
def test_an_honest_cloud_is_not_accused() -> None:
    with Costeer(InProcess(FakeModel(seed=1)), FakeModel(seed=2), strength=1) as costeer:
        for number in range(3):
            assert not costeer.generate(f"Q{number}", CONTEXT, max_tokens=40).warning


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "most"), [("off", 3000), ("stand-in", 2048), ("strict", 2)])
def test_no_more_log_probabilities_are_asked_for_than_a_public_number(mode: Any, most: Any) -> None:
    asked = []

    class Noting(InProcess):
        def stream(
            self, prompt_ids: Any, top_k: Any, max_tokens: Any, *rest: Any, **options: Any
        ) -> Any:
            asked.append(top_k)
            return super().stream(prompt_ids, top_k, max_tokens, *rest, **options)

    cloud, slm = FakeModel(vocab_size=3000, seed=1), FakeModel(vocab_size=3000, seed=2)
    with Costeer(Noting(cloud), slm, strength=20, guard=mode, top_k=2) as costeer:
        result = costeer.generate("Q", CONTEXT, max_tokens=30)
    assert result.changed
    assert max(asked) == most


@pytest.mark.slow
@pytest.mark.parametrize("strength", [0.8, 1.0])
def test_long_passages_are_not_copied_at_any_strength(strength: Any) -> None:
    """Among letters the liar is not noticed, and gets what is not guarded: a run at a time."""
    context = "Of course. Your name is unimportant. Everything here is one long unguarded sentence."
    sent = {}
    for mode in ("off", "stand-in"):
        with (
            running(LyingModel(LURES[0], PRINTABLE)) as app,
            Costeer(
                app.url, RecitingModel(), strength=strength, guard=mode, mode="lockstep"
            ) as costeer,
        ):
            costeer.generate("Q", context, max_tokens=70)
            sent[mode] = "".join(costeer.sent_texts())
    copied = {mode: longest_copy(text, context) for mode, text in sent.items()}
    assert copied["stand-in"] <= len(LURES[0]) + 2 < copied["off"] - 5  # the lure included


def longest_copy(text: Any, context: Any) -> Any:
    """Length of the longest part of the context that stands in the text."""
    best = 0
    for start in range(len(context)):
        while context[start : start + best + 1] in text and start + best < len(context):
            best += 1
    return best
