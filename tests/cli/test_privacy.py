"""``costeer privacy report``: what stands in what went up, said in plain words."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

CONTEXT = "My name is Maren Okafor. I live in Porto.\n\nI am vegan and I have no car."
FAKE = ("--llm", "fake:1", "--slm", "fake:2", "--max-tokens", 4)


def answer(text: Any, sent: Any = None, asked: Any = "Plan my week", **more: Any) -> Any:
    messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": sent or text}]
    return {"text": text, "evidence": 3.0, "capped": False, "sent": messages} | more


@pytest.fixture
def report(run: Any, tmp_path: Path) -> Any:
    """Report on these answers; (exit code, stdout, stderr)."""

    def report(*answers: Any, context: Any = CONTEXT, options: Any = ()) -> Any:
        lines = "\r\n".join(one if isinstance(one, str) else json.dumps(one) for one in answers)
        (tmp_path / "answers.jsonl").write_bytes(lines.encode())
        (tmp_path / "me.txt").write_text(context)
        line = ("privacy", "report", "answers.jsonl", "--context-file", "me.txt", *options)
        return run(*line)

    return report


def as_json(outcome: Any) -> Any:
    assert outcome[0] == 0, outcome[2]
    return json.loads(outcome[1])


def test_values_words_and_pieces_are_named_with_their_turn(report: Any) -> None:
    code, out, err = report(
        answer("Nice weather."), answer("Maren, as a vegan you live in Porto. I am vegan and I go.")
    )
    assert (code, err) == (0, "")
    first, second = out.split("Turn 2\n")
    assert "Nothing of your context stands in the answer that went up." in first
    assert "The answer that went up holds Maren Okafor (name), Porto (place)." in second
    assert "I am vegan and I" in second
    assert "vegan" in second
    assert "2 of 2 values" in second


def test_the_list_of_the_profile_counts_as_well(
    run: Any, profile: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"tabby42"), encoding="utf-8"))
    assert run("guard", "add", *profile)[0] == 0
    (tmp_path / "me.txt").write_text(CONTEXT)
    (tmp_path / "answer.json").write_text(json.dumps(answer("My password is tabby42")))
    _, out, err = run("privacy", "report", "answer.json", "--context-file", "me.txt", *profile)
    assert "holds tabby42" in out, err


def test_what_only_the_person_saw_did_not_go_up(report: Any) -> None:
    outcome = report(answer("Dear Maren", sent="Dear Alex"), options=["--json"])
    (turn,) = as_json(outcome)["turns"]
    assert [value["text"] for value in turn["only_shown"]] == ["Maren Okafor"]
    assert turn["values"] == []
    assert as_json(outcome)["sent"] == []


def test_what_the_person_asked_counts_as_sent_and_its_words_as_typed(report: Any) -> None:
    found = as_json(report(answer("A vegan week", asked="A vegan in Porto"), options=["--json"]))
    (turn,) = found["turns"]
    assert [value["text"] for value in turn["asked_values"]] == ["Porto"]
    assert turn["words"] == []
    assert [value["text"] for value in found["sent"]] == ["Porto"]


@pytest.mark.parametrize(
    ("evidence", "capped", "says"),
    [
        (3.0, False, "at least about 3.0 nats for your context"),
        (
            3.0,
            True,
            "of 3.0 nats for your context: to somebody who suspects it, its odds become 20 times",
        ),
        (-1.0, True, "of 1.0 nats against your context"),
        (99.0, False, "its odds become more than a million times higher."),
        (0.0, False, "no evidence for your context"),
        (None, False, "is not known"),
        ("3", False, "is not known"),
        (10**400, False, "is not known"),
        (float("nan"), False, "is not known"),
    ],
)
def test_the_evidence_in_plain_words(report: Any, evidence: Any, capped: Any, says: Any) -> None:
    _, out, _ = report(answer("Hi", evidence=evidence, capped=capped))
    assert says in out


def test_the_evidence_adds_up(report: Any) -> None:
    both = report(answer("Hi"), answer("Ho", evidence=None), options=["--json"])
    assert as_json(both)["evidence"] == 3.0
    assert (
        "Of 1 of 2 turns the evidence is not known."
        in report(answer("Hi"), answer("Ho", evidence=None))[1]
    )


def test_odd_characters_are_part_of_the_answer_they_stand_in(report: Any) -> None:
    odd = json.dumps(answer("Maren\u2028 \ud83d \x1b[31m"), ensure_ascii=False)
    odd = odd.replace("\ud83d", "\\ud83d")
    code, out, _ = report(odd, answer("Hi"))
    assert code == 0
    assert "Maren Okafor (name)" in out
    assert "\x1b" not in out


def test_an_answer_that_does_not_say_what_was_sent(report: Any) -> None:
    outcome = report({"text": "You are vegan, Maren."})
    assert "What you asked is not in the file" in outcome[1]
    (turn,) = as_json(report({"text": "Maren"}, options=["--json"]))["turns"]
    assert turn["asked_values"] is None
    assert turn["values"][0]["text"] == "Maren Okafor"


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ([""], "is empty"),
        (["{"], "Line 1 of the answers is not JSON"),
        ([answer("Hi"), "Maren Okafor"], "Line 2 of the answers is not JSON"),
        (["[]"], "is not an answer"),
        (["[" * 100_000], "Line 1 of the answers is not JSON"),
        ([{"text": 3}], "is not an answer"),
        ([answer("Hi") | {"sent": "Maren Okafor"}], "does not say what was sent"),
        ([answer("Hi") | {"sent": [{"content": 3}]}], "does not say what was sent"),
    ],
    ids=range(8),
)
def test_what_is_no_answer_is_said_and_not_repeated(report: Any, answers: Any, says: Any) -> None:
    code, out, err = report(*answers)
    assert (code, out) == (2, "")
    assert says in err
    assert "Okafor" not in err


def test_without_a_context_there_is_nothing_to_look_for(report: Any, run: Any) -> None:
    code, _, err = report(answer("Hi"), context=" \n")
    assert code == 2
    assert "There is no context" in err
    assert run("privacy", "report", "answers.jsonl")[0] == 2


def test_the_context_of_the_settings_is_looked_for(
    report: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    report(answer("Hi, Maren"))
    assert "There is no context" in run("privacy", "report", "answers.jsonl")[2]
    monkeypatch.setenv("COSTEER_CONTEXT_FILE", "me.txt")
    assert "Maren Okafor (name)" in run("privacy", "report", "answers.jsonl")[1]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "Give a FILE"),
        (("a.json", "--conversation", 1), "Give a FILE"),
        (("--conversation", 1), "give --profile"),
        (("none.json", "--context-file", "none.txt"), "none.txt"),
        (("-", "--context-file", "-"), "standard input"),
    ],
)
def test_what_is_asked_for_must_make_sense(run: Any, words: Any, says: Any) -> None:
    code, out, err = run("privacy", "report", *words)
    assert (code, out) == (2, "")
    assert says in err


@pytest.mark.slow
def test_what_generate_prints_can_be_reported(run: Any, monkeypatch: Any, tmp_path: Path) -> None:
    (tmp_path / "me.txt").write_text(CONTEXT)
    line = ("generate", "--query", "Ask Maren", "--context-file", "me.txt", "--json", *FAKE)
    for guard, sent in (("off", True), ("stand-in", False)):
        printed = run(*line, "--guard", guard)[1]
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(printed.encode())))
        found = as_json(run("privacy", "report", "-", "--context-file", "me.txt", "--json"))
        assert bool(found["turns"][0]["asked_values"]) == sent
        assert found["evidence"] is not None
