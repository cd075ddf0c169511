"""`python -m benchmarks.image NAME`: the image's size, and what a container costs over a process.

Rounds are interleaved: the container, run without privileges on a read-only root, and
`python -m app` in this environment with the same models.
"""

import argparse
import json
import statistics
import subprocess
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from benchmarks.load import Load, apply
from benchmarks.services import resident_mb, running
from tests.containers import DOCKER, container, docker

ROUNDS: Final = 5
REQUESTS: Final = 1000
BODY: Final = Path("docs/example.json")
_CHUNK = 2**20
_LINE = "{:<44}{:>24}{:>24}"


def main() -> None:
    """Measure, print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.image", description=__doc__)
    parser.add_argument("image", help="name of the image")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    size = json.loads(docker("image", "inspect", given.image))[0]["Size"] / 1e6
    print(f"{given.image}: {size:.0f} MB, compressed {compressed_mb(given.image):.0f} MB")
    pairs = [(of_container(given.image), of_process()) for _ in range(given.rounds)]
    print(_LINE.format(f"median of {given.rounds} (lowest - highest)", "container", "process"))
    for n, what in enumerate(("start until ready, s", f"MB after {REQUESTS:,} requests")):
        ways = [_spread([pair[way][n] for pair in pairs]) for way in (0, 1)]
        print(_LINE.format(what, *ways))


def compressed_mb(image: str) -> float:
    """Return the size of the image's layers as a registry would hold them, by gzip."""
    packer, size = zlib.compressobj(6), 0
    with subprocess.Popen([DOCKER, "save", image], stdout=subprocess.PIPE) as saving:
        while saving.stdout and (chunk := saving.stdout.read(_CHUNK)):
            size += len(packer.compress(chunk))
    return (size + len(packer.flush())) / 1e6


def of_container(image: str) -> tuple[float, float]:
    """Return seconds from `docker run` until ready, and resident MB after the requests."""
    with container(image) as started:
        start_s = started.ready_after()
        _ask(int(started.address.rsplit(":", 1)[1]))
        return start_s, resident_mb(started.state()["Pid"])


def of_process() -> tuple[float, float]:
    """Return the same of `python -m app`, from the start of its process."""
    with running("app") as service:
        _ask(service.port)
        return service.start_s, resident_mb(service.process.pid)


def _ask(port: int) -> None:
    apply(port, "/v1/beats", BODY.read_bytes(), Load(1, REQUESTS, 60.0))


def _spread(values: Iterable[float]) -> str:
    found = sorted(values)
    digits = 0 if found[0] > 100 else 2
    numbers = (statistics.median(found), found[0], found[-1])
    return "{} ({} - {})".format(*(f"{n:.{digits}f}" for n in numbers))


if __name__ == "__main__":
    main()
