"""What all requests of one client share: the connections, and what is known about the server.

Knows ``/v1/models``; nothing about completions.
"""

from __future__ import annotations

from dataclasses import replace

from costeer.cloud.base import CloudInfo
from costeer.cloud.cancellation import Stop
from costeer.cloud.client.completion_stream import read_text
from costeer.cloud.client.history import ResponseHistory
from costeer.cloud.client.http_errors import TRANSIENT, transient_error
from costeer.cloud.client.model_info import read_info
from costeer.cloud.client.retry import RetryableError, RetryPolicy, RetryState
from costeer.cloud.client.server_limits import ServerLimits
from costeer.cloud.client.timeouts import ReadTimeouts
from costeer.cloud.client.transport import Transport
from costeer.exceptions import CloudProtocolError


class Session:
    """One server as one client knows it. May be used from several threads.

    Args:
        transport: the connections.
        timeouts: the read timeouts that ``transport`` uses.
        policy: how often to retry.
        model: which of the server's models; its first one by default.

    Attributes:
        limits: what the server has refused so far.
        history: earlier responses.
    """

    def __init__(
        self,
        transport: Transport,
        timeouts: ReadTimeouts,
        policy: RetryPolicy,
        model: str | None,
    ) -> None:
        self.transport = transport
        self.timeouts = timeouts
        self.policy = policy
        self.limits = ServerLimits()
        self.history = ResponseHistory()
        self._model = model
        self._info: CloudInfo | None = None

    def info(self, stop: Stop) -> CloudInfo:
        """Return what the server says about its model, and what its refusals have added to that.

        The server is asked once.

        Args:
            stop: ends the request.

        Raises:
            StoppedError: ``stop`` was set.
            CloudError: the server cannot be reached or understood.
        """
        if self._info is None:
            self._info = self._request_info(stop)
        caps = [cap for cap in (self._info.max_top_k, self.limits.top_k) if cap is not None]
        return replace(self._info, max_top_k=min(caps, default=None))

    def model(self, stop: Stop) -> str:
        """Return the name of the model to ask for."""
        return self._model or self.info(stop).model

    def _request_info(self, stop: Stop) -> CloudInfo:
        retries = RetryState(self.policy, stop)
        while True:
            try:
                with self.transport.get("models", stop) as (response, exchange):
                    text = read_text(response, exchange)
                if response.status_code in TRANSIENT:
                    raise transient_error(response, text)
                return read_info(response, text, self._model)
            except RetryableError as failure:
                retries.failed(failure)
            except CloudProtocolError as error:
                retries.failed(RetryableError(error, permanent=True))
