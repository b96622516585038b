"""The straightforward loop to compare with: three models one after another, whole vocabularies.

Written plainly from Algorithm 1 of arXiv 2507.04756, the way a first implementation would be, but
with KV caches: the LLM, the small model with the context, the small model without, the T-step
loop, argmax. One process, no network.
"""

from __future__ import annotations

import numpy as np
from decide import literal_loop

from costeer.edge.prompts import Prompts
from costeer.models.base import LanguageModel


def naive_lockstep(
    llm: LanguageModel, slm: LanguageModel, prompts: Prompts, max_tokens: int
) -> list[int]:
    """The decided token ids, at the paper's parameters."""
    sequences = [llm.sequence(), slm.sequence(), slm.sequence()]
    pending = [list(prompts.public), list(prompts.private), list(prompts.plain)]
    decided: list[int] = []
    try:
        while len(decided) < max_tokens:
            rows = [
                sequence.extend(ids, rows=1)[0]
                for sequence, ids in zip(sequences, pending, strict=True)
            ]
            token = int(np.argmax(literal_loop(*rows)))
            if token in slm.tokenizer.eos_ids:
                break
            decided.append(token)
            pending = [[token]] * 3
        return decided
    finally:
        for sequence in sequences:
            sequence.close()
