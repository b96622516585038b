"""Who rates texts: the judge over the network, or the reward model on this machine.

Several threads ask the judge; a failure to rate one text is a result, many in a row are an error.
The identity of a rater is what its ratings depend on: the model, and a hash of the prompts or of
the files.
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
from costeer_evals.run.models import describe_model
from costeer_evals.run.rating import Rate, RatedScore, RatingRequest, RatingResult
from costeer_evals.run.row import to_json
from costeer_evals.samples import short_hash
from costeer_evals.tasks.base import Metric, PastText, Sample
from costeer_evals.tasks.registry import TASKS

if TYPE_CHECKING:
    from costeer_evals.metrics.armorm import ArmoRM

T = TypeVar("T")
R = TypeVar("R")

ASPECTS: tuple[Aspect, ...] = ("overall", "personal")
STATUSES_OF_ONE_TEXT = (400, 413, 422)
"""Statuses that one prompt may cause (too long, filtered), so that others may still be rated."""
MAX_FAILURES = 10
"""A judge that fails to rate this many texts in a row is given up."""
BATCH_SIZE = 4
DTYPE = "bfloat16"
END = -1


def require_metric(tasks: Sequence[str], metric: Metric) -> None:
    """Check that the metric was published for these tasks.

    Raises:
        ParameterError: there is no such task, or the metric is not for it.
    """
    suitable = [name for name, task in TASKS.items() if metric in task.metrics]
    title = {"judge": "The judge", "armorm": "The reward model"}.get(metric, metric)
    for name in tasks:
        if name not in suitable:
            raise ParameterError(
                f"{title} does not rate texts of {name[:40]!r}.",
                f"It is for: {', '.join(suitable)}.",
            )


def _hash_prompts() -> str:
    """A hash of the judge's prompts, as they are for a made-up sample."""
    sample = Sample(
        "", "query", "", None, "", profile="profile", history=(PastText("title", "text"),)
    )
    return short_hash("\n".join(prompt(sample, "answer", aspect) for aspect in ASPECTS))


class JudgeRater:
    """The judge; see ``metrics.judge``.

    Args:
        address: up to and with ``/v1``.
        model: the name that the server knows it by.
        accepted: the operator of the server may see the users' private data.
        api_key: sent as a bearer token, if given.
        parallel: requests at once.
        wait: seconds before the first retry of a failed request.

    Raises:
        ParameterError: it was not accepted that the judge sees private data.
        UsageError: the address or the key is unusable.
    """

    scores: tuple[RatedScore, ...] = ASPECTS

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
        headers(api_key)  # raises if the key cannot be sent
        self._address, self._model, self._api_key = address, model, api_key
        self._parallel, self._wait = parallel, wait
        self.identity: Mapping[str, Any] = {
            "kind": "judge",
            "name": model,
            "prompts": _hash_prompts(),
        }

    @contextmanager
    def open(self) -> Iterator[Rate]:
        """Connect; see ``Rater.open``.

        Raises:
            CloudRefusedError: the server refuses every request.
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

    def _rate(
        self, judge: Judge, requests: Sequence[RatingRequest]
    ) -> Iterator[tuple[RatingRequest, RatingResult]]:
        failed = 0
        for request, result in map_in_threads(partial(_ask, judge), requests, self._parallel):
            yield request, result
            failed = failed + 1 if result.value is None else 0
            if failed == MAX_FAILURES:
                raise CloudError(
                    f"The judge failed {MAX_FAILURES} times in a row; the last failure was: "
                    f"{result.failure}.",
                    "Check its server and its model; the same command continues.",
                )


def _ask(judge: Judge, request: RatingRequest) -> RatingResult:
    kept, aspect = request.text, cast(Aspect, request.score)
    try:
        rating = judge.rate(kept.sample, kept.text, aspect)
    except CloudRefusedError as error:
        if error.status not in STATUSES_OF_ONE_TEXT:
            raise
        return RatingResult(None, failure=f"status {error.status}")
    return RatingResult(rating.score, rating.attempts, rating.failure)


def map_in_threads(
    function: Callable[[T], R], items: Sequence[T], count: int
) -> Iterator[tuple[T, R]]:
    """Yield every item with its result, as they come; after an error no item is started.

    A result is taken before the next item is started, so at most ``count`` are ever lost. The
    threads are daemons: a request under way cannot keep an interrupted process alive.
    """
    started: SimpleQueue[int] = SimpleQueue()
    done: SimpleQueue[tuple[int, Future[R]]] = SimpleQueue()

    def serve() -> None:
        for index in iter(started.get, END):
            future: Future[R] = Future()
            try:
                future.set_result(function(items[index]))
            except BaseException as error:  # noqa: BLE001  # raised again where the result is read
                future.set_exception(error)
            done.put((index, future))

    count = min(count, len(items))
    for index in range(count):
        started.put(index)
        threading.Thread(target=serve, daemon=True).start()
    try:
        for following in range(count, count + len(items)):
            index, future = done.get()
            yield items[index], future.result()
            started.put(following if following < len(items) else END)
    finally:
        for _ in range(count):
            started.put(END)


class RewardModelRater:
    """The reward model; see ``metrics.armorm``.

    Args:
        source: a folder, or a name on the hub; the paper's model by default.
        device: "cpu" or "cuda", for example.

    Raises:
        UnknownModelError: the folder holds no model.
    """

    scores: tuple[RatedScore, ...] = ("armorm",)

    def __init__(self, source: str = "", device: str | None = None) -> None:
        from costeer_evals.metrics.armorm import INSTRUCTION_FOLLOWING, MAX_TOKENS, MODEL

        self._source, self._device = source or MODEL, device or "cpu"
        is_folder = Path(self._source).expanduser().is_dir()
        # A model on the hub is not hashed: its files are unknown until they are fetched.
        model = describe_model(self._source) if is_folder else {"name": self._source}
        self.identity: Mapping[str, Any] = {
            "kind": "armorm",
            **model,
            "dtype": DTYPE,
            "reward": INSTRUCTION_FOLLOWING,
            "max_tokens": MAX_TOKENS,
        }

    @contextmanager
    def open(self) -> Iterator[Rate]:
        """Load the model; see ``Rater.open``.

        Raises:
            ModelFileError: it is missing or of another kind.
        """
        from costeer_evals.metrics.armorm import ArmoRM

        source = str(Path(self._source).expanduser())
        yield partial(_rate_batches, ArmoRM.load(source, self._device, DTYPE, BATCH_SIZE))


def _rate_batches(
    model: ArmoRM, requests: Sequence[RatingRequest]
) -> Iterator[tuple[RatingRequest, RatingResult]]:
    for start in range(0, len(requests), BATCH_SIZE):
        batch = requests[start : start + BATCH_SIZE]
        samples = [one.text.sample for one in batch]
        rewards = model.scores(
            [sample.query for sample in samples],
            [sample.preference for sample in samples],
            [one.text.text for one in batch],
        )
        for one, reward in zip(batch, rewards.tolist(), strict=True):
            value = to_json(reward)
            yield one, RatingResult(value, failure="" if value is not None else "not finite")
