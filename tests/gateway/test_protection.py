"""What the person is told through the gateway, and answers under a cap."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from costeer.cloud.in_process import InProcess
from costeer.edge.watch import WARNING
from costeer.exceptions import GuardError
from costeer.privacy.budget import Budget
from costeer.privacy.odometer import Odometer
from costeer.privacy.spent_file import SpentFile
from tests.support.gateway import (
    CHAT,
    HELLO,
    asked,
    idle,
    post,
    running_gateway,
    streamed,
    text_of,
    under_way,
)
from tests.support.lying import LURES, LyingModel, RecitingModel
from tests.support.serving import until


@pytest.fixture
def lied_to(tmp_path: Any) -> Any:
    """A gateway whose cloud is flat."""
    cloud, context = InProcess(LyingModel(LURES[0])), "Your name is Maren Okafor."
    with running_gateway(tmp_path, cloud, RecitingModel(), context, strength=1.0) as app:
        yield app


@pytest.mark.slow
def test_a_flat_cloud_is_told_in_a_header_and_in_the_answer(lied_to: Any) -> None:
    answer = post(lied_to, HELLO | {"max_tokens": 40})
    assert answer.status_code == 200
    assert answer.headers["x-costeer-warning"] == WARNING
    assert answer.json()["costeer"] == {"warning": WARNING}


@pytest.mark.slow
def test_the_last_chunk_of_a_streamed_answer_tells_of_a_flat_cloud(lied_to: Any) -> None:
    usage = {"stream_options": {"include_usage": True}}
    body = HELLO | {"max_tokens": 40, "stream": True} | usage
    *before, last, spent = frames(post(lied_to, body))
    assert last["costeer"] == {"warning": WARNING}
    assert last["choices"][0]["finish_reason"] is not None
    assert "costeer" not in spent
    assert not any("costeer" in chunk for chunk in before)


@pytest.mark.slow
@pytest.mark.parametrize("stream", [False, True])
def test_a_warning_leaves_the_traces_as_they_are(lied_to: Any, stream: Any) -> None:
    owner = {"authorization": f"Bearer {lied_to.tokens.add('me', 'owner')}"}
    body = HELLO | {"max_tokens": 40, "stream": stream, "costeer": {"trace": True}}
    answer = lied_to.client.post("/v1/chat/completions", json=body, headers=owner)
    if stream:
        said = [chunk["costeer"] for chunk in frames(answer) if "costeer" in chunk]
        traces, last = said[:-1], said[-1]
    else:
        last = answer.json()["costeer"]
        traces = last.pop("trace")
    assert [trace["position"] for trace in traces] == list(range(len(traces)))
    assert len(traces) >= len(LURES[0])
    assert last == {"warning": WARNING}


@pytest.mark.slow
def test_the_last_event_of_a_response_tells_of_a_flat_cloud(lied_to: Any) -> None:
    body = {"model": "costeer", "input": "Hello?", "max_output_tokens": 40, "stream": True}
    *_, last = frames(lied_to.client.post("/v1/responses", json=body))
    assert last["response"]["costeer"] == {"warning": WARNING}


@pytest.mark.slow
def test_an_answer_without_a_warning_says_nothing_of_it(gateway: Any) -> None:
    assert "costeer" not in post(gateway, HELLO).json()
    assert not any("costeer" in chunk for chunk in frames(post(gateway, HELLO | {"stream": True})))


def frames(response: Any) -> Any:
    """The objects of a streamed answer."""
    assert response.status_code == 200, response.text
    data = (line.removeprefix("data: ") for line in response.text.splitlines())
    return [json.loads(one) for one in data if one.startswith("{")]


@pytest.mark.slow
def test_under_a_cap_a_request_without_a_seed_is_answered(tmp_path: Any) -> None:
    budget = Budget(1.0, Odometer(SpentFile(tmp_path)))
    with running_gateway(tmp_path, epsilon=budget, lanes=1) as app:
        answer = post(app, HELLO | {"temperature": 1})
        greedy = post(app, HELLO | {"temperature": 0})
        seeded = post(app, HELLO | {"temperature": 1, "seed": 5})
    assert answer.status_code == 200
    assert abs(budget.odometer.high) <= 1
    assert (greedy.status_code, seeded.status_code) == (400, 400)


WARM = {"temperature": 1, "max_tokens": 4}


@pytest.mark.slow
@pytest.mark.parametrize("ask", [post, streamed])
def test_answers_under_a_cap_at_the_same_time_wait_for_each_other(tmp_path: Any, ask: Any) -> None:
    budget = Budget(1.0, Odometer(SpentFile(tmp_path)))
    with running_gateway(tmp_path, epsilon=budget, lanes=2) as app, ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda number: ask(app, asked(number, **WARM)), range(4)))
        assert until(lambda: idle(app))
    if ask is post:
        assert [answer.status_code for answer in answers] == [200] * 4
    else:
        assert all(text_of(chunks) for chunks in answers)
    assert abs(budget.odometer.high) <= 1
    assert SpentFile(tmp_path).read() == (budget.odometer.low, budget.odometer.high)


@pytest.mark.slow
def test_a_client_that_goes_away_while_it_waits_for_the_budget_takes_nothing(
    tmp_path: Any,
) -> None:
    spent = SpentFile(tmp_path)
    budget, another = Budget(1.0, Odometer(spent)), Odometer(spent)
    with running_gateway(tmp_path, epsilon=budget, lanes=2) as app:
        another.acquire()  # as an answer of another process
        another.reserve(-0.125, 0.5, 1.0)
        reserved = spent.read()
        body = HELLO | WARM | {"stream": True}
        with pytest.raises(httpx2.ReadTimeout):
            app.client.post(CHAT, json=body, timeout=0.3)
        assert until(lambda: under_way(app) == 0)
        assert spent.read() == reserved
        with pytest.raises(GuardError, match="Another answer"):
            Odometer(spent).acquire(patience=0.0)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(post, app, HELLO | WARM)
            assert until(lambda: under_way(app) == 1)
            assert not waiting.done()
            another.release()
            assert waiting.result().status_code == 200


NAMED = "My name is Maren Zorkowitz. I like tea."
TITLE = "A title, please: Dear Ada, see you on Monday. Yours, Maren Zorkowitz"


@pytest.mark.parametrize("asked_before", [True, False])
def test_the_large_model_alone_is_sent_stand_ins_as_well(tmp_path: Any, asked_before: Any) -> None:
    """Clients ask it for titles of what was shown to them, where real values stand."""
    with running_gateway(tmp_path, context=NAMED) as app:
        if asked_before:
            post(app, HELLO)
        post(app, HELLO | asked(TITLE) | {"model": "costeer/off"})
        sent = "".join(app.costeer.sent_texts())
    assert "A title, please" in sent
    assert "Zorkowitz" not in sent and "Maren" not in sent


def test_values_of_another_profile_stay_guarded_when_an_answer_is_sent_on(tmp_path: Any) -> None:
    other = {"work": lambda messages: NAMED}
    with running_gateway(tmp_path, named=other) as app:
        post(app, HELLO | {"model": "costeer/work"})
        post(app, HELLO | asked(TITLE))
        assert "Zorkowitz" not in "".join(app.costeer.sent_texts())
