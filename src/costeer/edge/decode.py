"""The decoding loop: one generator, a record a token, in either of two modes. Knows token ids only.

Both modes decide every token in the same way (``verify``) from the same numbers, so they give the
same tokens; they differ in what is waited for.
"""

from __future__ import annotations

from collections.abc import Generator

from costeer.cloud.base import CloudModel
from costeer.cloud.stop import Stop
from costeer.edge.batch_size import Pace
from costeer.edge.lockstep import lockstep
from costeer.edge.prompts import Prompts
from costeer.edge.runahead import run_ahead
from costeer.edge.slm import DeltaSource
from costeer.edge.verify import DecodeParams, Step

__all__ = ["DecodeParams", "Step", "generate_step"]


def generate_step(
    cloud: CloudModel,
    local: DeltaSource,
    prompts: Prompts,
    params: DecodeParams,
    pace: Pace | None = None,
    stop: Stop | None = None,
) -> Generator[Step, None, None]:
    """Decode one answer; the end-of-text token, if it comes, is the last step.

    Args:
        cloud: the LLM side; it is given ``prompts.public`` and the decided tokens, nothing else.
        local: the device's delta.
        prompts: of this request.
        params: how to decode, and in which mode.
        pace: what is known of the small model's speed; kept from answer to answer.
        stop: ends the answer, from any thread.

    Raises:
        StoppedError: ``stop`` was set.
        CloudError, ModelError: see ``costeer.exceptions``. Steps yielded before stay valid.
    """
    stop = stop or Stop()
    if params.mode == "lockstep":
        return lockstep(cloud, local, prompts, params, stop)
    return run_ahead(cloud, local, prompts, params, pace or Pace(), stop)
