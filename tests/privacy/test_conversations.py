import random
from typing import Any

from costeer.privacy.conversations import REMEMBERED, WireConversations


def user(text: Any) -> Any:
    return {"role": "user", "content": text}


def assistant(text: Any) -> Any:
    return {"role": "assistant", "content": text}


def test_a_conversation_goes_on_with_what_was_sent() -> None:
    known = WireConversations(random.Random(1))
    first, count = known.find([user("Who is Maren?")])
    assert count == 0
    first.wire.append(user("Who is Alex?"))
    known.keep([user("Who is Maren?")], first, "Maren is you. ", "Alex is you. ")
    shown = [user("Who is Maren?"), assistant("Maren is you."), user("And?")]
    second, count = known.find(shown)
    assert count == 2
    assert second.wire == [user("Who is Alex?"), assistant("Alex is you. ")]
    assert second.stand_ins is first.stand_ins
    second.wire.append(user("And?"))  # two ways to go on do not mix
    assert len(known.find(shown)[0].wire) == 2


def test_another_beginning_or_an_edited_answer_is_another_conversation() -> None:
    known = WireConversations()
    first, _ = known.find([user("A")])
    known.keep([user("A")], first, "B", "B")
    for shown in ([user("A")], [user("X"), assistant("B"), user("C")],
                  [user("A"), assistant("edited"), user("C")]):  # fmt: skip
        found, count = known.find(shown)
        assert count == 0
        assert found.stand_ins is not first.stand_ins


def test_the_oldest_is_forgotten_first() -> None:
    known = WireConversations()
    for number in range(REMEMBERED + 1):
        found, _ = known.find([user(str(number))])
        known.keep([user(str(number))], found, "B", "B")
    counts = [known.find([user(n), assistant("B"), user("C")])[1] for n in ("0", "1")]
    assert counts == [0, 2]
