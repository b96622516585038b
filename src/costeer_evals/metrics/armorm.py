"""ArmoRM: how well an answer follows a preference, by a reward model that runs locally.

Source: RLHFlow/ArmoRM-Llama3-8B-v0.1 (arXiv 2406.12845), as Amulet uses it
(github.com/zowiezhang/Amulet, evals/rm_evals.py): the user's turn is the question, a space and the
preference; the score is number 6 of 19 rewards (ultrafeedback-instruction_following).

Deviations: the model's own code does not import on transformers 5, and is not needed, because the
19 rewards are a linear layer on the last token: a plain Llama sequence classifier gives the same.
Amulet puts a second start token before the conversation and truncates it at the length of an
answer; here there is one, as on the model's card, and texts are truncated at 4,096 tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from costeer.decoding.steering import Array
from costeer.exceptions import MissingDependencyError, ModelFileError, ParameterError

MODEL = "RLHFlow/ArmoRM-Llama3-8B-v0.1"
REWARDS = 19
INSTRUCTION_FOLLOWING = 6
MAX_TOKENS = 4096


class ArmoRM:
    """A loaded reward model.

    Args:
        model: a Llama sequence classifier with 19 labels.
        tokenizer: with a chat template and a padding token.
        batch_size: conversations evaluated at once.
    """

    def __init__(self, model: Any, tokenizer: Any, batch_size: int = 4) -> None:
        tokenizer.padding_side = "right"
        # The classifier reads the last token that is not padding.
        model.config.pad_token_id = tokenizer.pad_token_id
        self._model, self._tokenizer, self._batch_size = model, tokenizer, batch_size

    @classmethod
    def load(
        cls, source: str = MODEL, device: str = "cpu", dtype: str = "bfloat16", batch_size: int = 4
    ) -> ArmoRM:
        """Load the model by transformers: 16 GB in bfloat16.

        Raises:
            ModelFileError: it is missing or of another kind.
            ParameterError: there is no such dtype or device.
        """
        try:
            import torch
            from transformers import AutoTokenizer, LlamaForSequenceClassification
        except ImportError:
            raise MissingDependencyError(
                "The reward model needs PyTorch and transformers.",
                'Install them: pip install "costeer[torch]".',
            ) from None
        kind = getattr(torch, dtype, None)
        if not isinstance(kind, torch.dtype):
            raise ParameterError(f"torch has no dtype {dtype!r}.", 'Write "bfloat16", for example.')
        try:
            tokenizer = AutoTokenizer.from_pretrained(source)
            model = LlamaForSequenceClassification.from_pretrained(
                source,
                num_labels=REWARDS,
                key_mapping={r"^regression_layer": "score"},
                dtype=kind,  # converted later, the rotary frequencies would be rounded too
            )
        except (OSError, ValueError) as error:
            raise ModelFileError(
                f"The reward model {source} cannot be loaded: {type(error).__name__}.",
                f"Give the folder of {MODEL}.",
            ) from error
        try:
            return cls(model.to(device).eval(), tokenizer, batch_size)
        except (RuntimeError, AssertionError) as error:
            raise ParameterError(
                f"torch cannot use the device {device!r}.", 'Write "cpu".'
            ) from error

    def scores(
        self, questions: Sequence[str], preferences: Sequence[str], answers: Sequence[str]
    ) -> Array:
        """The reward for following the preference, (n,); larger is better, mostly from 0 to 1."""
        scores: Array = self.rewards(questions, preferences, answers)[:, INSTRUCTION_FOLLOWING]
        return scores

    def rewards(
        self, questions: Sequence[str], preferences: Sequence[str], answers: Sequence[str]
    ) -> Array:
        """All rewards, (n, 19).

        Args:
            questions: (n,) what the user asked.
            preferences: (n,) the sentence added to the question; ``Sample.preference``.
            answers: (n,) texts to judge.
        """
        if not len(questions) == len(preferences) == len(answers):
            raise ParameterError("Questions, preferences and answers differ in number.")
        conversations = [
            [
                {"role": "user", "content": f"{question} {preference}"},
                {"role": "assistant", "content": answer},
            ]
            for question, preference, answer in zip(questions, preferences, answers, strict=True)
        ]
        batches = [
            self._evaluate(conversations[start : start + self._batch_size])
            for start in range(0, len(conversations), self._batch_size)
        ]
        return np.concatenate(batches) if batches else np.empty((0, REWARDS), np.float32)

    def _evaluate(self, conversations: list[list[dict[str, str]]]) -> Array:
        import torch

        ids = self._tokenizer.apply_chat_template(
            conversations,
            padding=True,
            truncation=True,
            max_length=MAX_TOKENS,
            return_tensors="pt",
            return_dict=True,
        ).to(self._model.device)
        with torch.inference_mode():
            rewards: Array = self._model(**ids).logits.float().cpu().numpy()
        return rewards
