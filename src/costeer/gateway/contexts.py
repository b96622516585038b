"""Private text for a conversation: a text, or records of a profile.

The gateway keeps no conversations; clients send them whole. So the records are chosen anew for each
request, question by question, which gives the same records in the same order every time, and new
ones at the end: what the small model has read stays in its cache.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from costeer.gateway.answering import Context
from costeer.models.base import Message
from costeer.profile.profiles import Profile
from costeer.profile.selection import Selection, context_list


def of_text(text: str) -> Context:
    """The same text for every conversation."""
    return lambda messages: text


def of_profile(profile: Profile, text: str = "") -> Context:
    """A text, and what the questions of a conversation choose from a profile.

    Args:
        profile: stays the caller's to close.
        text: goes in front.
    """
    lock = threading.Lock()

    def choose(messages: Sequence[Message]) -> str:
        selection = Selection()
        with lock:
            for message in messages:
                if message["role"] == "user":
                    profile.select(selection, message["content"])
        records = context_list(selection.chosen)
        return "\n\n".join([text, *records] if text.strip() else records)

    return choose
