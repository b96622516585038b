"""The strengths that people can ask for."""

from __future__ import annotations

from typing import Any

import pytest

from costeer.decoding.auto import AutoParams
from costeer.decoding.steering import LIGHT, PAPER, gain
from costeer.decoding.strength import Strength, resolve_strength
from costeer.exceptions import ParameterError


def test_names() -> None:
    assert resolve_strength("light") == Strength(gain(LIGHT))
    assert resolve_strength("light").factor == pytest.approx(1 / 2.1)
    assert resolve_strength("paper").gain == pytest.approx(1.7833, abs=5e-5)
    assert resolve_strength("paper") == Strength(gain(PAPER))


def test_numbers() -> None:
    assert resolve_strength("0.8") == resolve_strength(0.8) == Strength(0.8)
    assert resolve_strength(0).factor == 0


def test_auto_has_its_own_factor() -> None:
    found = resolve_strength("auto")
    assert (found.auto, found.factor, found.gain) == (AutoParams(), 1.0, AutoParams().gain)


def test_what_people_ask_for_is_the_rule_with_less_or_more_gain() -> None:
    gains = [resolve_strength(name).auto.gain for name in ("gentle", "auto", "strong")]
    assert gains == [0.5 * AutoParams().gain, AutoParams().gain, 1.5 * AutoParams().gain]
    assert resolve_strength("off") == resolve_strength(0)


@pytest.mark.parametrize("bad", [-0.1, "-2", 1e39, "1e308"])
def test_out_of_range(bad: Any) -> None:
    with pytest.raises(ParameterError, match="from 0 to 1,000,000"):
        resolve_strength(bad)
