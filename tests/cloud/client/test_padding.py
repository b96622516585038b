"""The size of a request does not tell which tokens it holds."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer import Costeer
from costeer.cloud.client.padding import BLOCK, pad
from costeer.models.fake import FakeModel
from tests.support.canary import Tap
from tests.support.serving import running

token = st.integers(0, 999_999)


@pytest.mark.slow
@given(st.lists(st.tuples(token, token), max_size=200))
def test_other_tokens_give_bodies_of_the_same_size(pairs: Any) -> None:
    sizes = set()
    for ids in ([one for one, _ in pairs], [other for _, other in pairs]):
        body = {"continue": {"id": "cmpl-0", "keep": 7}, "prompt": ids}
        padded = pad(json.dumps(body).encode(), ids)
        assert json.loads(padded) == body
        sizes.add(len(padded))
    assert len(sizes) == 1
    assert sizes.pop() % BLOCK == 0


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["run-ahead", "lockstep"])
def test_every_body_on_the_wire_is_of_whole_blocks(mode: Any) -> None:
    with running(FakeModel(seed=1)) as app, Tap(urlsplit(app.url).port) as tap:
        with Costeer(tap.url, FakeModel(seed=2), strength=3.0, mode=mode) as costeer:
            assert costeer.generate("Hello?", "I am vegan.", max_tokens=12).changed
        sizes = [int(size) for size in re.findall(rb"content-length: (\d+)", tap.heard, re.I)]
    assert len(sizes) > 2  # the question, and corrections
    assert {size % BLOCK for size in sizes} == {0}
