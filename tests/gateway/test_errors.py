"""Errors as clients see them: the status, and whether asking again may help."""

from __future__ import annotations

import pytest

from costeer import exceptions
from costeer.gateway.errors import api_error

STATUS = [
    (exceptions.ParameterError("x", ""), 400),
    (exceptions.ContextLengthError("x", ""), 400),
    (exceptions.CloudUnreachableError("x", ""), 502),
    (exceptions.CloudRefusedError("x", "", status=401), 502),
    (exceptions.BudgetBusyError("x", ""), 503),
    (exceptions.StoppedError(), 503),
    (exceptions.GuardError("x", ""), 500),
    (exceptions.ModelFileError("x", ""), 500),
    (ZeroDivisionError("x"), 500),
]


@pytest.mark.parametrize(("error", "status"), STATUS)
def test_each_error_has_its_status(error: Exception, status: int) -> None:
    assert api_error(error).status == status


@pytest.mark.parametrize("error", [error for error, status in STATUS if status >= 500])
def test_a_client_does_not_repeat_what_would_send_the_query_again(error: Exception) -> None:
    assert api_error(error).headers["x-should-retry"] == "false"


def test_the_text_of_an_unexpected_error_stays_here() -> None:
    described = api_error(ZeroDivisionError("canary"))
    assert "canary" not in f"{described!r} {vars(described)} {described.envelope()}"
