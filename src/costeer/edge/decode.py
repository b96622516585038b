"""The decoding loop: one generator that yields a record per token. Knows token ids only.

Both modes verify every token in the same way (``verify``) from the same numbers, so they give the
same tokens. They differ in what they wait for.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

from costeer.cloud.base import CloudModel
from costeer.cloud.cancellation import Stop
from costeer.decoding.steering import Array
from costeer.edge.lockstep import lockstep
from costeer.edge.prompts import Prompts
from costeer.edge.runahead import run_ahead
from costeer.edge.slm import DeltaSource
from costeer.edge.verify import DecodeParams, Step

__all__ = ["DecodeParams", "Step", "generate_step"]


def generate_step(
    cloud: CloudModel,
    slm: DeltaSource,
    prompts: Prompts,
    params: DecodeParams,
    stop: Stop | None = None,
) -> Generator[Step, None, None]:
    """Decode one answer; the end-of-text token, if it comes, is the last step.

    Args:
        cloud: the LLM; it is given ``prompts.public`` and the decided tokens, nothing else.
        slm: the delta on this device.
        prompts: of this request.
        params: how to decode, and in which mode.
        stop: ends the answer, from any thread.

    Raises:
        StoppedError: ``stop`` was set.
        CloudError, ModelError: see ``costeer.exceptions``. Steps yielded before stay valid.
    """
    stop = stop or Stop()
    if params.quiet:
        return _read_first(cloud, slm, prompts, params, stop)
    return _decode(cloud, slm, prompts, params, stop)


def _decode(
    cloud: CloudModel, slm: DeltaSource, prompts: Prompts, params: DecodeParams, stop: Stop
) -> Generator[Step, None, None]:
    if params.mode == "lockstep":
        return lockstep(cloud, slm, prompts, params, stop)
    return run_ahead(cloud, slm, prompts, params, stop)


def _read_first(
    cloud: CloudModel, slm: DeltaSource, prompts: Prompts, params: DecodeParams, stop: Stop
) -> Generator[Step, None, None]:
    """Let the LLM hear of the answer once the small model has read its prompts."""
    first = slm.begin(prompts.plain, prompts.private)
    stop.check()
    yield from _decode(cloud, _AlreadyRead(slm, first), prompts, params, stop)


class _AlreadyRead:
    """A ``DeltaSource`` that has read the prompts.

    Args:
        slm: reads the rest.
        first: the delta (V,) for the first token.
    """

    def __init__(self, slm: DeltaSource, first: Array) -> None:
        self._first = first
        self.advance = slm.advance

    def begin(self, plain: Sequence[int], private: Sequence[int]) -> Array:
        """See ``DeltaSource``."""
        return self._first
