"""The running checksum sees every change of a stream."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from costeer.cloud.wire.checksum import BrokenStreamError, StreamChecksum

PROMPT = (1, 2, 300)


def choice(*rows: Any, seal: StreamChecksum, reason: str | None = None) -> dict[str, Any]:
    """A choice as the server sends it, sealed by ``seal``."""
    seals = [
        seal.next(token, packed, reason if at == len(rows) - 1 else None)
        for at, (token, packed) in enumerate(rows)
    ]
    tokens, tops = [token for token, _ in rows], [packed for _, packed in rows]
    logprobs = {"encoding": "base64", "token_ids": tokens, "top": tops, "seal": seals}
    return {"text": "x", "logprobs": logprobs, "finish_reason": reason}


def answer() -> list[dict[str, Any]]:
    seal = StreamChecksum(PROMPT)
    first, second = choice((7, "AAAA"), seal=seal), choice((8, "BBBB"), seal=seal)
    return [first, second, choice((9, "CCCC"), seal=seal, reason="stop")]


def read(choices: list[dict[str, Any]], prompt: tuple[Any, ...] = PROMPT) -> None:
    seal = StreamChecksum(prompt)
    for one in choices:
        seal.check(one)


def test_what_was_sent_passes() -> None:
    read(answer())
    read([choice((7, "AAAA"), (8, "BBBB"), seal=StreamChecksum(PROMPT), reason="length")])


def test_a_whole_answer_has_the_seals_of_its_chunks() -> None:
    parts = [one["logprobs"] for one in answer()]
    names = ("token_ids", "top", "seal")
    whole = {name: [part[name][0] for part in parts] for name in names}
    read([{"logprobs": whole, "finish_reason": "stop"}])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("logprobs", "token_ids"), [4]),
        (("logprobs", "token_ids"), []),
        (("logprobs", "token_ids"), 8),
        (("logprobs", "top"), ["BBBC"]),
        (("logprobs", "top"), ["\ud800"]),
        (("logprobs", "top"), None),
        (("logprobs", "seal"), [5]),
        (("logprobs", "seal"), [None]),
        (("logprobs", "seal"), None),
        (("logprobs",), None),
        (("logprobs",), {}),
        (("logprobs",), "x"),
        (("finish_reason",), "stop"),
        (("finish_reason",), [1]),
    ],
)
def test_damage_shows(path: tuple[Any, ...], value: Any) -> None:
    choices = copy.deepcopy(answer())
    *way, last = path
    place = choices[1]
    for name in way:
        place = place[name]
    place[last] = value
    with pytest.raises(BrokenStreamError):
        read(choices)


def test_a_missing_field_shows() -> None:
    for name in ("logprobs", "finish_reason"):
        choices = copy.deepcopy(answer())
        del choices[1][name]
        with pytest.raises(BrokenStreamError):
            read(choices)


@pytest.mark.parametrize("order", [[0, 2], [0, 0], [0, 1, 1], [1], [0, 2, 1]])
def test_a_step_lost_doubled_or_out_of_turn_shows(order: list[int]) -> None:
    choices = answer()
    with pytest.raises(BrokenStreamError):
        read([choices[i] for i in order])


@pytest.mark.parametrize("prompt", [(1, 2), (1, 2, 301), (2, 1, 300), (1, 2, 300, 7)])
def test_an_answer_to_another_prompt_shows(prompt: tuple[Any, ...]) -> None:
    with pytest.raises(BrokenStreamError):
        read(answer(), prompt)
