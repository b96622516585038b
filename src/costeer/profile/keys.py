"""Keys: random ones, ones made from a passphrase, and one key sealed by another.

Sealing is AES-256-GCM; a passphrase becomes a key by Argon2id with the second recommended
parameters of RFC 9106 (64 MiB, three passes, four lanes). Knows nothing of files.
"""

from __future__ import annotations

import base64
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from costeer.exceptions import (
    InputError,
    MissingDependencyError,
    ProfileFileError,
    ProfileKeyError,
)

KEY_BYTES = 32
NONCE_BYTES = 12
SHORTEST_PASSPHRASE = 8
RECOVERY_BYTES = 20


@dataclass(frozen=True, slots=True)
class Argon2:
    """Parameters of Argon2id: memory in KiB, passes over it, lanes."""

    memory_kib: int = 65_536
    passes: int = 3
    lanes: int = 4

    def check(self) -> None:
        """Refuse numbers from a key file that would take all memory, or none.

        Raises:
            ProfileFileError: a number is out of range.
        """
        least = 8 * self.lanes  # as RFC 9106 has it
        ranges = ((self.memory_kib, least, 1 << 20), (self.passes, 1, 16), (self.lanes, 1, 16))
        if not all(low <= number <= high for number, low, high in ranges):
            raise ProfileFileError(
                "The key file asks for parameters that are out of range; it is damaged.",
                "Restore it from a backup.",
            )


@dataclass(frozen=True, slots=True)
class Sealed:
    """A key that another key has sealed."""

    nonce: bytes
    data: bytes


def new_key() -> bytes:
    """32 random bytes."""
    return secrets.token_bytes(KEY_BYTES)


def new_recovery_code() -> str:
    """160 random bits as eight groups of four letters and digits."""
    code = base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode()
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def read_recovery_code(typed: str) -> str:
    """A code as somebody copied it: case, blanks and hyphens make no difference."""
    letters = "".join(typed.upper().replace("-", " ").split())
    letters = letters.replace("0", "O").replace("1", "I").replace("8", "B")  # not in base32
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def check_passphrase(passphrase: str) -> str:
    """The passphrase in one Unicode form, so that every keyboard gives the same key.

    Raises:
        InputError: it is too short.
    """
    passphrase = unicodedata.normalize("NFC", passphrase)
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise InputError(
            f"The passphrase has fewer than {SHORTEST_PASSPHRASE} characters.",
            "Take a sentence that you can remember.",
        )
    return passphrase


def derive(passphrase: str, salt: bytes, params: Argon2) -> bytes:
    """A key from a passphrase, by Argon2id.

    Raises:
        MissingDependencyError: ``cryptography`` is missing, or its OpenSSL is older than 3.2.
    """
    params.check()
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
    except ImportError:
        raise _missing() from None
    secret = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
    try:
        return Argon2id(
            salt=salt,
            length=KEY_BYTES,
            iterations=params.passes,
            lanes=params.lanes,
            memory_cost=params.memory_kib,
        ).derive(secret)
    except UnsupportedAlgorithm:
        raise _missing() from None
    except ValueError:  # a salt that is too short
        raise ProfileFileError(
            "The key file is damaged: its salt is too short.", "Restore it from a backup."
        ) from None


def seal(key: bytes, by: bytes, bound_to: bytes) -> Sealed:
    """Seal a key; ``bound_to`` has to be the same again when it is unsealed."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return Sealed(nonce, _aes_gcm()(by).encrypt(nonce, key, bound_to))


def unseal(sealed: Sealed, by: bytes, bound_to: bytes) -> bytes:
    """The key that was sealed.

    Raises:
        ProfileKeyError: ``by`` is another key, or something was changed.
    """
    from cryptography.exceptions import InvalidTag

    try:
        return bytes(_aes_gcm()(by).decrypt(sealed.nonce, sealed.data, bound_to))
    except (InvalidTag, ValueError):
        raise ProfileKeyError("The key is wrong.") from None


def to_json(sealed: Sealed) -> dict[str, str]:
    """As hexadecimal digits."""
    return {"nonce": sealed.nonce.hex(), "data": sealed.data.hex()}


def from_json(fields: Mapping[str, Any]) -> Sealed:
    """The reverse; raises KeyError, TypeError or ValueError for anything else."""
    return Sealed(bytes.fromhex(fields["nonce"]), bytes.fromhex(fields["data"]))


def _aes_gcm() -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise _missing() from None
    return AESGCM


def _missing() -> MissingDependencyError:
    return MissingDependencyError(
        "Profiles need the package cryptography (44 or later, with OpenSSL 3.2 or later).",
        'Install it: pip install "costeer[profile]".',
    )
