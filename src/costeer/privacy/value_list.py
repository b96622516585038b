"""The person's confirmed list of values, in a file of their private folder.

Clear text for now, in a folder that only they can open; an encrypted profile can take it over.
"""

from __future__ import annotations

import json
from pathlib import Path

from costeer.exceptions import GuardError, InputError
from costeer.privacy.folder import private_folder, private_path, read_private, write_private
from costeer.privacy.values import Value

FILE = "values.json"


def load_values(folder: Path | None = None) -> list[Value]:
    """The list; empty where there is none.

    Args:
        folder: the private folder by default.

    Raises:
        GuardError: the file is damaged; guessing would send what it guards.
    """
    if folder is None and not private_path().exists():
        return []  # reading makes no folder
    path = (folder or private_folder()) / FILE
    text = read_private(path)
    if text is None:
        return []
    try:
        return [Value(**entry) for entry in json.loads(text)]
    except (ValueError, TypeError, InputError):
        raise GuardError(
            f"{path} is damaged.", "Mend it, or remove it and run `costeer guard add` again."
        ) from None


def save_values(values: list[Value], folder: Path | None = None) -> None:
    """Keep the list in place of the earlier one."""
    entries = [{"text": v.text, "kind": v.kind, "level": v.level} for v in values]
    path = (folder or private_folder()) / FILE
    write_private(path, json.dumps(entries, ensure_ascii=False, indent=1))
