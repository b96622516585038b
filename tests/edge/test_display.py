from typing import Any

from costeer.edge.display import Display
from costeer.privacy.restore import Restorer
from costeer.privacy.rewriting import Replacement, Rewriter


def display(*stop: Any) -> Any:
    return Display(stop, Restorer(Rewriter([Replacement("Alex", "Maren")])))


def test_stand_ins_are_restored_and_the_wire_text_is_kept() -> None:
    shown = display()
    text = "".join(shown.feed(bytes([byte])) for byte in "Hé Alex, Alexandra".encode())
    text += shown.feed(b"", final=True)
    assert text == "Hé Maren, Alexandra"
    assert shown.wire == "Hé Alex, Alexandra"


def test_stop_strings_are_those_of_the_models() -> None:
    shown = display("Alex")
    assert shown.feed(b"I am ") + shown.feed(b"Alex") + shown.feed(b"!", final=True) == "I am "
    assert shown.stopped


def test_what_is_held_back_comes_out_at_a_stop_string() -> None:
    shown = display("##")
    assert shown.feed(b"Alex##") == "Maren"
