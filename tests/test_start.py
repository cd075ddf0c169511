"""Starting and stopping: artefacts that must not serve, settings, SIGTERM."""

import asyncio
import json
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.types import Receive, Scope, Send

from app.guard import Guard
from app.main import create_app
from app.metrics import Metrics
from app.settings import Pinned, Settings, SettingsError, from_environ, known_keys
from tests.asking import COMPAT, answer_while_stopping, check_problem, request
from tests.conftest import (
    inside,
    running,
    write_golden,
    write_made_up_artefact,
    write_manifest,
)


@pytest.fixture
def artefact(made_up_models: Path, tmp_path: Path) -> Path:
    shutil.copytree(made_up_models / "convxgb", tmp_path / "convxgb")
    return tmp_path / "convxgb"


def reason_not_ready(folder: Path) -> str:
    with inside(create_app(Settings(folder.parent))) as ask:
        assert ask("GET", "/health/live").status_code == 200
        check_problem(ask("POST", "/v1/beats", request()), 503)
        check_problem(ask("POST", "/predict", [{"signal": COMPAT}]), 503)
        reason: str = check_problem(ask("GET", "/health/ready"), 503)["detail"]
    return reason


@pytest.mark.parametrize("name", ["recording.onnx", "lone.onnx", "golden.npz"])
def test_a_flipped_byte_is_never_ready(artefact: Path, name: str) -> None:
    content = bytearray((artefact / name).read_bytes())
    content[len(content) // 2] ^= 1
    (artefact / name).write_bytes(content)
    assert name in reason_not_ready(artefact)


@pytest.mark.parametrize("name", ["manifest.json", "recording.onnx", "lone.onnx", "golden.npz"])
def test_a_missing_file_is_never_ready(artefact: Path, name: str) -> None:
    (artefact / name).unlink()
    reason = reason_not_ready(artefact)
    assert name in reason
    assert "dvc pull" in reason


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"protocol": 1', "\x00"])
def test_a_broken_manifest_is_never_ready(artefact: Path, text: str) -> None:
    (artefact / "manifest.json").write_text(text)
    assert "manifest.json" in reason_not_ready(artefact)


def test_files_that_are_not_weights_are_never_ready(artefact: Path) -> None:
    (artefact / "recording.onnx").write_bytes(b"not weights")
    write_manifest(artefact)
    assert "recording.onnx" in reason_not_ready(artefact)


def test_an_artefact_of_another_name_is_never_ready(artefact: Path) -> None:
    write_manifest(artefact, name="other")
    assert "manifest.json" in reason_not_ready(artefact)


def test_golden_beats_of_another_class_are_never_ready(artefact: Path) -> None:
    with np.load(artefact / "golden.npz") as archive:
        golden = dict(archive)
    write_golden(artefact, {**golden, "proba": golden["proba"][:, ::-1]})
    write_manifest(artefact)
    assert "golden" in reason_not_ready(artefact)


def test_no_models_folder_is_never_ready(tmp_path: Path) -> None:
    reason = reason_not_ready(tmp_path / "nowhere" / "convxgb")
    assert "convxgb/manifest.json" in reason


def test_two_models_are_served_by_name(made_up_models: Path, tmp_path: Path) -> None:
    shutil.copytree(made_up_models / "convxgb", tmp_path / "convxgb")
    write_made_up_artefact(tmp_path / "other")
    with inside(create_app(Settings(tmp_path))) as ask:
        answer = ask("POST", "/v1/beats", request(model="other")).json()
        assert answer["model"]["name"] == "other"
        assert ask("POST", "/v1/beats", request()).json()["model"]["name"] == "convxgb"


# The process


def test_sigterm_answers_the_request_under_way_and_exits_with_0(made_up_models: Path) -> None:
    with running(made_up_models) as (address, process):
        answer = answer_while_stopping(address, lambda: process.send_signal(signal.SIGTERM))
        assert process.wait(60) == 0
    assert len(answer["beats"]) == 100


def test_what_is_cut_off_by_the_end_is_told_to_come_again() -> None:
    async def forever(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.sleep(3600)

    async def cut_off() -> list[Any]:
        sent: list[Any] = []
        told: asyncio.Queue[Any] = asyncio.Queue()

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/v1/beats", "headers": []}
        guard = Guard(forever, Settings(), Metrics())
        task = asyncio.create_task(guard(scope, told.get, send))
        await asyncio.sleep(0.05)
        task.cancel()
        await task
        return sent

    head, body = asyncio.run(cut_off())
    assert head["status"] == 503
    assert (b"retry-after", b"5") in head["headers"]
    assert "stopping" in json.loads(body["body"])["detail"]


def test_an_unknown_setting_names_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"BEATWISE_MODLES.*BEATWISE_MODELS"):
        from_environ({"BEATWISE_MODLES": "x"})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("MAX_BEATS", "0"),
        ("MAX_BODY_BYTES", "-1"),
        ("MAX_BEATS", "1e3"),
        ("LOG_LEVEL", "loud"),
        ("PORT", "65536"),
        ("PORT", "tcp://10.0.0.1:8000"),
        ("HOST", ""),
        ("MODELS", ""),
        ("MODELS", "s3://bucket/models"),
        ("MODELS", "s3://bucket/models@sha256:12"),
        ("MODELS", "models@sha256:abc"),
        ("MODELS", f"models@SHA256:{'0' * 64}"),
        ("MODELS", f"/@sha256:{'0' * 64}"),
        ("MODELS", f"s3://key:secret@bucket/models@sha256:{'0' * 64}"),
        ("MODELS", f"https://host/models@sha256:{'0' * 64}"),
    ],
)
def test_a_setting_of_another_kind_is_refused(key: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"BEATWISE_{key} must be"):
        from_environ({f"BEATWISE_{key}": value})


def test_settings_come_from_the_environment() -> None:
    assert from_environ({"PATH": "x", "BEATWISE_MIRROR": "x"}) == Settings()
    read = from_environ({"BEATWISE_MODELS": "m", "BEATWISE_MAX_BEATS": "5"})
    assert read == Settings(models=Path("m"), max_beats=5)
    read = from_environ({"BEATWISE_HOST": "::", "BEATWISE_PORT": "0"})
    assert (read.host, read.port) == ("::", 0)
    assert len(known_keys()) == 8


@pytest.mark.parametrize("address", ["s3://bucket/a/b", "/a folder/models", "models"])
def test_models_can_be_pinned_to_a_revision(address: str) -> None:
    revision = f"sha256:{'0123456789abcdef' * 4}"
    read = from_environ({"BEATWISE_MODELS": f"{address}@{revision}"})
    assert read.models == Pinned(address, revision)
