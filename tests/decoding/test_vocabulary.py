"""Two models share a tokenizer, or are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from costeer.decoding.vocabulary import Vocabulary, cut, require_shared
from costeer.exceptions import VocabularyError

TOKENS = ["a", "b", "ä", "<|end|>"]


def test_padding_at_the_end_does_not_matter() -> None:
    small = Vocabulary.from_table([*TOKENS, "[PAD4]"], padding={4})
    large = Vocabulary.from_table([*TOKENS, "[PAD4]", "[PAD5]", "[PAD6]"], padding={4, 5, 6})
    assert len(small) == len(large) == 4
    assert small.fingerprint == large.fingerprint
    assert require_shared(small, cloud_size=4, cloud_fingerprint=large.fingerprint)


def test_unused_ids_in_the_middle_stay() -> None:
    assert len(Vocabulary.from_table(TOKENS, padding={1})) == 4


@pytest.mark.parametrize("other", [["a", "b", "ä", "<|END|>"], ["ab", "", "ä", "<|end|>"], ["a"]])
def test_different_tables(other: Any) -> None:
    with pytest.raises(VocabularyError, match="one family"):
        require_shared(
            Vocabulary(TOKENS),
            cloud_size=len(other),
            cloud_fingerprint=Vocabulary(other).fingerprint,
        )


def test_what_a_silent_server_leaves_open() -> None:
    ours = Vocabulary(TOKENS)
    assert not require_shared(ours, cloud_size=None, cloud_fingerprint=None)
    assert not require_shared(ours, cloud_size=9, cloud_fingerprint=None)
    with pytest.raises(VocabularyError, match="tokens on the device: 4, in the cloud: 3"):
        require_shared(ours, cloud_size=3, cloud_fingerprint=None)


def test_cut() -> None:
    logits = np.arange(12, dtype=np.float32).reshape(2, 6)
    assert cut(logits, 4).shape == (2, 4)
    assert np.shares_memory(cut(logits, 4), logits)  # a view
    with pytest.raises(VocabularyError, match="damaged"):
        cut(logits, 7)
