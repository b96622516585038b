"""Log-probabilities kept on disk, so that a new method is scored without running the models again.

One file per sample and branch, (n, V) float16 log-probabilities: 0.3 MB per token for a vocabulary
of 152,000. float16 is off by at most 0.004 for log-probabilities above -16. Runs with a store round
fresh rows as well, so scores do not depend on whether the rows came from the store.

Rows of branches with context follow from private data: keep the folder where the data are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from costeer.exceptions import InputError
from costeer_evals.methods.base import Branch
from costeer_evals.prompts import TokenPrompts
from costeer_evals.run.models import MODEL_OF, branch_prompt
from costeer_evals.run.results import private_opener

Rounded = npt.NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class LogprobStore:
    """A folder of log-probabilities.

    Attributes:
        folder: created if it is missing.
        identities: what identifies each model, by role: a hash of its file.
    """

    folder: Path
    identities: Mapping[str, str]

    def __post_init__(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"The folder {self.folder} cannot be created ({error.strerror}).",
                "Choose another with --logprob-store.",
            ) from None

    def load(self, branch: Branch, prompts: TokenPrompts) -> Rounded | None:
        """(n, V), memory-mapped: the rows that predict a sample's reference; None if missing."""
        try:
            rows = np.load(self._path(branch, prompts), mmap_mode="r")
        except (OSError, ValueError, EOFError):  # missing, or cut short by a full disk
            return None
        fits = rows.dtype == np.float16 and rows.shape[:1] == (len(prompts.reference),)
        return rows if fits else None

    def save(self, branch: Branch, prompts: TokenPrompts, rows: Rounded) -> None:
        """Keep the rows of one sample and branch.

        Raises:
            InputError: they cannot be written.
        """
        path = self._path(branch, prompts)
        unfinished = path.with_suffix(".part")
        try:
            with open(unfinished, "wb", opener=private_opener) as file:
                np.save(file, rows)
            unfinished.replace(path)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise InputError(
                f"Log-probabilities cannot be written to {self.folder} ({error.strerror}).",
                "Free some space, or leave --logprob-store out; the results so far are kept.",
            ) from None

    def _path(self, branch: Branch, prompts: TokenPrompts) -> Path:
        ids = np.asarray([*branch_prompt(branch, prompts), -1, *prompts.reference], "<i8")
        digest = hashlib.sha256(self.identities[MODEL_OF[branch]].encode())
        digest.update(ids.tobytes())
        return self.folder / f"{digest.hexdigest()[:32]}.npy"
