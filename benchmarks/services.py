"""The two services as processes: start, wait until ready, resident memory, stop."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.settings import PREFIX
from benchmarks.load import HOST, is_ready

READY: Final = "/health/ready"
START_LIMIT_S: Final = 90.0
STOP_LIMIT_S: Final = 10.0

_POLL_S = 0.005


@dataclass(frozen=True)
class Service:
    """A running service; start_s: from the process's start until `READY` answered 200."""

    port: int
    process: subprocess.Popen[bytes]
    start_s: float


@contextmanager
def running(module: str, *arguments: str) -> Iterator[Service]:
    """Run `python -m module --port FREE arguments` until it is ready, and stop it afterwards.

    What it logs goes to the null device. Raises SystemExit when it does not become ready.
    """
    # A benchmark measures the defaults, whatever a developer's shell sets.
    environ = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
    port = free_port()
    command = [sys.executable, "-m", module, "--port", str(port), *arguments]
    started = time.perf_counter()
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=environ, stdout=quiet, stderr=quiet) as process:
        try:
            _wait_until_ready(module, process, port, started + START_LIMIT_S)
            yield Service(port, process, time.perf_counter() - started)
        finally:
            _stop(process)


def resident_mb(pid: int) -> float:
    """Return a process's resident memory in MB; NaN where /proc does not show it."""
    status = Path(f"/proc/{pid}/status")
    if not status.is_file():
        return float("nan")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024 / 1e6


def _wait_until_ready(
    module: str, process: subprocess.Popen[bytes], port: int, limit: float
) -> None:
    while not is_ready(port, READY):
        if process.poll() is not None or time.perf_counter() > limit:
            raise SystemExit(f"bench: `python -m {module}` did not become ready")
        time.sleep(_POLL_S)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
