"""The download stage from web and S3 servers: resumed, tried again, refused."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import download
from pipeline.download import ARCHIVE, MIRROR, Job
from tests.conftest import ROOT
from tests.made_up_archive import (
    FILES,
    Server,
    in_place,
    leave_part,
    made_up_job,
    made_up_mirror,
    refusal,
    serving,
)


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return made_up_mirror(tmp_path)


@pytest.fixture
def job(tmp_path: Path, mirror: Path) -> Job:
    return made_up_job(tmp_path, mirror)


@pytest.fixture
def web(mirror: Path) -> Iterator[Server]:
    with serving(Server((mirror / ARCHIVE).read_bytes())) as server:
        yield server


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
