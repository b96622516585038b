"""The client and the decoder against a real llama-server; the facts are those of docs/servers.md.

Its numbers are not ours to the bit: it is another build of llama.cpp, so near ties may differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from costeer.cloud.client.completions import CompletionsClient
from costeer.cloud.in_process import InProcess
from costeer.edge.decode import DecodeParams, generate_step
from costeer.edge.prompts import Prompts
from costeer.edge.slm import SlmPair
from costeer.edge.verify import MODES
from costeer.exceptions import CloudRefusedError, ModelFileError
from tests.support.llama_server import llama_server, require
from tests.support.serving import http_get, http_post, numbered, until
from tests.support.steering import PairDelta

CONTEXT = 512
CLOSE = 0.03  # log-probabilities of the two builds, on the tiny float32 model
PROMPTS = [[(7 * s + 31 * j) % 256 for j in range(5 + s)] for s in range(40)]
PROMPTS_OF_ONE = [[token] for token in range(256)]


@pytest.fixture(scope="module")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> Any:
    require()
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    pytest.importorskip("gguf", reason="gguf, which writes the tiny model, is not installed")
    from tests.support import tiny

    return tiny.write_gguf(tmp_path_factory.mktemp("llama-server") / "tiny.gguf", padding=0)


@pytest.fixture(scope="module")
def ours(tiny_file: Any) -> Iterator[Any]:
    """The same file through our engine."""
    from costeer.models.engines.llamacpp import LlamaCpp

    model = LlamaCpp(tiny_file, context=CONTEXT, sequences=1, threads=1)
    yield InProcess(model)
    model.close()


@pytest.fixture(scope="module")
def eos_ids(ours: Any) -> Any:
    return ours._model.tokenizer.eos_ids


@pytest.fixture(scope="module")
def url(tiny_file: Any) -> Iterator[Any]:
    with llama_server(tiny_file, CONTEXT) as url:
        yield url


@pytest.fixture
def client(url: Any) -> Iterator[Any]:
    client = CompletionsClient(url)
    yield client
    client.close()


def chunks(url: Any, prompt: Any, **fields: Any) -> Any:
    """The chunks of a request that is not the client's."""
    body = {"prompt": prompt, "temperature": 0, "logprobs": 4, "stream": True, "max_tokens": 1}
    text = http_post(f"{url}/v1/completions", json=body | fields).text
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line]
    assert lines.pop() == "[DONE]"
    return [json.loads(line) for line in lines]


def agreeing(left: Any, right: Any, near: Any = CLOSE) -> Any:
    """How many steps agree; where they part, it is at a near tie of ``left``."""
    for count, (a, b) in enumerate(zip(left, right, strict=False)):
        if a.token != b.token:
            assert a.top_logprobs[0] - a.top_logprobs[1] < near
            return count
    assert len(left) == len(right)
    return len(left)


@pytest.mark.slow
def test_info(client: Any) -> None:
    info = client.info()
    assert (info.model, info.vocab_size, info.context_length) == ("tiny", 275, CONTEXT)
    assert info.fingerprint is None
    assert info.max_top_k is None


@pytest.mark.slow
def test_streams_are_those_of_our_engine(client: Any, ours: Any) -> None:
    """Hidden tokens, ends of text and the server's own odd samplers included."""
    agreed = 0
    for prompt in PROMPTS[:10]:
        expected, got = list(ours.stream(prompt, 275, 12)), list(client.stream(prompt, 275, 12))
        count = agreeing(expected, got)
        agreed += count
        for a, b in zip(expected[:count], got[:count], strict=True):
            order = np.argsort(a.top_ids), np.argsort(b.top_ids)
            assert np.allclose(a.top_logprobs[order[0]], b.top_logprobs[order[1]], atol=CLOSE)
    assert agreed > 100


def test_log_probabilities_are_raw_and_the_top_k_is_exact(client: Any) -> None:
    everything = next(client.stream(PROMPTS[3], 275, 1))
    assert np.exp(everything.top_logprobs.astype(np.float64)).sum() == pytest.approx(1, abs=1e-4)
    first = next(client.stream(PROMPTS[3], 64, 1))
    assert first.top_ids.tolist() == everything.top_ids[:64].tolist()


@pytest.mark.slow
def test_one_position_gives_what_the_stream_gives(client: Any) -> None:
    """The forced choice leaves the log-probabilities alone, and streams skip nothing."""
    for prompt in PROMPTS[:5]:
        stream = list(client.stream(prompt, 64, 12))
        for i, step in enumerate(stream):
            alone = next(client.stream([*prompt, *numbered(stream[:i])], 64, 1))
            assert agreeing([step], [alone]) in (0, 1)
            assert np.allclose(alone.top_logprobs, step.top_logprobs, atol=CLOSE)


@pytest.mark.slow
def test_the_server_hides_tokens_within_characters(url: Any, client: Any, ours: Any) -> None:
    """Why the client asks as it does; when this fails, ``dialects`` can be simpler."""

    def begins_a_character(prompt: Any) -> Any:
        token = next(client.stream(prompt, 1, 1)).token
        return ours._model.tokenizer.decode_bytes([token])[:1] in (b"\xc3", b"\xe2", b"\xe7")

    prompt = next(p for p in PROMPTS_OF_ONE if begins_a_character(p))
    (last,) = chunks(url, prompt)
    assert last["choices"][0]["logprobs"] is None
    assert last["usage"]["completion_tokens"] == 1


@pytest.mark.slow
def test_the_end_of_the_text_is_a_step(client: Any, ours: Any, eos_ids: Any) -> None:
    prompt = next(p for p in PROMPTS if list(ours.stream(p, 2, 12))[-1].token in eos_ids)
    steps = list(client.stream(prompt, 64, 100))
    assert steps[-1].token in eos_ids
    assert steps[-1].top_ids[0] == steps[-1].token
    alone = next(client.stream([*prompt, *numbered(steps[:-1])], 64, 1))
    assert alone.token == steps[-1].token


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_decodes_like_in_process(
    client: Any, ours: Any, eos_ids: Any, tmp_path: Path, mode: Any
) -> None:
    from costeer.models.engines.llamacpp import LlamaCpp
    from tests.support import tiny

    small = LlamaCpp(
        tiny.write_gguf(tmp_path / "small.gguf", seed=1, padding=0),
        context=CONTEXT,
        sequences=2,
        threads=1,
    )
    params = DecodeParams(gain=0.5, top_k=16, max_tokens=12, eos_ids=eos_ids, mode=mode)
    agreed = total = 0
    for prompt in PROMPTS[:6]:
        answers = []
        for cloud in (ours, client):
            pair = SlmPair(small)
            local = PairDelta(pair)
            steps = list(generate_step(cloud, local, Prompts(prompt, prompt, [9, *prompt]), params))
            pair.close()
            assert all(step.proven for step in steps)
            answers.append(numbered(steps))
        total += len(answers[0])
        agreed += sum(a == b for a, b in zip(*answers, strict=False))
    assert agreed > 0.85 * total
    small.close()


def test_leaving_stops_the_server_and_keeps_the_prefix(url: Any, client: Any) -> None:
    prompt = PROMPTS[20]
    stream = client.stream(prompt, 275, 400)  # all log-probabilities, which makes it slow
    steps = [next(stream) for _ in range(3)]
    stream.close()
    assert until(lambda: not http_get(f"{url}/slots").json()[0]["is_processing"])
    corrected = [*prompt, *numbered(steps[:2]), 65]
    timings = chunks(url, corrected)[-1]["timings"]
    assert timings["cache_n"] == len(corrected) - 1
    assert timings["prompt_n"] == 1


@pytest.mark.slow
def test_two_prompts_in_turn_keep_both_prefixes(tiny_file: Any) -> None:
    with llama_server(tiny_file, 256, slots=2) as url:
        client = CompletionsClient(url)
        assert client.info().context_length == 256
        prompts = [list(range(60)), list(range(100, 160))]
        for prompt in prompts * 2:
            list(client.stream(prompt, 4, 3))
        for prompt in prompts:
            timings = chunks(url, [*prompt, 5])[-1]["timings"]
            assert timings["cache_n"] == len(prompt)
        client.close()


@pytest.mark.slow
def test_a_full_context(client: Any) -> None:
    with pytest.raises(CloudRefusedError) as caught:
        list(client.stream([65] * CONTEXT, 4, 1))
    assert caught.value.status == 400
    assert "context" in caught.value.hint
    assert len(list(client.stream([65] * (CONTEXT - 1), 4, 9))) == 1
    with pytest.raises(CloudRefusedError):
        list(client.stream([5000], 4, 1))  # no such token


@pytest.mark.real
def test_the_default_pair() -> None:
    require()
    from costeer.models.engines.llamacpp import LlamaCpp
    from costeer.models.files.catalog import DEFAULT_PAIR, resolve

    try:
        large, small = resolve(DEFAULT_PAIR.llm), resolve(DEFAULT_PAIR.slm)
    except ModelFileError as error:
        pytest.skip(str(error))
    local_model = LlamaCpp(small, context=CONTEXT, sequences=2, threads=1)
    chat, eos_ids = local_model.tokenizer.chat, local_model.tokenizer.eos_ids
    question = {"role": "user", "content": "Translate into Chinese, then add a 🦜: Good morning!"}
    public = chat([question])
    private = chat([question | {"content": f"I love parrots.\n\n{question['content']}"}])
    with llama_server(large, CONTEXT) as url:
        pair = SlmPair(local_model)
        client, local = CompletionsClient(url), PairDelta(pair)
        assert client.info().vocab_size == 151_936
        answers = []
        for mode in MODES:
            params = DecodeParams(gain=0.5, max_tokens=40, eos_ids=eos_ids, mode=mode)
            steps = list(generate_step(client, local, Prompts(public, public, private), params))
            assert all(step.proven for step in steps)
            assert steps[-1].token in eos_ids
            answers.append(numbered(steps))
        assert answers[0] == answers[1]
        text = local_model.tokenizer.decode_bytes(numbered(steps[:-1])).decode()
        assert "早上好" in text

        stream = client.stream(public, 64, 300)
        alone = [next(stream) for _ in range(3)]
        stream.close()
        again = next(client.stream([*public, *numbered(alone)], 64, 1))
        timings = chunks(url, [*public, *numbered(alone), again.token])[-1]["timings"]
        assert timings["prompt_n"] <= 2  # the server had stopped, and kept the prefix
        client.close()
    pair.close()

    model = LlamaCpp(large, context=CONTEXT, sequences=1, threads=1)
    ours = list(InProcess(model).stream(public, 64, 3))
    assert agreeing(ours, alone, near=0.7)
    shared = [set(a.top_ids[:32]) & set(b.top_ids) for a, b in zip(ours, alone, strict=True)]
    assert min(map(len, shared)) > 24
    model.close()
    local_model.close()
