"""Text in pieces is restored as the whole text is."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.privacy.restore import Restorer
from costeer.privacy.rewriting import Replacement, Rewriter
from costeer.privacy.stand_ins import StandIns
from costeer.privacy.values import Value

PAIRS = [
    Replacement("Alex Brandt", "Maren Okafor"),
    Replacement("Alex", "Maren"),
    Replacement("Brandt", "Okafor"),
    Replacement("+1 202-555-0101", "+351 912 345 678", separated=True),
]
WORDS = ["Alex", "Brandt", "Alexandra", "ALEX", "alex", "Alex's", "Ale", "+1", "202", "555",
         "0101", "202-555-0101", "x12025550101kg", "and", "É", "\u200b", "Brandts"]  # fmt: skip
texts = st.lists(
    st.tuples(st.sampled_from(WORDS), st.sampled_from([" ", "", "\n", "-", ". ", "  "])), max_size=9
).map(lambda parts: "".join(word + gap for word, gap in parts))


@given(text=texts, cuts=st.lists(st.integers(0, 80), max_size=12))
def test_pieces_give_what_the_whole_gives(text: Any, cuts: Any) -> None:
    restorer, ends = Restorer(Rewriter(PAIRS)), sorted({min(cut, len(text)) for cut in cuts})
    starts = [0, *ends]
    pieces = [text[a:b] for a, b in zip(starts, [*ends, len(text)], strict=True)]
    shown = "".join([restorer.feed(piece) for piece in pieces] + [restorer.feed("", final=True)])
    assert shown == Rewriter(PAIRS).rewrite(text)


def test_text_that_can_become_nothing_else_is_shown_at_once() -> None:
    restorer = Restorer(Rewriter(PAIRS))
    assert restorer.feed("Dear ") == "Dear "
    assert restorer.feed("Al") == ""
    assert restorer.feed("l right, A") == "All right, "
    assert restorer.feed("lex") == ""
    assert restorer.feed("!") in ("", "Maren!")


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".", "'s", ",", " said", "!", "\n", ")"])
def test_fewer_than_one_in_two_hundred_stand_ins_stay_unrestored(ending: Any) -> None:
    """40 conversations, character by character, each with a name, a place and a number."""
    values = [Value("Maren Okafor", "name"), Value("Porto", "place"), Value("4471", "number")]
    missed = 0
    for seed in range(40):
        made = StandIns(random.Random(seed))
        made.admit(values, ["Maren Okafor of Porto, 4471"])
        wire = made.to_wire(f"Hi Maren{ending} of Porto{ending} Maren Okafor{ending} 4471{ending}")
        restorer = made.restorer()
        shown = "".join(restorer.feed(c) for c in wire) + restorer.feed("", final=True)
        missed += 4 - sum(shown.count(real) for real in ("Maren", "Porto", "4471"))
    assert missed / 160 < 0.005
