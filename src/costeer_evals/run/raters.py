"""Who rates texts: the judge over the network, or the reward model on this machine.

The judge is asked by a few threads; its failures of single texts are opinions, and many in a row
are an error. The identity of a rater is what its ratings depend on: the model, and a hash of the
prompts or of the files.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar, cast

from costeer.cloud.client.address import check_url, headers
from costeer.exceptions import CloudError, CloudRefusedError, ParameterError
from costeer_evals.metrics.judge import Aspect, Judge, prompt
from costeer_evals.run import provenance
from costeer_evals.run.rating import Opinion, Rate, Score, Wanted
from costeer_evals.run.row import plain
from costeer_evals.samples import hash_of
from costeer_evals.tasks.base import Metric, Record, Sample
from costeer_evals.tasks.registry import TASKS

if TYPE_CHECKING:
    from costeer_evals.metrics.armorm import ArmoRM

T = TypeVar("T")
R = TypeVar("R")

ASPECTS: tuple[Aspect, ...] = ("overall", "personal")
OF_ONE_TEXT = (400, 413, 422)
"""Statuses that may be due to one prompt (too long, filtered), and not to the way of asking."""
BORNE = 10
"""Texts in a row that a judge may fail to rate."""
BATCH = 4
DTYPE = "bfloat16"
END = -1


def require_suitable(names: Sequence[str], metric: Metric) -> None:
    """Check that the metric was published for these tasks.

    Raises:
        ParameterError: there is no such task, or the metric is not for it.
    """
    suitable = [name for name, task in TASKS.items() if metric in task.metrics]
    title = {"judge": "The judge", "armorm": "The reward model"}.get(metric, metric)
    for name in names:
        if name not in suitable:
            raise ParameterError(
                f"{title} does not rate texts of {name[:40]!r}.",
                f"It is for: {', '.join(suitable)}.",
            )


def _prompts() -> str:
    """A hash of the judge's prompts, by what they make of a sample."""
    sample = Sample(
        "", "query", "", None, "", profile="profile", history=(Record("title", "text"),)
    )
    return hash_of("\n".join(prompt(sample, "answer", aspect) for aspect in ASPECTS))


class Judging:
    """The judge; see ``metrics.judge``.

    Args:
        address: up to and with ``/v1``.
        model: the name that the server knows it by.
        accepted: the operator of the server may see the users' private data.
        api_key: sent as a bearer token, if given.
        parallel: requests at once.
        wait: seconds before the first repeat of a request that failed.

    Raises:
        ParameterError: it was not accepted what would be sent.
        UsageError: the address or the key cannot be used.
    """

    scores: tuple[Score, ...] = ASPECTS

    def __init__(
        self,
        address: str,
        model: str,
        *,
        accepted: bool = False,
        api_key: str = "",
        parallel: int = 4,
        wait: float = 1.0,
    ) -> None:
        address = check_url(address, "The judge's address", "COSTEER_JUDGE_KEY")
        if accepted is not True:
            raise ParameterError(
                f"For every text, the judge at {address} would be sent the user's profile and "
                "history, the query and the text.",
                "If the operator of that server may see them, add --judge-sees-private-data.",
            )
        headers(api_key)  # raises where the key could not be sent
        self._address, self._model, self._api_key = address, model, api_key
        self._parallel, self._wait = parallel, wait
        self.identity: Mapping[str, Any] = {"kind": "judge", "name": model, "prompts": _prompts()}

    @contextmanager
    def opened(self) -> Iterator[Rate]:
        """Connect; see ``Rater``.

        Raises:
            CloudRefusedError: the server refuses for good.
            CloudError: it failed for many texts in a row.
        """
        with Judge(
            self._address,
            self._model,
            i_accept_that_it_sees_private_data=True,
            api_key=self._api_key,
            wait=self._wait,
        ) as judge:
            yield partial(self._rate, judge)

    def _rate(self, judge: Judge, wanted: Sequence[Wanted]) -> Iterator[tuple[Wanted, Opinion]]:
        failed = 0
        for one, opinion in in_threads(partial(_ask, judge), wanted, self._parallel):
            yield one, opinion
            failed = failed + 1 if opinion.value is None else 0
            if failed == BORNE:
                raise CloudError(
                    f"The judge failed {BORNE} times in a row, at last by: {opinion.failure}.",
                    "Check its server and its model; the same command goes on where it was.",
                )


def _ask(judge: Judge, wanted: Wanted) -> Opinion:
    text, aspect = wanted.text, cast(Aspect, wanted.score)
    try:
        rating = judge.rate(text.sample, text.text, aspect)
    except CloudRefusedError as error:
        if error.status not in OF_ONE_TEXT:
            raise
        return Opinion(None, failure=f"status {error.status}")
    return Opinion(rating.score, rating.attempts, rating.failure)


def in_threads(work: Callable[[T], R], items: Sequence[T], count: int) -> Iterator[tuple[T, R]]:
    """Every item and what came of it, as they come; after an error nothing more is begun.

    A result is taken before the next item is begun, so that never more than ``count`` are lost.
    The threads are daemons: a request under way cannot keep an interrupted process alive.
    """
    given: SimpleQueue[int] = SimpleQueue()
    done: SimpleQueue[tuple[int, Future[R]]] = SimpleQueue()

    def serve() -> None:
        for place in iter(given.get, END):
            future: Future[R] = Future()
            try:
                future.set_result(work(items[place]))
            except BaseException as error:  # noqa: BLE001  # raised again where the result is read
                future.set_exception(error)
            done.put((place, future))

    count = min(count, len(items))
    for place in range(count):
        given.put(place)
        threading.Thread(target=serve, daemon=True).start()
    try:
        for following in range(count, count + len(items)):
            place, future = done.get()
            yield items[place], future.result()
            given.put(following if following < len(items) else END)
    finally:
        for _ in range(count):
            given.put(END)


class Rewarding:
    """The reward model; see ``metrics.armorm``.

    Args:
        source: a folder, or a name on the hub; that of the paper's model by default.
        device: "cpu" or "cuda", say.

    Raises:
        UnknownModelError: the folder holds no model.
    """

    scores: tuple[Score, ...] = ("armorm",)

    def __init__(self, source: str = "", device: str | None = None) -> None:
        from costeer_evals.metrics.armorm import INSTRUCTION_FOLLOWING, MAX_TOKENS, MODEL

        self._source, self._device = source or MODEL, device or "cpu"
        folder = Path(self._source).expanduser().is_dir()
        # What the hub has under a name is not hashed: it is not known before it was fetched.
        model = provenance.describe(self._source) if folder else {"name": self._source}
        self.identity: Mapping[str, Any] = {
            "kind": "armorm",
            **model,
            "dtype": DTYPE,
            "reward": INSTRUCTION_FOLLOWING,
            "max_tokens": MAX_TOKENS,
        }

    @contextmanager
    def opened(self) -> Iterator[Rate]:
        """Load it; see ``Rater``.

        Raises:
            ModelFileError: it is missing or of another kind.
        """
        from costeer_evals.metrics.armorm import ArmoRM

        source = str(Path(self._source).expanduser())
        yield partial(_rewards, ArmoRM.load(source, self._device, DTYPE, BATCH))


def _rewards(model: ArmoRM, wanted: Sequence[Wanted]) -> Iterator[tuple[Wanted, Opinion]]:
    """A batch at a time."""
    for start in range(0, len(wanted), BATCH):
        batch = wanted[start : start + BATCH]
        samples = [one.text.sample for one in batch]
        rewards = model.scores(
            [sample.query for sample in samples],
            [sample.preference for sample in samples],
            [one.text.text for one in batch],
        )
        for one, reward in zip(batch, rewards.tolist(), strict=True):
            value = plain(reward)
            yield one, Opinion(value, failure="" if value is not None else "not finite")
