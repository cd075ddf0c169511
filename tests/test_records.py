"""`/v1/records` and what goes with it, asked over HTTP as a client would."""

import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest
import wfdb
from numpy.typing import NDArray

from app.main import create_app
from app.record_schemas import RecordAnswer
from app.settings import Settings
from tests.asking import check_problem
from tests.conftest import inside
from tests.test_detector import made

FS = 250.0
SECONDS = 20.0
Files = list[tuple[str, tuple[str, bytes]]]


def sent(**files: bytes) -> Files:
    return [("files", (name.replace("_", "."), content)) for name, content in files.items()]


@pytest.fixture(scope="module")
def signal() -> NDArray[np.float64]:
    return made(FS, SECONDS).signal


@pytest.fixture(scope="module")
def table(signal: NDArray[np.float64]) -> bytes:
    rows = (f"{i / FS:.3f},{v:.4f}" for i, v in enumerate(signal))
    return ("time (s),ECG (mV)\n" + "\n".join(rows)).encode()


@pytest.fixture(scope="module")
def pair(signal: NDArray[np.float64]) -> dict[str, bytes]:
    counts = np.rint(signal * 200).astype("<i2")
    header = f"rec 1 250 {len(counts)}\nrec.dat 16 200(0)/mV 16 0 0 0 0 MLII\n"
    return {"rec_hea": header.encode(), "rec_dat": counts.tobytes()}


def upload(client: httpx.Client, files: Files, accept: str = "*/*", **query: Any) -> httpx.Response:
    return client.post("/v1/records", files=files, params=query, headers={"accept": accept})


def answer(client: httpx.Client, files: Files, **query: Any) -> dict[str, Any]:
    response = upload(client, files, **query)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


# What comes back


def test_the_answer_is_what_the_description_says(
    client: httpx.Client, pair: dict[str, bytes]
) -> None:
    response = upload(client, sent(**pair), proba="true", trace="true")
    found = msgspec.json.decode(response.content, type=RecordAnswer)
    n = len(made(FS, SECONDS).beats)
    assert len(found.beats.sample) == len(found.beats.time_s) == n
    assert found.beats.proba is not None
    assert len(found.beats.proba.N) == n
    assert found.record.lead == "MLII"
    assert found.summary is not None
    assert found.summary.beats == n
    assert found.trace is not None
    assert found.agreement is None


def test_a_wfdb_pair_a_zip_and_a_table_give_the_same_beats(
    client: httpx.Client, pair: dict[str, bytes], table: bytes
) -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in pair.items():
            archive.writestr(f"folder/{name.replace('_', '.')}", content)
    answers = [
        answer(client, sent(**pair)),
        answer(client, sent(any_zip=packed.getvalue())),
        answer(client, sent(any_csv=table)),
    ]
    samples = [np.array(found["beats"]["sample"]) for found in answers]
    assert len(samples[0]) > 20
    assert np.abs(samples[0] - samples[1]).max() == 0
    assert np.abs(samples[0] - samples[2]).max() <= 1


def test_probabilities_and_trace_come_when_asked_for(
    client: httpx.Client, pair: dict[str, bytes]
) -> None:
    found = answer(client, sent(**pair))
    assert found["beats"]["proba"] is None
    assert found["trace"] is None


def test_a_file_that_does_not_say_its_rate_asks_for_it(
    client: httpx.Client, signal: NDArray[np.float64]
) -> None:
    column = "\n".join(f"{v:.4f}" for v in signal).encode()
    problem = check_problem(upload(client, sent(a_txt=column)), 422)
    assert problem["errors"][0]["field"] == "fs"
    found = answer(client, sent(a_txt=column), fs=250, unit="mV")
    assert found["record"]["fs"] == 250
    assert found["record"]["unit"] == "mV"


def test_annotations_of_the_file_give_an_agreement(
    client: httpx.Client, pair: dict[str, bytes], tmp_path: Path
) -> None:
    beats = made(FS, SECONDS).beats
    wfdb.wrann("rec", "atr", beats, ["N"] * len(beats), write_dir=str(tmp_path))
    atr = (tmp_path / "rec.atr").read_bytes()
    found = answer(client, sent(**pair, rec_atr=atr))["agreement"]
    assert found["qrs"]["tp"] == len(beats)
    assert found["qrs"]["fn"] == found["qrs"]["fp"] == 0


def test_csv_has_a_row_a_beat(client: httpx.Client, pair: dict[str, bytes]) -> None:
    response = upload(client, sent(**pair), accept="text/csv")
    assert response.headers["content-type"].startswith("text/csv")
    header, *rows = response.text.splitlines()
    assert header.startswith("sample,time_s,aami_class,confidence,rr_s,quality,reason,proba_N")
    assert len(rows) == len(made(FS, SECONDS).beats)


def test_wfdb_reads_the_annotations_back(
    client: httpx.Client, pair: dict[str, bytes], tmp_path: Path
) -> None:
    expected = answer(client, sent(**pair))["beats"]
    response = upload(client, sent(**pair), accept="application/x-wfdb-annotation")
    (tmp_path / "rec.atr").write_bytes(response.content)
    read = wfdb.rdann(str(tmp_path / "rec"), "atr")
    assert read.sample.tolist() == expected["sample"]
    assert read.symbol == expected["aami_class"]
    assert read.fs == FS


def test_heartbeat_rows_are_classified_row_by_row(client: httpx.Client) -> None:
    t = np.arange(187) / 125
    row = np.exp(-((t / 0.02) ** 2)) + 0.3 * np.exp(-(((t - 0.25) / 0.05) ** 2))
    rows = [",".join(f"{v:.4f}" for v in row) + f",{label}" for label in (0, 0, 2)]
    found = answer(client, sent(mitbih_test_csv="\n".join(rows).encode()))
    assert found["record"]["format"] == "187-sample beats CSV"
    assert len(found["beats"]["aami_class"]) == 3
    assert found["beats"]["time_s"] == [None] * 3
    assert sum(map(sum, found["agreement"]["confusion"])) == 3
    assert sum(found["agreement"]["confusion"][2]) == 1
    assert found["summary"] is None


def test_heartbeat_rows_may_come_in_a_zip(client: httpx.Client) -> None:
    row = ",".join(f"{v:.4f}" for v in np.linspace(1, 0, 187))
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("folder/test.csv", f"{row}\n{row}\n")
    found = answer(client, sent(any_zip=packed.getvalue()))
    assert found["record"]["format"] == "187-sample beats CSV"
    assert len(found["beats"]["aami_class"]) == 2


# What is refused


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"fs": "nan"}, "fs"),
        ({"fs": "1"}, "fs"),
        ({"fs": "fast"}, "fs"),
        ({"unit": "kg"}, "unit"),
        ({"lead": "V9"}, "lead"),
        ({"model": "none"}, "model"),
        ({"trace": "maybe"}, "trace"),
        ({"frequency": "250"}, "query"),
    ],
)
def test_a_query_that_is_not_accepted_names_its_field(
    client: httpx.Client, pair: dict[str, bytes], query: dict[str, str], field: str
) -> None:
    problem = check_problem(upload(client, sent(**pair), **query), 422)
    (error,) = problem["errors"]
    assert error["field"] == field
    assert error["accepted"]


def test_a_query_given_twice_is_refused(client: httpx.Client, pair: dict[str, bytes]) -> None:
    response = client.post("/v1/records?fs=250&fs=360", files=sent(**pair))
    check_problem(response, 422)


def test_other_media_are_refused(client: httpx.Client, pair: dict[str, bytes]) -> None:
    check_problem(client.post("/v1/records", content=b"1,2,3"), 415)
    check_problem(upload(client, sent(**pair), accept="image/png"), 406)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (sent(a_csv=b""), "empty"),
        (sent(a_csv=b"hello world"), "no column of numbers"),
        (sent(a_hea=b"rec 1 250 1000\nrec.dat 16 200 16 0 0 0 0 I\n"), "rec.dat"),
        (sent(a_zip=b"PK\x03\x04 and nothing else"), "zip"),
        (sent(a_csv=b"1,2", b_csv=b"1,2"), "not one recording"),
    ],
)
def test_files_that_are_no_recording_are_refused(
    client: httpx.Client, files: Files, words: str
) -> None:
    problem = check_problem(upload(client, files), 422)
    assert words in problem["detail"]


def test_a_broken_body_another_field_and_no_file_are_refused(client: httpx.Client) -> None:
    kind = {"content-type": "multipart/form-data; boundary=x"}
    check_problem(client.post("/v1/records", content=b"nonsense", headers=kind), 400)
    check_problem(client.post("/v1/records", content=b"", headers=kind), 422)
    without = {"content-type": "multipart/form-data"}
    check_problem(client.post("/v1/records", content=b"", headers=without), 400)
    check_problem(client.post("/v1/records", files=[("file", ("a.csv", b"1"))]), 422)
    check_problem(client.post("/v1/records", data={"files": "1"}, files=[]), 415)
    twice = [("files", ("a/r.csv", b"1")), ("files", ("b/r.csv", b"2"))]
    check_problem(client.post("/v1/records", files=twice), 422)


def test_a_body_over_the_limit_of_recordings_is_refused(made_up_models: Path) -> None:
    settings = Settings(made_up_models, max_record_bytes=1000, max_body_bytes=500)
    with inside(create_app(settings)) as ask:
        large, fitting = sent(a_csv=b"x" * 2000), sent(a_csv=b"x" * 600)
        problem = check_problem(ask("POST", "/v1/records", files=large), 413)
        assert "1000 bytes" in problem["detail"]
        check_problem(ask("POST", "/v1/records", files=fitting), 422)
        check_problem(ask("POST", "/v1/annotations", {"fs": 250, "sample": [1] * 500}), 413)


# Annotations and limits


def test_corrected_labels_become_an_annotation_file(client: httpx.Client, tmp_path: Path) -> None:
    beats = {"fs": 250, "sample": [70, 270, 480], "aami_class": ["N", "V", "Q"]}
    notes = [None, "reviewed; model: N", ""]
    response = client.post("/v1/annotations", json={**beats, "note": notes})
    assert response.headers["content-type"] == "application/x-wfdb-annotation"
    (tmp_path / "r.atr").write_bytes(response.content)
    read = wfdb.rdann(str(tmp_path / "r"), "atr")
    assert read.sample.tolist() == beats["sample"]
    assert read.symbol == beats["aami_class"]
    assert read.aux_note == ["", "reviewed; model: N", ""]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"aami_class": ["N"]}, "aami_class"),
        ({"aami_class": ["N", "X"]}, "aami_class[1]"),
        ({"sample": [5, 1]}, "annotation"),
        ({"sample": [-1, 1]}, "sample[0]"),
        ({"note": ["x"]}, "note"),
        ({"note": ["\u2665", None]}, "annotation"),
        ({"fs": 1}, "fs"),
    ],
)
def test_annotations_that_are_not_accepted_name_their_field(
    client: httpx.Client, change: dict[str, Any], field: str
) -> None:
    good = {"fs": 250, "sample": [70, 270], "aami_class": ["N", "V"]}
    problem = check_problem(client.post("/v1/annotations", json={**good, **change}), 422)
    assert problem["errors"][0]["field"] == field


def test_the_limits_are_told(client: httpx.Client) -> None:
    found = json.loads(client.get("/v1/limits").content)
    assert found["max_record_bytes"] == 160 * 1024 * 1024
    assert found["fs"] == [100.0, 2000.0]
    assert found["max_hours"] == 48


def test_explanations_come_on_request(client: httpx.Client, table: bytes) -> None:
    files = sent(rec_csv=table)
    assert answer(client, files)["explanations"] is None
    found = answer(client, files, explain=True)
    why = msgspec.convert(found, RecordAnswer).explanations
    assert why is not None
    assert len(why.window) == len(why.beat) == len(why.context.rhythm)
    doubtful = [
        i
        for i, (name, confidence) in enumerate(
            zip(found["beats"]["aami_class"], found["beats"]["confidence"], strict=True)
        )
        if confidence is not None and (name != "N" or confidence < 0.9)
    ]
    assert why.beat == doubtful
