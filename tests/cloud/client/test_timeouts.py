"""Read timeouts before and after the first answer."""

from __future__ import annotations

from typing import Any

import pytest

from costeer.cloud.client.timeouts import FEW, ReadTimeouts

SEEN = (1, 2, 3)


@pytest.mark.parametrize(
    ("prompt", "seconds"),
    [
        (SEEN, 30.0),
        ((*SEEN, 4), 30.0),
        ((*SEEN, *range(FEW)), 30.0),
        ((*SEEN, *range(FEW + 1)), 120.0),  # much to read
        ((1, 2), 120.0),
        ((1, 2, 4, 4), 120.0),  # another prompt
        ((), 120.0),  # the list of models
    ],
)
def test_only_what_the_server_has_nearly_read_is_expected_soon(prompt: Any, seconds: Any) -> None:
    waiting = ReadTimeouts(120.0, 30.0)
    assert not waiting.has_answered
    assert waiting.seconds(prompt) == 120.0
    waiting.answered(SEEN)
    assert waiting.has_answered
    assert waiting.seconds(prompt) == seconds


def test_between_tokens_is_never_the_longer() -> None:
    assert ReadTimeouts(5.0, 30.0).between == 5.0
