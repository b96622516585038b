"""Mail: only what the person sent, and only their own words."""

from __future__ import annotations

import email.policy
import mailbox
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.profile.importers.base import Skipped
from costeer.profile.importers.mail import read_eml, read_mbox
from costeer.profile.records import Draft

ME = "anna@example.org"
LONG = "I shall be there at seven, and I shall bring the bread myself."


def mail(body: Any = LONG, sender: Any = f"Anna Ö <{ME}>", html: Any = None, **headers: Any) -> Any:
    message = EmailMessage()
    message["From"] = sender
    message["Subject"] = "Dinner"
    message["Date"] = "Mon, 03 Mar 2025 10:00:00 +0100"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    if html is None:
        message.set_content(body)
    else:
        message.set_content(html, subtype="html")
    return message


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def read(*messages: Any, me: Any = (ME,)) -> Any:
        path = tmp_path / "box.mbox"
        box = mailbox.mbox(path)
        for message in messages:
            box.add(message)
        box.close()
        return list(read_mbox(path, "box.mbox", me))

    return read


SAMPLE = Draft("sample", LONG, "Dinner", "box.mbox", "2025-03-03T09:00:00Z")


def test_a_mail_of_ones_own(read: Any) -> None:
    assert read(mail(), mail()) == [SAMPLE, SAMPLE]


@pytest.mark.parametrize("sender", ["tom@example.org", "", "anna@example.org.evil", f"{ME}.de"])
def test_mails_of_others_are_left_out(read: Any, sender: Any) -> None:
    assert read(mail(sender=sender)) == [Skipped("from somebody else", "box.mbox")]


def test_addresses_are_compared_without_case(read: Any) -> None:
    assert read(mail(sender="ANNA@Example.org"), me=(" Anna@example.ORG ",)) == [SAMPLE]


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Gmail_Labels": "Spam"},
        {"X_Gmail_Labels": "Drafts,Important"},
        {"Auto_Submitted": "auto-replied"},
    ],
)
def test_what_nobody_wrote_or_sent_is_left_out(read: Any, headers: Any) -> None:
    (found,) = read(mail(**headers))
    assert isinstance(found, Skipped)


def test_quotes_and_signatures_are_cut(read: Any) -> None:
    body = f"{LONG}\n\nOn Mon, 3 Mar 2025, Tom <t@x.org> wrote:\n> secret of Tom's\n\n-- \nAnna\n"
    assert read(mail(body)) == [SAMPLE]


def test_html_mail(read: Any) -> None:
    html = f"<p>{LONG}</p><blockquote>secret of Tom's</blockquote>"
    assert read(mail(html=html)) == [SAMPLE]


def test_attachments_are_not_read(read: Any) -> None:
    message = mail()
    message.add_attachment(b"secret", maintype="text", subtype="plain", filename="a.txt")
    assert read(message) == [SAMPLE]


def test_a_short_mail_says_nothing(read: Any) -> None:
    assert read(mail("ok")) == [Skipped("too short", "box.mbox")]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0",
        b"From: \xff\xfe",
        f"From: {ME}\nContent-Type: text/plain; charset=klingon\n\nx".encode(),
        f"From: {ME}\nContent-Type: text/plain; charset=utf-8\n\n\xff".encode("latin-1"),
        f"From: {ME}\nContent-Type: multipart/mixed\n\nx".encode(),
        f"From: {ME}\nContent-Transfer-Encoding: base64\n\n====".encode(),
        f"From: {ME}\nDate: yesterday\n\n{LONG}".encode(),
        f"From: {ME}\nDate: Mon, 99 Mar 2025 10:00:00\n\n{LONG}".encode(),
        f"From: {ME}\nSubject: =?utf-8?q?=FF?=\n\n{LONG}".encode(),
    ],
)
def test_malformed_mail_is_read_or_left_out(tmp_path: Path, raw: Any) -> None:
    path = tmp_path / "one.eml"
    path.write_bytes(raw)
    assert all(isinstance(one, (Draft, Skipped)) for one in read_eml(path, "one.eml", [ME]))


HEADERS = ["From", "Date", "Subject", "Content-Type", "Content-Transfer-Encoding", "X-Gmail-Labels"]
VALUES = [ME, "multipart/mixed; boundary=x", "text/html; charset=x", "base64", "=?utf-8?b?/w==?="]


@pytest.mark.slow
@given(
    st.lists(st.tuples(st.sampled_from(HEADERS), st.sampled_from(VALUES) | st.text(max_size=30))),
    st.binary(max_size=100),
)
def test_no_mail_breaks_it(
    tmp_path_factory: pytest.TempPathFactory, headers: Any, body: Any
) -> None:
    head = "".join(f"{name}: {value}\r\n" for name, value in [("From", ME), *headers])
    path = tmp_path_factory.mktemp("mail") / "one.eml"
    path.write_bytes(head.encode("utf-8", "replace") + b"\r\n" + body)
    assert all(isinstance(one, (Draft, Skipped)) for one in read_eml(path, "one.eml", [ME]))


def test_the_files_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "box.mbox"
    path.write_bytes(b"From x\n" + mail().as_bytes(policy=email.policy.SMTP))
    path.chmod(0o400)
    before = path.read_bytes()
    list(read_mbox(path, "box", [ME]))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["box.mbox"]
