"""A real llama-server in a child process: the one inside the xllamacpp package, on a real socket.

As a script it serves a model until its standard input ends, so that it never outlives the tests.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MISSING = (
    "no real llama-server: pip install xllamacpp (Linux on x86-64; `make test` installs it there)"
)


def require() -> None:
    """Skip, and say why, where there is no llama-server."""
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip(MISSING)


@contextmanager
def llama_server(model: Path, context: int, slots: int = 1) -> Iterator[str]:
    """Serve ``model``; ``context`` is that of one slot. Yields the URL."""
    command = [sys.executable, __file__, str(model), str(context * slots), str(slots)]
    pipe = subprocess.PIPE
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, text=True) as child,
    ):
        assert child.stdin is not None and child.stdout is not None
        try:
            for line in child.stdout:
                if line.startswith("http://"):
                    yield line.strip()
                    break
            else:
                log.seek(0)
                pytest.fail(f"llama-server did not start:\n{log.read()[-2000:]}")
        finally:
            child.stdin.close()
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()


def main(model: str, context: str, slots: str) -> None:
    """Serve from the C++ threads of the package. Its samplers are set to spoil what is greedy."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.model_alias = {Path(model).stem}
    params.n_ctx, params.n_parallel = int(context), int(slots)
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.fit_params = params.warmup = False  # takes its time, and is for large models
    params.sampling.temp, params.sampling.penalty_repeat = 2.0, 3.0
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
