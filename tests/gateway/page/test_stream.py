"""An answer under way: stopped, steered, abandoned, failing; and what is kept of it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from costeer.cloud.in_process import InProcess
from costeer.edge.watch import WARNING
from costeer.gateway.answers import GatewayLimits
from tests.support.gateway import FailingCloud, GatedModel, TextModel, asked, idle, post, under_way
from tests.support.lying import LURES, LyingModel, RecitingModel
from tests.support.page import running_page, text_of, tokens_of
from tests.support.serving import until

LONG = 3000


class SteppedModel(TextModel):
    """An LLM that makes as many calls as it is allowed."""

    def __init__(self) -> None:
        super().__init__(seed=1)
        self.calls = threading.Semaphore(0)

    def allow(self, calls: Any) -> None:
        self.calls.release(calls)

    def extend_many(self, work: Any, rows: Any = None) -> Any:
        assert self.calls.acquire(timeout=30)
        return super().extend_many(work, rows)


SOME, ALL = 12, 10_000  # calls: for the prompt and a few tokens, and for any answer


@pytest.fixture
def llm() -> Any:
    return SteppedModel()


@pytest.mark.slow
def test_stop_ends_the_answer_keeps_what_was_written_and_frees_the_lane(
    tmp_path: Any, llm: Any
) -> None:
    with running_page(tmp_path, cloud=InProcess(llm), text="I am.", lanes=1, limit=LONG) as page:
        number = page.new()
        llm.allow(SOME)
        with page.asking(number, text="Hello?") as found:
            begun, first = next(found), next(found)
            page("POST", f"/answers/{begun['answer']}/stop", {})
            llm.allow(ALL)
            rest = list(found)
        assert until(lambda: idle(page.app))
        kept = page.get(number)["messages"][-1]
        assert page.send("POST", f"/answers/{begun['answer']}/stop", {}).status_code == 404
    assert (rest[-1]["type"], rest[-1]["finish_reason"]) == ("end", "interrupted")
    assert rest[-1]["message"] == kept["id"]
    assert kept["text"] == text_of([first, *rest])
    assert kept["finish_reason"] == "interrupted"
    assert len(tokens_of(rest)) < SOME


@pytest.mark.slow
def test_a_page_that_goes_away_keeps_what_was_written(tmp_path: Any) -> None:
    slm = GatedModel(seed=2)
    with running_page(tmp_path, slm=slm, lanes=1, limit=LONG) as page:
        number = page.new()
        with page.asking(number, text="Hello?") as found:
            seen = [next(found) for _ in range(4)]
        assert until(lambda: idle(page.app))
        kept = page.get(number)["messages"]
        assert kept[-1]["text"].startswith(text_of(seen))
        assert len(kept[-1]["tokens"]) < LONG
        assert kept[-1]["finish_reason"] == "interrupted"


@pytest.mark.slow
def test_the_strength_changes_from_the_next_token_on(tmp_path: Any, llm: Any) -> None:
    with running_page(tmp_path, cloud=InProcess(llm), text="I am vegan.", limit=40) as page:
        llm.allow(SOME)
        with page.asking(page.new(), text="Hello?", strength="off") as found:
            begun, first = next(found), next(found)
            path = f"/answers/{begun['answer']}/strength"
            assert page.send("POST", path, {"strength": "much"}).status_code == 400
            assert page.send("POST", path, {}).status_code == 400
            assert page("POST", path, {"strength": 2.0}) == {}
            llm.allow(ALL)
            rest = list(found)
        kept = page.get(page("GET", "/conversations")["conversations"][0]["id"])["messages"][-1]
    strengths = [token["strength"] for token in tokens_of([first, *rest])]
    turn = strengths.index(2.0)
    assert strengths == ["off"] * turn + [2.0] * (len(strengths) - turn)
    assert not any(token["changed"] for token in kept["tokens"][:turn])
    assert any(token["changed"] for token in kept["tokens"][turn:])
    assert kept["strength"] == "2.0"


@pytest.mark.slow
def test_going_on_keeps_the_strengths_up_to_there(tmp_path: Any, llm: Any) -> None:
    with running_page(tmp_path, cloud=InProcess(llm), text="I am vegan.", limit=40) as page:
        number = page.new()
        llm.allow(SOME)
        with page.asking(number, text="Hello?", strength="off") as found:
            begun = next(found)
            next(found)
            page("POST", f"/answers/{begun['answer']}/strength", {"strength": 2.0})
            llm.allow(ALL)
            answer = list(found)[-1]["message"]
        tokens = page.get(number)["messages"][-1]["tokens"]
        last = len(tokens) - 3
        body = {"continue": answer, "position": last, "token": tokens[last]["id"]}
        assert tokens_of(page.ask(number, **body))[-1]["strength"] == 2.0
        again = page.get(number)["messages"][-1]
    assert [token["id"] for token in again["tokens"]] == [token["id"] for token in tokens]
    assert [token["strength"] for token in again["tokens"][:last]] == [
        token["strength"] for token in tokens[:last]
    ]


@pytest.mark.slow
def test_an_error_after_some_words_keeps_them(tmp_path: Any) -> None:
    with running_page(tmp_path, cloud=FailingCloud(3)) as page:
        number = page.new()
        found = page.ask(number, text="Hello?", strength="off")
        kept = page.get(number)["messages"]
    assert found[-1]["type"] == "error"
    assert found[-1]["error"]["code"] == "cloud_unreachable"
    assert "Start it again." in found[-1]["error"]["message"]
    assert found[-1]["message"] == kept[-1]["id"]
    assert kept[-1]["text"] == text_of(found) != ""
    assert kept[-1]["finish_reason"] == "error"


def test_an_error_before_the_first_word_leaves_no_trace(tmp_path: Any) -> None:
    with running_page(tmp_path, cloud=FailingCloud(0)) as page:
        number = page.new()
        found = page.ask(number, text="Hello?")
        after = page.get(number)
    assert [event["type"] for event in found] == ["begin", "error"]
    assert found[-1]["message"] is None
    assert (after["messages"], after["title"]) == ([], "")


@pytest.mark.slow
def test_a_failed_edit_shows_the_old_branch_again(tmp_path: Any) -> None:
    cloud = FailingCloud(3)
    with running_page(tmp_path, cloud=cloud) as page:
        number = page.new()
        page.ask(number, text="Hello?", strength="off")
        before = page.get(number)
        cloud.tokens = 0
        page.ask(number, edit=before["messages"][0]["id"], text="Hi?")
        page.ask(number, regenerate=before["messages"][1]["id"])
        assert page.get(number) == before


@pytest.mark.slow
def test_a_question_that_was_stopped_before_its_first_word_can_be_asked_again(
    tmp_path: Any,
) -> None:
    slm = GatedModel(seed=2)
    with running_page(tmp_path, slm=slm, text="I am vegan.", lanes=1) as page:
        number = page.new()
        slm.gate.clear()
        with page.asking(number, text="Hello?") as found:
            begun = next(found)
            page("POST", f"/answers/{begun['answer']}/stop", {})
            slm.gate.set()
            assert list(found)[-1]["message"] is None
        assert [one["role"] for one in page.get(number)["messages"]] == ["user"]
        again = page.ask(number, text="Hello?")
        messages = page.get(number)["messages"]
        assert [one["id"] for one in messages] == [begun["question"], again[-1]["message"]]
        assert messages[0]["siblings"] == [begun["question"]]


@pytest.mark.slow
def test_pings_keep_the_stream_alive_while_the_small_model_reads(tmp_path: Any) -> None:
    slm = GatedModel(seed=2)
    with running_page(
        tmp_path, slm=slm, text="I am vegan.", limits=GatewayLimits(ping=0.05)
    ) as page:
        slm.gate.clear()
        path = f"/app/conversations/{page.new()}/ask"
        more = {"json": {"text": "Hello?"}, "headers": page.headers}
        with page.app.client.stream("POST", path, **more) as response:
            lines = response.iter_lines()
            seen = [next(lines) for _ in range(6)]
            slm.gate.set()
            rest = list(lines)
    assert [line for line in seen if line.startswith(":")] == [": reading"] * 2
    assert not any("[DONE]" in line or line.startswith("event:") for line in rest)


@pytest.mark.slow
def test_the_page_goes_before_applications_and_their_full_queue(tmp_path: Any) -> None:
    slm = GatedModel(seed=2)
    with running_page(
        tmp_path, slm=slm, text="I am vegan.", lanes=1, limits=GatewayLimits(queue=2)
    ) as page:
        slm.gate.clear()
        ended = []

        def ask(number: Any) -> None:
            post(page.app, asked(number))
            ended.append(number)

        def write() -> None:
            page.ask(page.new(), text="Hello?")
            ended.append("page")

        with ThreadPoolExecutor(4) as pool:
            for number in range(3):
                pool.submit(ask, number)
                assert until(lambda number=number: under_way(page.app) == number + 1)
                assert until(lambda number=number: page.app.costeer.lanes.waiting == number)
            assert post(page.app, asked(9)).status_code == 429
            pool.submit(write)
            assert until(lambda: page.app.costeer.lanes.waiting == 3)
            slm.gate.set()
    assert ended[1] == "page"  # the first had the lane already
    assert set(ended) == {0, 1, 2, "page"}


@pytest.mark.slow
def test_two_windows_ask_at_once_and_both_answers_are_kept(tmp_path: Any) -> None:
    with running_page(tmp_path) as page:
        number = page.new()
        answer = page.ask(number, text="Hello?")[-1]["message"]
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(lambda _: page.ask(number, regenerate=answer), range(2)))
        siblings = page.get(number)["messages"][-1]["siblings"]
    assert siblings == sorted([answer, *(events[-1]["message"] for events in found)])


@pytest.mark.slow
def test_a_conversation_that_is_forgotten_meanwhile_stays_forgotten(tmp_path: Any) -> None:
    slm = GatedModel(seed=2)
    with running_page(tmp_path, slm=slm, text="I am vegan.", limit=LONG) as page:
        number = page.new()
        with page.asking(number, text="Hello?") as found:
            begun = next(found)
            next(found)
            page("DELETE", f"/conversations/{number}")
            page.send("POST", f"/answers/{begun['answer']}/stop", {})
            last = list(found)[-1]
        assert last["type"] == "error"
        assert page.send("GET", f"/conversations/{number}").status_code == 404
        assert page("GET", "/conversations")["conversations"] == []


@pytest.mark.parametrize("action", ["stop", "strength"])
def test_an_answer_that_there_is_not(page: Any, action: Any) -> None:
    response = page.send("POST", f"/answers/none/{action}", {"strength": 1})
    assert response.status_code == 404


@pytest.mark.slow
def test_an_answer_that_cannot_be_kept_is_said_and_frees_the_lane(
    tmp_path: Any, profile: Any, llm: Any
) -> None:
    options = {"cloud": InProcess(llm), "text": "I am vegan.", "profile": profile}
    with running_page(tmp_path, **options) as page:
        number = page.new()
        llm.allow(SOME)
        with page.asking(number, text="Hello?") as found:
            next(found), next(found)
            profile.close()
            llm.allow(ALL)
            last = list(found)[-1]
        assert last["error"]["code"] == "profile_error"
        assert last["message"] is None
        assert until(lambda: idle(page.app))
        assert page.send("GET", "/conversations").status_code == 500
        assert page("GET", "/state")["profile"] == "default"


@pytest.mark.slow
def test_a_flat_cloud_is_told_before_the_end(tmp_path: Any) -> None:
    lying = {"cloud": InProcess(LyingModel(LURES[0])), "slm": RecitingModel(), "strength": 1.0}
    with running_page(tmp_path, text="Your name is Maren Okafor.", limit=40, **lying) as page:
        *_, warning, end = page.ask(page.new(), text="Hello?")
    assert (warning, end["type"]) == ({"type": "warning", "text": WARNING}, "end")


def test_tokens_that_the_page_has_are_not_sent_again(page: Any) -> None:
    number = page.new()
    first = page.ask(number, text="One?")[-1]["message"]
    second = page.ask(number, text="Two?")[-1]["message"]
    whole = page.get(number)
    assert all(one["tokens"] for one in whole["messages"] if one["role"] == "assistant")
    for have in ({first}, {first, second}):
        expected = [
            one | {"tokens": None} if one["id"] in have else one for one in whole["messages"]
        ]
        found = page("GET", f"/conversations/{number}?have={','.join(map(str, have))}")
        assert found == whole | {"messages": expected}
    for nonsense in ("", "x", ",", "\u0663", "1" * 5000):
        assert page("GET", f"/conversations/{number}?have={nonsense}") == whole
