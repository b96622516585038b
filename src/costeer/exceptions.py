"""Every error that CoSteer raises on purpose, in one tree.

    CoSteerError
    ├── UsageError                  what was asked cannot be done as asked (exit code 2)
    │   ├── ParameterError          a number out of its range
    │   ├── InputError              empty query, unreadable file, context that cannot fit
    │   └── UnknownModelError       no such name in the catalog, no such file
    ├── ModelError                  an engine or a model file
    │   ├── ModelFileError          missing, damaged or wrong hash
    │   ├── FetchError              a download failed: no source, no space, interrupted
    │   ├── MissingDependencyError  an optional extra is not installed
    │   ├── ContextLengthError      more tokens than the model's context holds
    │   ├── InterruptedModelError   nobody wants the result any more
    │   └── NotFiniteError          NaN among log-probabilities
    ├── VocabularyError             the two models do not share a tokenizer
    ├── StoppedError                the answer was given up on request
    ├── GuardError                  private text could not be kept here; nothing was sent
    └── CloudError                  the far side
        ├── CloudUnreachableError   no connection, or it died
        ├── CloudRefusedError       it answered with an error status
        └── CloudProtocolError      it answered with something that cannot be used

A message says what happened; ``hint`` says what to do next. Neither ever holds private text.
"""

from __future__ import annotations


class CoSteerError(Exception):
    """Base of the tree. ``str()`` gives the message and the hint on one line."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(CoSteerError):
    """What was asked cannot be done as asked."""

    exit_code = 2


class ParameterError(UsageError):
    """A parameter is out of its range."""


class InputError(UsageError):
    """A text or file given as input cannot be used."""


class UnknownModelError(UsageError):
    """Neither a name in the catalog nor a file."""


class ModelError(CoSteerError):
    """An engine or a model file failed."""


class ModelFileError(ModelError):
    """A model file is missing, damaged, or has the wrong hash."""


class FetchError(ModelError):
    """A download could not be completed."""


class MissingDependencyError(ModelError):
    """An optional extra is not installed."""


class ContextLengthError(ModelError):
    """More tokens than the model's context holds."""


class InterruptedModelError(ModelError):
    """A computation was given up on request; whoever asked for that catches it."""


class NotFiniteError(ModelError):
    """NaN among log-probabilities."""


class VocabularyError(CoSteerError):
    """The two models do not share a tokenizer."""


class StoppedError(CoSteerError):
    """The answer was given up on request; whoever asked for that catches it."""

    def __init__(self) -> None:
        super().__init__("The answer was stopped.")


class GuardError(CoSteerError):
    """What guards private text cannot do its work; nothing was sent."""


class CloudError(CoSteerError):
    """The far side failed."""


class CloudUnreachableError(CloudError):
    """No connection could be made, or it broke."""


class CloudRefusedError(CloudError):
    """The server answered with an error status (kept in ``status``)."""

    def __init__(self, message: str, hint: str = "", *, status: int = 0) -> None:
        super().__init__(message, hint)
        self.status = status


class CloudProtocolError(CloudError):
    """The server answered with something that cannot be used."""
