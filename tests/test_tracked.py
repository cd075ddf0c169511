"""What `track` tells MLflow of a model: figures, parameters, plots, pins."""

import ast
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline import tracked
from pipeline.dataset import CONVXGB
from tests.conftest import ROOT

SCORES = {"accuracy": 0.9, "V": {"f1": 0.8, "n": 20}, "interval_95": {"V_f1": [0.7, 0.9]}}
METRICS: dict[str, Any] = {
    "beats": {
        "convxgb": {"inter_patient": SCORES, "inter_patient_lone_beat": {"accuracy": 0.7}},
        "svm": {"inter_patient": {"accuracy": 0.8}},
    },
    "folds": {
        "convxgb": {
            "records": {"V_f1": {"mean": 0.8, "spread": 0.1}, "confusion": [[1, 0], [0, 1]]}
        }
    },
    "by_patient": {"convxgb": {"50 to 64": {"accuracy": 0.6}}},
    "in_noise": {"convxgb": {"em": {"-6_db": {"accuracy": 0.5}}}},
    "qrs": {"with_noise": {"em": {"se": 0.9}}},
    "rhythm": {
        "svm": {"score": {"mean": 0.7, "spread": 0.02}, "confusion": [[1, 0], [0, 1]]},
        "rhythm": {
            "~_f1": {"mean": 0.6, "spread": 0.03},
            "by_length": {"0 to 15 s": {"recordings": 9, "score": 0.7}},
            "mit-bih": {"by_record": {"100": {"found": 3.0}}, "all": {"se": 0.9}},
        },
        "crnn": {"score": {"mean": 0.75, "spread": 0.01}},
        "length-alone": {"score": {"mean": 0.3, "spread": 0.01}},
    },
}
DOCUMENT = yaml.safe_load((ROOT / "params.yaml").read_text())


def test_figures_are_named_by_protocol_and_score() -> None:
    assert tracked.figures(METRICS, "convxgb") == {
        "inter_patient.accuracy": 0.9,
        "inter_patient.V.f1": 0.8,
        "inter_patient.V.n": 20,
        "inter_patient.interval_95.V_f1.low": 0.7,
        "inter_patient.interval_95.V_f1.high": 0.9,
        "inter_patient_lone_beat.accuracy": 0.7,
        "folds.records.V_f1.mean": 0.8,
        "folds.records.V_f1.spread": 0.1,
        "by_patient.50 to 64.accuracy": 0.6,
        "in_noise.em.-6_db.accuracy": 0.5,
    }


def test_a_model_without_figures_has_none() -> None:
    assert tracked.figures(METRICS, "svm") == {"inter_patient.accuracy": 0.8}
    assert tracked.figures(METRICS, "lstm") == {}


def test_models_of_beats_and_of_the_rhythm_have_their_own_figures() -> None:
    assert tracked.figures(METRICS, "rhythm-svm") == {"score.mean": 0.7, "score.spread": 0.02}
    assert tracked.figures(METRICS, "rhythm") == {
        "noise_f1.mean": 0.6,
        "noise_f1.spread": 0.03,
        "by_length.0 to 15 s.recordings": 9,
        "by_length.0 to 15 s.score": 0.7,
        "mit-bih.by_record.100.found": 3.0,
        "mit-bih.all.se": 0.9,
    }
    assert tracked.figures({"beats": METRICS["beats"]}, "rhythm-svm") == {}


def test_names_hold_what_mlflow_takes() -> None:
    (name,) = tracked.figures({"beats": {"svm": {"a/b:c(d)": 1.0}}}, "svm")
    assert name == "a_b_c_d_"


def test_a_model_has_its_own_parameters_and_those_of_all() -> None:
    served = tracked.parameters(DOCUMENT, CONVXGB)
    assert served["train.trees.max_depth"] == str(DOCUMENT["train"]["trees"]["max_depth"])
    assert not any(key.startswith("model.") for key in served)
    other = tracked.parameters(DOCUMENT, "svm")
    assert other["model.kind"] == "svm"
    assert other["model.gamma"] == str(DOCUMENT["models"]["svm"]["gamma"])
    assert json.loads(other["train.folds"]) == DOCUMENT["train"]["folds"]
    assert not any(key.startswith("train.trees") for key in other)
    assert served["generate.seed"] == other["generate.seed"] == str(DOCUMENT["generate"]["seed"])


def test_models_of_beats_and_of_the_rhythm_have_their_own_parameters() -> None:
    svm = tracked.parameters(DOCUMENT, "rhythm-svm")
    assert svm["model.gamma"] == str(DOCUMENT["rhythm_models"]["svm"]["gamma"])
    assert {key.split(".")[0] for key in svm} == {"rhythm", "model"}
    crnn = tracked.parameters(DOCUMENT, "rhythm-crnn")
    assert {key.split(".")[0] for key in crnn} == {"rhythm", "rhythm_network"}
    served = tracked.parameters(DOCUMENT, "rhythm")
    assert {key.split(".")[0] for key in served} == {"rhythm", "rhythm_network", "model", "export"}
    for name in ("svm", CONVXGB):
        assert not any(key.startswith("rhythm") for key in tracked.parameters(DOCUMENT, name))


def test_a_plot_of_one_model_is_not_shown_as_that_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reports").mkdir()
    of_beats, of_rhythm = ["inter_patient_roc.png"], ["rhythm_confusion.png", "rhythm_f1.png"]
    for name in (*of_beats, *of_rhythm, "models_f1.png", "models.md"):
        (tmp_path / "reports" / name).touch()
    shown = {
        name: [plot.name for plot in tracked.plots(name)]
        for name in ("svm", CONVXGB, "rhythm-svm", "rhythm")
    }
    assert shown["svm"] == ["models_f1.png"]
    assert shown[CONVXGB] == [*of_beats, "models_f1.png"]
    assert shown["rhythm-svm"] == ["rhythm_f1.png"]
    assert shown["rhythm"] == of_rhythm


def test_a_registered_model_is_pinned_to_what_the_service_runs() -> None:
    service = (ROOT / "requirements" / "service.lock").read_text()
    pinned = tracked.pinned(ROOT / "requirements" / "tracking.lock")
    assert {one.split("==")[0] for one in pinned} == {*tracked.NEEDED}
    for one in pinned:
        if not one.startswith(("mlflow", "pandas")):
            assert re.search(rf"^{re.escape(one)}\s", service, re.MULTILINE)


def test_what_the_service_runs_on_is_what_tracking_runs_on() -> None:
    def versions(name: str) -> dict[str, str]:
        text = (ROOT / "requirements" / name).read_text()
        return dict(re.findall(r"^([^\s=]+)==([^\s\\]+) ", text, re.MULTILINE))

    service, tracking = versions("service.lock"), versions("tracking.lock")
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {re.split(r"[<>=;]", one)[0] for one in wanted} <= service.keys() & tracking.keys()
    for name in service.keys() & tracking.keys():
        assert service[name] == tracking[name]


def test_nothing_else_imports_mlflow() -> None:
    modules = [
        m
        for part in ("ecg", "app", "pipeline", "benchmarks")
        for m in Path(ROOT, part).rglob("*.py")
    ]
    found = {module.name for module in modules if "mlflow" in _imported(module)}
    assert found == {"track.py", "tracked_model.py", "tracked_rhythm.py"}
    assert "mlflow" not in (ROOT / "requirements" / "dev.lock").read_text()


def _imported(module: Path) -> set[str]:
    tree = list(ast.walk(ast.parse(module.read_text())))
    whole = {alias.name for node in tree if isinstance(node, ast.Import) for alias in node.names}
    parts = {node.module or "" for node in tree if isinstance(node, ast.ImportFrom)}
    return {name.split(".")[0] for name in whole | parts}
