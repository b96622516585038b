"""Pure differential privacy, by exact enumeration of every answer that can be written.

Every answer is written twice, with the context and without one, with scripted draws. The exact
probability of each draw is known (whole numbers), so that of each answer is, in both worlds.
"""

import math
import random
from collections import deque
from fractions import Fraction
from threading import Thread
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from costeer import Costeer
from costeer.cloud.in_process import InProcess
from costeer.exceptions import ParameterError
from costeer.models.fake import FakeModel
from costeer.privacy.budget import Budget
from costeer.privacy.odometer import Odometer
from costeer.privacy.spent_file import SpentFile

LENGTH = 4 if settings.default.max_examples > 100 else 2
"""Tokens of an answer: 81 or 9 answers, each written in both worlds."""

CONTEXT = "I am Maren Okafor. I like tea."


class Script:
    """Draws what it is told to, and keeps how likely that was."""

    def __init__(self, script: Any) -> None:
        self.script, self.options, self.probability = script, [], Fraction(1)

    def __call__(self, weights: Any) -> Any:
        index = self.script[len(self.options)] if len(self.options) < len(self.script) else 0
        self.options.append(len(weights))
        self.probability *= Fraction(weights[index], sum(weights))
        return index


class Flat(FakeModel):
    """Says that every token is as likely as any other."""

    def logprobs(self, ids: Any) -> Any:
        return np.full(self.vocab_size, -np.log(self.vocab_size), np.float32)


class Adaptive(FakeModel):
    """Flat, or sure of itself, as what was drawn before decides."""

    def logprobs(self, ids: Any) -> Any:
        row = super().logprobs(ids)
        return np.zeros_like(row) - np.float32(np.log(row.size)) if ids[-1] % 2 else row


def write(
    cloud: Any, context: Any, script: Any, folder: Any, epsilon: Any, turns: Any = 1, **options: Any
) -> Any:
    """The ids of an answer, or of several, how likely they are in this world, and what is spent."""
    scripted, ids = Script(script), []
    budget, slm = Budget(epsilon, Odometer(SpentFile(folder)), scripted), FakeModel(seed=2)
    options = {"top_k": 3, "guard": "off", "epsilon": budget, **options}
    with Costeer(InProcess(cloud), slm, **options) as costeer:
        for turn in range(turns):
            result = costeer.generate(
                f"Q{turn}", context, max_tokens=LENGTH // turns, temperature=0.8
            )
            ids.append(tuple(result.token_ids))
    return tuple(ids), scripted, budget.odometer.high


def every_answer(cloud: Any, context: Any, root: Any, epsilon: Any, **options: Any) -> Any:
    """{ids: probability} of all answers; and the odometer after each."""
    answers, spent, todo = {}, {}, [()]
    while todo:
        script = todo.pop()
        folder = root / str(len(answers))
        folder.mkdir(parents=True)
        ids, drawn, high = write(cloud, context, script, folder, epsilon, **options)
        spent[ids] = high
        assert ids not in answers
        answers[ids] = drawn.probability
        for at in range(len(script), len(drawn.options)):
            before = (*script, *[0] * (at - len(script)))
            todo += [(*before, index) for index in range(1, drawn.options[at])]
    return answers, spent


@pytest.mark.slow
@pytest.mark.parametrize("cloud", [FakeModel, Flat, Adaptive])
@pytest.mark.parametrize(
    ("strength", "epsilon", "turns"),
    [(1.0, 1.0, 1), (50.0, 0.3, 1), ("auto", 0.5, 1), (2.0, 0.4, 2)],
    ids=["usual", "strong", "auto", "two-turns"],
)
def test_no_answer_is_a_proof_of_the_context(
    tmp_path: Any, cloud: Any, strength: Any, epsilon: Any, turns: Any
) -> None:
    model = cloud(seed=1)
    options = {"epsilon": epsilon, "strength": strength, "turns": turns}
    with_context, spent = every_answer(model, CONTEXT, tmp_path / "with", **options)
    without, nothing = every_answer(model, "", tmp_path / "without", **options)
    assert with_context.keys() == without.keys()
    assert len(without) > 2**LENGTH
    assert sum(with_context.values()) == sum(without.values()) == 1
    ratios = {ids: math.log(with_context[ids] / without[ids]) for ids in without}
    assert max(map(abs, ratios.values())) <= epsilon
    assert max(map(abs, ratios.values())) > 0.05  # it does steer
    for ids, ratio in ratios.items():
        assert spent[ids] == pytest.approx(ratio, abs=1e-9)  # the odometer is right
        assert nothing[ids] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0.0}, "needs sampling"),
        ({"temperature": 1.0, "seed": 7}, "no seed"),
    ],
)
def test_what_would_break_the_cap_is_refused(tmp_path: Any, options: Any, message: Any) -> None:
    budget = Budget(1.0, Odometer(SpentFile(tmp_path)))
    with (
        Costeer(InProcess(FakeModel(seed=1)), FakeModel(seed=2), strength=1, epsilon=budget) as one,
        pytest.raises(ParameterError, match=message),
    ):
        one.generate("Q", CONTEXT, **options)


@pytest.mark.slow
def test_a_dry_budget_is_said_and_changes_no_request(tmp_path: Any) -> None:
    asked = []

    class Noting(InProcess):
        def stream(
            self, prompt_ids: Any, top_k: Any, max_tokens: Any, *rest: Any, **options: Any
        ) -> Any:
            asked.append((top_k, max_tokens))
            return super().stream(prompt_ids, top_k, max_tokens, *rest, **options)

    rng = random.Random(1)
    budget = Budget(
        0.2,
        Odometer(SpentFile(tmp_path)),
        lambda weights: rng.choices(range(len(weights)), weights)[0],
    )
    cloud = Noting(FakeModel(seed=1))
    with Costeer(cloud, FakeModel(seed=2), strength=20, guard="off", epsilon=budget) as costeer:
        result = costeer.generate("Q", CONTEXT, max_tokens=60, temperature=1.0)
        assert "budget is spent" in result.warning
        before = len(asked)
        later = costeer.generate("Q2", CONTEXT, max_tokens=60, temperature=1.0)
    assert set(asked) == {(64, 1)}
    assert len(asked) - before == later.steps
    assert later.evidence == 0
    assert abs(result.evidence) <= 0.2


@pytest.mark.slow
def test_an_answer_waits_for_another_that_spends_and_can_be_stopped_meanwhile(
    tmp_path: Any,
) -> None:
    options: dict[str, Any] = {"max_tokens": 8, "temperature": 1.0}
    budget = Budget(50.0, Odometer(SpentFile(tmp_path)))
    with Costeer(InProcess(FakeModel(seed=1)), FakeModel(seed=2), epsilon=budget) as costeer:
        first = costeer.stream("Q", "me", **options)
        next(first)
        waiting = [costeer.stream("Q", "me", **options) for _ in range(2)]
        threads = [Thread(target=deque, args=(one, 0)) for one in waiting]
        for thread in threads:
            thread.start()
        waiting[0].stop()
        threads[0].join(30)
        assert not threads[0].is_alive()
        assert not waiting[0].result.token_ids
        deque(first, 0)
        threads[1].join(30)
    assert waiting[1].result.steps and first.result.steps
