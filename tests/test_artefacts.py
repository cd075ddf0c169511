"""A folder of models: its one revision, pinned and verified; what asks whether they are ready."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app import probe, remote
from app.cli import program
from app.pinned import bring, revision
from app.service import load_models
from app.settings import Pinned
from ecg.errors import ArtefactError
from tests.conftest import ROOT, hashes_of, running, write_made_up_artefact


@pytest.fixture
def folder(made_up_models: Path, tmp_path: Path) -> Path:
    shutil.copytree(made_up_models, tmp_path / "models")
    write_made_up_artefact(tmp_path / "models" / "other")
    return tmp_path / "models"


def test_the_revision_is_what_sha256sum_tells(folder: Path) -> None:
    command = "LC_ALL=C; sha256sum */manifest.json | sha256sum"
    told = subprocess.check_output(["bash", "-c", command], cwd=folder, text=True)
    assert revision(hashes_of(folder)) == f"sha256:{told.split()[0]}"


def test_the_revision_pins_every_file_and_every_name(folder: Path) -> None:
    before = revision(hashes_of(folder))
    card = json.loads((folder / "other" / "manifest.json").read_text())
    assert set(card["files"]) == {p.name for p in (folder / "other").iterdir()} - {"manifest.json"}
    (folder / "other").rename(folder / "renamed")
    assert revision(hashes_of(folder)) != before


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "docs/operations.md"])
def test_what_pins_models_pins_those_of_this_commit(name: str) -> None:
    # Digests of images stand behind their tag and @, never behind a name of models.
    pins = re.findall(r"(?:REVISION=|models@)(sha256:[0-9a-f]{64})", (ROOT / name).read_text())
    assert {*pins} == {revision(hashes_of(ROOT / "models"))}


def test_a_pinned_folder_is_served_and_another_revision_is_not(folder: Path) -> None:
    pinned = Pinned(str(folder), revision(hashes_of(folder)))
    assert {*load_models(pinned).every} == {"convxgb", "other"}
    manifest = folder / "other" / "manifest.json"
    card = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**card, "protocols": {"inter_patient": {}}}))
    assert not load_models(folder).reason
    reason = load_models(pinned).reason
    assert pinned.revision in reason
    assert "manifest.json was altered" in reason


def test_a_pinned_folder_without_models_says_so(tmp_path: Path) -> None:
    assert "convxgb/manifest.json is missing" in load_models(Pinned(str(tmp_path), "x")).reason


@pytest.mark.parametrize("name", ["../evil", "a/b", "", ".hidden", "x" * 101])
def test_a_manifest_brings_no_file_from_elsewhere(tmp_path: Path, name: str) -> None:
    manifest = json.dumps({"files": {name: "0" * 64}}).encode()
    with pytest.raises(ArtefactError, match="no plain name"):
        bring(tmp_path / "source", manifest, tmp_path / "into" / "model")
    assert not (tmp_path / "into").exists()


@pytest.mark.parametrize("text", [b"", b"[]", b'{"files": 3}', b"\xff"])
def test_what_is_no_manifest_brings_nothing(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(ArtefactError, match="not a manifest"):
        bring(tmp_path / "source", text, tmp_path / "model")
    assert not (tmp_path / "model").exists()


# The command line


def test_models_are_listed_with_their_hashes_and_the_revision(folder: Path) -> None:
    done = CliRunner().invoke(program, ["models", str(folder)])
    assert done.exit_code == 0
    manifest = (folder / "other" / "manifest.json").read_bytes()
    assert hashlib.sha256(manifest).hexdigest() in done.stdout
    assert f"revision {revision(hashes_of(folder))}" in done.stdout


def test_models_of_another_revision_than_expected_fail(folder: Path) -> None:
    found = revision(hashes_of(folder))
    given = ["models", str(folder), "--expect"]
    assert CliRunner().invoke(program, [*given, found]).exit_code == 0
    assert CliRunner().invoke(program, [*given, f"sha256:{'0' * 64}"]).exit_code == 2


def test_a_broken_model_fails_with_the_name_of_its_file(folder: Path) -> None:
    (folder / "other" / "lone.onnx").write_bytes(b"x")
    done = CliRunner().invoke(program, ["models", str(folder)])
    assert (done.exit_code, "lone.onnx" in done.stderr) == (2, True)


def test_an_address_without_s3fs_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "upath", None)
    with pytest.raises(remote.RemoteError, match=r"pip install 'beatwise\[s3\]'"):
        remote.open_path("s3://bucket/100.hea")


# The probe


def probed(port: int) -> subprocess.CompletedProcess[str]:
    environ = {"BEATWISE_HOST": "0.0.0.0", "BEATWISE_PORT": str(port)}
    command = [sys.executable, "-m", "app.probe"]
    return subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=30, check=False
    )


def test_the_probe_tells_ready_from_not_ready_and_from_nobody(folder: Path) -> None:
    with running(folder) as (address, _):
        done = probed(int(address.rsplit(":", 1)[1]))
        assert (done.returncode, "ready" in done.stdout) == (0, True)
    (folder / "other" / "lone.onnx").unlink()
    with running(folder) as (address, _):
        done = probed(int(address.rsplit(":", 1)[1]))
        assert (done.returncode, "lone.onnx" in done.stdout) == (1, True)
    assert probed(1).returncode == 1


def test_the_probe_imports_neither_numpy_nor_a_framework() -> None:
    code = "import sys, app.probe; print({'numpy', 'fastapi', 'onnxruntime'} & {*sys.modules})"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True) == "set()\n"


def test_the_probe_asks_whom_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEATWISE_PORT", "no port")
    assert probe.main() == 1
