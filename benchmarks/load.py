"""Load on a service of this machine: keep-alive clients, request bytes made beforehand.

`python -m benchmarks.load --port N --path P --clients C --requests N --seconds S < body` runs in a
process of its own and prints JSON. Sockets and a selector alone: an HTTP library would cost more
than the service does.
"""

import argparse
import json
import selectors
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Final

HOST: Final = "127.0.0.1"
TIMEOUT_S: Final = 60.0
"""For one answer; a service that takes longer is not measured."""
MOST_CLIENTS: Final = 256

_CHUNK = 256 * 1024
_OK = b"HTTP/1.1 200 "
_LENGTH = b"\r\ncontent-length: "


@dataclass(frozen=True)
class Load:
    """clients: connections, each with one request under way; a run ends at either bound."""

    clients: int
    requests: int
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """latencies_ms: of each request; seconds: from the first request to the last answer."""

    latencies_ms: list[float]
    seconds: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.latencies_ms) / self.seconds


class _Client:
    """One keep-alive connection with at most one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port), TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answer = bytearray()
        self.started = 0.0

    def ask(self, request: bytes) -> None:
        self.answer.clear()
        self.started = time.perf_counter()
        self.socket.sendall(request)

    def is_answered(self) -> bool:
        chunk = self.socket.recv(_CHUNK)
        if not chunk:
            raise SystemExit("load: the service closed a connection")
        self.answer += chunk
        return _is_whole(self.answer)


def request_bytes(path: str, body: bytes) -> bytes:
    """Return a POST of JSON, or a GET when there is no body."""
    method = "POST" if body else "GET"
    head = f"{method} {path} HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def apply(port: int, path: str, body: bytes, load: Load) -> Outcome:
    """Run `load` in a process of its own; raises SystemExit when an answer is not 200."""
    options = {"port": port, "path": path, **load.__dict__}
    command = [sys.executable, "-m", __name__, *(f"--{k}={v}" for k, v in options.items())]
    done = subprocess.run(
        command, input=body, capture_output=True, timeout=load.seconds + 3 * TIMEOUT_S
    )
    if done.returncode:
        raise SystemExit(done.stderr.decode().strip() or "load: failed")
    return Outcome(**json.loads(done.stdout))


def is_ready(port: int, path: str) -> bool:
    """Return whether GET `path` is answered with 200 now."""
    try:
        with socket.create_connection((HOST, port), 1.0) as connection:
            connection.sendall(request_bytes(path, b""))
            return connection.recv(_CHUNK).startswith(_OK)
    except OSError:
        return False


def drive(port: int, request: bytes, load: Load) -> Outcome:
    """Keep `load.clients` requests under way until a bound is reached; take all answers."""
    clients = [_Client(port) for _ in range(min(load.clients, load.requests, MOST_CLIENTS))]
    latencies: list[float] = []
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client)
        started = time.perf_counter()
        for client in clients:
            client.ask(request)
        sent, open_ = len(clients), len(clients)
        while open_:
            ready = selector.select(TIMEOUT_S)
            if not ready:
                raise SystemExit(f"load: no answer within {TIMEOUT_S:g} s")
            for key, _ in ready:
                if not key.data.is_answered():
                    continue
                now = time.perf_counter()
                latencies.append(1000 * (now - key.data.started))
                if sent < load.requests and now - started < load.seconds:
                    key.data.ask(request)
                    sent += 1
                else:
                    open_ -= 1
        seconds = time.perf_counter() - started
    for client in clients:
        client.socket.close()
    return Outcome(latencies, seconds)


def main() -> None:
    """Read the body from stdin, drive, print latencies and seconds as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--clients", type=int, required=True)
    parser.add_argument("--requests", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    given = parser.parse_args()
    request = request_bytes(given.path, sys.stdin.buffer.read())
    outcome = drive(given.port, request, Load(given.clients, given.requests, given.seconds))
    json.dump(outcome.__dict__, sys.stdout)


def _is_whole(answer: bytearray) -> bool:
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    if not answer.startswith(_OK):
        raise SystemExit(f"load: answered {bytes(answer[:12]).decode('ascii', 'replace')}")
    head = bytes(answer[:end]).lower()
    at = head.index(_LENGTH) + len(_LENGTH)
    length = int(head[at:].split(b"\r", 1)[0])
    return len(answer) == end + 4 + length


if __name__ == "__main__":
    main()
