"""A large model's opinion of a text, from 1 to 10, by the two CoGenesis prompts.

Source: figures 6 and 7 of arXiv 2507.04756, word for word as in github.com/TsinghuaC3I/CoGenesis,
src/evaluate/llm_evaluator_parallel.py, its typing errors included (the figures leave out the
quotation marks). Temperature 0; the last [[n]] with n from 1 to 10 counts.

The judge reads the user's profile and history, so the operator of its server sees private data;
callers must accept that explicitly.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any, Literal

import httpx2

from costeer.exceptions import CloudRefusedError, ParameterError
from costeer_evals.tasks.base import Sample
from costeer_evals.tasks.cogenesis_format import records_text

Aspect = Literal["overall", "personal"]
RETRIES = 3
TIMEOUT = 120.0
"""Seconds for one answer; a judge writes an explanation first."""

_FORMAT = (
    "Begin your evaluation by providing a short explanation. Be as objective as possible. After "
    "providing your explanation, you must rate the response on a scale of 1 to 10 by strictly "
    'following this format: "[[rating]]", for example: "Rating: [[5]]".'
)
_INSTRUCTIONS: dict[Aspect, str] = {
    "overall": (
        "Please act as an impartial evaluator and assess the quality of the AI assistant's "
        "response to the user question shown below. Your assessment should focus on how well the "
        "response aligns with the user's personalized profile and writing history. Evaluate "
        "factors such as the response's adherence to the user's personal style, consistency with "
        "their profile, helpfulness, relevance, accuracy, depth, creativity, and level of detail. "
    ),
    "personal": (
        "Please act as an impartial judge an evaluate the AI assistant's response based on its "
        "alignment with the user's personal profile and writing history. Focus your assessment on "
        "the personalization aspects of the response, including its adherence to the user's "
        "unique style, preferences, and consistency with their profile. Consider how well the "
        "response addresses the user's individual needs and interests. "
    ),
}
_RATING = re.compile(r"\[\[(\d+)\]\]")


def prompt(sample: Sample, answer: str, aspect: Aspect) -> str:
    """The user turn that the judge gets."""
    profile = f"{sample.profile}\n" if sample.profile else ""
    history = records_text(sample.history, between="\n")
    return (
        f"[Instruction]\n{_INSTRUCTIONS[aspect]}{_FORMAT}\n\n"
        f"[User Profile and Writing History]\n{profile}\n{history}\n\n"
        f"[Question]\n{sample.query}\n\n"
        f"[The Start of Assistant's Answer]\n{answer.strip()}\n[The End of Assistant's Answer]"
    )


def parse(text: str) -> int | None:
    """The last rating from 1 to 10 in the judge's text, if there is one."""
    ratings = [int(found) for found in _RATING.findall(text) if 1 <= int(found) <= 10]
    return ratings[-1] if ratings else None


@dataclass(frozen=True, slots=True)
class Rating:
    """What came of asking for one rating.

    Attributes:
        score: 1 to 10, or None if every attempt failed.
        attempts: how often the judge was asked.
        failure: why the last attempt failed; empty if it did not. Holds no text.
    """

    score: int | None
    attempts: int
    failure: str = ""


class Judge:
    """Asks an OpenAI-compatible chat endpoint.

    Args:
        address: up to and with ``/v1``.
        model: the name that the endpoint knows it by; the paper's is gpt-4o-2024-08-06.
        i_accept_that_it_sees_private_data: must be True; see the module.
        api_key: sent as a bearer token, if given.
        wait: seconds before the first retry of a failed request; doubles each time.
        client: the HTTP client to use; the caller closes it.

    Raises:
        ParameterError: it was not accepted that the judge sees private data.
    """

    def __init__(
        self,
        address: str,
        model: str,
        *,
        i_accept_that_it_sees_private_data: bool = False,
        api_key: str = "",
        wait: float = 1.0,
        client: httpx2.Client | None = None,
    ) -> None:
        if i_accept_that_it_sees_private_data is not True:
            raise ParameterError(
                "The judge reads every user's profile and history.",
                "If its server may see them, pass i_accept_that_it_sees_private_data=True.",
            )
        self.model = model
        self._url = f"{address.rstrip('/')}/chat/completions"
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._wait = wait
        self._owned = client is None
        self._client = client if client is not None else httpx2.Client(timeout=TIMEOUT)

    def rate(self, sample: Sample, answer: str, aspect: Aspect) -> Rating:
        """Ask up to four times.

        Raises:
            CloudRefusedError: the endpoint refuses, and a retry cannot help.
        """
        content, failure = prompt(sample, answer, aspect), ""
        for attempt in range(1, RETRIES + 2):
            text, failure = self._ask(content)
            if text is not None:
                score = parse(text)
                if score is not None:
                    return Rating(score, attempt)
                failure = "no rating in the answer"
            elif attempt <= RETRIES:
                time.sleep(self._wait * 2 ** (attempt - 1))
        return Rating(None, RETRIES + 1, failure)

    def _ask(self, content: str) -> tuple[str | None, str]:
        """The judge's text, or None and why there is none."""
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": content}],
            "temperature": 0,
        }
        try:
            answer = self._client.post(self._url, json=body, headers=self._headers)
        except httpx2.TransportError as error:
            return None, type(error).__name__
        status = answer.status_code
        if status == 429 or status >= 500:
            return None, f"status {status}"
        if status != 200:
            raise CloudRefusedError(
                f"The judge's server refused with status {status}.",
                "Check its address, the model's name and the key.",
                status=status,
            )
        return _content(answer), "the answer is not a chat completion"

    def close(self) -> None:
        """Close the connections, if they are the judge's own."""
        if self._owned:
            self._client.close()

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _content(answer: httpx2.Response) -> str | None:
    try:
        text: Any = answer.json()["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError):
        return None
    return text if isinstance(text, str) else None
