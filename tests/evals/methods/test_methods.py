"""Every method's rule, against its equation written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.decoding.steering import LIGHT, PAPER, SteeringParams, log_softmax
from costeer.exceptions import ParameterError
from costeer_evals.methods.base import Method
from costeer_evals.methods.costeer import AdaCoSteer
from costeer_evals.methods.registry import METHODS, make_method, parse_method
from tests.support import oracle

BRANCHES = (
    "llm_without",
    "llm_guided",
    "llm_with",
    "slm_with",
    "slm_about",
    "slm_without",
    "tuned_slm",
    "untuned_slm",
)


def rows(
    seed: int = 0, n: int = 4, width: int = 12, scale: float = 2.0
) -> dict[str, npt.NDArray[Any]]:
    rng = np.random.default_rng(seed)
    return {b: log_softmax(scale * rng.standard_normal((n, width))) for b in BRANCHES}


def close(scores: npt.NDArray[Any], expected: npt.NDArray[Any]) -> bool:
    """Equal up to a constant a row."""
    return np.allclose(log_softmax(scores), log_softmax(expected), atol=2e-4)


R = rows()
WITH, WITHOUT = R["llm_with"], R["llm_without"]
SMALL = R["slm_with"] - R["slm_without"]
AMULET = 4.648699  # twice CoSteer's gain after 60 steps


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (make_method("llm-without"), WITHOUT),
        (make_method("llm-with"), WITH),
        (make_method("slm-without"), R["slm_without"]),
        (make_method("slm-with"), R["slm_with"]),
        (make_method("light-costeer"), WITHOUT + SMALL / 2.1),
        (make_method("costeer"), WITHOUT + 1.7832568 * SMALL),
        (make_method("costeer", gain=0.5), WITHOUT + 0.5 * SMALL),
        (make_method("context-steering"), WITH + (WITH - WITHOUT)),
        (make_method("context-steering", strength=-0.5), WITH - 0.5 * (WITH - WITHOUT)),
        (make_method("linear-alignment"), 3 * WITH - 2 * WITHOUT),
        (make_method("linear-alignment", model="slm"), R["slm_with"] + 2 * SMALL),
        (make_method("amulet"), WITH + AMULET * (WITH - WITHOUT)),
        (make_method("proxy-tuning"), WITHOUT + R["tuned_slm"] - R["untuned_slm"]),
        (
            make_method("mixture", weight=0.3),
            np.log(0.3 * np.exp(R["slm_with"]) + 0.7 * np.exp(WITHOUT)),
        ),
    ],
)
def test_the_rule(made: Any, expected: npt.NDArray[Any]) -> None:
    assert close(made.scores(R), expected)
    assert made.scores(R).dtype == np.float32
    assert np.allclose(np.exp(log_softmax(made.scores(R))).sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(("name", "params"), [("light-costeer", LIGHT), ("costeer", PAPER)])
def test_costeer_is_algorithm_1(name: str, params: SteeringParams) -> None:
    for i, row in enumerate(log_softmax(make_method(name).scores(R))):
        literal = oracle.algorithm_1(WITHOUT[i], R["slm_with"][i], R["slm_without"][i], params)
        assert np.allclose(row, literal, atol=1e-4)


@given(
    alpha=st.floats(0.1, 2),
    lam=st.floats(1, 4),
    eta=st.floats(0.5, 20),
    steps=st.integers(0, 30),
)
def test_amulet_is_its_game(alpha: float, lam: float, eta: float, steps: int) -> None:
    """The loop of its release, literally: it divides by t where CoSteer multiplies."""
    log_with, log_without = WITH.astype(np.float64), WITHOUT.astype(np.float64)
    player, utilities = log_with, []
    for t in range(1, steps + 1):
        utilities.append(alpha * (player - log_without))
        total = lam * log_with + sum(utilities) / t + player / (eta * t)
        player = total / (lam + 1 / (t * eta))
        player = player - np.log(np.exp(player).sum(axis=1, keepdims=True))
    made = make_method("amulet", alpha=alpha, lam=lam, eta=eta, steps=steps)
    assert np.allclose(log_softmax(made.scores(R)), player, atol=5e-3)


def test_amulet_at_its_defaults_is_twice_costeer_after_sixty_steps() -> None:
    assert make_method("amulet").ratio == pytest.approx(2 * 2.3243, abs=1e-4)


def test_contrastive_decoding_compares_plausible_tokens_only() -> None:
    made = make_method("contrastive-decoding", coefficient=0.5)
    scores = made.scores(R)
    for i in range(4):
        expert, amateur = WITHOUT[i], R["slm_without"][i]
        plausible = np.exp(expert) >= 0.1 * np.exp(expert.max())
        assert np.allclose(scores[i][plausible], (expert - 0.5 * amateur)[plausible], atol=1e-5)
        assert (scores[i][~plausible] == -np.inf).all()
        assert 1 <= plausible.sum() < 12
    assert np.isfinite(log_softmax(made.scores(R)).max(axis=1)).all()


@pytest.mark.parametrize("name", METHODS)
def test_what_a_method_needs_is_what_it_reads(name: str) -> None:
    made = make_method(name)
    assert made.violates_privacy == ("llm_with" in made.needs) == ("violates privacy" in made.label)
    made.scores({branch: R[branch] for branch in made.needs})
    for branch in made.needs:
        fewer = {other: R[other] for other in made.needs - {branch}}
        with pytest.raises(ParameterError, match=branch):
            made.scores(fewer)
        changed = {**R, branch: rows(seed=1)[branch]}
        assert not np.allclose(made.scores(changed), made.scores(R))
    for branch in set(BRANCHES) - made.needs:
        changed = {**R, branch: rows(seed=1)[branch]}
        assert np.array_equal(made.scores(changed), made.scores(R))


@pytest.mark.parametrize("name", METHODS)
def test_a_method_leaves_its_rows_alone_and_works_row_by_row(name: str) -> None:
    kept = {branch: values.copy() for branch, values in R.items()}
    made = make_method(name)
    answer = [7, 8, 9]
    together, rule = made.scores(R, answer), made.begin()
    one_by_one = [
        rule.scores({b: v[i : i + 1] for b, v in R.items()}, answer[:i]) for i in range(4)
    ]
    assert np.array_equal(np.concatenate(one_by_one), together)
    assert all(np.array_equal(kept[branch], R[branch]) for branch in R)


@pytest.mark.parametrize("name", METHODS)
def test_a_token_that_the_models_rule_out_stays_out(name: str) -> None:
    ruled_out = {branch: values.copy() for branch, values in R.items()}
    for values in ruled_out.values():
        values[:, 3] = -np.inf
    assert (make_method(name).scores(ruled_out)[:, 3] == -np.inf).all()


# The gate


def certain(llm_max: Any) -> dict[str, npt.NDArray[Any]]:
    """Rows in which the LLM's likeliest token has these probabilities."""
    made = rows(n=len(llm_max))
    for i, p in enumerate(llm_max):
        made["llm_without"][i] = np.log((1 - p) / 11)
        made["llm_without"][i, i % 12] = np.log(p)
    return made


@pytest.mark.parametrize(
    ("llm_max", "steered"),
    [
        ([0.5, 0.95, 0.95, 0.95, 0.5, 0.5], [1, 1, 1, 0, 0, 0]),
        ([0.95, 0.95, 0.5, 0.95, 0.95, 0.5], [1, 1, 1, 1, 1, 1]),
        ([0.95, 0.95, 0.95, 0.95], [1, 1, 0, 0]),
        ([0.89, 0.89, 0.89, 0.89], [1, 1, 1, 1]),
        ([], []),
    ],
)
@pytest.mark.parametrize("at_once", [1, 2, 10])
def test_the_gate_shuts_for_good_with_the_third_sure_token(
    llm_max: Any, steered: Any, at_once: int
) -> None:
    given_rows = certain(llm_max)
    rule = make_method("adacosteer").begin()
    parts = [
        rule.scores({b: v[i : i + at_once] for b, v in given_rows.items()})
        for i in range(0, len(llm_max), at_once)
    ]
    always = make_method("costeer").scores(given_rows)
    for i, row in enumerate(np.concatenate(parts) if parts else ()):
        assert np.array_equal(row, (always if steered[i] else given_rows["llm_without"])[i])


def test_every_text_starts_with_an_open_gate() -> None:
    made, sure = make_method("adacosteer"), certain([0.95] * 3)
    first = made.begin().scores(sure)
    assert np.array_equal(first, made.begin().scores(sure))
    assert np.array_equal(first, made.scores(sure))


# Names, parameters, keys


def test_keys_are_stable_and_differ() -> None:
    assert make_method("costeer", gain=0.5).key() == "costeer-004d4098cd4e"
    keys = [make_method(name).key() for name in METHODS]
    keys += [make_method("costeer", gain=g).key() for g in (0.1, 0.2)]
    keys += [AdaCoSteer(patience=4).key(), make_method("amulet", model="slm").key()]
    assert len(set(keys)) == len(keys)
    assert make_method("proxy-tuning", gain=1).key() == make_method("proxy-tuning").key()
    assert make_method("light-costeer").key() == make_method("costeer", gain=1 / 2.1).key()
    assert make_method("costeer", gain=1).key() == make_method("costeer", gain=1.0).key()


def test_labels_differ_and_equal_parameters_make_equal_methods() -> None:
    labels = [make_method(name).label for name in METHODS]
    assert len(set(labels)) == len(labels)
    assert make_method("mixture", weight=0.5) == make_method("mixture")
    assert isinstance(make_method("mixture"), Method)


@pytest.mark.parametrize(
    ("name", "parameters", "problem"),
    [
        ("steering", {}, "There is no method"),
        ("costeer", {"strength": 1}, r"no parameter 'strength'. It has: gain\."),
        ("light-costeer", {"gain": 1}, r"no parameter 'gain'. It has none\."),
        ("costeer", {"gain": float("nan")}, "finite"),
        ("costeer", {"gain": "strong"}, "finite"),
        ("mixture", {"weight": 1}, "weight"),
        ("mixture", {"weight": 0}, "weight"),
        ("adacosteer", {"patience": 0}, "patience"),
        ("adacosteer", {"patience": float("nan")}, "patience"),
        ("auto", {"run": 0}, "run"),
        ("auto", {"run": 2.5}, "run"),
        ("own-words", {"run": 0}, "run"),
        ("adacosteer", {"gain": float("inf")}, "finite"),
        ("adacosteer", {"threshold": 90}, "threshold"),
        ("linear-alignment", {"model": "both"}, "llm or slm"),
        ("amulet", {"lam": 0}, "lam"),
        ("contrastive-decoding", {"plausibility": 0}, "plausibility"),
    ],
)
def test_what_makes_no_sense_is_an_error(name: str, parameters: Any, problem: str) -> None:
    with pytest.raises(ParameterError, match=problem):
        make_method(name, **parameters)


def test_rows_of_different_shapes_are_an_error() -> None:
    with pytest.raises(ParameterError, match="shapes"):
        make_method("mixture").scores({**R, "slm_with": R["slm_with"][:2]})
    with pytest.raises(ParameterError, match="shapes"):
        make_method("slm-with").scores({"slm_with": R["slm_with"][0]})


@pytest.mark.parametrize(
    "name", ["llm-without", "costeer:gain=1", "adacosteer", "auto", "own-words", "floored"]
)
def test_a_guided_method_is_the_method_on_the_guided_llm(name: str) -> None:
    inner, guided = parse_method(name), parse_method(f"guided-{name}")
    assert "llm_without" not in guided.needs and not guided.violates_privacy
    expected = inner.scores({**R, "llm_without": R["llm_guided"]})
    assert np.array_equal(guided.scores({b: R[b] for b in guided.needs}), expected)
    assert np.array_equal(guided.begin().scores(R), expected)
    assert guided.label == f"{inner.label}, guided"


def test_guided_methods_differ_in_their_keys() -> None:
    names = ["auto", "guided-auto", "guided-costeer:gain=1", "guided-costeer:gain=2"]
    assert len({parse_method(name).key() for name in names}) == 4
    assert (
        parse_method("guided-costeer:gain=1").key() == parse_method("guided-costeer:gain=1.0").key()
    )


@pytest.mark.parametrize(
    "name", ["guided-llm-with", "guided-slm-with", "guided-nothing", "guided-"]
)
def test_what_cannot_be_guided(name: str) -> None:
    with pytest.raises(ParameterError):
        parse_method(name)
