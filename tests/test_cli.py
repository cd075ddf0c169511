"""`beatwise analyse`, as it is typed."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import wfdb
from typer.testing import CliRunner, Result

from app.cli import program
from tests.test_detector import made

FS = 250.0
Analyse = Callable[..., Result]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A WFDB header; its samples and annotations lie beside it."""
    one = made(FS, 20.0)
    folder = {"write_dir": str(tmp_path)}
    wfdb.wrsamp("rec", FS, ["mV"], ["II"], one.signal[:, None], fmt=["16"], **folder)
    wfdb.wrann("rec", "atr", one.beats, ["N"] * len(one.beats), **folder)
    return tmp_path / "rec.hea"


@pytest.fixture
def analyse(made_up_models: Path) -> Analyse:
    def run(*words: object) -> Result:
        given = ["analyse", *map(str, words), "--models", str(made_up_models)]
        return CliRunner().invoke(program, given)

    return run


def test_a_header_brings_its_samples_and_annotations(analyse: Analyse, recording: Path) -> None:
    done = analyse(recording)
    assert done.exit_code == 0
    assert "WFDB 16, 250 Hz" in done.stdout
    assert "QRS Se 100.00 % +P 100.00 %" in " ".join(done.stdout.split())
    assert "not a medical device" in done.stdout


def test_json_goes_to_standard_output_and_nothing_else(analyse: Analyse, recording: Path) -> None:
    found = json.loads(analyse(recording, "--json").stdout)
    assert len(found["beats"]["sample"]) == len(made(FS, 20.0).beats)
    assert found["model"]["name"] == "convxgb"
    assert found["agreement"]["qrs"]["fn"] == 0


def test_files_are_written_where_they_are_wanted(
    analyse: Analyse, recording: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "folder"
    assert analyse(recording, "--json", "--csv", "--atr", "--out", out).exit_code == 0
    rows = (out / "rec.csv").read_text().splitlines()
    marks = wfdb.rdann(str(out / "rec"), "atr")
    beats = json.loads((out / "rec.json").read_text())["beats"]
    assert marks.sample.tolist() == beats["sample"]
    assert len(rows) == 1 + len(beats["sample"])


def test_several_recordings_are_analysed_and_a_bad_one_is_named(
    analyse: Analyse, recording: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.csv").write_text("no numbers\n")
    done = analyse(recording, tmp_path / "bad.csv", "--csv", "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert (tmp_path / "out" / "rec.csv").is_file()
    assert "bad.csv" in done.stderr
    assert not (tmp_path / "out" / "bad.csv").exists()


def test_samples_named_beside_their_header_are_one_recording(
    analyse: Analyse, recording: Path
) -> None:
    done = analyse(recording, recording.with_suffix(".dat"), recording.with_suffix(".atr"), "--csv")
    assert done.exit_code == 0
    assert done.stdout.startswith("sample,")


def test_a_table_takes_its_rate_from_the_option(analyse: Analyse, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    np.savetxt(path, made(FS, 20.0).signal, fmt="%.4f")
    assert "fs" in analyse(path).stderr
    done = analyse(path, "--fs", 250, "--unit", "mV", "--json")
    assert json.loads(done.stdout)["record"]["fs"] == 250


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--csv", "--atr"], "--out"),
        (["--out", "x"], "--out"),
        (["--age", 40], "--age"),
        (["--advice", "--age", 121], "--age"),
        (["--advice", "--age", "x"], "--age"),
    ],
)
def test_options_that_cannot_be_meant_are_refused_before_anything_is_read(
    analyse: Analyse, recording: Path, words: list[object], named: str
) -> None:
    done = analyse(recording, *words)
    assert done.exit_code == 2
    assert named in done.stderr
    assert done.stdout == ""


def test_a_missing_file_and_a_missing_model_are_named(analyse: Analyse, tmp_path: Path) -> None:
    done = analyse(tmp_path / "none.edf")
    assert done.exit_code == 1
    assert "none.edf" in " ".join(done.stderr.split())
    done = analyse(tmp_path / "none.edf", "--model", "other")
    assert done.exit_code == 2
    assert "other" in done.stderr


def test_advice_is_printed_under_the_summary_when_asked_for(
    analyse: Analyse, recording: Path
) -> None:
    title = "What people usually do next"
    assert title not in analyse(recording).stdout
    done = " ".join(analyse(recording, "--advice", "--age", 9).stdout.split())
    summary, text = done.split(title)
    assert "heart rate" in summary
    assert "under 18" in text
    assert "not a medical device" in text
    assert "doi:10." in text


def test_advice_is_in_the_json_when_asked_for(analyse: Analyse, recording: Path) -> None:
    assert json.loads(analyse(recording, "--json").stdout)["advice"] is None
    found = json.loads(analyse(recording, "--json", "--advice").stdout)["advice"]
    assert found["age_band"] == "unknown"
    assert found["lines"][0]["finding"] == "symptoms"


def test_the_installed_command_runs(recording: Path, made_up_models: Path) -> None:
    command = shutil.which("beatwise", path=str(Path(sys.executable).parent))
    assert command
    words = [command, "analyse", str(recording), "--csv", "--models", str(made_up_models)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("sample,")
    assert done.stderr == ""


@pytest.mark.parametrize(
    "name", ["s3://", "s3://bucket", "s3://bucket/", "S3:///key", "s3://a@b/c"]
)
def test_an_address_that_names_no_file_is_refused(analyse: Analyse, name: str) -> None:
    done = analyse(name)
    assert (done.exit_code, "s3://bucket/key is wanted" in done.stderr) == (2, True)


@pytest.mark.parametrize("option", ["--out", "--models"])
def test_folders_in_s3_are_refused_where_one_of_this_machine_is_wanted(
    recording: Path, option: str
) -> None:
    given = ["analyse", str(recording), "--json", option, "s3://bucket/folder"]
    done = CliRunner().invoke(program, given)
    assert (done.exit_code, "a folder of this machine" in done.stderr) == (2, True)


def test_two_recordings_of_one_name_do_not_replace_each_other(
    analyse: Analyse, recording: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for path in (recording, recording.with_suffix(".dat")):
        shutil.copy(path, other)
    done = analyse(recording, other / recording.name, "--json", "--out", tmp_path / "out")
    assert (done.exit_code, "two recordings are named rec" in done.stderr) == (2, True)
    assert not (tmp_path / "out").exists()
