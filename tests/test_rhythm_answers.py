"""The rhythm as the API and the command line answer it."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from app.cli import program
from app.main import create_app
from app.record_schemas import RecordAnswer
from app.settings import Settings
from ecg import rhythm
from ecg.artefact import MANIFEST
from tests.asking import request
from tests.conftest import inside, write_made_up_artefact
from tests.made_up_rhythm import FS, irregular, signal_of, steady, write_made_up_rhythm

Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def models(made_up_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with made-up artefacts of beats and of the rhythm."""
    folder = tmp_path_factory.mktemp("with_rhythm")
    shutil.copytree(made_up_models / "convxgb", folder / "convxgb")
    write_made_up_artefact(folder / "other")
    write_made_up_rhythm(folder / "rhythm")
    return folder


@pytest.fixture(scope="module")
def ask(models: Path) -> Iterator[Ask]:
    with inside(create_app(Settings(models))) as asking:
        yield asking


def table(*intervals: NDArray[np.float64]) -> bytes:
    signal = signal_of(np.concatenate(intervals))
    return ("ECG (mV)\n" + "\n".join(f"{v:.4f}" for v in signal)).encode()


def answer(ask: Ask, content: bytes, **query: Any) -> dict[str, Any]:
    words = "&".join(f"{k}={v}" for k, v in {"fs": FS, **query}.items())
    sent = ask("POST", f"/v1/records?{words}", files={"files": ("rec.csv", content)})
    assert sent.status_code == 200, sent.text
    msgspec.json.decode(sent.content, type=RecordAnswer)
    found: dict[str, Any] = sent.json()
    return found


def test_a_short_recording_has_one_rhythm(ask: Ask) -> None:
    found = answer(ask, table(irregular(25)), proba="true")["rhythm"]
    assert found["class"] == "A"
    assert found["confidence"] == found["proba"]["A"] > 0.5
    assert found["parts"]["class"] == ["A"]
    assert found["af_burden_percent"] == 100
    assert found["model"]["name"] == "rhythm"
    assert sum(found["proba"].values()) == pytest.approx(1, abs=1e-3)
    assert {name: [of] for name, of in found["proba"].items()} == found["parts"]["proba"]


def test_a_long_recording_has_steps_burden_and_episodes(ask: Ask) -> None:
    found = answer(ask, table(steady(100), irregular(100)))["rhythm"]
    parts = found["parts"]
    assert parts["proba"] is None
    assert parts["begin_s"][:3] == [0, 10, 20]
    assert parts["class"].count("A") >= 8
    assert 30 < found["af_burden_percent"] < 70
    (begin,) = found["af_episodes"]["begin_s"]
    assert 80 <= begin <= 120


def test_the_rhythm_is_the_same_whichever_model_tells_the_beats(ask: Ask) -> None:
    content = table(irregular(25))
    assert answer(ask, content)["rhythm"] == answer(ask, content, model="other")["rhythm"]


def test_without_the_model_there_is_no_rhythm(made_up_models: Path) -> None:
    with inside(create_app(Settings(made_up_models))) as asking:
        assert answer(asking, table(steady(20)))["rhythm"] is None


def test_the_card_is_listed_and_the_model_takes_no_beats(ask: Ask) -> None:
    names = [card["name"] for card in ask("GET", "/v1/models").json()["models"]]
    assert names == ["convxgb", "other", "rhythm"]
    assert ask("GET", "/v1/models/rhythm").json()["classes"] == list(rhythm.RHYTHMS)
    assert ask("GET", "/health/ready").json()["models"] == names
    refused = ask("POST", "/v1/beats", request(model="rhythm"))
    assert refused.status_code == 422


def test_an_altered_model_of_the_rhythm_is_never_ready(models: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(models, tmp_path / "models"))
    path = folder / "rhythm" / rhythm.GRAPHS[1]
    path.write_bytes(path.read_bytes()[:-1])
    with inside(create_app(Settings(folder))) as asking:
        refused = asking("GET", "/health/ready")
        assert refused.status_code == 503
        assert rhythm.GRAPHS[1] in refused.text


@pytest.mark.parametrize(
    ("intervals", "words"),
    [([irregular(25)], "atrial fibrillation ("), ([steady(90), irregular(90)], "1 episode,")],
)
def test_the_command_line_prints_the_rhythm(
    models: Path, tmp_path: Path, intervals: list[NDArray[np.float64]], words: str
) -> None:
    path = tmp_path / "rec.csv"
    path.write_bytes(table(*intervals))
    given = ["analyse", str(path), "--fs", str(FS), "--models", str(models)]
    printed = " ".join(CliRunner().invoke(program, given).stdout.split())
    assert words in printed
    assert "rhythm 0.1.0" in printed
    found = json.loads(CliRunner().invoke(program, [*given, "--json"]).stdout)
    assert found["rhythm"]["model"]["name"] == "rhythm"


def test_the_command_line_tells_the_rhythm_only_where_it_has_a_place(
    models: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(models, tmp_path / "models"))
    (folder / "rhythm" / MANIFEST).write_text("{}")
    path = tmp_path / "rec.csv"
    path.write_bytes(table(irregular(25)))
    given = ["analyse", str(path), "--fs", str(FS), "--models", str(folder)]
    assert CliRunner().invoke(program, [*given, "--csv"]).exit_code == 0
    refused = CliRunner().invoke(program, [*given, "--json"])
    assert refused.exit_code != 0


def test_without_the_model_of_the_beats_it_looks_at_there_is_no_rhythm(
    models: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "models"
    shutil.copytree(models, folder, ignore=shutil.ignore_patterns("convxgb"))
    path = tmp_path / "rec.csv"
    path.write_bytes(table(irregular(25)))
    given = ["analyse", str(path), "--fs", str(FS), "--models", str(folder), "--model", "other"]
    printed = CliRunner().invoke(program, [*given, "--json"])
    assert printed.exit_code == 0, printed.stderr
    assert json.loads(printed.stdout)["rhythm"] is None
