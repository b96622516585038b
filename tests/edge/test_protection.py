from collections import deque
from threading import Thread
from typing import Any

import pytest

from costeer.cloud.cancellation import Stop
from costeer.decoding.sampling import SamplingParams
from costeer.decoding.strength import AUTO
from costeer.edge.answer import Chunk, Result
from costeer.edge.prompts import SYSTEM
from costeer.edge.protection import Protection
from costeer.edge.verify import DecodeParams
from costeer.exceptions import GuardError, StoppedError
from costeer.privacy.budget import Budget
from costeer.privacy.odometer import Odometer
from costeer.privacy.spent_file import SpentFile

SAID = [{"role": "user", "content": "Hi"}]
CONTEXT = "My name is Maren Okafor."


def applied(protection: Any, context: str = "", **options: Any) -> Any:
    return protection.begin(SAID, context, ()).apply(DecodeParams(1.0, 64, **options))


@pytest.mark.parametrize(
    ("mode", "widest", "longest"),
    [("off", None, None), ("stand-in", 64 * 1024, AUTO.run), ("strict", 64, AUTO.run)],
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


@pytest.mark.parametrize("mode", ["off", "stand-in", "strict"])
def test_what_the_person_sends_becomes_an_instruction(mode: Any) -> None:
    context = f"{CONTEXT}\n\n[send]\nAnswer in Spanish."
    guarded = Protection(mode, None).begin(SAID, context, ()).guarded
    system, question = guarded.messages
    assert system == {"role": "system", "content": f"{SYSTEM}\n\nAnswer in Spanish."}
    assert question == SAID[0]
    assert "Spanish" not in guarded.context


def test_a_note_says_that_something_is_sent() -> None:
    context = "[send]\nBe brief.\n\nI am vegan.\n\n[send]\nAnswer in Spanish."
    noted = Protection("off", None).begin(SAID, context, ()).guarded.note
    assert noted == "2 records go up with your question, as you marked: [send]."
    assert not Protection("off", None).begin(SAID, "I am vegan.", ()).guarded.note
    assert not Protection("off", None).begin(SAID, context, (), mode="off").guarded.note


def test_an_instruction_follows_the_callers_own() -> None:
    said = [{"role": "system", "content": "Be kind."}, *SAID]
    guarded = Protection("off", None).begin(said, "[send]\nKeep it short.", ()).guarded
    assert guarded.messages[0]["content"] == "Be kind.\n\nKeep it short."


def test_a_value_in_what_is_sent_gets_a_stand_in() -> None:
    context = f"{CONTEXT}\n\n[send]\nAddress me as Maren."
    guarded = Protection("stand-in", None).begin(SAID, context, ()).guarded
    assert "Address me as" in guarded.messages[0]["content"]
    assert "Maren" not in guarded.messages[0]["content"]


def test_later_turns_send_what_earlier_ones_have_sent() -> None:
    context = f"{CONTEXT}\n\n[send]\nAddress me as Maren."
    protection = Protection("stand-in", None)
    first = protection.begin(SAID, context, ())
    deque(first.chunks((chunk for chunk in ()), Result(text="Hello.")), maxlen=0)
    turns = [*SAID, {"role": "assistant", "content": "Hello."}, {"role": "user", "content": "And?"}]
    second = protection.begin(turns, context, ())
    assert second.guarded.messages[:2] == first.guarded.messages


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


def reserve(protection: Any) -> Any:
    """The steps of an answer that has reserved a nat and is not over."""
    protection.budget.odometer.reserve(0.0, 1.0, 50.0)
    yield "a step"
    yield "another"


def in_a_thread(work: Any) -> None:
    """Run it as another answer of the gateway runs."""
    thread = Thread(target=work)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()


@pytest.mark.parametrize("where", [in_a_thread, lambda work: work()])
def test_an_answer_that_gives_up_waiting_leaves_the_budget_to_the_one_that_spends(
    tmp_path: Any, where: Any
) -> None:
    spent, stopped, raised = SpentFile(tmp_path), Stop(), []
    stopped.set()
    protection = Protection("off", Budget(50.0, Odometer(spent)))
    spending = protection.begin(SAID, "", ()).steps(reserve(protection), Stop())
    next(spending)
    reserved = spent.read()

    def give_up() -> None:
        try:
            next(protection.begin(SAID, "", ()).steps(reserve(protection), stopped))
        except (StoppedError, GuardError) as error:
            raised.append(error)

    where(give_up)
    assert len(raised) == 1
    assert spent.read() == reserved  # a crash is still charged what may have been drawn
    with pytest.raises(GuardError, match="Another answer"):
        Odometer(spent).acquire(patience=0.0)
    spending.close()
    Odometer(spent).acquire(patience=0.0)
