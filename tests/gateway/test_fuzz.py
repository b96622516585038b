"""Bodies of any kind: no status 500, no hang, and nothing left behind.

``bench/fuzz_gateway.py`` sends 10,000 of them, some of their bytes changed.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.gateway import fields
from tests.support.gateway import CHAT
from tests.support.serving import until

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from(["costeer", "costeer/off", "user", "auto", "text", "\x00", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)  # fmt: skip
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "system", "assistant", "developer", "tool"]) | JSON,
     "content": st.text(max_size=20) | JSON}
)  # fmt: skip


def body(table: Any, required: Any) -> Any:
    optional = {field.name: JSON for field in table if field.name not in {"model", *required}}
    limits = {"max_tokens": st.integers(-1, 3), "max_output_tokens": st.integers(-1, 3)}
    return st.fixed_dictionaries(
        {"model": st.just("costeer") | JSON} | required,
        optional={**optional, **limits, "costeer": st.dictionaries(
            st.sampled_from(["strength", "context", "profile", "trace"]), JSON) | JSON},
    )  # fmt: skip


MESSAGES = st.lists(MESSAGE, max_size=3) | JSON
REQUESTS = (
    st.tuples(st.just(CHAT), body(fields.CHAT, {"messages": MESSAGES}))
    | st.tuples(st.just("/v1/responses"), body(fields.RESPONSES, {"input": MESSAGES}))
    | st.tuples(st.sampled_from([CHAT, "/v1/responses", "/costeer/answers/x/strength"]), JSON)
)


@pytest.mark.slow
@given(request=REQUESTS)
def test_any_body_is_answered(gateway: Any, request: Any) -> None:
    path, value = request
    if isinstance(value, dict) and not {"max_tokens", "max_output_tokens"} & value.keys():
        value["max_tokens"] = value["max_output_tokens"] = 2  # or it takes long
    response = gateway.client.post(
        path,
        content=json.dumps(value).encode(),
        headers={"content-type": "application/json"},
        timeout=30,
    )
    assert response.status_code in {200, 400, 403, 404}, (response.status_code, response.text)
    if response.status_code != 200:
        assert response.json()["error"]["message"]


def test_nothing_is_left_behind(gateway: Any) -> None:
    assert until(lambda: gateway.answers.metrics.under_way == 0)
    assert gateway.costeer.lanes.busy == gateway.costeer.lanes.waiting == 0
