"""Rows of branches kept on disk, so that a new method is scored without running the models again.

One file for each sample and branch, (n, V) float16 log-probabilities: 0.3 MB a token at 152,000
tokens. float16 errs by at most 0.004 where log-probabilities are above -16; where rows are kept,
they are rounded when they are computed too, so that scores do not depend on whether they were kept.

The rows of branches with context follow from private data: keep them where those are.
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
from costeer_evals.run.models import MODEL_OF, prompt_of
from costeer_evals.run.results import private

Rounded = npt.NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class KeptRows:
    """A folder of rows.

    Attributes:
        folder: made where it is missing.
        identities: what stands for each model, by role: a hash of its file.
    """

    folder: Path
    identities: Mapping[str, str]

    def __post_init__(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"The folder for rows cannot be made: {self.folder} ({error.strerror}).",
                "Choose another with --rows.",
            ) from None

    def load(self, branch: Branch, prompts: TokenPrompts) -> Rounded | None:
        """The rows (n, V) that predict a sample's reference, not read into memory; or None."""
        try:
            rows = np.load(self._path(branch, prompts), mmap_mode="r")
        except (OSError, ValueError, EOFError):  # not there, or cut off by a full disk
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
            with open(unfinished, "wb", opener=private) as file:
                np.save(file, rows)
            unfinished.replace(path)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise InputError(
                f"Rows cannot be kept in {self.folder} ({error.strerror}).",
                "Free some space, or leave --rows out; what is in the results stays.",
            ) from None

    def _path(self, branch: Branch, prompts: TokenPrompts) -> Path:
        ids = np.asarray([*prompt_of(branch, prompts), -1, *prompts.reference], "<i8")
        digest = hashlib.sha256(self.identities[MODEL_OF[branch]].encode())
        digest.update(ids.tobytes())
        return self.folder / f"{digest.hexdigest()[:32]}.npy"
