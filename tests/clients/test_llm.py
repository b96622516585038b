"""The command ``llm``, unchanged, with the settings of ``docs/clients.md``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

llm = pytest.importorskip("llm.cli", reason="the extra clients is not installed")


@pytest.fixture
def ask(base_url: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run ``llm``; what it prints."""
    (tmp_path / "extra-openai-models.yaml").write_text(
        f"- model_id: costeer\n  model_name: costeer\n  api_base: {base_url}\n"
        f"- model_id: costeer-off\n  model_name: costeer/off\n  api_base: {base_url}\n"
    )
    for name in [name for name in os.environ if name.startswith("OPENAI_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path))

    def ask(*arguments: Any) -> Any:
        done = CliRunner().invoke(llm.cli, arguments, input="")
        assert done.exit_code == 0, done.output
        return done.output

    return ask


@pytest.mark.slow
def test_prompts(ask: Any, gateway: Any) -> None:
    steered = gateway.costeer.generate("Hello?", "I am vegan.", max_tokens=8).text
    alone = gateway.costeer.generate("Hello?", max_tokens=8).text
    assert ask("-m", "costeer", "-o", "max_tokens", "8", "Hello?") == f"{steered}\n"
    assert ask("-m", "costeer-off", "--no-stream", "-o", "max_tokens", "8", "Hello?") == (
        f"{alone}\n"
    )
    assert "costeer" in ask("models", "list")
