"""Containers of the image under test, run as docs/operations.md says: they can write nothing."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.load import is_ready
from benchmarks.services import READY, free_port

DOCKER: Final = os.environ.get("DOCKER", "docker")
CONTAINED: Final = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
# Sooner than the image's own 5 s; what is run and what it must answer is the image's.
PROBED: Final = ("--health-interval", "1s")
START_S: Final = 60


@dataclass(frozen=True)
class Container:
    """A running container: its name, the address of its service, when `docker run` was called."""

    name: str
    address: str
    started: float

    def state(self) -> dict[str, Any]:
        """Return what the engine says of it."""
        found: list[dict[str, Any]] = json.loads(docker("inspect", self.name))
        state: dict[str, Any] = found[0]["State"]
        return state

    def wait_for(self, *health: str) -> str:
        """Return the health once it is one of these; raises TimeoutError."""
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            state = self.state()
            if state["Health"]["Status"] in health:
                return str(state["Health"]["Status"])
            time.sleep(0.1)
        raise TimeoutError(f"{self.state()}\n{docker('logs', self.name)}")

    def ready_after(self) -> float:
        """Return the seconds from `docker run` until /health/ready answered 200."""
        while time.perf_counter() < self.started + START_S:
            if is_ready(urlsplit(self.address).port or 0, READY):
                return time.perf_counter() - self.started
            time.sleep(0.005)
        raise TimeoutError(docker("logs", self.name))


@contextmanager
def container(image: str, *options: str) -> Iterator[Container]:
    """Run the service on a free port of the host's loopback; remove the container afterwards."""
    port = free_port()
    listen = ("-e", "BEATWISE_HOST=127.0.0.1", "-e", f"BEATWISE_PORT={port}")
    started = time.perf_counter()
    name = docker("run", "-d", "--network", "host", *CONTAINED, *PROBED, *listen, *options, image)
    try:
        yield Container(name, f"http://127.0.0.1:{port}", started)
    finally:
        docker("rm", "--force", name)


def run_once(image: str, *command: str, folder: Path | None = None) -> str:
    """Run a command in the image, `folder` at /data, and return what it wrote."""
    mounted = () if folder is None else ("-v", f"{folder}:/data:ro")
    return docker("run", "--rm", "--network", "host", *CONTAINED, *mounted, image, *command)


def docker(*arguments: str) -> str:
    """Return what the engine's client writes; raises CalledProcessError with its complaint."""
    done = subprocess.run([DOCKER, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr)
    done.check_returncode()
    return (done.stdout + done.stderr).strip()
