"""What comes down has the same sizes whatever the tokens are."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from costeer.models.fake import FakeModel
from tests.support.serving import running

TOKENS = 30


def frame_sizes(url: Any, **request: Any) -> list[int]:
    """The sizes of the chunks of a streamed answer, as they cross the network."""
    body = json.dumps({"max_tokens": TOKENS, "stream": True, **request}).encode()
    head = (
        "POST /v1/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n"
        "accept-encoding: gzip\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", urlsplit(url).port)) as connection:
        connection.sendall(head.encode() + body)
        data = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    _, _, rest = data.partition(b"\r\n\r\n")
    sizes = []
    while size := int((line := rest.partition(b"\r\n"))[0], 16):
        sizes.append(size)
        rest = line[2][size + 2 :]
    return sizes


@pytest.mark.slow
@pytest.mark.parametrize("k", [1, 64, 250])
def test_sizes_tell_how_many_log_probabilities_were_asked_for_and_nothing_else(k: Any) -> None:
    seen = set()
    for seed in range(3):
        with running(FakeModel(seed=seed)) as app:
            for prompt in ([1, 2, 3], [260, 259, 258]):
                request = {"prompt": prompt, "logprobs": k, "logprobs_encoding": "base64"}
                seen.add(tuple(frame_sizes(app.url, **request)))
    (sizes,) = seen
    assert len(sizes) == TOKENS + 1  # and the end
    assert len(set(sizes[1:-1])) == 1
