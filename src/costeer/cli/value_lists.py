"""Where the values to guard are kept: a profile, or the person's private folder without one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from costeer.exceptions import InputError, ProfileFileError

if TYPE_CHECKING:
    from costeer.privacy.values import Kind, Level, Value
    from costeer.profile.profiles import Profile


class ValueList(Protocol):
    """A list of values."""

    def load(self) -> list[Value]:
        """The values, in order."""

    def save(self, values: list[Value]) -> None:
        """Keep these in place of the earlier ones."""


class FolderList:
    """In the private folder."""

    def load(self) -> list[Value]:
        """The values; GuardError where the file is damaged."""
        from costeer.privacy.value_list import load_values

        return load_values()

    def save(self, values: list[Value]) -> None:
        """Keep them; GuardError where the disk refuses."""
        from costeer.privacy.value_list import save_values

        save_values(values)


class ProfileList:
    """In an encrypted profile."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    def load(self) -> list[Value]:
        """The values; ProfileFileError where one is none."""
        from costeer.privacy.values import Value

        rows = self._profile.guarded.all()
        try:
            return [Value(text, cast("Kind", k), cast("Level", v)) for text, k, v in rows]
        except InputError:
            raise ProfileFileError(
                f"The list of guarded values of the profile {self._profile.name} is damaged.",
                "Restore the profile from a backup.",
            ) from None

    def save(self, values: list[Value]) -> None:
        """Keep them; ProfileError where the disk refuses."""
        self._profile.guarded.replace((v.text, v.kind, v.level) for v in values)
