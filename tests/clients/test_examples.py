"""Every example runs, and prints what the library writes."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.gateway import running_gateway
from tests.support.serving import CountingModel

pytest.importorskip("openai", reason="the extra clients is not installed")

EXAMPLES = Path(__file__).parents[2] / "examples"
DINNER = "Recommend a dinner spot"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run an example; what it prints."""

    def run(name: Any, url: Any) -> Any:
        monkeypatch.setattr(sys, "argv", [name, url])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return run


@pytest.fixture
def text(gateway: Any) -> Any:
    """What the library writes."""

    def text(query: Any, context: Any = "I am vegan.", max_tokens: Any = 60) -> Any:
        return gateway.costeer.generate(query, context, max_tokens=max_tokens).text

    return text


@pytest.mark.slow
def test_openai_stream(run: Any, base_url: Any, text: Any) -> None:
    assert run("openai_stream.py", base_url) == text(DINNER) + "\n"


@pytest.mark.slow
def test_private_context(run: Any, base_url: Any, text: Any) -> None:
    expected = [
        f"{context} -> {text(DINNER, f'I am vegan.{chr(10) * 2}{context}')}\n"
        for context in ("I am vegan.", "I only eat fish.")
    ]
    assert run("private_context.py", base_url) == "".join(expected)


@pytest.mark.slow
def test_langchain(run: Any, base_url: Any, text: Any) -> None:
    pytest.importorskip("langchain_openai", reason="the extra clients is not installed")
    title = text(f"A title of three words for: {DINNER}", "", max_tokens=8)
    assert run("langchain_chat.py", base_url) == f"{text(DINNER)}\nTitle: {title}\n"


class SlowText(CountingModel):
    """Ends no answer, and takes its time, so that there is some of it left to change."""

    def logprobs(self, ids: Any) -> Any:
        row = super().logprobs(ids)
        row[97:123] += 40.0
        return row


@pytest.mark.slow
def test_live_strength(run: Any, tmp_path: Path) -> None:
    with running_gateway(tmp_path, slm=SlowText(seed=2, pause=0.01)) as app:
        out = run("live_strength.py", f"{app.url}/v1")
        strengths = [one for one in out.split("[off]") if one]
    assert len(strengths) == 2


def test_every_example_is_run() -> None:
    known = {"openai_stream.py", "private_context.py", "langchain_chat.py", "live_strength.py"}
    assert {path.name for path in EXAMPLES.iterdir() if path.suffix == ".py"} == known
