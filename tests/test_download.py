"""The download stage from a folder, and from the real mirror when one is set."""

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import download
from pipeline.download import ARCHIVE, MIRROR, PHYSIONET, DownloadError, Job
from tests.made_up_archive import (
    FILES,
    in_place,
    leave_part,
    made_up_job,
    made_up_mirror,
    refusal,
    write_manifest,
)

MANIFEST = Path(download.__file__).with_name("mit-bih.sha256")


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return made_up_mirror(tmp_path)


@pytest.fixture
def job(tmp_path: Path, mirror: Path) -> Job:
    return made_up_job(tmp_path, mirror)


def test_a_folder_gives_every_file_and_leaves_nothing_else(job: Job) -> None:
    assert download.download(job) == len(FILES)
    assert in_place(job) == FILES
    assert not job.work.exists()


def test_a_file_address_may_be_percent_encoded(job: Job, mirror: Path) -> None:
    download.download(replace(job, mirror=mirror.as_uri()))
    assert "%20" in mirror.as_uri()
    assert in_place(job) == FILES


def test_a_folder_resumes_after_the_part(job: Job, mirror: Path) -> None:
    body = (mirror / ARCHIVE).read_bytes()
    leave_part(job, body[:100_000])
    (mirror / ARCHIVE).write_bytes(b"\0" * 100_000 + body[100_000:])
    download.download(job)
    assert in_place(job) == FILES


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
