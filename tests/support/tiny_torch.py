"""Tiny random classifiers with a tokenizer of words, for PyTorch."""

from __future__ import annotations

from typing import Any

WORDS = ("[PAD]", "[UNK]", "[SEP]", "user", "assistant", "a", "b", "c", "d")
TEMPLATE = (
    "{% for m in messages %}{{ '[SEP] ' + m['role'] + ' ' + m['content'] + ' ' }}{% endfor %}"
)


def tokenizer() -> Any:
    """Splits at white space; pads with [PAD]."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(
        models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]")
    )
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    words.post_processor = processors.TemplateProcessing(
        single="$A", pair="$A [SEP] $B", special_tokens=[("[SEP]", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=words,
        pad_token="[PAD]",
        unk_token="[UNK]",
        chat_template=TEMPLATE,
        padding_side="left",
        model_input_names=["input_ids", "attention_mask"],
    )


def classifier(labels: int) -> Any:
    """A random Llama with ``labels`` numbers a text."""
    import torch
    from transformers import LlamaConfig, LlamaForSequenceClassification

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_labels=labels,
        pad_token_id=0,
    )
    return LlamaForSequenceClassification(config).eval()
