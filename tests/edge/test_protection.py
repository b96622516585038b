from typing import Any

import pytest

from costeer.decoding.sampling import SamplingParams
from costeer.decoding.strength import AUTO
from costeer.edge.answer import Chunk, Result
from costeer.edge.protection import Protection
from costeer.edge.verify import DecodeParams
from costeer.privacy.budget import Budget
from costeer.privacy.odometer import Odometer
from costeer.privacy.spent_file import SpentFile

SAID = [{"role": "user", "content": "Hi"}]
CONTEXT = "My name is Maren Okafor."


def applied(protection: Any, context: str = "", **options: Any) -> Any:
    return protection.begin(SAID, context, ()).apply(DecodeParams(1.0, 64, **options))


@pytest.mark.parametrize(
    ("mode", "widest", "longest"),
    [("off", None, None), ("stand-in", 64 * 64, AUTO.run), ("strict", 64, AUTO.run)],
)
def test_what_each_guard_asks_for(mode: Any, widest: Any, longest: Any) -> None:
    protection = Protection(mode, None)
    params = applied(protection, CONTEXT)
    assert params.widest == widest
    assert params.watch is not None
    assert params.mode == "run-ahead"
    assert protection.begin(SAID, CONTEXT, ()).reading["longest_copy"] == longest
    assert protection.begin(SAID, "", ()).reading["longest_copy"] == longest


def test_what_a_cap_asks_for(tmp_path: Any) -> None:
    protection = Protection("off", Budget(1.0, Odometer(SpentFile(tmp_path))))
    params = applied(protection, sampling=SamplingParams(1.0))
    assert (params.mode, params.widest) == ("lockstep", 64)
    assert params.budget is protection.budget
    assert params.watch is not None
    assert protection.begin(SAID, "", ()).reading["always"]


def test_a_number_opens_the_persons_own_odometer(tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("COSTEER_PRIVATE", str(tmp_path))
    assert Protection("off", 2).budget.epsilon == 2


def test_where_nothing_is_guarded_a_proof_may_ask_for_any_number() -> None:
    assert applied(Protection("stand-in", None), "I am vegan.").widest is None


def test_a_result_has_the_answer_as_it_was_sent() -> None:
    protected = Protection("stand-in", None).begin(SAID, CONTEXT, ())
    stand_in = protected.guarded.context.removeprefix("My name is ").rstrip(".")
    result = Result()

    def write() -> Any:
        yield Chunk(protected.display.feed(f"Dear {stand_in}!".encode(), final=True), None)

    text = "".join(chunk.text for chunk in protected.chunks(write(), result))
    assert text == "Dear Maren Okafor!"
    assert result.sent == f"Dear {stand_in}!"
    assert "sent" not in result.counts()
