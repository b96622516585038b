"""LangChain's ``ChatOpenAI``, unchanged."""

from typing import Any

import pytest

from costeer.edge.runtime import Costeer

langchain_openai = pytest.importorskip(
    "langchain_openai", reason="the extra clients is not installed"
)
HELLO = [{"role": "user", "content": "Hello?"}]


@pytest.fixture
def model(base_url: Any, monkeypatch: Any) -> Any:
    monkeypatch.setenv("LANGSMITH_TRACING", "false")
    return langchain_openai.ChatOpenAI(
        model="costeer", base_url=base_url, api_key="none", max_tokens=8
    )


@pytest.fixture
def expected(gateway: Any) -> Any:
    costeer: Costeer = gateway.costeer
    return costeer.generate(HELLO, "I am vegan.", max_tokens=8).text


def test_invoke(model: Any, expected: Any) -> None:
    answer = model.invoke("Hello?")
    assert answer.content == expected
    assert answer.response_metadata["finish_reason"] == "length"
    assert answer.usage_metadata["output_tokens"] == 8


def test_stream(model: Any, expected: Any) -> None:
    chunks = list(model.stream("Hello?"))
    assert "".join(chunk.content for chunk in chunks) == expected
    assert len(chunks) > 2


def test_a_conversation(model: Any, gateway: Any) -> None:
    turns = [("system", "Be brief."), ("human", "Hello?"), ("ai", "Hi."), ("human", "And?")]
    roles = {"human": "user", "ai": "assistant", "system": "system"}
    read = [{"role": roles[role], "content": text} for role, text in turns]
    same = gateway.costeer.generate(read, "I am vegan.", max_tokens=8).text
    assert model.invoke(turns).content == same


def test_private_context_for_one_call(base_url: Any, gateway: Any) -> None:
    model = langchain_openai.ChatOpenAI(
        model="costeer", base_url=base_url, api_key="none", max_tokens=8,
        extra_body={"costeer": {"context": "I like cats."}},
    )  # fmt: skip
    same = gateway.costeer.generate(HELLO, "I am vegan.\n\nI like cats.", max_tokens=8).text
    assert model.invoke("Hello?").content == same


def test_tools_are_left_aside_and_a_required_one_is_refused(model: Any, expected: Any) -> None:
    def weather(city: str) -> str:
        """The weather."""
        return city

    assert model.bind_tools([weather]).invoke("Hello?").content == expected
    with pytest.raises(Exception, match="tool_choice is refused"):
        model.bind_tools([weather], tool_choice="weather").invoke("Hello?")
