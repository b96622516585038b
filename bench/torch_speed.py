"""Milliseconds a token of a steered answer by torch models, against the large model alone.

    python bench/torch_speed.py [--device cuda] [--llm 1.5b] [--slm 0.5b] [--tokens N] [--json]

Models of real sizes (Qwen2.5's) with random weights, made on the spot. Random models agree with
each other less than real ones, so the strengths are small, and the share of changed tokens, each of
which costs a correction, is reported beside the time. The large model is a server in its own
process, on the same device, or in this process. Prompt by prompt in turn; after the first token;
medians over the prompts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from common import argument_parser, pairs, prompts, report
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from costeer import Costeer
from costeer.cloud.base import CloudModel
from costeer.cloud.client.completions import CompletionsClient
from costeer.cloud.in_process import InProcess
from costeer.cloud.server.process import ServerProcess
from costeer.edge.verify import Mode
from costeer.models.engines.transformers import Transformers
from costeer.models.load import load_model

VOCABULARY = 151_665
SIZES = {  # width, hidden width, layers, heads, heads of keys and values
    "tiny": (64, 128, 2, 2, 1),
    "0.5b": (896, 4864, 24, 14, 2),
    "1.5b": (1536, 8960, 28, 12, 2),
    "3b": (2048, 11008, 36, 16, 2),
}
PEAK = 4.0
"""The head's weights are this many times wider than a fresh model's: rows peaked like real ones."""
TEMPLATE = (
    "{% for m in messages %}{{ '<|start|>' + m['role'] + '\\n' + m['content'] + '<|end|>' }}"
    "{% endfor %}{{ '<|start|>assistant\\n' }}"
)


def save_tokenizer(folder: Path) -> None:
    """A tokenizer of bytes; the rest of the vocabulary is never encoded."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    filler = [f"w{i}" for i in range(VOCABULARY - len(letters) - 2)]
    vocabulary = {word: i for i, word in enumerate([*letters, *filler])}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(["<|start|>", "<|end|>"])
    fast = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|end|>")
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)


def save_model(folder: Path, size: str, seed: int, device: str) -> Path:
    """A random Qwen2 of this size, as a folder; in bfloat16."""
    width, hidden, layers, heads, shared = SIZES[size]
    config = Qwen2Config(
        vocab_size=-(-VOCABULARY // 128) * 128,
        hidden_size=width,
        intermediate_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=shared,
        max_position_embeddings=32768,
        tie_word_embeddings=False,
    )
    torch.manual_seed(seed)
    with torch.device(device):
        model = Qwen2ForCausalLM(config).to(torch.bfloat16)
    with torch.no_grad():
        model.lm_head.weight *= PEAK
    model.save_pretrained(folder)
    save_tokenizer(folder)
    return folder


def step_ms(model: Transformers, sequences: int, held: int, runs: int = 30) -> float:
    """Milliseconds for one more token of each of ``sequences`` that hold ``held`` ids."""
    opened = [model.sequence() for _ in range(sequences)]
    for sequence in opened:
        sequence.extend([65 + i % 26 for i in range(held)], rows=1)
    times = []
    for run in range(runs):
        started = time.perf_counter()
        model.extend_many([(sequence, [65 + run % 26]) for sequence in opened])
        times.append(1000 * (time.perf_counter() - started))
    for sequence in opened:
        sequence.close()
    return statistics.median(times)


def alone_ms(cloud: CloudModel, ids: Sequence[int], tokens: int) -> float:
    """Milliseconds a token of the large model alone, after the first."""
    times = [time.perf_counter() for _ in cloud.stream(ids, 1, tokens)]
    return 1000 * (times[-1] - times[0]) / max(len(times) - 1, 1)


def steered(
    costeer: Costeer, strength: float, query: str, context: str, tokens: int
) -> dict[str, float]:
    """What one steered answer took, after the first token."""
    result = costeer.generate(query, context, max_tokens=tokens, strength=strength)
    later = result.seconds - result.seconds_to_first_token
    return {
        "ms": 1000 * later / max(result.steps - 1, 1),
        "changed": result.changed / result.steps,
        "retried": result.retried / result.steps,
        "unproven": float(result.unproven),
    }


def measure(
    cloud: CloudModel, slm: Transformers, options: argparse.Namespace
) -> dict[str, dict[str, float]]:
    """Each way over all prompts, in turn; before that a few tokens, to warm up."""
    ways: dict[str, Callable[[str, str, int], dict[str, float]]] = {
        "alone": lambda query, _, tokens: {
            "ms": alone_ms(cloud, prompts(slm.tokenizer, query, "", 64).public, tokens)
        }
    }
    modes: tuple[Mode, ...] = ("lockstep", "run-ahead")
    for mode in modes:
        costeer = Costeer(cloud, slm, mode=mode, strength=0.0, guard="off", lanes=1)
        for strength in options.strengths:
            ways[f"{mode} at {strength}"] = partial(steered, costeer, strength)
    rows: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    chosen = list(islice(pairs(), options.prompts))
    for number, pair in enumerate([chosen[0], *chosen]):
        for way, run in ways.items():
            row = run(*pair, options.tokens if number else 4)
            print(f"  {number}/{len(chosen)} {way} {row}", file=sys.stderr)
            if number:
                rows[way].append(row)
    medians = {
        way: {name: statistics.median(row[name] for row in found) for name in found[0]}
        for way, found in rows.items()
    }
    for figures in medians.values():
        figures["ratio"] = figures["ms"] / medians["alone"]["ms"]
    return medians


def device_name(device: str) -> str:
    """The card's name, or the device's."""
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device


def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Make the models and measure both layouts."""
    large = save_model(folder / "llm", options.llm, 0, options.device)
    small = save_model(folder / "slm", options.slm, 1, options.device)
    sizes = {"context": options.context, "device": options.device}
    slm = load_model(small, sequences=12, **sizes)  # two for each of four ``Costeer``, four more
    assert isinstance(slm, Transformers)
    found: dict[str, Any] = {"device": device_name(options.device)}
    serve = ("--context", str(options.context), "--device", options.device)
    with ServerProcess(str(large), serve) as server:
        found["server"] = measure(CompletionsClient(server.url), slm, options)
    llm = load_model(large, sequences=8, **sizes)
    assert isinstance(llm, Transformers)
    found["in process"] = measure(InProcess(llm), slm, options)
    found["one step, ms"] = {
        f"{size} x {count}": step_ms(model, count, 500)
        for size, model in ((options.slm, slm), (options.llm, llm))
        for count in (1, 2, 4)
    }
    if options.device.startswith("cuda"):
        torch.backends.cuda.enable_cudnn_sdp(True)
        found["one step, ms"][f"{options.llm} by cuDNN"] = step_ms(llm, 1, 600)
    return found


def show(found: dict[str, Any]) -> None:
    """Print a table for each layout."""
    print(f"device: {found['device']}")
    for name, value in found["one step, ms"].items():
        print(f"one step of {name}: {value:.1f} ms")
    for layout in ("server", "in process"):
        print(f"\n{layout:22} {'ms/token':>9} {'ratio':>6} {'changed':>8} {'retried':>8}")
        for way, row in found[layout].items():
            shares = "".join(f" {row[k]:8.2f}" for k in ("changed", "retried") if k in row)
            print(f"{way:22} {row['ms']:9.2f} {row['ratio']:6.2f}{shares}")


def main() -> None:
    """Measure and print."""
    parser = argument_parser(__doc__)
    parser.add_argument("--device", default="cpu", help="where torch computes [cpu]")
    parser.add_argument("--llm", choices=SIZES, default="tiny")
    parser.add_argument("--slm", choices=SIZES, default="tiny")
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--prompts", type=int, default=4)
    parser.add_argument("--context", type=int, default=2048)
    parser.add_argument("--strengths", type=float, nargs="+", default=[0.01, 0.05, 0.2])
    parser.add_argument("--out", type=Path, help="also write the figures there, as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(options, Path(folder))
    if options.out:
        options.out.write_text(json.dumps(found, indent=1))
    report(found, options.json, show)


if __name__ == "__main__":
    main()
