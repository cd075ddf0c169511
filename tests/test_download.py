"""The download stage on a small made-up archive, and on the real one when a mirror is set."""

import errno
import hashlib
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline import download
from pipeline.download import ARCHIVE, MIRROR, PHYSIONET, DownloadError, Job

ROOT = Path(__file__).parent.parent
MANIFEST = Path(download.__file__).with_name("mit-bih.sha256")
# Bytes that deflate cannot shrink, so that a part of the archive is a part of a member.
FILES = {
    "100.dat": b"".join(hashlib.sha256(bytes([i % 256, i // 256])).digest() for i in range(20000)),
    "100.hea": b"100 2 360 650000\n",
    "RECORDS": b"100\n",
}


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


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "a mirror"
    folder.mkdir()
    with zipfile.ZipFile(folder / ARCHIVE, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{Path(ARCHIVE).stem}/SHA256SUMS.txt", b"of no use here")
        for name, data in FILES.items():
            archive.writestr(f"{Path(ARCHIVE).stem}/{name}", data)
    return folder


@pytest.fixture
def job(tmp_path: Path, mirror: Path) -> Job:
    manifest = tmp_path / "manifest.sha256"
    write_manifest(manifest, FILES)
    data = tmp_path / "data"
    return Job(str(mirror), manifest, data / "mit-bih", data / "download", pause_s=0, timeout_s=5)


@pytest.fixture
def web(mirror: Path) -> Iterator[Server]:
    with serving(Server((mirror / ARCHIVE).read_bytes())) as server:
        yield server


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


def test_a_folder_gives_every_file_and_leaves_nothing_else(job: Job) -> None:
    assert download.download(job) == len(FILES)
    assert in_place(job) == FILES
    assert not job.work.exists()


def test_a_file_address_may_be_percent_encoded(job: Job, mirror: Path) -> None:
    download.download(replace(job, mirror=mirror.as_uri()))
    assert "%20" in mirror.as_uri()
    assert in_place(job) == FILES


def test_a_web_server_gives_every_file_in_one_request(job: Job, web: Server) -> None:
    download.download(replace(job, mirror=web.address))
    assert in_place(job) == FILES
    assert web.asked == [None]


def test_an_s3_server_gives_every_file(job: Job, web: Server) -> None:
    assert run_with_s3(job, web.address).returncode == 0
    assert in_place(job) == FILES


def test_an_s3_server_resumes_after_the_part(job: Job, web: Server) -> None:
    leave_part(job, web.body[:100_000])
    assert run_with_s3(job, web.address).returncode == 0
    assert next(asked for asked in web.asked if asked).startswith("bytes=100000-")
    assert in_place(job) == FILES


def test_an_s3_server_that_is_not_there_says_one_sentence_and_exits_1(job: Job) -> None:
    ended = run_with_s3(job, "http://127.0.0.1:1")
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert MIRROR in ended.stderr


def run_with_s3(job: Job, endpoint: str) -> subprocess.CompletedProcess[str]:
    """Run in a process of its own: s3fs keeps its client and event loop until the process ends."""
    paths = [str(path) for path in (job.manifest, job.target, job.work)]
    code = (
        "import pathlib, sys; from pipeline.download import Job, run; "
        "sys.exit(run(Job('s3://bucket/folder', *map(pathlib.Path, sys.argv[1:]), pause_s=0)))"
    )
    aws = {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    environ = {**os.environ, **aws, "AWS_ENDPOINT_URL": endpoint}
    command = [sys.executable, "-c", code, *paths]
    return subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_part_is_resumed_by_asking_for_the_rest(job: Job, web: Server) -> None:
    leave_part(job, web.body[:100_000])
    download.download(replace(job, mirror=web.address))
    assert web.asked == ["bytes=100000-"]
    assert in_place(job) == FILES


def test_a_break_is_resumed_within_one_run(job: Job, web: Server) -> None:
    web.break_at = [300_000]
    download.download(replace(job, mirror=web.address))
    assert web.asked == [None, "bytes=300000-"]
    assert in_place(job) == FILES


def test_a_folder_resumes_after_the_part(job: Job, mirror: Path) -> None:
    body = (mirror / ARCHIVE).read_bytes()
    leave_part(job, body[:100_000])
    (mirror / ARCHIVE).write_bytes(b"\0" * 100_000 + body[100_000:])
    download.download(job)
    assert in_place(job) == FILES


def test_a_server_that_ignores_range_starts_over(job: Job, web: Server) -> None:
    web.ranges = False
    leave_part(job, web.body[:100_000])
    download.download(replace(job, mirror=web.address))
    assert in_place(job) == FILES


def test_a_part_of_another_archive_gets_one_fresh_start(job: Job, web: Server) -> None:
    leave_part(job, b"\0" * 100_000)
    download.download(replace(job, mirror=web.address))
    assert web.asked == ["bytes=100000-", None]
    assert in_place(job) == FILES


def test_a_part_longer_than_the_archive_starts_over(job: Job, web: Server) -> None:
    leave_part(job, b"\0" * (len(web.body) + 1))
    download.download(replace(job, mirror=web.address))
    assert in_place(job) == FILES


def test_a_passing_fault_is_tried_a_bounded_number_of_times(job: Job, web: Server) -> None:
    web.status = 503
    assert refusal(replace(job, mirror=web.address, attempts=3)) == "unreachable"
    assert len(web.asked) == 3


def test_a_missing_archive_is_asked_for_once(job: Job, web: Server) -> None:
    web.status = 404
    assert refusal(replace(job, mirror=web.address)) == "absent"
    assert len(web.asked) == 1


def test_what_came_before_a_break_is_kept_for_the_next_run(job: Job, web: Server) -> None:
    web.break_at = [200_000]
    assert refusal(replace(job, mirror=web.address, attempts=1)) == "unreachable"
    assert job.part.read_bytes() == web.body[:200_000]
    assert not job.target.exists()


def test_a_second_run_does_not_touch_the_source(job: Job) -> None:
    download.download(job)
    assert download.download(replace(job, mirror="/nowhere")) == 0


def test_only_the_altered_file_is_replaced(job: Job) -> None:
    download.download(job)
    (job.target / "100.hea").write_bytes(b"altered")
    assert download.download(job) == 1
    assert in_place(job) == FILES


def test_a_file_that_the_manifest_does_not_name_is_left_alone(job: Job) -> None:
    job.target.mkdir(parents=True)
    (job.target / "notes.txt").write_bytes(b"mine")
    download.download(job)
    assert in_place(job) == {**FILES, "notes.txt": b"mine"}


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param({**FILES, "RECORDS": b"101\n"}, id="another SHA-256"),
        pytest.param({**FILES, "101.dat": b""}, id="not in the archive"),
    ],
)
def test_another_archive_is_refused_and_nothing_is_left(job: Job, wanted: dict[str, bytes]) -> None:
    write_manifest(job.manifest, wanted)
    assert refusal(job) == "archive"
    assert in_place(job) == {}
    assert list(job.work.iterdir()) == []


def test_a_page_in_place_of_the_archive_is_refused(job: Job, mirror: Path) -> None:
    (mirror / ARCHIVE).write_bytes(b"<html>Please log in</html>")
    assert refusal(job) == "archive"


def test_a_member_beyond_the_bound_is_not_unpacked(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "MAX_MEMBER_BYTES", 1000)
    assert refusal(job) == "archive"


def test_an_archive_beyond_the_bound_is_not_brought(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "MAX_ARCHIVE_BYTES", 1000)
    assert refusal(job) == "archive"
    assert not job.part.exists()


@pytest.mark.parametrize("line", ["", "abc  100.dat\n", f"{'0' * 64}  ../100.dat\n"])
def test_a_manifest_of_another_form_is_refused(job: Job, line: str) -> None:
    job.manifest.write_text(line)
    assert refusal(job) == "manifest"


@pytest.mark.parametrize("setting", [None, ""])
def test_physionet_is_the_source_when_no_mirror_is_set(setting: str | None) -> None:
    assert download.mirror_folder(setting) == PHYSIONET


@pytest.mark.parametrize(
    "setting", ["ftp://host/folder", "file://host/folder", "http://", "http://me:secret@host/"]
)
def test_another_kind_of_mirror_is_refused_without_its_password(setting: str) -> None:
    with pytest.raises(DownloadError) as caught:
        download.mirror_folder(setting)
    assert caught.value.code == "mirror"
    assert "secret" not in str(caught.value)


def failures() -> Iterator[tuple[str, Callable[[Job], Job]]]:
    yield "no network", lambda job: replace(job, mirror="http://127.0.0.1:1")
    yield "no such folder", lambda job: replace(job, mirror="/nowhere")
    yield "archive not in it", lambda job: replace(job, mirror=str(job.manifest.parent))
    yield "another kind", lambda job: replace(job, mirror="ftp://host")


@pytest.mark.parametrize("spoil", [pytest.param(spoil, id=name) for name, spoil in failures()])
def test_a_failure_says_one_sentence_and_exits_1(
    job: Job, spoil: Callable[[Job], Job], capsys: pytest.CaptureFixture[str]
) -> None:
    assert download.run(spoil(job)) == 1
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert MIRROR in said.err
    assert ARCHIVE in said.err
    assert said.out == ""
    assert in_place(job) == {}


def test_a_full_disk_says_one_sentence_and_exits_1(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    assert download.run(job) == 1
    said = capsys.readouterr().err
    assert os.strerror(errno.ENOSPC) in said
    assert MIRROR in said
    assert in_place(job) == {}


def test_the_manifest_names_the_48_records_in_order() -> None:
    names = list(download.read_manifest(MANIFEST))
    records = {name.partition(".")[0] for name in names} - {"RECORDS"}
    wanted = sorted(f"{r}.{kind}" for r in records for kind in ("atr", "dat", "hea"))
    assert names == [*wanted, "RECORDS"]
    assert len(records) == 48


@pytest.mark.skipif(not os.environ.get(MIRROR), reason=f"{MIRROR} is not set")
def test_the_real_archive_agrees_with_the_manifest(tmp_path: Path) -> None:
    job = Job(os.environ[MIRROR], MANIFEST, tmp_path / "mit-bih", tmp_path / "download")
    assert download.download(job) == len(in_place(job)) == 145
    assert download.outstanding(job.target, download.read_manifest(MANIFEST)) == {}
