"""Where an odometer keeps its range for a person without a profile: a file of their folder."""

from __future__ import annotations

import json
import math
from pathlib import Path

from costeer.exceptions import GuardError
from costeer.privacy.folder import private_folder, read_private, write_private

FILE = "evidence.json"


class SpentFile:
    """The range in a file.

    Args:
        folder: the private folder by default.

    Attributes:
        lock_path: a file that is locked while an answer spends.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._path = (folder or private_folder()) / FILE
        self.lock_path = self._path.with_suffix(".lock")

    def read(self) -> tuple[float, float]:
        """Nats, lowest and highest; 0 where there is no file.

        Raises:
            GuardError: it is damaged; starting again from 0 would spend a budget twice.
        """
        text = read_private(self._path)
        if text is None:
            return 0.0, 0.0
        try:
            kept = json.loads(text)
            low, high = float(kept["low"]), float(kept["high"])
            if not (math.isfinite(low) and low <= high < math.inf):
                raise ValueError
        except (ValueError, TypeError, KeyError):
            raise GuardError(
                f"{self._path} is damaged, so what has been spent is not known.",
                "Restore it, or start again with `costeer budget reset`.",
            ) from None
        return low, high

    def write(self, low: float, high: float) -> None:
        """Keep this range in place of the earlier one; on the disk when it returns."""
        write_private(self._path, json.dumps({"low": low, "high": high}))
