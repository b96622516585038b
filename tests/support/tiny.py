"""A tiny random Qwen2 with a byte-level BPE tokenizer, as a GGUF file and a Hugging Face folder.

Both hold the same weights and the same tokenizer, so the two engines can be held against each
other offline. 64 padding entries stand at the end of the logits, as in the real family.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

WIDTH, HEADS, KV_HEADS, HIDDEN, LAYERS = 32, 2, 1, 64, 2
TRAINED, PADDING = 512, 64
CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
USER_DEFINED = ("<tool_call>",)
PIECES = ("th", "the", "an", "in", "er", "on", "is", "at", "en", "or", "Ġa", "Ġt", "Ġthe", "ĊĊ")
QWEN2_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


@cache
def table() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Spellings of all real tokens, and the merges."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(others))]
    merges = [f"{piece[:-1]} {piece[-1]}" if piece != "Ġthe" else "Ġt he" for piece in PIECES]
    return (*letters, *PIECES[:-2], "he", "Ġthe", "ĊĊ", *CONTROL, *USER_DEFINED), (
        *merges[:-2],
        "h e",
        *merges[-2:],
    )


@cache
def weights(seed: int = 0, padding: int = PADDING) -> dict[str, np.ndarray]:
    """Every tensor by its Hugging Face name, float32."""
    rng = np.random.default_rng(seed)
    rows = len(table()[0]) + padding
    head = WIDTH // HEADS
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (rows, WIDTH),
        "lm_head.weight": (rows, WIDTH),
    }
    for i in range(LAYERS):
        layer = f"model.layers.{i}."
        for name, size in (("q", HEADS * head), ("k", KV_HEADS * head), ("v", KV_HEADS * head)):
            shapes[f"{layer}self_attn.{name}_proj.weight"] = (size, WIDTH)
            shapes[f"{layer}self_attn.{name}_proj.bias"] = (size,)
        shapes[f"{layer}self_attn.o_proj.weight"] = (WIDTH, HEADS * head)
        shapes[f"{layer}mlp.gate_proj.weight"] = (HIDDEN, WIDTH)
        shapes[f"{layer}mlp.up_proj.weight"] = (HIDDEN, WIDTH)
        shapes[f"{layer}mlp.down_proj.weight"] = (WIDTH, HIDDEN)
    tensors = {
        name: (rng.standard_normal(shape) * 1.5 / np.sqrt(shape[-1])).astype(np.float32)
        for name, shape in shapes.items()
    }
    norms = ["model.norm.weight"]
    norms += [f"model.layers.{i}.{n}.weight" for i in range(LAYERS) for n in NORMS]
    return tensors | {name: np.ones(WIDTH, dtype=np.float32) for name in norms}


NORMS = ("input_layernorm", "post_attention_layernorm")

GGUF_NAMES = {
    "model.embed_tokens": "token_embd",
    "lm_head": "output",
    "model.norm": "output_norm",
    "model.layers.": "blk.",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "mlp.": "ffn_",
    "_proj": "",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def _gguf_name(name: str) -> str:
    for old, new in GGUF_NAMES.items():
        name = name.replace(old, new)
    return name


def write_gguf(
    path: Path,
    *,
    seed: int = 0,
    template: str | None = TEMPLATE,
    poison: bool = False,
    padding: int = PADDING,
) -> Path:
    """The model as one file; with ``poison`` its last norm is NaN."""
    import gguf

    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_block_count(LAYERS)
    writer.add_context_length(TRAINED)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-6)
    _write_tokenizer(writer, template, padding)
    for name, tensor in weights(seed, padding).items():
        bad = poison and name == "model.norm.weight"
        writer.add_tensor(_gguf_name(name), np.full_like(tensor, np.nan) if bad else tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _write_tokenizer(writer: Any, template: str | None, padding: int) -> None:
    from gguf import TokenType

    tokens, merges = table()
    kinds = [TokenType.NORMAL] * (len(tokens) - len(CONTROL) - len(USER_DEFINED))
    kinds += [TokenType.CONTROL] * len(CONTROL) + [TokenType.USER_DEFINED] * len(USER_DEFINED)
    kinds += [TokenType.UNUSED] * padding
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([*tokens, *(f"[PAD{len(tokens) + i}]" for i in range(padding))])
    writer.add_token_types(kinds)
    writer.add_token_merges(list(merges))
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_bos_token_id(tokens.index("<|endoftext|>"))
    writer.add_add_bos_token(False)
    if template is not None:
        writer.add_chat_template(template)


def write_folder(folder: Path, *, seed: int = 0, template: str | None = TEMPLATE) -> Path:
    """The model as a Hugging Face folder."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights(seed), folder / "model.safetensors", metadata={"format": "pt"})
    tokens, _ = table()
    end = tokens.index("<|im_end|>")
    config = {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "vocab_size": len(tokens) + PADDING,
        "hidden_size": WIDTH,
        "intermediate_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "max_position_embeddings": TRAINED,
        "rope_theta": 10000.0,
        "rms_norm_eps": 1e-6,
        "tie_word_embeddings": False,
        "eos_token_id": end,
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [end]}))
    _save_tokenizer(folder, template)
    return folder


def _save_tokenizer(folder: Path, template: str | None) -> None:
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    tokens, merges = table()
    plain = len(tokens) - len(CONTROL) - len(USER_DEFINED)
    backend = Tokenizer(
        models.BPE(
            vocab={token: i for i, token in enumerate(tokens[:plain])},
            merges=[tuple(merge.split(" ")) for merge in merges],
        )
    )
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN2_WORDS), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(token, special=True) for token in CONTROL])
    backend.add_tokens([AddedToken(token, special=False) for token in USER_DEFINED])
    fast = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|im_end|>")
    fast.chat_template = template
    fast.save_pretrained(folder)
