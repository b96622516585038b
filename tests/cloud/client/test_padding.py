"""The size of a request does not tell which tokens it holds."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from costeer.cloud.client.padding import BLOCK, pad

token = st.integers(0, 999_999)


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
