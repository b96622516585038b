"""Our completions server as a child process, for the demo, tests and benchmarks.

The child is given a model name and numbers only. It stops when its standard input closes, which
happens however this process ends.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import deque

from costeer.exceptions import CloudUnreachableError

ANNOUNCEMENT = "listening on "


class ServerProcess:
    """``costeer serve`` in a process of its own, on a free loopback port, from enter to exit.

    Args:
        model: a catalog name, a file, or "fake".
        options: more arguments of ``costeer serve``, for instance ("--threads", "1").
        command: a prefix of the command line, for instance ("taskset", "-c", "1").
    """

    def __init__(
        self, model: str, options: tuple[str, ...] = (), command: tuple[str, ...] = ()
    ) -> None:
        serve = (sys.executable, "-m", "costeer", "serve", "--model", model, "--port", "0")
        self._arguments = [*command, *serve, "--exit-with-parent", *options]
        self._last_lines: deque[str] = deque(maxlen=5)
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid if self._process else 0

    def __enter__(self) -> ServerProcess:
        """Start the server and wait until it answers.

        Raises:
            CloudUnreachableError: it ended before that; the message has its last line.
        """
        self._process = subprocess.Popen(
            self._arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # Ctrl-C goes to the parent, which closes the child
            env={
                k: v for k, v in os.environ.items() if k != "COSTEER_API_KEY"
            },  # meant for another server
        )
        threading.Thread(target=self._read_stderr, daemon=True).start()
        try:
            self.url = self._wait_for_url()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the server; kill it after three seconds."""
        process = self._process
        if process is None:
            return
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()
        self._process = None

    def _wait_for_url(self) -> str:
        assert self._process and self._process.stdout  # noqa: S101  # set by Popen above
        for line in self._process.stdout:
            if line.startswith(ANNOUNCEMENT):
                return line.removeprefix(ANNOUNCEMENT).strip()
        self._process.wait()
        reason = self._last_lines[-1] if self._last_lines else "it wrote nothing"
        raise CloudUnreachableError(f"The server did not start: {reason}")

    def _read_stderr(self) -> None:
        """Read its stderr, so that the pipe never fills; the last lines explain a failure."""
        process = self._process
        if process is None or process.stderr is None:
            return
        try:
            for line in process.stderr:
                if line.strip():
                    self._last_lines.append(line.strip())
        except ValueError:  # closed while reading: we are stopping
            return
