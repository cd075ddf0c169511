"""A small made-up archive, a job that fetches it, and a web server that holds it."""

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline import download
from pipeline.download import ARCHIVE, DownloadError, Job

# Bytes that deflate cannot shrink, so that a part of the archive is a part of a member.
FILES = {
    "100.dat": b"".join(hashlib.sha256(bytes([i % 256, i // 256])).digest() for i in range(20000)),
    "100.hea": b"100 2 360 650000\n",
    "RECORDS": b"100\n",
}


def made_up_mirror(folder: Path) -> Path:
    mirror = folder / "a mirror"
    mirror.mkdir()
    with zipfile.ZipFile(mirror / ARCHIVE, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{Path(ARCHIVE).stem}/SHA256SUMS.txt", b"of no use here")
        for name, data in FILES.items():
            archive.writestr(f"{Path(ARCHIVE).stem}/{name}", data)
    return mirror


def made_up_job(folder: Path, mirror: Path) -> Job:
    manifest = folder / "manifest.sha256"
    write_manifest(manifest, FILES)
    data = folder / "data"
    return Job(str(mirror), manifest, data / "mit-bih", data / "download", pause_s=0, timeout_s=5)


def write_manifest(path: Path, files: dict[str, bytes]) -> None:
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items()]
    path.write_text("".join(lines))


def in_place(job: Job) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in job.target.glob("*")}


def leave_part(job: Job, data: bytes) -> None:
    job.work.mkdir(parents=True)
    job.part.write_bytes(data)


def refusal(job: Job) -> str:
    with pytest.raises(DownloadError) as caught:
        download.download(job)
    return caught.value.code


@dataclass
class Server:
    """What a made-up web server holds, how it behaves, and the requests it saw."""

    body: bytes
    ranges: bool = True
    status: int = 200
    break_at: list[int] = field(default_factory=list)
    asked: list[str | None] = field(default_factory=list)
    address: str = ""


class Handler(BaseHTTPRequestHandler):
    """Answer GET and HEAD with the server's body, or the range asked for."""

    def __init__(self, server: Server, *args: object) -> None:
        self.held = server
        super().__init__(*args)  # type: ignore[arg-type]

    def do_HEAD(self) -> None:
        self._head(200, len(self.held.body))

    def do_GET(self) -> None:
        held, asked = self.held, self.headers.get("Range")
        held.asked.append(asked)
        start, stop = self._span(asked if held.ranges else None)
        if held.status != 200 or start >= len(held.body):
            self._head(held.status if held.status != 200 else 416, 0)
            return
        ranged = bool(asked and held.ranges)
        self._head(206 if ranged else 200, stop - start, f"bytes {start}-{stop - 1}/{stop}")
        sent = held.break_at.pop(0) if held.break_at else stop
        self.wfile.write(held.body[start : min(stop, sent)])

    def _span(self, asked: str | None) -> tuple[int, int]:
        first, _, last = (asked or "bytes=0-").removeprefix("bytes=").partition("-")
        size = len(self.held.body)
        return int(first), min(size, int(last) + 1) if last else size

    def _head(self, status: int, length: int, span: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("ETag", '"made-up"')
        if status == 206:
            self.send_header("Content-Range", span)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, server)) as http:
        thread = threading.Thread(target=partial(http.serve_forever, poll_interval=0.01))
        thread.start()
        server.address = f"http://127.0.0.1:{http.server_port}"
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
