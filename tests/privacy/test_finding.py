from typing import Any

import pytest

from costeer.privacy.finding import MASK, pairs_to_find, stands_in
from costeer.privacy.rewriting import Rewriter
from costeer.privacy.values import Value


@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        (Value("Maren Okafor", "name"), "the Okafors came", True),
        (Value("Maren Okafor", "name"), "marenokafor", True),
        (Value("Maren Okafor", "name"), "Marengo", False),
        (Value("+351 912 345 678", "phone"), "dial 00351-912-345-678", True),
        (Value("Porto", "place"), "PORTO-based", True),
        (Value("sarcoidosis", "other"), "sarcoid", False),
    ],
)
def test_whether_a_text_holds_a_value(value: Any, text: Any, expected: Any) -> None:
    assert stands_in(value, text) is expected


def test_a_mask_takes_the_place_of_every_form() -> None:
    mask = Rewriter(pairs_to_find(Value("Maren Okafor", "name")))
    assert not any(c.isalpha() and c != MASK for c in mask.rewrite("Maren Okafor, M. Okafor"))
