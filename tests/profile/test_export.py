"""Exports: everything is in them, and other tools read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from costeer.profile import files
from costeer.profile.conversations import Departure
from costeer.profile.export import jsonl, markdown
from costeer.profile.importers.read import import_into, read
from costeer.profile.records import Draft

TRICKY = "# no heading\n\nline\n> no quote 'of ours'; \u2028 你好 \\"


@pytest.fixture
def profile(make: Any) -> Any:
    profile = make()
    profile.records.add(Draft("fact", "I am Anna.", "name", "typed", "2020-01-01T00:00:00Z"))
    profile.records.add(Draft("sample", TRICKY, active=False))
    number = profile.conversations.create("Dinner\nplans").id
    profile.conversations.add(number, "user", "What shall I eat?")
    answer = profile.conversations.add(number, "assistant", "Shellfish.")
    profile.conversations.regenerate(answer.id)
    profile.conversations.add(number, "assistant", "Jackfruit.")
    profile.conversations.add_departures(answer.id, [Departure("t", "host", b"\xff{}", 3, 4)])
    return profile


def test_jsonl_holds_every_record_and_every_branch(profile: Any) -> None:
    lines = [json.loads(line) for line in jsonl(profile)]
    records = [line for line in lines if line["type"] == "record"]
    assert [record["text"] for record in records] == [
        record.text for record in profile.records.all()
    ]
    (conversation,) = [line for line in lines if line["type"] == "conversation"]
    assert [m["text"] for m in conversation["messages"]] == [
        "What shall I eat?",
        "Shellfish.",
        "Jackfruit.",
    ]
    assert conversation["messages"][1]["departures"][0]["body"] == b"\xff{}".hex()


def test_jsonl_can_be_imported_into_another_profile(
    profile: Any, make: Any, tmp_path: Path
) -> None:
    (tmp_path / "all.jsonl").write_text("".join(jsonl(profile)), "utf-8")
    other = make("other")
    report = import_into(other.records, read([tmp_path / "all.jsonl"]))
    assert (report.new, dict(report.skipped)) == (2, {'no record: it has no "text"': 1})
    same = ("kind", "text", "title", "source", "written_at", "active")
    for one, two in zip(profile.records.all(), other.records.all(), strict=True):
        expected = {name: getattr(one, name) for name in same}
        assert {name: getattr(two, name) for name in same} | {"source": one.source} == expected


def test_markdown_is_for_reading_and_its_texts_make_no_headings(profile: Any) -> None:
    text = "".join(markdown(profile))
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings == [
        "# Profile default",
        "## Facts",
        "## Writing samples",
        "## Conversation 1: Dinner plans",
    ]
    assert "> Shellfish.\n" in text
    assert "(3, after 1, 2 of 2)" in text


@pytest.mark.slow
@pytest.mark.parametrize("passphrase", ["simple", 'it\'s "quoted"; -- ß'])
def test_an_encrypted_export_opens_with_plain_sqlcipher(
    profile: Any, tmp_path: Path, passphrase: Any
) -> None:
    """As the docs say: the passphrase, and no other setting of ours."""
    from sqlcipher3 import dbapi2

    target = tmp_path / "export.db"
    with files.new_file(target) as partial:
        profile.database.export_to(partial, passphrase)
    assert b"Anna" not in target.read_bytes()
    plain = dbapi2.connect(str(target))
    quoted = passphrase.replace("'", "''")
    plain.execute(f"PRAGMA key = '{quoted}'")
    rows = [row[0] for row in plain.execute("SELECT text FROM records ORDER BY id")]
    assert rows == [record.text for record in profile.records.all()]
    assert plain.execute("SELECT count(*) FROM messages").fetchone() == (3,)
    query = "SELECT rowid FROM record_words WHERE record_words MATCH 'anna'"
    assert plain.execute(query).fetchall() == [(1,)]
    assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    plain.close()
    profile.records.add(Draft("fact", "the profile goes on"))


def test_guarded_values_are_exported_and_what_is_spent_is_not(
    profile: Any, make: Any, tmp_path: Path
) -> None:
    profile.guarded.replace([("Märta\tOkafor", "name", "withheld")])
    profile.spent.write(-0.125, 2.718281)
    text = "".join(jsonl(profile))
    (line,) = [one for one in map(json.loads, text.splitlines()) if one["type"] == "guarded value"]
    assert (line["value"], line["kind"], line["level"]) == ("Märta\tOkafor", "name", "withheld")
    document = "".join(markdown(profile))
    assert "> Märta\tOkafor\n\n*name, withheld*" in document
    assert "2.718281" not in text + document
    (tmp_path / "all.jsonl").write_text(text, "utf-8")
    import_into(profile.records, read([tmp_path / "all.jsonl"]))
    assert profile.spent.read() == (-0.125, 2.718281)
