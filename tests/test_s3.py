"""S3 for real: what DVC pushes and pulls, the mirror, recordings, the service's models."""

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import numpy as np
import pytest
import yaml

from app.pinned import revision
from benchmarks.services import resident_mb
from tests.asking import check_problem, request
from tests.conftest import ROOT, hashes_of, running
from tests.s3_server import BUCKET, NOBODY, READER, S3, WRITER, Keys, s3_server

pytestmark = [pytest.mark.s3, pytest.mark.timeout(900)]
MIRROR = os.environ.get("BEATWISE_MIRROR", "")
DATA = ("data/mit-bih", "data/mit-bih-noise", "data/challenge-2017")
DATASETS = ("data/beats", "data/conducted", "data/rhythms")
MODELS = sorted(path.parent.name for path in (ROOT / "models").glob("*/manifest.json"))
PUSHED = (*DATA, *DATASETS, *(f"models/{name}" for name in MODELS))
without_the_right_keys = pytest.mark.parametrize(
    ("keys", "said"),
    [(NOBODY, "the host refuses these keys"), (None, "set AWS_ACCESS_KEY_ID")],
    ids=["wrong keys", "none"],
)


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


def run(s3: S3, keys: Keys | None, cwd: Path, *command: str) -> subprocess.CompletedProcess[str]:
    here = Path(sys.executable).parent
    environ = s3.environ(keys) | {"DVC_NO_ANALYTICS": "1", "COLUMNS": "200"}
    environ["PATH"] = f"{here}{os.pathsep}{environ['PATH']}"
    return subprocess.run(
        command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=600, check=False
    )


def done(s3: S3, keys: Keys | None, cwd: Path, *command: str) -> str:
    ended = run(s3, keys, cwd, *command)
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-4000:]
    return ended.stdout


def clone(s3: S3, source: Path, folder: Path) -> Path:
    done(s3, None, folder.parent, "git", "clone", "--quiet", str(source), str(folder))
    return folder


def digests(project: Path) -> dict[str, str]:
    return {
        str(path.relative_to(project)): hashlib.sha256(path.read_bytes()).hexdigest()
        for name in PUSHED
        for path in sorted((project / name).rglob("*"))
        if path.is_file()
    }


# Data, datasets and models


@pytest.fixture(scope="module")
def project(s3: S3, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with data, datasets and models, pushed to the bucket.

    With BEATWISE_MIRROR the first two are the real ones, made from archives in the bucket; without
    it they are made up, and the clone's dvc.lock says so.
    """
    made = clone(s3, ROOT, tmp_path_factory.mktemp("project") / "beatwise")
    done(s3, None, made, "dvc", "pull", "--quiet", "--remote", "bundled", "publish")
    if MIRROR:
        for archive in Path(MIRROR).glob("*.zip"):
            with archive.open("rb") as file:
                s3.put(f"archives/{archive.name}", file)
        mirror = f"BEATWISE_MIRROR=s3://{BUCKET}/archives"
        done(s3, READER, made, "env", mirror, "dvc", "repro", "download", "generate")
    else:
        generator = np.random.default_rng(5)
        for name in (*DATA, *DATASETS):
            (made / name).mkdir(parents=True)
            for n in range(30):
                (made / name / f"{n}.dat").write_bytes(generator.bytes(100_000))
        done(s3, None, made, "dvc", "commit", "--force", "download", "generate")
    identity = ("-c", "user.name=t", "-c", "user.email=t@t")
    done(s3, None, made, "git", *identity, "commit", "--quiet", "--allow-empty", "-am", "data")
    done(s3, WRITER, made, "dvc", "push", "--quiet", *PUSHED)
    return made


@pytest.mark.skipif(not MIRROR, reason="wants MIT-BIH: set BEATWISE_MIRROR to its archives' folder")
def test_a_mirror_in_s3_gives_the_data_and_datasets_that_dvc_lock_names(project: Path) -> None:
    locked = [yaml.safe_load((p / "dvc.lock").read_text())["stages"] for p in (ROOT, project)]
    for stage in ("generate", *(name for name in locked[0] if name.startswith("download"))):
        assert locked[1][stage]["outs"] == locked[0][stage]["outs"]


def test_a_fresh_clone_pulls_the_same_hashes_with_the_keys_of_a_reader(
    s3: S3, project: Path, tmp_path: Path
) -> None:
    fresh = clone(s3, project, tmp_path / "fresh")
    done(s3, READER, fresh, "dvc", "pull", "--quiet", *PUSHED)
    pulled = digests(fresh)
    assert pulled == digests(project)
    assert {name.split("/")[0] for name in pulled} == {"data", "models"}


def test_a_reader_cannot_push(s3: S3, project: Path) -> None:
    added = project / "data" / "mit-bih-noise" / "added.dat"
    added.write_bytes(b"added by a reader")
    try:
        done(s3, None, project, "dvc", "commit", "--force", "--quiet", "download")
        held = s3.etags("dvc/")
        ended = run(s3, READER, project, "dvc", "push", "data/mit-bih-noise")
        assert ended.returncode != 0
        assert "denied" in (ended.stdout + ended.stderr).lower()
        assert s3.etags("dvc/") == held
    finally:
        added.unlink()
        done(s3, None, project, "git", "checkout", "--quiet", "dvc.lock")


@pytest.mark.parametrize(
    ("keys", "said"), [(NOBODY, "forbidden"), (None, "credentials")], ids=["wrong keys", "none"]
)
def test_keys_that_do_not_fit_are_refused_in_words(
    s3: S3, project: Path, tmp_path: Path, keys: Keys | None, said: str
) -> None:
    fresh = clone(s3, project, tmp_path / "fresh")
    ended = run(s3, keys, fresh, "dvc", "pull", "models/convxgb")
    assert ended.returncode != 0
    assert said in (ended.stdout + ended.stderr).lower()
    assert not (fresh / "models" / "convxgb").exists()


def test_a_killed_server_loses_nothing_that_was_pushed(
    s3: S3, project: Path, tmp_path: Path
) -> None:
    held = s3.etags()
    s3.kill()
    fresh = clone(s3, project, tmp_path / "fresh")
    assert run(s3, READER, fresh, "dvc", "pull", "models/convxgb").returncode != 0
    s3.start()
    assert s3.etags() == held
    pulled = [name for name in PUSHED if name not in DATA]
    done(s3, READER, fresh, "dvc", "pull", "--quiet", *pulled)
    before = digests(project)
    assert digests(fresh) == {k: v for k, v in before.items() if not k.startswith(DATA)}


def test_a_broken_object_is_found_and_not_taken(s3: S3, project: Path, tmp_path: Path) -> None:
    graph = (project / "models" / "convxgb" / "lone.onnx").read_bytes()
    md5 = hashlib.md5(graph, usedforsecurity=False).hexdigest()
    key = f"dvc/files/md5/{md5[:2]}/{md5[2:]}"
    s3.put(key, bytes([graph[0] ^ 1]) + graph[1:])
    try:
        fresh = clone(s3, project, tmp_path / "fresh")
        ended = run(s3, READER, fresh, "dvc", "pull", "models/convxgb")
        assert ended.returncode != 0
        assert not (fresh / "models" / "convxgb" / "lone.onnx").exists()
    finally:
        s3.put(key, graph)


# Recordings


@pytest.fixture(scope="module")
def recording(s3: S3, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The example recording: the address of its header; the names of its files beside it."""
    folder = tmp_path_factory.mktemp("recording")
    shutil.unpack_archive(ROOT / "web" / "example" / "mitdb-208.zip", folder)
    s3.put_folder(folder, "recordings")
    header = next(folder.rglob("*.hea")).relative_to(folder)
    return f"s3://{BUCKET}/recordings/{header}"


def test_a_recording_in_s3_is_analysed_as_one_on_a_disk(
    s3: S3, recording: str, tmp_path: Path
) -> None:
    shutil.unpack_archive(ROOT / "web" / "example" / "mitdb-208.zip", tmp_path)
    header = next(tmp_path.rglob("*.hea"))
    answers = [
        done(s3, READER, ROOT, "beatwise", "analyse", name, "--json")
        for name in (recording, str(header))
    ]
    assert answers[0] == answers[1]
    assert '"n_samples":108000' in answers[0]


@without_the_right_keys
def test_a_recording_without_the_right_keys_says_what_is_missing(
    s3: S3, recording: str, keys: Keys | None, said: str
) -> None:
    ended = run(s3, keys, ROOT, "beatwise", "analyse", recording)
    assert (ended.returncode, said in ended.stderr) == (1, True), ended.stderr


def test_a_recording_that_is_not_there_says_so(s3: S3) -> None:
    ended = run(s3, READER, ROOT, "beatwise", "analyse", f"s3://{BUCKET}/recordings/none.edf")
    assert (ended.returncode, "nothing lies there" in ended.stderr) == (1, True), ended.stderr


# The service's models


@pytest.fixture(scope="module")
def models(s3: S3, made_up_models: Path) -> str:
    """The address of a folder of models, with the revision that it has."""
    s3.put_folder(made_up_models, "models")
    return f"s3://{BUCKET}/models@{revision(hashes_of(made_up_models))}"


def ready(s3: S3, models: str, keys: Keys | None) -> httpx.Response:
    settings = {k: v for k, v in s3.environ(keys).items() if k.startswith("AWS_")}
    with running(models, **settings) as (address, _):
        answer = _settled(address)
        beats = httpx.post(f"{address}/v1/beats", json=request())
    assert beats.status_code == answer.status_code
    return beats if beats.status_code == 200 else answer


def _settled(address: str) -> httpx.Response:
    """Return what /health/ready says once the models were brought, or could not be."""
    for _ in range(600):
        answer = httpx.get(f"{address}/health/ready")
        if "being loaded" not in answer.text:
            return answer
        time.sleep(0.1)
    pytest.fail(answer.text)


def test_the_service_takes_its_models_from_s3_and_leaves_nothing_behind(
    s3: S3, models: str, made_up_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    answer = ready(s3, models, READER)
    assert answer.status_code == 200
    manifest = (made_up_models / "convxgb" / "manifest.json").read_bytes()
    assert answer.json()["model"]["sha256"] == hashlib.sha256(manifest).hexdigest()
    assert [*tmp_path.iterdir()] == []


def test_models_of_another_revision_are_refused_by_name(s3: S3, models: str) -> None:
    address, _, found = models.partition("@")
    other = f"sha256:{'0' * 64}"
    reason = check_problem(ready(s3, f"{address}@{other}", READER), 503)["detail"]
    assert all(part in reason for part in (address, other, found))


def test_a_broken_model_in_s3_is_refused_by_the_name_of_its_file(
    s3: S3, models: str, made_up_models: Path
) -> None:
    graph = (made_up_models / "convxgb" / "lone.onnx").read_bytes()
    key = "models/convxgb/lone.onnx"
    s3.put(key, graph[:-1] + bytes([graph[-1] ^ 1]))
    try:
        assert "lone.onnx" in check_problem(ready(s3, models, READER), 503)["detail"]
    finally:
        s3.put(key, graph)


@without_the_right_keys
def test_without_the_right_keys_the_service_says_what_is_missing(
    s3: S3, models: str, keys: Keys | None, said: str
) -> None:
    assert said in check_problem(ready(s3, models, keys), 503)["detail"]


def test_an_address_without_models_says_so(s3: S3, models: str) -> None:
    nowhere = models.replace("/models@", "/nowhere@")
    assert "holds no folder" in check_problem(ready(s3, nowhere, READER), 503)["detail"]


def test_models_that_come_later_are_taken_then(s3: S3, made_up_models: Path) -> None:
    settings = {k: v for k, v in s3.environ(READER).items() if k.startswith("AWS_")}
    later = f"s3://{BUCKET}/later@{revision(hashes_of(made_up_models))}"
    with running(later, **settings) as (address, _):
        assert "holds no folder" in _settled(address).text
        s3.put_folder(made_up_models, "later")
        for _ in range(300):
            if httpx.get(f"{address}/health/ready").status_code == 200:
                return
            time.sleep(0.1)
    pytest.fail("the models came and were not taken")


# A host that lies


class Liar(BaseHTTPRequestHandler):
    """Lists one model, and sends a manifest without an end."""

    def do_HEAD(self) -> None:
        self._head(10)

    def do_GET(self) -> None:
        if "list-type" in self.path:
            self._list()
        else:
            self._head(2**40)
            with suppress(OSError):
                while True:
                    self.wfile.write(b" " * 2**20)

    def _list(self) -> None:
        name = self.path.split("prefix=")[1].split("&")[0].replace("%2F", "/")
        listed = (
            "<ListBucketResult><IsTruncated>false</IsTruncated>"
            f"<CommonPrefixes><Prefix>{name}one/</Prefix></CommonPrefixes>"
            f"<Contents><Key>{name}manifest.json</Key><Size>10</Size>"
            "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents></ListBucketResult>"
        ).encode()
        self._head(len(listed))
        self.wfile.write(listed)

    def _head(self, length: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


def test_a_host_without_an_end_takes_no_more_than_the_limit(s3: S3) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Liar) as liar:
        threading.Thread(target=liar.serve_forever, daemon=True).start()
        settings = {k: v for k, v in s3.environ(READER).items() if k.startswith("AWS_")}
        settings["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{liar.server_port}"
        with running(f"s3://bucket/models@sha256:{'0' * 64}", **settings) as (address, process):
            reason = check_problem(_settled(address), 503)["detail"]
            assert resident_mb(process.pid) < 400
        liar.shutdown()
    assert reason.startswith("s3://bucket/models")
