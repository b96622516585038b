"""Every error that CoSteer raises on purpose, in one tree.

    CoSteerError
    ├── UsageError                  the request cannot be carried out as given (exit code 2)
    │   ├── ParameterError          a value out of range
    │   ├── InputError              an empty query, an unreadable file, a context that cannot fit
    │   └── UnknownModelError       no such name in the catalog, and no such file
    ├── ModelError                  an engine or a model file failed
    │   ├── ModelFileError          missing, damaged, or with the wrong hash
    │   ├── FetchError              a download failed: no source, no space, interrupted
    │   ├── MissingDependencyError  an optional extra is not installed
    │   ├── ContextLengthError      more tokens than the model's context holds
    │   ├── InterruptedModelError   a computation was cancelled
    │   └── NotFiniteError          NaN among log-probabilities
    ├── ProfileError                the encrypted profile
    │   ├── ProfileKeyError         wrong passphrase or key, or nobody to ask for it
    │   ├── ProfileFileError        missing, not encrypted, damaged, or too new
    │   ├── ProfileSpaceError       the disk is full, or refuses to write
    │   └── ProfileBusyError        another process is writing
    ├── VocabularyError             the two models do not share a tokenizer
    ├── StoppedError                the answer was stopped on request
    ├── GuardError                  private text could not be kept here; nothing was sent
    │   └── BudgetBusyError         another answer spends from the same budget
    └── CloudError                  the cloud failed
        ├── CloudUnreachableError   no connection, or it broke
        ├── CloudRefusedError       the server answered with an error status
        └── CloudProtocolError      the server sent something that cannot be used

The message says what happened, ``hint`` what to do next. Neither ever contains private text.
"""

from __future__ import annotations


class CoSteerError(Exception):
    """The base of the tree. ``str()`` gives the message and the hint on one line."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(CoSteerError):
    """The request cannot be carried out as given."""

    exit_code = 2


class ParameterError(UsageError):
    """A parameter is out of range."""


class InputError(UsageError):
    """A text or a file given as input cannot be used."""


class UnknownModelError(UsageError):
    """The model is neither a name in the catalog nor a file."""


class ModelError(CoSteerError):
    """An engine or a model file failed."""


class ModelFileError(ModelError):
    """A model file is missing, damaged, or has the wrong hash."""


class FetchError(ModelError):
    """A download could not be completed."""


class MissingDependencyError(ModelError):
    """An optional extra is not installed."""


class ContextLengthError(ModelError):
    """The tokens do not fit into the model's context."""


class InterruptedModelError(ModelError):
    """A computation was cancelled; the code that cancelled it catches this."""


class NotFiniteError(ModelError):
    """There is NaN among the log-probabilities."""


class ProfileError(CoSteerError):
    """The encrypted profile cannot be used."""


class ProfileKeyError(ProfileError):
    """The passphrase or key is wrong, or there is nobody to ask for it."""


class ProfileFileError(ProfileError):
    """A file of the profile is missing, not encrypted, damaged, or of a newer version."""


class ProfileSpaceError(ProfileError):
    """The disk is full or refuses to write; what was stored before is untouched."""


class ProfileBusyError(ProfileError):
    """Another process is writing to the profile."""


class VocabularyError(CoSteerError):
    """The two models do not share a tokenizer."""


class StoppedError(CoSteerError):
    """The answer was stopped; the code that stopped it catches this."""

    def __init__(self) -> None:
        super().__init__("The answer was stopped.")


class GuardError(CoSteerError):
    """What guards private text cannot do its work; nothing was sent."""


class BudgetBusyError(GuardError):
    """Another answer spends from the same budget and does not end; it may be asked again."""


class CloudError(CoSteerError):
    """The cloud failed."""


class CloudUnreachableError(CloudError):
    """The connection could not be made, or it broke."""


class CloudRefusedError(CloudError):
    """The server answered with an error status (kept in ``status``)."""

    def __init__(self, message: str, hint: str = "", *, status: int = 0) -> None:
        super().__init__(message, hint)
        self.status = status


class CloudProtocolError(CloudError):
    """The server sent something that cannot be used."""
