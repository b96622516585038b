"""Writes one answer: steps become chunks of text, and everything is counted, however it ends."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence

from costeer.cloud.cancellation import Stop
from costeer.edge.answer import Chunk, Result
from costeer.edge.display import Display
from costeer.edge.verify import DecodeParams, Step
from costeer.exceptions import InterruptedModelError, StoppedError
from costeer.models.base import Tokenizer
from costeer.privacy.ledger import Ledger


class AnswerWriter:
    """Turns the steps of one answer into text.

    Args:
        tokenizer: decodes tokens.
        ledger: notes what the cloud has seen.
        params: of the answer.
        text: holds back incomplete characters, stop strings and stand-ins.
        result: kept up to date with every step.
        stop: ends the answer.
        keep_exchanges: whether the result holds the requests as they were sent.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        ledger: Ledger,
        params: DecodeParams,
        text: Display,
        result: Result,
        stop: Stop,
        *,
        keep_exchanges: bool = False,
    ) -> None:
        self._tokenizer = tokenizer
        self._ledger = ledger
        self._params = params
        self._text = text
        self._result = result
        self._stop = stop
        self._keep_exchanges = keep_exchanges

    def chunks(
        self, public: Sequence[int], steps: Generator[Step, None, None]
    ) -> Generator[Chunk, None, None]:
        """Yield a chunk per step until the answer ends or is stopped.

        Args:
            public: token ids of the public prompt.
            steps: of the decoding loop; closed at the end.
        """
        result, started = self._result, time.perf_counter()
        result.finish_reason = "error"  # until something better is known
        begun = self._tokenizer.decode_bytes(result.token_ids)
        result.text = self._text.feed(begun)
        tally = self._ledger.open_tally(public, keep=self._keep_exchanges)
        try:
            for step in steps:
                yield self._chunk(step, time.perf_counter() - started)
                if self._text.stopped:
                    return
        except (StoppedError, InterruptedModelError):
            if not self._stop.is_set():
                raise
            result.finish_reason = "interrupted"
        except (GeneratorExit, KeyboardInterrupt):
            if result.finish_reason == "error":
                result.finish_reason = "interrupted"
            raise
        finally:
            self._stop.set()
            steps.close()
            self._ledger.record_answer((*public, *result.token_ids))
            result.text += self._text.feed(b"", final=True)
            spent = self._ledger.close_tally(tally)
            result.requests, result.bytes_up = spent.requests, spent.bytes_up
            result.bytes_down = spent.bytes_down
            result.exchanges = tuple(tally.exchanges or ())
            result.seconds = time.perf_counter() - started
            result.tokens_per_second = result.steps / result.seconds

    def _chunk(self, step: Step, seconds: float) -> Chunk:
        """Count a step and turn it into text."""
        result = self._result
        result.count(step, seconds)
        ended = step.token in self._params.eos_ids
        last = ended or result.steps == self._params.max_tokens
        raw = b"" if ended else self._tokenizer.decode_bytes([step.token])
        shown = self._text.feed(raw, final=last)
        result.text += shown
        if ended or self._text.stopped:
            result.finish_reason = "stop"
        elif last:
            result.finish_reason = "length"
        return Chunk(shown, step, ended)
