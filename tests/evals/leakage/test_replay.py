"""The attack: steering is found out where it is strong, and an answer without it tells nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from costeer.models.fake import FakeModel
from costeer_evals.leakage.arms import ARMS, Arm, find_arms
from costeer_evals.leakage.replay import Attacker, Replay, _Reader
from costeer_evals.leakage.scores import rank
from costeer_evals.leakage.writing import Writer, Written
from costeer_evals.tasks.base import Sample

PEOPLE = [f"I am person number {number}." for number in range(10)]
STRONG = Arm("strong", "", strength=3.0)
SILENT = Arm("silent", "", strength=0.0)


def sample(number: Any, query: Any = "What now?") -> Any:
    return Sample(
        id=str(number),
        query=query,
        context_prompt=f"{query} {PEOPLE[number]}",
        reference=None,
        group=str(number),
        context=PEOPLE[number],
    )


@pytest.fixture
def tools() -> Iterator[Any]:
    llm, slm = FakeModel(seed=1, max_sequences=3), FakeModel(seed=2, max_sequences=3)
    with closing(Attacker(llm, slm)) as attacker, closing(Writer(llm, slm, 16)) as writer:
        yield writer, attacker
    assert (llm.opened, slm.opened) == (0, 0)


def ranks(tools: Any, arm: Any) -> Any:
    """The place of the truth, for each person."""
    writer, attacker = tools
    found = []
    for number in range(len(PEOPLE)):
        replay = Replay([(arm, writer.write(sample(number), arm))], attacker, "seed")
        scores = [replay.score(context)[arm.name].nats for context in PEOPLE]
        found.append(rank(np.array(scores), number))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_strong_steering_is_identified(tools: Any, temperature: Any) -> None:
    arm = Arm("strong", "", strength=3.0, temperature=temperature)
    assert sum(place == 1 for place in ranks(tools, arm)) >= 9


def test_without_steering_every_candidate_is_as_likely(tools: Any) -> None:
    writer, attacker = tools
    replay = Replay([(SILENT, writer.write(sample(3), SILENT))], attacker, "seed")
    assert len({replay.score(context)["silent"].nats for context in PEOPLE}) == 1


@pytest.mark.slow
def test_an_unsteered_answer_is_at_chance_whatever_is_assumed(tools: Any) -> None:
    arm = Arm("llm-without", "", "nobody", strength=3.0)
    assert sum(place == 1 for place in ranks(tools, arm)) <= 4  # 1 expected


@pytest.mark.slow
def test_a_cap_bounds_the_ratio_of_any_two_candidates(tools: Any) -> None:
    writer, attacker = tools
    arm = Arm("capped", "", strength=3.0, epsilon=0.5, temperature=1.0)
    ranges = []
    for _ in range(6):  # drawn from the system's randomness: one may not depend on the context
        replay = Replay([(arm, writer.write(sample(2), arm))], attacker, "seed")
        nats = [replay.score(context)["capped"].nats for context in PEOPLE]
        ranges.append(max(nats) - min(nats))
    assert 0 < max(ranges) <= 2 * 0.5 + 1e-6


@pytest.mark.slow
def test_the_likelihood_is_that_of_the_steered_law(tools: Any) -> None:
    """Against the sum over the whole vocabulary, position by position."""
    writer, attacker = tools
    arm = Arm("sampled", "", strength=1.0, temperature=1.0)
    written = writer.write(sample(1), arm)
    replay = Replay([(arm, written)], attacker, "seed")
    llm, slm = FakeModel(seed=1), FakeModel(seed=2)
    read = replay._prompts(replay._answers[0], PEOPLE[1])
    nats = 0.0
    for at, token in enumerate(written.ids):
        before = written.ids[:at]
        rows = [
            model.logprobs([*prompt, *before]).astype(np.float64)
            for model, prompt in ((llm, read.public), (slm, read.private), (slm, read.plain))
        ]
        scores = rows[0] + rows[1] - rows[2]
        nats += scores[token] - np.log(np.exp(scores).sum())
    assert replay.score(PEOPLE[1])["sampled"].nats == pytest.approx(nats, abs=0.05)


@pytest.mark.slow
def test_the_pattern_of_the_truth_fits_and_sampling_has_none(tools: Any) -> None:
    writer, attacker = tools
    arms = (STRONG, Arm("sampled", "", strength=3.0, temperature=1.0))
    replay = Replay([(arm, writer.write(sample(4), arm)) for arm in arms], attacker, "seed")
    found = [replay.score(context) for context in PEOPLE]
    assert found[4]["strong"].mismatches == 0
    assert any(one["strong"].mismatches for one in found)
    assert {one["sampled"].mismatches for one in found} == {None}


@pytest.mark.slow
def test_stand_ins_are_drawn_by_the_attacker(tools: Any) -> None:
    writer, attacker = tools
    arm = Arm("guarded", "", guard="stand-in")
    one = Sample("1", "Hi", "Hi", None, "1", context="My name is Maren Okafor.")
    written = writer.write(one, arm)
    replay = Replay([(arm, written)], attacker, "seed")
    prompt = bytes(i for i in replay._prompts(replay._answers[0], one.context).private if i < 256)
    assert b"My name is" in prompt
    assert b"Maren" not in prompt


@pytest.mark.parametrize("seed", range(5))
def test_a_reader_gives_the_rows_of_a_fresh_sequence(seed: Any) -> None:
    model, rng = FakeModel(seed=3), np.random.default_rng(seed)
    with closing(_Reader(model)) as reader:
        for _ in range(12):
            prompt = tuple(rng.integers(0, 3, rng.integers(1, 3)).tolist())
            ids = tuple(rng.integers(0, 2, rng.integers(1, 5)).tolist())
            rows = reader.rows(prompt, ids)
            fresh = [model.logprobs([*prompt, *ids[:at]]) for at in range(len(ids))]
            assert np.array_equal(rows, np.stack(fresh))


def test_a_stored_answer_is_the_same_one(tools: Any) -> None:
    written = tools[0].write(sample(0), STRONG)
    assert Written.from_json(written.as_json()) == written
    assert "ids" not in repr(written)


def test_equal_scores_are_right_as_often_as_a_guess() -> None:
    assert [rank(np.zeros(4), truth) for truth in range(4)] == [1, 2, 3, 4]
    assert rank(np.array([1.0, 3.0, 2.0]), 2) == 2


def test_arms_keep_their_order_and_have_names_of_their_own() -> None:
    assert len({arm.name for arm in ARMS}) == len(ARMS)
    assert [arm.name for arm in find_arms(["auto", "llm-without"])] == ["llm-without", "auto"]
    assert all(a != b for a, b in pairwise(find_arms([])))
