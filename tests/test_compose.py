"""compose.yaml and what it mounts: contained, pinned, and for this machine alone."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml
from botocore.exceptions import ClientError

from tests.conftest import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OTHERS = sorted(SERVICES.keys() - {"beatwise"})
START = ROOT / "deploy" / "seaweedfs" / "start.sh"
PORT = 12_000 + os.getpid() % 8_000
"""The others follow from it, up to 11,555 higher; two runs at once must not meet."""
KEYS = {
    "S3_WRITER_KEY": "writer",
    "S3_WRITER_SECRET": "writer-secret-0123",
    "S3_READER_KEY": "reader",
    "S3_READER_SECRET": "reader-secret-0123",
}


def documents() -> str:
    return "\n".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))


def test_it_is_what_compose_reads() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    ran = subprocess.run([*command, "compose.yaml"], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.slow
def test_docker_compose_reads_every_profile() -> None:
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("docker-compose is not on PATH")
    for profile in {name for service in SERVICES.values() for name in service.get("profiles", [])}:
        command = [program, "--profile", profile, "config", "--quiet"]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_contained(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert not service.keys() & {"privileged", "cap_add", "network_mode", "pid", "devices"}


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_for_this_machine_alone(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert re.match(r"(127\.0\.0\.1|\$\{BEATWISE_HOST:-127\.0\.0\.1\}):", port)


@pytest.mark.parametrize("name", OTHERS)
def test_what_others_made_is_pinned_watched_and_asked_for(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[\w./-]+:v?\d[\w.]+@sha256:[0-9a-f]{64}", service["image"])
    assert service["healthcheck"]["test"][0].startswith("CMD")
    (profile,) = service["profiles"]
    assert f"| `{profile}` |" in documents()


def test_every_volume_that_is_written_to_is_a_named_one() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source, *rest = volume.split(":")
            assert rest[-1] == "ro" if source.startswith(".") else source in COMPOSE["volumes"]
            assert not source.startswith(".") or (ROOT / source).exists()


def test_no_key_or_password_has_a_value_here() -> None:
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            if re.search("SECRET|PASSWORD|KEY", key) and "RETRIEVAL" not in key:
                assert value is None or re.fullmatch(r"\$\{[A-Z0-9_]+:-\}", value), key


def test_every_variable_is_documented() -> None:
    text = (ROOT / "compose.yaml").read_text()
    passed_on = [k for k, v in SERVICES["beatwise"]["environment"].items() if v is None]
    for name in {*re.findall(r"(?<!\$)\$\{(\w+)", text), *passed_on}:
        assert f"`{name}`" in documents(), name


# SeaweedFS itself


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"S3_WRITER_KEY": ""}, "set S3_WRITER_KEY"),
        ({"S3_READER_SECRET": ""}, "set S3_READER_SECRET"),
        ({"S3_READER_SECRET": "short"}, "wants 16 characters"),
        ({"S3_READER_KEY": 'a", "actions": ["Admin'}, "takes letters, digits"),
        ({"S3_READER_KEY": "writer"}, "must differ"),
        ({"S3_BUCKET": "Models/x"}, "S3_BUCKET takes"),
    ],
    ids=str,
)
def test_seaweedfs_says_which_key_is_wanted(other: dict[str, str], said: str) -> None:
    environ = {"PATH": os.environ["PATH"], **KEYS, **other}
    ran = subprocess.run(["sh", str(START)], env=environ, capture_output=True, text=True)
    assert ran.returncode == 64
    assert said in ran.stderr
    assert "secret-0123" not in ran.stderr


@pytest.mark.slow
def test_the_writer_writes_and_the_reader_only_reads(tmp_path: Path) -> None:
    if shutil.which("wget") is None:
        pytest.skip("wget is not on PATH; the image has it")
    folders = {"DATA": tmp_path / "data", "RUN": tmp_path / "run"}
    for folder in folders.values():
        folder.mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    places = {name: str(folder) for name, folder in folders.items()}
    environ = {"PATH": path, "PORT": str(PORT), "BIND": "127.0.0.1", **places, **KEYS}
    with subprocess.Popen(["sh", str(START)], env=environ, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(folders["RUN"] / "bucket-is-there", process)
            writer, reader = _client("writer"), _client("reader")
            writer.put_object(Bucket="models", Key="a", Body=b"content")
            assert reader.get_object(Bucket="models", Key="a")["Body"].read() == b"content"
            with pytest.raises(ClientError, match="AccessDenied"):
                reader.put_object(Bucket="models", Key="b", Body=b"")
            with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
                _client("reader", "wrong").get_object(Bucket="models", Key="a")
        finally:
            process.terminate()
    assert (folders["RUN"] / "s3.json").stat().st_mode & 0o077 == 0


def _client(name: str, secret: str | None = None) -> Any:
    return botocore.session.get_session().create_client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{PORT}",
        region_name="us-east-1",
        aws_access_key_id=name,
        aws_secret_access_key=secret or f"{name}-secret-0123",
    )


def _wait_for(file: Path, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if file.exists():
            return
        assert process.poll() is None, "SeaweedFS ended"
        time.sleep(0.1)
    pytest.fail("SeaweedFS made no bucket in a minute")
