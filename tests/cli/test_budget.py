"""``--epsilon``, and ``costeer budget``."""

import json
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest

from costeer.cli.protection import load_budget
from costeer.cli.show import meter
from costeer.edge.answer import Result
from costeer.privacy.odometer import Odometer, forget_spent
from costeer.profile import profiles
from costeer.settings import Settings
from tests.profile.conftest import PASSPHRASE

FAKE = ("--cloud", "in-process", "--llm", "fake:1", "--slm", "fake:2", "--strength", 2)
ASK = ("generate", "--query", "Hi", "--context", "me", "--max-tokens", 12)


@pytest.mark.slow
def test_what_is_spent_is_shown_and_reset(run: Any) -> None:
    code, out, err = run(*ASK, *FAKE, "--epsilon", 1, "--json")
    assert code == 0
    assert "temperature 1" in err
    evidence = json.loads(out)["evidence"]
    assert 0 < abs(evidence) <= 1
    assert f"{evidence:.3f} to {evidence:.3f} nats" in run("budget", "show")[1]
    assert "Left under a cap of 2" in run("budget", "show", "--epsilon", 2)[1]
    assert run("budget", "reset", "--yes")[0] == 0
    assert "0.000 to 0.000 nats" in run("budget", "show")[1]


@pytest.mark.slow
def test_a_damaged_budget_stops_answers_until_it_is_reset(run: Any, tmp_path: Any) -> None:
    run("budget", "reset", "--yes")
    (tmp_path / "private" / "evidence.json").write_text("x")
    code, _, err = run(*ASK, *FAKE, "--epsilon", 1)
    assert code == 1
    assert "costeer budget reset" in err
    run("budget", "reset", "--yes")
    assert run(*ASK, *FAKE, "--epsilon", 1)[0] == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--epsilon", 0), "positive"),
        (("--epsilon", "nan"), "positive"),
        (("--epsilon", 1, "--temperature", 0), "needs sampling"),
        (("--epsilon", 1, "--seed", 3), "no seed"),
        (("--guard", "much"), "--guard"),
    ],
)
@pytest.mark.parametrize("command", [ASK, ("chat",)], ids=["generate", "chat"])
def test_what_cannot_be_is_refused_before_models_load(
    run: Any, command: Any, options: Any, words: Any
) -> None:
    code, out, err = run(*command, *options, "--slm", "nothing-like-it")
    assert (code, out) == (2, "")
    assert words in err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (("gateway", "--lanes", 2), "--lanes 1"),
        (("app", "--no-browser", "--lanes", 2), "--lanes 1"),
    ],
)
def test_what_cannot_be_served_is_refused(run: Any, line: Any, words: Any) -> None:
    code, _, err = run(*line, "--epsilon", 1, "--context", "me")
    assert code == 2
    assert words in err


@pytest.mark.parametrize(
    ("nats", "capped", "words"),
    [
        (3.0, True, "evidence of about 3.0 nats (20 to 1)"),
        (3.0, False, "evidence of at least about 3.0 nats (20 to 1)"),
        (-0.5, True, "0.5 nats (1.6 to 1) against it"),
        (900.0, False, "(more than a million to 1)"),
    ],
)
def test_the_meter(nats: Any, capped: Any, words: Any) -> None:
    assert meter(Result(evidence=nats), capped=capped).endswith(words)


@pytest.mark.parametrize(("nats", "capped"), [(0.0, True), (0.0, False), (-0.5, False)])
def test_the_meter_is_silent_where_it_knows_nothing(nats: Any, capped: Any) -> None:
    assert meter(Result(evidence=nats), capped=capped) == ""


@pytest.mark.slow
def test_a_profile_has_an_account_of_its_own_that_begins_with_what_was_spent(
    run: Any, profile: Any
) -> None:
    run(*ASK, *FAKE, "--epsilon", 3)
    before = run("budget", "show")[1]
    assert run("budget", "show", *profile)[1] == before
    code, out, _ = run(*ASK, *FAKE, "--epsilon", 3, *profile, "--json")
    assert code == 0
    assert run("budget", "show")[1] == before
    first, evidence = float(before.split()[-2]), json.loads(out)["evidence"]
    both = run("budget", "show", *profile)[1]
    assert float(both.split()[-2]) == pytest.approx(first + evidence, abs=2e-3)
    assert run("budget", "reset", "--yes", *profile)[0] == 0
    assert "0.000 to 0.000" in run("budget", "show", *profile)[1]
    assert run("budget", "show")[1] == before


def test_an_account_begins_when_the_answer_that_spends_from_the_folder_is_over(
    profile: Any,
) -> None:
    forget_spent()
    answer, chosen = Odometer(), Settings(epsilon=3, temperature=1)
    answer.acquire()
    answer.reserve(-0.5, 1.0, 3)
    with profiles.open_by_secret("me", PASSPHRASE) as opened, ThreadPoolExecutor() as pool:
        begun = pool.submit(load_budget, chosen, opened)
        assert wait([begun], timeout=0.3).not_done
        answer.add(0.75)
        answer.release()
        begun.result()
        assert opened.spent.read() == (0.75, 0.75)
