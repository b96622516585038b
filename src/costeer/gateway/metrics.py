"""Counters in Prometheus' text format; no label ever comes from a request's content.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections import Counter


class Metrics:
    """What was asked and answered; used by the event loop's thread only."""

    def __init__(self) -> None:
        self.responses: Counter[tuple[str, int]] = Counter()  # by path and status
        self.tokens = 0
        self.rejected = 0
        self.under_way = 0

    def text(self) -> str:
        """All of it."""
        lines = ["# TYPE costeer_requests_total counter"]
        lines += [
            f'costeer_requests_total{{path="{path}",status="{status}"}} {count}'
            for (path, status), count in sorted(self.responses.items())
        ]
        for name, kind, value in (
            ("costeer_tokens_total", "counter", self.tokens),
            ("costeer_rejected_total", "counter", self.rejected),
            ("costeer_answers", "gauge", self.under_way),
        ):
            lines += [f"# TYPE {name} {kind}", f"{name} {value}"]
        return "\n".join(lines) + "\n"
