"""`make track`, with MLflow: what it has after, and what a registered model answers."""

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from ecg import classifier, rhythm
from ecg.aami import CLASSES
from ecg.analysis import RhythmBy, analyse
from ecg.beats import KACHUEE
from ecg.record import Record
from pipeline import tracked
from pipeline.dataset import CONVXGB
from tests.conftest import ROOT, made_up_beat, write_made_up_artefact
from tests.made_up_rhythm import irregular, signal_of, steady, write_made_up_rhythm
from tests.test_tracked import DOCUMENT, METRICS

KNOWN = """
import json, sys
import mlflow
import pandas as pd
client = mlflow.MlflowClient()
(experiment,) = [e for e in client.search_experiments() if e.name == "beatwise"]
runs = client.search_runs([experiment.experiment_id])
kachuee = mlflow.pyfunc.load_model("models:/beatwise-kachuee187/1")
print(json.dumps({
    "runs": {r.info.run_name: [r.data.metrics, r.data.params, r.data.tags] for r in runs},
    "n_runs": len(runs),
    "files": [f.path for r in runs for f in client.list_artifacts(r.info.run_id)],
    "versions": sorted([v.name, v.version] for v in client.search_model_versions()),
    "aliases": {m.name: m.aliases for m in client.search_registered_models()},
    "kachuee187": kachuee.predict(pd.DataFrame(json.load(sys.stdin))).to_dict("records"),
}))
"""

RHYTHMS = """
import json, sys
import mlflow
import pandas as pd
model = mlflow.pyfunc.load_model("models:/beatwise-rhythm/1")
def answer(rows):
    try:
        return model.predict(pd.DataFrame(rows)).to_dict("records")
    except Exception as error:
        return f"{type(error).__name__}: {error}"
print(json.dumps([answer(rows) for rows in json.load(sys.stdin)], allow_nan=False))
"""


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter that has MLflow."""
    given = os.environ.get("BEATWISE_TRACKING_PYTHON")
    # Not resolved: a link into an environment is how Python knows the environment.
    found = Path(given).absolute() if given else ROOT / ".venv-tracking" / "bin" / "python"
    if given is None and not found.is_file():
        pytest.skip("wants MLflow: `make .venv-tracking/.done`, or set BEATWISE_TRACKING_PYTHON")
    return found


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, made_up_models: Path) -> Path:
    """What `track` reads, with made-up artefacts: of beats, one without figures, and the rhythm."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("ecg", "pipeline", "requirements", "reports"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("params.yaml", "dvc.lock"):
        shutil.copy(ROOT / name, folder)
    (folder / "reports" / "metrics.json").write_text(json.dumps(METRICS))
    shutil.copytree(made_up_models / CONVXGB, folder / "models" / CONVXGB)
    write_made_up_artefact(folder / "models" / "kachuee187", (KACHUEE,))
    write_made_up_rhythm(folder / "models" / "rhythm")
    return folder


STORE = "store"
"""Of MLflow, and where models are loaded: away from `ecg/`, so that it can only be their own."""


def run(
    python: Path, project: Path, *arguments: str, inside: str = ".", sent: object = None
) -> str:
    done = subprocess.run(
        [str(python), *arguments],
        cwd=project / inside,
        env=environment(python, project),
        input=json.dumps(sent),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def environment(python: Path, project: Path) -> dict[str, str]:
    """Return an environment with MLflow's own commands first, and a store of this test."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "PYTHONPATH"))}
    return kept | {
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        "MLFLOW_TRACKING_URI": f"sqlite:///{project}/{STORE}/mlflow.db",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


@pytest.fixture(scope="module")
def said(python: Path, project: Path) -> tuple[str, str]:
    """What the first and the second run of `track` said."""
    first = run(python, project, "-m", "pipeline.track")
    return first, run(python, project, "-m", "pipeline.track")


@pytest.fixture(scope="module")
def known(python: Path, project: Path, said: tuple[str, str]) -> dict[str, Any]:
    """What MLflow has after both runs."""
    assert said[1]
    sent = [{"signal": beat, "fs": 125, "r_peak": 20} for beat in _beats()]
    answer = run(python, project, "-c", KNOWN, inside=STORE, sent=sent)
    found: dict[str, Any] = json.loads(answer)
    return found


@pytest.fixture(scope="module")
def served(python: Path, project: Path, said: tuple[str, str]) -> Iterator[str]:
    """The address of `mlflow models serve` on what the alias points at."""
    assert said[0]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(python), "-m", "mlflow", "models", "serve", "--env-manager", "local"]
    command += ["--model-uri", "models:/beatwise-convxgb@champion", "--port", str(port)]
    log = project / "serve.log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            command,
            cwd=project / STORE,
            env=environment(python, project),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            _wait_until_up(f"http://127.0.0.1:{port}/ping", process, log)
            yield f"http://127.0.0.1:{port}/invocations"
        finally:
            # MLflow starts the server as a child: the group that was started here is both.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)


def _wait_until_up(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            httpx.get(address).raise_for_status()
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"mlflow models serve did not start: {log.read_text()[-4000:]}")


def _beats() -> list[list[float]]:
    return [made_up_beat(seconds=1.0 + 0.1 * (i % 3), shift_s=0.03 * i - 0.1) for i in range(8)]


@pytest.mark.slow
def test_every_model_that_is_there_is_logged_and_registered(
    said: tuple[str, str], known: dict[str, Any], project: Path
) -> None:
    assert "models/svm is missing" in said[0]
    names = ("beatwise-convxgb", "beatwise-kachuee187", "beatwise-rhythm")
    assert known["versions"] == [[name, 1] for name in names]
    metrics, params, tags = known["runs"]["convxgb"]
    assert metrics == tracked.figures(METRICS, "convxgb")
    assert params == tracked.parameters(DOCUMENT, "convxgb")
    assert tags["manifest_sha256"] == classifier.load(project / "models" / CONVXGB).sha256
    assert {"ecg_sha256", "dvc_lock_md5"} <= tags.keys()
    assert known["runs"]["kachuee187"][0] == {}
    assert {"plots", "manifest.json"} <= {*known["files"]}


@pytest.mark.slow
def test_the_rhythm_is_tracked_with_the_models_that_it_is_compared_with(
    said: tuple[str, str], known: dict[str, Any], project: Path
) -> None:
    for name in ("rhythm", "rhythm-svm", "rhythm-crnn"):
        metrics, params, _ = known["runs"][name]
        assert metrics == tracked.figures(METRICS, name)
        assert params == tracked.parameters(DOCUMENT, name)
    tags = known["runs"]["rhythm"][2]
    for tag, name in (("manifest_sha256", "rhythm"), ("convxgb_sha256", "convxgb")):
        card = project / "models" / name / "manifest.json"
        assert tags[tag] == hashlib.sha256(card.read_bytes()).hexdigest()
    assert "rhythm-random-forest: skipped, has no figures" in said[0]
    assert {*known["runs"]} == {"convxgb", "kachuee187", "rhythm", "rhythm-svm", "rhythm-crnn"}


@pytest.mark.slow
def test_mlflow_sends_no_telemetry(python: Path, project: Path, said: tuple[str, str]) -> None:
    assert said[0]
    script = f"""
from pipeline import track
track.open_store("sqlite:///{STORE}/mlflow.db")
from mlflow.telemetry import get_telemetry_client
assert get_telemetry_client() is None
"""
    # Without what tells MLflow to be silent, or that it is in a test or CI.
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    subprocess.run([str(python), "-c", script], cwd=project, env=kept, check=True, timeout=100)


@pytest.mark.slow
def test_tracking_the_same_again_adds_nothing(said: tuple[str, str], known: dict[str, Any]) -> None:
    assert "convxgb: skipped, is beatwise-convxgb version 1 already" in said[1]
    assert "rhythm: skipped, is beatwise-rhythm version 1 already" in said[1]
    assert "rhythm-svm: skipped, is run " in said[1]
    assert known["n_runs"] == len(known["runs"]) == 5


@pytest.mark.slow
def test_the_alias_points_at_the_promoted_model(known: dict[str, Any]) -> None:
    assert known["aliases"].pop("beatwise-convxgb") == {"champion": 1}
    assert known["aliases"] == {"beatwise-kachuee187": {}, "beatwise-rhythm": {}}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fs", "factor", "known_r_peak", "rr"),
    [
        (125, 1.0, False, None),
        (360.0, 1000, True, None),
        (250, -0.5, True, {"previous_s": 0.7, "next_s": 1, "local_mean_s": 0.9}),
    ],
)
def test_mlflow_answers_what_the_service_answers(
    served: str, client: httpx.Client, fs: float, factor: float, known_r_peak: bool, rr: Any
) -> None:
    whole = isinstance(factor, int)
    beats = [np.array(beat) * factor for beat in _beats()]
    signals = [beat.astype(int if whole else float).tolist() for beat in beats]
    r_peak = [60 if known_r_peak and i % 2 else None for i in range(len(signals))]
    body = {"fs": fs, "beats": signals, "r_peak": r_peak, "rr": [rr] * len(signals)}
    wanted = client.post("/v1/beats", json=body).raise_for_status().json()["beats"]
    rows = [
        {"signal": signal, "fs": fs, "r_peak": at, **(rr or {})}
        for signal, at in zip(signals, r_peak, strict=True)
    ]
    _same(_ask(served, rows), wanted)


@pytest.mark.slow
def test_rows_of_several_sampling_frequencies_keep_their_order(served: str) -> None:
    rows = [{"signal": beat, "fs": 125 if i % 2 else 250} for i, beat in enumerate(_beats())]
    alone = [_ask(served, [row])[0] for row in rows]
    for one, other in zip(_ask(served, rows), alone, strict=True):
        assert one == pytest.approx(other, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"signal": [1.0] * 160, "fs": 125}, "beats[0]: is a flat line"),
        ({"signal": made_up_beat(), "fs": 5}, "fs: is out of range; accepted: 100 to 2000 Hz"),
        ({"signal": made_up_beat(), "fs": None}, "fs: is out of range"),
        ({"signal": made_up_beat(), "fs": 125, "r_peak": 1.5}, "r_peak: is not a whole number"),
        ({"signal": made_up_beat(), "fs": 125, "r_peak": 900}, "r_peak[0]: lies outside its beat"),
        ({"signal": [*made_up_beat(), None], "fs": 125}, "holds a number beyond reach"),
    ],
)
def test_a_row_that_is_no_beat_is_refused_with_the_reason(
    served: str, row: dict[str, Any], reason: str
) -> None:
    answer = httpx.post(served, json={"dataframe_records": [row]}, timeout=60)
    assert answer.status_code == 400
    assert reason in answer.json()["stack_trace"]


@pytest.mark.slow
def test_the_other_view_is_registered_too(known: dict[str, Any], project: Path) -> None:
    ours = classifier.load(project / "models" / "kachuee187")
    cuts = [np.array(beat) for beat in _beats()]
    proba = ours.predict(ours.of_cuts(cuts, 125, [20] * len(cuts)))
    for row, expected in zip(known["kachuee187"], proba, strict=True):
        assert row["aami_class"] == CLASSES[int(expected.argmax())]
        assert [row[name] for name in CLASSES] == pytest.approx(expected.tolist(), abs=1e-6)


GOOD = {"signal": signal_of(irregular(50)).round(4).tolist(), "fs": 125.5}
RECORDINGS = [
    {"signal": (1000 * signal_of(steady(20))).astype(int).tolist(), "fs": 125},
    GOOD,
    {"signal": [*([None] * 200), *GOOD["signal"][200:]], "fs": 125},
    {"signal": [0.0] * 500, "fs": 125},
]
NO_RECORDINGS = [
    ({**GOOD, "fs": 5}, "fs[1]: is out of range; accepted: 100 to 2000 Hz"),
    ({**GOOD, "fs": None}, "fs[1]: is out of range; accepted: 100 to 2000 Hz"),
    ({"signal": [1.0] * 125, "fs": 125}, "signal[1]: lasts 1.0 s; accepted: 2 to 60 s"),
    ({"signal": [[0, 1]] * 500, "fs": 125}, "signal[1]: is no list of numbers; accepted: one lead"),
    ({"signal": [None] * 500, "fs": 125}, "signal[1]: has no finite sample"),
    ({"signal": [0, 1] * 3813, "fs": 125}, "signal[1]: lasts 61.0 s; accepted: up to 60 s"),
]


@pytest.fixture(scope="module")
def rhythms(python: Path, project: Path, said: tuple[str, str]) -> list[Any]:
    """What the registered model of the rhythm answers, each of the refused after a good one."""
    assert said[0]
    sent = [RECORDINGS, *([GOOD, row] for row, _ in NO_RECORDINGS)]
    found: list[Any] = json.loads(run(python, project, "-c", RHYTHMS, inside=STORE, sent=sent))
    return found


@pytest.mark.slow
def test_the_registered_rhythm_answers_what_the_service_answers(
    rhythms: list[Any], project: Path
) -> None:
    beats = classifier.load(project / "models" / CONVXGB)
    by = RhythmBy(rhythm.load(project / "models" / "rhythm"), beats)
    assert [row["rhythm"] for row in rhythms[0]] == ["N", "A", "A", "~"]
    for row, sent in zip(rhythms[0], RECORDINGS, strict=True):
        signal = np.array(sent["signal"], np.float32)[:, None]
        wanted = analyse(Record(signal, float(sent["fs"]), ("",), ""), beats, rhythm=by).rhythm
        assert wanted is not None
        proba = [None if np.isnan(p) else pytest.approx(p, abs=1e-5) for p in wanted.proba[0]]
        best = int(wanted.rhythm[0])
        named = {"rhythm": rhythm.RHYTHMS[best], "confidence": proba[best]}
        assert row == named | dict(zip(rhythm.RHYTHMS, proba, strict=True))


@pytest.mark.slow
def test_a_row_that_is_no_recording_is_refused_with_the_reason(rhythms: list[Any]) -> None:
    for answer, (_, reason) in zip(rhythms[1:], NO_RECORDINGS, strict=True):
        assert answer.startswith(f"InputError: {reason}")


def _ask(address: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    answer = httpx.post(address, json={"dataframe_records": rows}, timeout=60)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["predictions"]
    return found


def _same(rows: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> None:
    """Compare rows with the service's answers, which are rounded to six digits."""
    for row, one in zip(rows, wanted, strict=True):
        assert row["aami_class"] == one["aami_class"]
        assert row["confidence"] == pytest.approx(one["confidence"], abs=2e-6)
        assert {name: row[name] for name in CLASSES} == pytest.approx(one["proba"], abs=2e-6)
