"""Text of HTML mails."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.profile.importers.html import html_text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One</p><p>Two &amp; three</p>", "One\n\n\nTwo & three"),
        ("One<br>Two<br/>Three", "One\nTwo\nThree"),
        ("<div>One</div><div>Two</div>", "One\n\nTwo"),
        ("<style>x{}</style><script>alert(1)</script>Hi", "Hi"),
        ("Hi<blockquote>old <b>text</b></blockquote> there", "Hi there"),
        ('Hi<div class="gmail_quote">On ... <div>old</div></div>', "Hi"),
        ('Hi<div class="gmail_signature"><br>Anna</div>', "Hi"),
        ("Hi<blockquote>never closed", "Hi"),
        ("Hi</blockquote></p> there", "Hi\n there"),
        ("a  b\n c", "a b c"),
        ('<img src="https://tracker/x.png" alt="x">Hi', "Hi"),
    ],
)
def test_html_text(markup: Any, text: Any) -> None:
    lines = [line.strip() for line in html_text(markup).split("\n")]
    assert [line for line in lines if line] == [p.strip() for p in text.split("\n") if p.strip()]


@given(st.text("<>/pdivblockquote &;\"'=!-\n", max_size=200))
def test_no_markup_breaks_it(markup: Any) -> None:
    assert isinstance(html_text(markup), str)


@pytest.mark.slow
def test_deep_markup() -> None:
    many = 20_000
    assert html_text("<div>" * many + "Hi").strip() == "Hi"
    assert html_text("<blockquote>" * many + "Hi" + "</blockquote>" * many + "!") == "!"
    assert html_text("<blockquote>" + "<b>" * many + "</i>" * many + "</blockquote>!") == "!"
