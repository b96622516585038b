"""The Python API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

from costeer import Costeer
from costeer.cloud.in_process import InProcess
from costeer.cloud.server.requests import Limits
from costeer.edge.alone import llm_alone
from costeer.edge.verify import MODES
from costeer.exceptions import (
    CloudUnreachableError,
    InputError,
    ParameterError,
    UsageError,
    VocabularyError,
)
from costeer.models.fake import FakeModel
from costeer.settings import Settings
from tests.support.serving import running


def open_costeer(llm: Any = None, slm: Any = None, **options: Any) -> Any:
    return Costeer(InProcess(llm or FakeModel(seed=1)), slm or FakeModel(seed=2), **options)


@pytest.mark.slow
def test_stream_and_generate_agree() -> None:
    with open_costeer() as costeer:
        chunks = list(costeer.stream("Hello?", "I am me.", max_tokens=40))
        result = costeer.generate("Hello?", "I am me.", max_tokens=40)
    assert "".join(chunk.text for chunk in chunks) == result.text
    assert [chunk.step.token for chunk in chunks] == result.token_ids
    assert result.steps == len(chunks)
    assert result.proven + result.retried + result.unproven == result.steps
    assert result.changed == sum(chunk.step.changed for chunk in chunks) > 0
    assert result.finish_reason in {"stop", "length"}
    assert result.prompt_tokens > 0
    assert result.tokens_per_second > 0


@pytest.mark.slow
def test_the_context_and_the_strength_matter() -> None:
    with open_costeer() as costeer:
        plain = costeer.generate("Q", max_tokens=30)
        steered = costeer.generate("Q", "context", max_tokens=30, strength=1)
        zero = costeer.generate("Q", "context", max_tokens=30, strength=0)
    assert plain.token_ids == zero.token_ids != steered.token_ids
    assert plain.changed == 0


@pytest.mark.slow
def test_one_seed_one_text() -> None:
    with open_costeer() as costeer:
        options = {"max_tokens": 30, "temperature": 1.0, "top_p": 0.9}
        first, second = (costeer.generate("Q", "c", seed=5, **options) for _ in range(2))
        other = costeer.generate("Q", "c", seed=6, **options)
    assert first.token_ids == second.token_ids != other.token_ids


def test_a_conversation_reads_only_what_is_new() -> None:
    slm = FakeModel(seed=2)
    seen = []
    slm_extend = slm.extend_many
    slm.extend_many = lambda work, rows=None: (
        seen.append(sum(len(ids) for _, ids in work)) or slm_extend(work, rows)
    )
    with open_costeer(slm=slm) as costeer:
        messages = [{"role": "user", "content": "One?"}]
        answer = costeer.generate(messages, "A context. " * 50, max_tokens=10)
        first = sum(seen)
        seen.clear()
        messages += [
            {"role": "assistant", "content": answer.text},
            {"role": "user", "content": "Two?"},
        ]
        costeer.generate(messages, "A context. " * 50, max_tokens=2)
    assert first > 600
    assert sum(seen) < 200


@pytest.mark.slow
def test_stop_strings_end_the_answer() -> None:
    with open_costeer() as costeer:
        whole = costeer.generate("Q", "c", max_tokens=60).text
        stop = whole[10:12]
        cut = costeer.generate("Q", "c", max_tokens=60, stop=[stop])
    assert cut.text == whole[: whole.index(stop)]
    assert cut.finish_reason == "stop"


@pytest.mark.slow
def test_closing_keeps_what_was_written() -> None:
    with open_costeer() as costeer:
        with costeer.stream("Q", "c", max_tokens=50) as generation:
            for _ in range(5):
                next(generation)
        assert generation.result.steps == 5
        assert generation.result.finish_reason == "interrupted"
        whole = costeer.generate("Q", "c", max_tokens=50)
    assert whole.token_ids[:5] == generation.result.token_ids


@pytest.mark.slow
def test_two_answers_may_be_under_way_and_a_third_would_wait_for_its_own_thread() -> None:
    with open_costeer() as costeer:
        whole = costeer.generate("Q", "c", max_tokens=50)
        first = costeer.stream("Q", "c", max_tokens=50)
        next(first)
        second = costeer.stream("Q", "c", max_tokens=50)
        next(second)
        with pytest.raises(UsageError, match="unfinished answers"):
            costeer.generate("Q", "c", max_tokens=5)
        assert costeer.generate("Q", max_tokens=5).steps == 5  # nothing to steer: needs no lane
        list(second), list(first)
        assert first.result.token_ids == second.result.token_ids == whole.token_ids
        first = costeer.stream("Q", "c", max_tokens=50)
        next(first)
        costeer.stop()
        assert next(first, None) is None


@pytest.mark.slow
def test_without_a_limit_an_answer_has_the_room_that_is_left() -> None:
    with open_costeer(slm=FakeModel(seed=2, context_length=400)) as costeer:
        long = costeer.generate("Q", "A record. " * 5, max_tokens=None, seed=1)
        context = "\n\n".join(["A record of some length."] * 30)
        cut = costeer.stream("Q", context, max_tokens=None)
    assert long.finish_reason in {"stop", "length"}
    assert "records" in cut.result.note  # the context leaves half of the room


class Failing:
    """A cloud that dies for good after some tokens."""

    def __init__(self, tokens: Any) -> None:
        self.inner, self.left = InProcess(FakeModel(seed=1)), tokens

    def info(self) -> Any:
        return self.inner.info()

    def stream(
        self, prompt_ids: Any, top_k: Any, max_tokens: Any, *rest: Any, **options: Any
    ) -> Iterator[Any]:
        for step in self.inner.stream(prompt_ids, top_k, max_tokens):
            if self.left == 0:
                raise CloudUnreachableError("The server is gone.", "Start it again.")
            self.left -= 1
            yield step

    def close(self) -> None:
        pass


@pytest.mark.parametrize("mode", MODES)
def test_when_the_cloud_dies_the_text_so_far_is_kept(mode: Any) -> None:
    with Costeer(Failing(7), FakeModel(seed=2), strength=0, mode=mode) as costeer:
        generation = costeer.stream("Q", "c", max_tokens=50)
        with pytest.raises(CloudUnreachableError):
            list(generation)
    assert generation.result.steps == 7
    assert generation.result.finish_reason == "error"
    assert generation.result.seconds > 0


def test_another_tokenizer_is_refused_and_everything_is_closed() -> None:
    slm = FakeModel(family="other")
    with pytest.raises(VocabularyError, match="do not share a tokenizer"):
        open_costeer(slm=slm)
    assert slm.opened == 0


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ({"query": ""}, InputError),
        ({"query": "Q", "temperature": -1}, ParameterError),
        ({"query": "Q", "top_p": 2}, ParameterError),
        ({"query": "Q", "max_tokens": 0}, ParameterError),
        ({"query": "Q", "strength": "much"}, ParameterError),
        ({"query": "Q", "stop": [""]}, ParameterError),
        ({"query": [{"role": "boss", "content": "Q"}]}, InputError),
        ({"query": [{"role": "user", "content": None}]}, InputError),
    ],
)
def test_bad_input_is_told_before_any_work(bad: Any, error: Any) -> None:
    with open_costeer() as costeer, pytest.raises(error):
        costeer.stream(**bad)
    assert costeer.ledger.totals.requests == 0


def test_a_cloud_that_is_neither_url_nor_local() -> None:
    with pytest.raises(UsageError, match="neither a URL nor 'in-process'"):
        Costeer("cloudy", FakeModel())


@pytest.mark.slow
def test_the_ledger_shows_the_query_and_the_answer_and_not_the_context() -> None:
    with Costeer("in-process", FakeModel(seed=2), llm="fake:1", strength=1) as costeer:
        result = costeer.generate("A question?", "A zebra secret.", max_tokens=20)
        sent = "\n".join(costeer.sent_texts())
    assert "A question?" in sent
    assert "zebra" not in sent
    assert result.requests == costeer.ledger.totals.requests >= result.corrected > 0


class OtherEnd(FakeModel):
    """Also ends an answer with 300, which comes at some position."""

    def __init__(self, at: Any, **options: Any) -> None:
        super().__init__(**options)
        self.at = at
        self.tokenizer.eos_ids = frozenset({257, 300})

    def logprobs(self, ids: Any) -> Any:
        row = super().logprobs(ids)
        if len(ids) == self.at:
            row = np.full_like(row, -30)
            row[300] = -1e-3
        return row


@pytest.mark.slow
@pytest.mark.parametrize("far", [False, True], ids=["here", "server"])
@pytest.mark.parametrize("mode", MODES)
def test_an_end_token_that_only_the_large_model_has_ends_the_answer(mode: Any, far: Any) -> None:
    with Costeer(InProcess(FakeModel()), FakeModel(seed=1), strength=0.2) as costeer:
        prompt = costeer.generate("tell me", "ctx", max_tokens=1).prompt_tokens
    llm = OtherEnd(prompt + 10)
    with running(llm) if far else nullcontext() as app:
        cloud = app.url if far else InProcess(llm)
        with Costeer(cloud, FakeModel(seed=1), strength=0.2, mode=mode) as costeer:
            result = costeer.generate("tell me", "ctx", max_tokens=40)
    assert result.token_ids.index(300) == result.steps - 1 == 10
    assert result.finish_reason == "stop"


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_a_server_that_limits_the_tokens_of_a_request(mode: Any) -> None:
    with running(FakeModel(seed=1), limits=Limits(max_tokens=16)) as app:
        texts = []
        for cloud in (app.url, InProcess(FakeModel(seed=1))):
            with Costeer(cloud, FakeModel(seed=2), strength=0.3, mode=mode) as costeer:
                texts.append(costeer.generate("tell me", "ctx", max_tokens=40).token_ids)
    assert texts[0] == texts[1]


def test_closing_frees_the_large_model_that_was_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = []

    def load(*arguments: Any, **options: Any) -> Any:
        loaded.append(Noted(seed=1))
        return loaded[-1]

    monkeypatch.setattr("costeer.models.load.load_model", load)
    with Costeer("in-process", strength=0):
        pass
    with pytest.raises(VocabularyError):
        Costeer("in-process", FakeModel(family="other"))
    assert [model.closed for model in loaded] == [True] * 3


def test_a_large_model_that_was_given_stays_its_owners() -> None:
    llm = Noted(seed=1)
    Costeer(InProcess(llm), FakeModel(seed=2), strength=0).close()
    assert not llm.closed


class Noted(FakeModel):
    """Knows whether it was closed."""

    closed = False

    def close(self) -> None:
        self.closed = True
        super().close()


@pytest.mark.slow
def test_from_settings_is_the_same_as_from_arguments() -> None:
    chosen = Settings(
        cloud="in-process", llm="fake:1", slm="fake:2", strength="0.7", mode="lockstep", top_k=9
    )
    with Costeer.from_settings(chosen) as costeer:
        ours = costeer.generate("Q", "c", max_tokens=20)
    assert (ours.mode, ours.strength, ours.gain, costeer.top_k) == ("lockstep", "0.7", 0.7, 9)
    with open_costeer(strength=0.7, mode="lockstep", top_k=9) as costeer:
        assert ours.token_ids == costeer.generate("Q", "c", max_tokens=20).token_ids


@pytest.mark.parametrize("bad", [{"mode": "draft"}, {"strength": "much"}, {"top_k": 0}])
def test_settings_out_of_range_are_reported_before_a_model_is_loaded(bad: Any) -> None:
    with pytest.raises(ParameterError):
        Costeer.from_settings(Settings(llm="nothing-like-it", slm="nothing-like-it", **bad))


def test_the_large_model_alone_is_the_answer_at_strength_off() -> None:
    with open_costeer() as costeer:
        alone, speed = llm_alone(costeer, "Q", max_tokens=30)
        off = costeer.generate("Q", "c", max_tokens=30, strength="off")
    assert alone == off.text
    assert speed > 0
    with pytest.raises(InputError):
        llm_alone(costeer, " ")


def test_the_large_model_alone_ends_at_an_end_token_that_only_it_has() -> None:
    with open_costeer() as costeer:
        prompt = costeer.generate("tell me", max_tokens=1).prompt_tokens
    with open_costeer(OtherEnd(prompt + 5)) as costeer:
        alone, _ = llm_alone(costeer, "tell me", max_tokens=30)
        assert alone == costeer.generate("tell me", max_tokens=30).text


@pytest.mark.slow
def test_a_result_holds_its_requests_as_they_were_sent_where_that_is_asked_for() -> None:
    with running(FakeModel(seed=1)) as app, Costeer(app.url, FakeModel(seed=2)) as costeer:
        kept = costeer.generate("Hello?", "I am me.", max_tokens=10, keep_exchanges=True)
        assert costeer.generate("Hello?", "I am me.", max_tokens=10).exchanges == ()
    assert len(kept.exchanges) == kept.requests > 0
    assert sum(one.bytes_up for one in kept.exchanges) == kept.bytes_up
    assert all(one.body for one in kept.exchanges)
