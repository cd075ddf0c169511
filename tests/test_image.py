"""The image as an operator runs it: read-only, without privileges, and with what it must refuse."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from app import __version__
from app.main import create_app
from app.pinned import revision
from app.settings import Settings
from tests.asking import answer_while_stopping, check_problem
from tests.conftest import ROOT, hashes_of, inside
from tests.containers import Container, container, docker, run_once
from tests.s3_server import BUCKET, NOBODY, READER, s3_server

IMAGE = os.environ.get("BEATWISE_IMAGE", "")
pytestmark = [pytest.mark.image, pytest.mark.timeout(300)]
MODELS = ROOT / "models"
EXAMPLE = ROOT / "web" / "example" / "mitdb-208.zip"


@pytest.fixture(scope="module")
def running() -> Iterator[Container]:
    with container(IMAGE) as started:
        started.wait_for("healthy")
        yield started


def answers(running: Container, path: str, sent: object = None, **body: Any) -> list[Any]:
    """Return the answers of the container and of this process, without the time they took."""
    with inside(create_app(Settings(MODELS))) as ask:
        here = ask("POST", path, sent, **body)
    there = httpx.post(f"{running.address}{path}", json=sent, timeout=60, **body)
    assert (there.status_code, here.status_code) == (200, 200)
    return [{**answer.json(), "timing_ms": None} for answer in (there, here)]


def test_a_real_beat_is_answered_as_in_this_process(running: Container) -> None:
    beat = json.loads((ROOT / "docs" / "example.json").read_text())
    there, here = answers(running, "/v1/beats", beat)
    assert there == here
    assert there["beats"][0]["aami_class"] == "N"


def test_a_real_recording_is_answered_as_in_this_process(running: Container) -> None:
    files = {"files": (EXAMPLE.name, EXAMPLE.read_bytes())}
    there, here = answers(running, "/v1/records?proba=true&explain=true", files=files)
    assert there == here
    assert len(there["beats"]["sample"]) > 400


def test_an_upload_of_megabytes_wants_no_folder_to_write_to(running: Container) -> None:
    rows = "\n".join(f"{(n % 250) / 250:.6f}" for n in range(500_000))
    answer = httpx.post(
        f"{running.address}/v1/records?fs=250&unit=mV",
        files={"files": ("long.csv", rows)},
        timeout=120,
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["record"]["n_samples"] == 500_000


@pytest.mark.parametrize("path", ["/", "/beats", "/models", "/docs", "/metrics", "/openapi.json"])
def test_its_pages_are_there(running: Container, path: str) -> None:
    assert httpx.get(f"{running.address}{path}").status_code == 200


def test_it_is_a_user_without_a_name_and_without_a_shell(running: Container) -> None:
    who = "import os; print(os.getuid(), os.getgid())"
    assert docker("exec", running.name, "python", "-c", who) == "65532 65532"
    for shell in ("sh", "bash", "/bin/sh"):
        with pytest.raises(subprocess.CalledProcessError):
            docker("exec", running.name, shell, "-c", "true")


def test_it_holds_nothing_that_installs_or_trains(running: Container) -> None:
    code = (
        "from importlib.util import find_spec as f; "
        "print(*(n for n in ('pip', 'setuptools', 'tensorflow', 'xgboost', 'dvc') if f(n)))"
    )
    assert docker("exec", running.name, "python", "-c", code) == ""


def test_its_labels_name_versions_and_models() -> None:
    labels = json.loads(docker("image", "inspect", IMAGE))[0]["Config"]["Labels"]
    commit = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=ROOT, text=True).strip()
    assert labels["org.opencontainers.image.version"] == __version__
    assert labels["org.opencontainers.image.revision"] == commit
    assert labels["beatwise.models.revision"] == revision(hashes_of(MODELS))


def test_it_takes_no_more_than_300_mb() -> None:
    assert json.loads(docker("image", "inspect", IMAGE))[0]["Size"] <= 300_000_000


def test_its_context_takes_no_more_than_20_mb() -> None:
    kept = [
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    ]
    files = [f for name in kept for f in [ROOT / name, *(ROOT / name).rglob("*")] if f.is_file()]
    assert len(files) > 100
    assert sum(f.stat().st_size for f in files if f.suffix != ".pyc") < 20_000_000


def test_the_command_line_reads_recordings_of_the_host(tmp_path: Path) -> None:
    shutil.unpack_archive(EXAMPLE, tmp_path)
    header = next(tmp_path.rglob("*.hea"))
    folder, name = header.parent, header.name
    (folder / name).chmod(0o644)
    folder.chmod(0o755)
    said = run_once(IMAGE, "beatwise", "analyse", f"/data/{name}", "--json", folder=folder)
    assert json.loads(said)["record"]["n_samples"] == 108_000


def test_sigterm_answers_the_request_under_way_and_exits_with_0() -> None:
    with container(IMAGE) as started:
        started.wait_for("healthy")
        answer = answer_while_stopping(
            started.address, lambda: docker("kill", "--signal", "TERM", started.name)
        )
        assert len(answer["beats"]) == 100
        assert docker("wait", started.name) == "0"


@pytest.mark.parametrize(
    ("file", "said"),
    [("convxgb/recording.onnx", "convxgb/recording.onnx"), ("svm/manifest.json", "manifest.json")],
)
def test_a_flipped_byte_is_never_ready_and_names_its_file(
    tmp_path: Path, file: str, said: str
) -> None:
    broken = tmp_path / "models"
    shutil.copytree(MODELS, broken)
    content = bytearray((broken / file).read_bytes())
    content[len(content) // 2] ^= 1
    (broken / file).write_bytes(content)
    with container(IMAGE, "-v", f"{broken}:/srv/beatwise/models:ro") as started:
        assert started.wait_for("healthy", "unhealthy") == "unhealthy"
        answer = httpx.get(f"{started.address}/health/ready")
        assert said in check_problem(answer, 503)["detail"]
        assert said in docker("logs", started.name)


@pytest.mark.skipif(not shutil.which("docker-compose"), reason="wants docker-compose on PATH")
def test_compose_starts_it_and_publishes_it_on_loopback(running: Container) -> None:
    port = urlsplit(running.address).port
    assert port is not None
    environ = {**os.environ, "IMAGE_TAG": IMAGE.partition(":")[2], "BEATWISE_PORT": str(port + 1)}
    compose = ["docker-compose", "--project-name", f"beatwise-{port}"]
    try:
        up = [*compose, "up", "--detach", "--no-build", "beatwise"]
        subprocess.run(up, cwd=ROOT, env=environ, check=True, capture_output=True)
        name = docker("ps", "--quiet", "--filter", f"name=beatwise-{port}_beatwise")
        Container(name, "", 0.0).wait_for("healthy")
        answer = httpx.get(f"http://127.0.0.1:{port + 1}/health/ready")
        assert len(answer.json()["models"]) == len(hashes_of(MODELS))
    finally:
        down = [*compose, "down", "--volumes"]
        subprocess.run(down, cwd=ROOT, env=environ, check=True, capture_output=True)


def test_it_takes_its_models_from_s3(tmp_path: Path) -> None:
    with s3_server(tmp_path) as s3:
        s3.put_folder(MODELS / "convxgb", "models/convxgb")
        one = {"convxgb": hashes_of(MODELS)["convxgb"]}
        pinned = f"BEATWISE_MODELS=s3://{BUCKET}/models@{revision(one)}"
        address = ("-e", f"AWS_ENDPOINT_URL={s3.endpoint}", "-e", "AWS_DEFAULT_REGION=us-east-1")
        writable = ("--tmpfs", "/tmp")  # noqa: S108 - of the container
        for keys, health in ((READER, "healthy"), (NOBODY, "unhealthy")):
            key = ("-e", f"AWS_ACCESS_KEY_ID={keys.access}")
            secret = ("-e", f"AWS_SECRET_ACCESS_KEY={keys.secret}")
            with container(IMAGE, *writable, "-e", pinned, *address, *key, *secret) as started:
                assert started.wait_for("healthy", "unhealthy") == health
                if health == "healthy":
                    served = httpx.get(f"{started.address}/health/ready").json()["models"]
                    assert served == ["convxgb"]
