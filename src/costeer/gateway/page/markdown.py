"""An answer as HTML. The LLM wrote it, so it is untrusted text.

CommonMark with tables, without HTML and images; then cleaned once more, by a list of what may
stay. Links open elsewhere and say nothing about where they were.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from costeer.exceptions import MissingDependencyError

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto"}


@lru_cache(maxsize=256)
def render(text: str) -> str:
    """Markdown as HTML that a page may show.

    Raises:
        MissingDependencyError: the extra "app" is not installed.
    """
    try:
        import nh3
    except ImportError:
        raise missing() from None
    return nh3.clean(
        _parser().render(text),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    try:
        from markdown_it import MarkdownIt
    except ImportError:
        raise missing() from None
    parser = MarkdownIt("commonmark", {"html": False})
    return parser.enable(["table", "strikethrough"]).disable(["image", "html_block", "html_inline"])


def missing() -> MissingDependencyError:
    """What to install."""
    return MissingDependencyError(
        "The page needs packages that are not installed.",
        'Install them with: pip install "costeer[app]"',
    )
