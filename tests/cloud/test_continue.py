"""Continuing a response without sending its ids again: the server's side and the client's."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from costeer.cloud.client.completions import CompletionsClient
from costeer.cloud.client.history import ResponseHistory
from costeer.cloud.in_process import InProcess
from costeer.cloud.server.requests import Continuation
from costeer.cloud.server.responses import ResponseStore
from costeer.serving.errors import ApiError
from tests.support.serving import (
    PROMPT,
    CountingModel,
    EndlessModel,
    Relay,
    http_post,
    numbered,
    running,
    same,
    until,
)


@pytest.fixture
def connect() -> Iterator[Any]:
    clients = []

    def make(url: Any, **options: Any) -> Any:
        clients.append(CompletionsClient(url, **{"backoff": 0.0} | options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def post(app: Any, body: Any) -> Any:
    return http_post(f"{app.url}/v1/completions", json=body)


def begin(app: Any, **options: Any) -> Any:
    """A finished response: its ID, and prompt and answer."""
    body = {"prompt": PROMPT, "max_tokens": 6, "logprobs": 3, "return_tokens_as_token_ids": True}
    answer = post(app, body | options).json()
    names = answer["choices"][0]["logprobs"]["tokens"]
    return answer["id"], [*PROMPT, *(int(name.removeprefix("token_id:")) for name in names)]


# The server.


@pytest.mark.slow
def test_the_same_as_with_the_whole_prompt() -> None:
    with running(EndlessModel()) as app:
        name, ids = begin(app)
        for keep in (1, len(PROMPT), len(ids) - 2, len(ids)):
            for added in ([], [65], [65, 66]):
                referring = {"continue": {"id": name, "keep": keep}, "prompt": added}
                short = post(app, referring | {"max_tokens": 4}).json()
                plain = {"prompt": [*ids[:keep], *added], "max_tokens": 4, "logprobs": 3}
                whole = post(app, plain | {"return_tokens_as_token_ids": True}).json()
                assert short["choices"] == whole["choices"]
                assert short["usage"]["prompt_tokens"] == keep + len(added)


@pytest.mark.slow
def test_a_continuation_can_be_continued_and_options_can_be_changed() -> None:
    with running(EndlessModel()) as app:
        name, ids = begin(app)
        second = post(app, {"continue": {"id": name, "keep": len(ids)}, "logprobs": 5}).json()
        assert len(second["choices"][0]["logprobs"]["top_logprobs"][0]) == 5
        assert second["usage"]["completion_tokens"] == 16  # max_tokens is not taken over
        third = {"continue": {"id": second["id"], "keep": len(ids) + 16}, "max_tokens": 1}
        assert post(app, third).json()["usage"]["prompt_tokens"] == len(ids) + 16


@pytest.mark.slow
@pytest.mark.parametrize(
    ("field", "status"),
    [
        ({"id": "cmpl-0", "keep": 1}, 404),
        ({"id": None, "keep": 1}, 400),
        ({"keep": 1}, 400),
        ({"id": "x", "keep": 0}, 400),
        ({"id": "x", "keep": True}, 400),
        ("x", 400),
        ([], 400),
    ],
)
def test_bad_references(field: Any, status: Any) -> None:
    with running(EndlessModel()) as app:
        answer = post(app, {"continue": field, "prompt": [1]})
        assert answer.status_code == status
        assert answer.json()["error"]["code"] == ("unknown_response" if status == 404 else None)


@pytest.mark.slow
def test_more_than_there_is_and_prompts_that_cannot_be_appended() -> None:
    with running(EndlessModel()) as app:
        name, ids = begin(app)
        for body in (
            {"continue": {"id": name, "keep": len(ids) + 1}},
            {"continue": {"id": name, "keep": 2}, "prompt": "text"},
            {"continue": {"id": name, "keep": 2}, "prompt": [[1]]},
            {"continue": {"id": name, "keep": 2, "replace": 1}},
        ):
            assert post(app, body).status_code == 400


def test_the_oldest_responses_are_forgotten() -> None:
    responses = ResponseStore(limit=2)
    for name in "abc":
        with responses.open(name, {"prompt": [1], "logprobs": 2}, [1], lambda: None) as ids:
            ids.append(7)
    with pytest.raises(ApiError):
        responses.expand({}, Continuation("a", 1, False))
    whole = responses.expand({"max_tokens": 3}, Continuation("c", 2, False))
    assert whole == {"prompt": [1, 7], "logprobs": 2, "max_tokens": 3}


def test_only_replacing_ends_what_is_still_written() -> None:
    ended = []
    responses = ResponseStore()
    with responses.open("a", {}, [1, 2], lambda: ended.append(1)):
        responses.expand({"prompt": [5]}, Continuation("a", 1, False))
        assert not ended
        responses.expand({"prompt": [5]}, Continuation("a", 1, True))
        assert ended == [1]
    responses.expand({"prompt": [5]}, Continuation("a", 1, True))
    assert ended == [1]


def test_a_replaced_stream_ends_properly_and_frees_its_slot() -> None:
    model = EndlessModel(pause=0.005, max_sequences=1)
    with running(model) as app:
        body = {"prompt": PROMPT, "max_tokens": 4000, "stream": True}
        with httpx2.stream("POST", f"{app.url}/v1/completions", json=body, verify=False) as first:
            lines = first.iter_lines()
            name = json.loads(next(lines)[6:])["id"]
            turn = {"continue": {"id": name, "keep": len(PROMPT), "replace": True}, "prompt": [65]}
            assert post(app, turn | {"stream": False, "max_tokens": 2}).status_code == 200
            rest = [line for line in lines if line]
        assert rest[-1] == "data: [DONE]"
        assert json.loads(rest[-2][6:])["choices"][0]["finish_reason"] == "replaced"


def test_a_retried_step_computes_nothing() -> None:
    model = EndlessModel(pause=0.002, max_sequences=1)  # no second sequence to compute on
    with running(model) as app:
        body = {"prompt": PROMPT, "max_tokens": 200, "logprobs": 2, "stream": True}
        with httpx2.stream("POST", f"{app.url}/v1/completions", json=body, verify=False) as first:
            lines = first.iter_lines()  # kept: dropping it would close the connection
            next(lines)
            wider = post(app, {"prompt": PROMPT, "max_tokens": 1, "logprobs": 9}).json()
            assert app.scheduler.busy == 1  # the stream goes on meanwhile
    row = InProcess(EndlessModel()).stream(PROMPT, 9, 1)
    values = [float(v) for v in next(row).top_logprobs]
    assert list(wider["choices"][0]["logprobs"]["top_logprobs"][0].values()) == values
    assert wider["usage"]["prompt_tokens_details"]["cached_tokens"] == len(PROMPT)


@pytest.mark.slow
def test_compressed_only_for_who_can_read_it_and_never_held_back() -> None:
    with running(EndlessModel(pause=0.01)) as app:
        body = {"prompt": PROMPT, "max_tokens": 20, "stream": True, "logprobs": 8}
        compact = body | {"logprobs_encoding": "base64"}
        url = f"{app.url}/v1/completions"
        for asked, encoding, expected in (
            (compact, "gzip", "gzip"),
            (compact, "identity", None),
            (body, "gzip", None),
        ):
            headers = {"accept-encoding": encoding}
            with httpx2.stream("POST", url, json=asked, headers=headers, verify=False) as response:
                assert response.headers.get("content-encoding") == expected
                pieces = list(response.iter_raw())
            assert len(pieces) >= 20  # each event when it was written
            raw = b"".join(pieces)
            text = (gzip.decompress(raw) if expected else raw).decode()
            assert text.count("data: ") == 21
            assert text.endswith("data: [DONE]\n\n")


# The client.


def test_what_is_referred_to() -> None:
    memory = ResponseHistory()
    assert memory.find_prefix([1, 2, 3]) is None
    known = memory.begin([1, 2, 3])
    assert memory.find_prefix([1, 2, 3]) is None  # its ID has not come yet
    for token in (7, 8):
        known.add("a", token)
    assert memory.find_prefix([1, 2]) is None  # not of the same conversation
    assert memory.find_prefix([1, 2, 9, 7]) is None
    reference = memory.find_prefix([1, 2, 3, 7])
    assert (reference.keep, reference.rest) == (4, ())
    assert reference.body() == {"continue": {"id": "a", "keep": 4}, "prompt": ()}
    assert not known.replaced
    reference = memory.find_prefix([1, 2, 3, 7, 9])
    assert reference.body() == {"continue": {"id": "a", "keep": 4}, "prompt": (9,)}
    memory.forget(known)
    assert memory.find_prefix([1, 2, 3, 7]) is None


def test_only_the_named_response_is_replaced() -> None:
    memory = ResponseHistory()
    first, second = memory.begin([1]), memory.begin([1])
    first.add("a", 5)
    second.add("b", 5)
    reference = memory.find_prefix([1, 5, 9], replaces=first)
    assert reference.body() == {
        "continue": {"id": "a", "keep": 2, "replace": True},
        "prompt": (9,),
    }
    assert first.replaced
    assert not second.replaced


@pytest.mark.parametrize(
    ("prompt", "live"),
    [
        pytest.param([1, 5, 6], True, id="the prompt only continues it"),
        pytest.param([1, 5, 9], False, id="it has ended"),
        pytest.param([2, 9], True, id="it is of another conversation"),
    ],
)
def test_what_need_not_be_ended_is_not_replaced(prompt: Any, live: Any) -> None:
    memory = ResponseHistory()
    old, other = memory.begin([1]), memory.begin([1, 4])
    for token in (5, 6):
        old.add("a", token)
    other.add("b", 7)
    old.live = live
    reference = memory.find_prefix(prompt, replaces=old)
    assert reference is None or "replace" not in reference.body()["continue"]
    assert not old.replaced


def test_the_named_response_is_ended_although_another_has_more_of_the_prompt() -> None:
    memory = ResponseHistory()
    old, other = memory.begin([1]), memory.begin([1, 4])
    old.add("a", 5)
    other.add("b", 7)
    reference = memory.find_prefix([1, 4, 9], replaces=old)
    assert reference.body() == {
        "continue": {"id": "a", "keep": 1, "replace": True},
        "prompt": (4, 9),
    }
    assert old.replaced


@pytest.mark.slow
def test_corrections_reuse_two_connections_and_cost_few_bytes(connect: Any) -> None:
    records = []
    model = EndlessModel(pause=0.004, max_sequences=2)
    with running(model) as app, Relay(app.url) as relay:
        client = connect(relay.url, record=records.append)
        prefix = list(PROMPT)
        stream = client.stream(prefix, 8, 500)
        closing = []
        for turn in range(10):
            steps = [next(stream) for _ in range(3)]
            prefix = [*prefix, *numbered(steps), 65 + turn]
            old, stream = stream, client.stream(prefix, 8, 500, replaces=stream)
            closing.append(threading.Thread(target=old.close))
            closing[-1].start()
            assert same([next(stream)], list(InProcess(EndlessModel()).stream(prefix, 8, 1)))
            prefix.append(InProcess(EndlessModel()).stream(prefix, 8, 1).__next__().token)
        stream.close()
        for thread in closing:
            thread.join(5)
        assert until(lambda: app.scheduler.busy == 0)
    posts = [record for record in records if record.what.startswith("POST")]
    assert len(posts) == 11
    assert relay.connections == 2
    assert max(record.bytes_up for record in posts[1:]) < 512  # one padded block and a head
    assert len(posts[-1].token_ids) > len(PROMPT) + 30  # what the far side then holds


def test_a_stream_that_nothing_replaces_is_cut_at_once(connect: Any) -> None:
    model = EndlessModel(pause=0.002)
    with running(model) as app:
        stream = connect(app.url).stream(PROMPT, 8, 4000)
        next(stream)
        stream.close()
        assert until(lambda: app.scheduler.busy == 0, 1)


@pytest.mark.slow
def test_only_a_stream_named_as_replaced_is_ended(connect: Any) -> None:
    with running(EndlessModel(pause=0.002, max_sequences=3)) as app:
        client = connect(app.url)
        old = client.stream(PROMPT, 8, 4000)
        prefix = [*PROMPT, next(old).token, 65]
        independent = client.stream(prefix, 8, 3)
        assert len(list(independent)) == 3
        assert len([next(old) for _ in range(20)]) == 20  # still being written
        next(client.stream(prefix, 8, 1, replaces=old))
        assert len(list(old)) < 1000  # of 3,979


def test_a_server_that_was_started_anew_gets_the_whole_prefix(connect: Any) -> None:
    model = CountingModel()
    with running(model) as app:
        client = connect(app.url)
        steps = list(client.stream(PROMPT, 8, 5))
        app.completions.responses.clear()
        longer = [*PROMPT, *numbered(steps), 65]
        assert same(
            list(client.stream(longer, 8, 3)),
            list(InProcess(CountingModel()).stream(longer, 8, 3)),
        )
        again = [*longer, 66]
        assert len(list(client.stream(again, 8, 1))) == 1


def of_another_server(piece: bytes) -> bytes:
    """An answer of our server without its extension in ``/v1/models``."""
    return piece.replace(b'"costeer"', b'"another"')


@pytest.mark.slow
def test_with_other_servers_a_connection_is_kept_ready(connect: Any) -> None:
    """Their streams can only be left by closing the connection."""
    records = []
    model = EndlessModel(pause=0.004, max_sequences=3)
    with running(model) as app, Relay(app.url, edit=of_another_server) as relay:
        client = connect(relay.url, record=records.append)
        stream = client.stream(PROMPT, 8, 500)
        next(stream)
        for turn in range(4):
            made = relay.connections
            old, stream = stream, client.stream([*PROMPT, 65 + turn], 8, 500, replaces=stream)
            next(stream)
            assert relay.connections == made + (turn == 0)  # the first time, none was ready
            asked = len(records)
            old.close()
            # the stream, and the spare's request
            assert until(lambda most=asked + 2: len(records) == most)
            assert until(lambda: all(t.name != "preconnect" for t in threading.enumerate()))
        stream.close()
        assert until(lambda: app.scheduler.busy == 0)
