"""Other real values, the same structure, the same chance: the same bytes on the wire.

This covers whatever a value could do to an answer: its tokens, its length, a plural, a paraphrase,
a question that a cloud goes on to ask.
"""

import random
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from costeer import Costeer
from costeer.models.fake import FakeModel
from costeer.privacy.folding import fold
from costeer.privacy.guard import Guard
from costeer.privacy.pools import FIRST, LAST, PLACES, WORDS_TOO
from costeer.privacy.values import Value
from tests.support.canary import Tap
from tests.support.lying import LURES, LyingModel, RecitingModel
from tests.support.serving import running

THOROUGH = settings.default.max_examples > 100
CASES = 10_000 if THOROUGH else 15

SYLLABLES = ["ka", "ro", "mi", "ten", "lu", "ösz", "bre", "ña", "wik", "dor", "pé", "zul", "ghi"]
PUBLIC = {word.lower() for word in (*FIRST, *LAST, *PLACES)} | WORDS_TOO
"""Words that the guard treats in their own way: stand-ins, and names that are words too ("Luna").
Whether a value is among them is public, so no pair of values differs in it."""

MORE = st.lists(st.sampled_from(SYLLABLES), min_size=1, max_size=4).map("".join)
PHONES = ["+351 912 345 678", "+49 30 901820", "+44 20 7946 0958"]
DATES = ["12 March 1987", "25 August 1990", "30 November 2001"]


@st.composite
def values(draw: Any) -> Any:
    """What a person may be called and so on.

    No word begins with another, so that none is two others joined: which values are alike is
    structure, and that is the same on both sides.
    """
    begin = draw(st.permutations(SYLLABLES))
    names = {
        part: (begin[at] + draw(MORE)).capitalize()
        for at, part in enumerate(("first", "last", "place", "pet", "ill"))
    }
    assume(not any(fold(word).text in PUBLIC for word in names.values()))
    mail = f"{names['first'].lower()}@{names['last'].lower()}.net".encode("ascii", "replace")
    return {
        **names,
        "phone": draw(st.sampled_from(PHONES)),
        "date": draw(st.sampled_from(DATES)),
        "mail": mail.decode().replace("?", "x"),
    }


MENTIONS = [
    "{first}", "{last}", "{first} {last}", "{last}'s", "the {last}s", "{FIRST}", "{low}",
    "{first}\n{last}", "{initial}. {last}", "{place}", "{pet}", "{phone}", "{mail}",
    "{low}{lowlast}", "nobody", "a café", "{place}-based", "“{first}”", "{first}\u00ad",
]  # fmt: skip
texts = st.lists(st.sampled_from(MENTIONS), max_size=4).map(
    lambda parts: " and ".join(parts) + ", please?"
)
CONTEXT = (
    "My name is {first} {last}. I live in {place} with my dog {pet}. Born on {date}.\n\n"
    "Phone: {phone}\nEmail: {mail}\n\n[withheld]\nMy doctor is Dr. {ill}.\n\nI like "
)


def fill(template: Any, v: Any) -> Any:
    return template.format(
        **v, FIRST=v["first"].upper(), low=v["first"].lower(), lowlast=v["last"].lower(),
        initial=v["first"][0],
    )  # fmt: skip


def confirmed(v: Any) -> Any:
    return [
        Value(f"{v['first']} {v['last']}", "name"),
        Value(v["place"], "place"),
        Value(v["date"], "date"),
        Value(v["ill"], "name", "withheld"),
    ]


class Wire:
    """A server behind a tap; what one conversation sends, record for record."""

    def __init__(self, url: Any, tap: Any) -> None:
        self.url, self.tap = url, tap

    def sent(
        self,
        v: Any,
        turns: Any,
        extra: Any,
        *,
        seed: Any,
        mode: Any,
        listed: Any,
        strength: Any = 1.0,
    ) -> Any:
        guard = Guard(mode, confirmed(v) if listed else [], random.Random(seed))
        before = len(self.tap.heard)
        with Costeer(
            self.tap.url, RecitingModel(), strength=strength, guard=guard, mode="lockstep"
        ) as costeer:
            messages = [{"role": "system", "content": fill(extra, v)}]
            for turn in turns:
                messages.append({"role": "user", "content": fill(turn, v)})
                result = costeer.generate(
                    messages, fill(CONTEXT + extra, v), max_tokens=3, stop=[v["last"]]
                )
                messages.append({"role": "assistant", "content": result.text})
        return re.sub(rb"cmpl-[0-9a-f]+", b"cmpl", self.tap.heard[before:])


@pytest.fixture(scope="module", params=["honest", "lying"])
def wire(request: Any) -> Iterator[Any]:
    llm = (
        FakeModel(seed=1) if request.param == "honest" else LyingModel(LURES[0][:1], range(32, 127))
    )
    with running(llm) as app, Tap(urlsplit(app.url).port) as tap:
        yield Wire(app.url, tap)


@given(
    real=values(),
    other=values(),
    turns=st.lists(texts, min_size=1, max_size=2),
    extra=texts,
    seed=st.integers(0, 2**32),
    mode=st.sampled_from(["stand-in", "strict"]),
    listed=st.booleans(),
)
@settings(max_examples=CASES)
def test_other_values_give_the_same_bytes(
    wire: Any, real: Any, other: Any, turns: Any, extra: Any, seed: Any, mode: Any, listed: Any
) -> None:
    if mode == "stand-in" and not listed:  # a city that is only found is open: the same for both
        real, other = real | {"place": "Porto"}, other | {"place": "Porto"}
    sent = [wire.sent(v, turns, extra, seed=seed, mode=mode, listed=listed) for v in (real, other)]
    assert len(sent[0]) > 200
    assert sent[0] == sent[1]


REAL = {"first": "Maren", "last": "Okafor", "place": "Porto", "pet": "Biscuit", "ill": "Ugwu",
        "phone": PHONES[0], "date": DATES[0], "mail": "m@okafor.net"}  # fmt: skip
OTHER = {"first": "Ilka", "last": "Tanaka", "place": "Quito", "pet": "Pixel", "ill": "Abe",
         "phone": PHONES[1], "date": DATES[1], "mail": "i@tanaka.net"}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("turn", ["Where is {place}?", "Who am I?"], ids=["in-query", "in-context"])
def test_without_stand_ins_the_comparison_fails(wire: Any, turn: Any) -> None:
    """What the test above rests on: the bytes do depend on the values where nobody guards them."""
    options = {"seed": 1, "listed": True, "strength": 5.0}
    off, on = (
        [wire.sent(v, [turn] * 2, "tea", mode=mode, **options) for v in (REAL, OTHER)]
        for mode in ("off", "stand-in")
    )
    assert off[0] != off[1]
    assert on[0] == on[1]


@pytest.mark.parametrize("listed", [True, False], ids=["on the person's list", "found by phrases"])
def test_whether_a_known_name_is_a_listed_given_name_makes_no_difference(
    wire: Any, listed: Any
) -> None:
    """The list of given names reads a text in which known values are masked."""
    given = {"first": "Owen", "last": "Ada", "pet": "Priya", "ill": "Halina"}
    rare = {"first": "Zqen", "last": "Xka", "pet": "Vliya", "ill": "Gxlina"}
    extra = "{first} Quux, {pet} and Piers met {last} and Linus Moss. Ask {ill}."
    sent = [
        wire.sent(
            REAL | names,
            ["Who are {first} and {pet}?"],
            extra,
            seed=1,
            mode="stand-in",
            listed=listed,
        )
        for names in (given, rare)
    ]
    assert sent[0] == sent[1]


def test_a_cloud_that_writes_names_does_not_learn_which_is_guarded(wire: Any) -> None:
    """An earlier answer goes up as it was, also where it holds a real value by chance."""
    said = [{"role": "user", "content": "Name some people."}]
    guard = Guard("stand-in", confirmed(REAL), random.Random(1))
    first = guard.prepare(said, "")
    answer = "Ada, Maren, Ilka and Noor."
    guard.keep(said, first, answer, answer)
    more = [{"role": "assistant", "content": answer}, {"role": "user", "content": "And?"}]
    assert guard.prepare([*said, *more], "").messages[1]["content"] == answer
