"""The routes of conversations, and what the page shows of this process."""

from __future__ import annotations

from dataclasses import dataclass

from costeer.gateway import values
from costeer.gateway.page.asked import Asked, parse, question_text
from costeer.gateway.page.asking import Asking
from costeer.gateway.page.calls import LARGEST_ID, Call, Json
from costeer.gateway.page.storage import Storage
from costeer.gateway.page.views import choice, ledger, listed, whole
from costeer.serving.errors import ApiError

STRENGTHS = ("off", "gentle", "auto", "strong")
LONGEST_TITLE = 200


@dataclass(frozen=True, slots=True)
class About:
    """What the page shows of this process."""

    llm: str
    slm: str
    strength: float | str
    cloud: str | None = None


class Talks:
    """The routes of conversations."""

    def __init__(self, about: About, storage: Storage, asking: Asking) -> None:
        self._about = about
        self._storage = storage
        self._asking = asking

    def state(self, _: Call) -> Json:
        """What the page shows of this process."""
        profile = self._storage.profile
        return {
            "llm": self._about.llm,
            "slm": self._about.slm,
            "cloud": self._about.cloud,
            "profile": None if profile is None else profile.name,
            "keeps": self._storage.keeps,
            "strength": self._about.strength,
            "strengths": STRENGTHS,
            "context": bool(self._asking.text.strip()),
        }

    def keep(self, call: Call) -> Json:
        """Keep new conversations from now on, or not."""
        if not isinstance(call.body.get("keep"), bool):
            raise values.wrong("keep", "true or false")
        self._storage.keeps = call.body["keep"]
        return self.state(call)

    def all(self, _: Call) -> Json:
        """All conversations."""
        return {"conversations": listed(self._storage)}

    def create(self, _: Call) -> Json:
        """Begin one."""
        return {"id": self._storage.create().id}

    def get(self, call: Call) -> Json:
        """One of them; ``have`` in the query names answers whose tokens the page has already."""
        have = frozenset(call.query.get("have", "").split(","))
        return whole(self._storage, self._storage.conversation(call.id), have)

    def rename(self, call: Call) -> Json:
        """Give another title."""
        title = values.text(call.body, "title")
        if title is None or len(title) > LONGEST_TITLE:
            raise values.wrong("title", f"a text of up to {LONGEST_TITLE} characters")
        self._storage.conversation(call.id)
        self._storage.place(call.id).conversations.rename(call.id, title)
        return {}

    def remove(self, call: Call) -> Json:
        """Remove one."""
        self._storage.remove(call.id)
        return {}

    def remove_all(self, _: Call) -> Json:
        """Remove all."""
        self._storage.remove_all()
        return {}

    def switch(self, call: Call) -> Json:
        """Show the branch of a message."""
        wanted = values.integer(call.body, "message", 1, LARGEST_ID)
        if wanted is None:
            raise values.wrong("message", "the number of a message")
        self._storage.conversation(call.id)
        if self._storage.message(wanted).conversation != call.id:
            raise ApiError(404, f"There is no message {wanted} in it.", code="not_found")
        self._storage.place(call.id).conversations.switch(wanted)
        return self.get(call)

    def preview(self, call: Call) -> Json:
        """What a question would read, and what it gives away itself."""
        number, text = (
            values.integer(call.body, "conversation", 1, LARGEST_ID),
            question_text(call.body),
        )
        if number is not None:
            self._storage.conversation(number)
        chosen, left_out = self._asking.reading(number, text)
        return {
            "records": [choice(one) for one in chosen],
            "left_out": [choice(one) for one in left_out],
            "exposed": self._asking.exposed(number, Asked(text=text)),
        }

    def exposed(self, call: Call) -> Json:
        """The person's values that a question would send as they are, before it is asked."""
        number = values.integer(call.body, "conversation", 1, LARGEST_ID)
        asked = parse(call.body)
        if number is None and asked.text is None:
            raise values.wrong("conversation", "given")
        return {"exposed": self._asking.exposed(number, asked)}

    def ledger(self, call: Call) -> Json:
        """What left the device for an answer."""
        message = self._storage.message(call.id)
        spell = self._asking.answering.spell
        return ledger(self._storage.place(call.id), message, spell)
