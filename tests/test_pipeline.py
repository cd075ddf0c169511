"""The stages: what each depends on, and the whole road on five records."""

import ast
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ecg import classifier, rhythm
from pipeline import dataset, publish
from tests.conftest import ROOT


def imported(module: Path) -> set[Path]:
    """Return the first-party modules that a module imports, at any depth."""
    found: set[Path] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            path = Path(name.replace(".", "/")).with_suffix(".py")
            if (ROOT / path).is_file():
                found |= {path} | imported(ROOT / path)
    return found


STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_what_it_imports_and_on_no_other_module(stage: str) -> None:
    main = Path(f"pipeline/{stage.replace('-', '_')}.py")
    one = STAGES[stage].get("do", STAGES[stage])
    named = {Path(dep) for dep in one["deps"] if dep.endswith(".py")}
    assert named == {main} | imported(ROOT / main)


def test_the_manifest_names_the_sources_that_make_an_answer() -> None:
    of_beats = imported(ROOT / "ecg" / "classifier.py") | {Path("ecg/classifier.py")}
    assert [f"ecg/{name}" for name in publish.SIGNAL_PATH] == sorted(map(str, of_beats))
    of_rhythm = imported(ROOT / "ecg" / "rhythm.py") | {Path("ecg/rhythm.py")}
    more = sorted(str(path) for path in of_rhythm - of_beats)
    assert [f"ecg/{name}" for name in publish.RHYTHM_PATH] == more


TINY: dict[str, dict[str, Any]] = {
    "generate": {"records": ["100", "102", "104", "208", "223"], "seed": 1, "jobs": 2},
    "train": {
        "seeds": [1, 2],
        "folds": [["208"], ["223"]],
        "compared_folds": 3,
        "network": {"epochs": 1, "conducted_beats": 500},
        "trees": {"shape_rounds": 5, "rhythm_rounds": 5},
    },
    "imbalance": {"model": "cascade"},
    "models": {
        "cascade": {"rounds": 5},
        "lstm": {"epochs": 1, "units": 8},
        "kachuee187": {"epochs": 1, "filters": [8, 8]},
    },
    "rhythm": {"folds": 3},
    "rhythm_network": {"epochs": 1, "filters": [4, 4, 4, 4], "units": 4},
    "rhythm_models": {"random-forest": {"trees": 5}, "rhythm": {"rounds": 5}},
}
MODELS = ("convxgb", *TINY["models"])
OF_RHYTHM = ("random-forest", "rhythm")
METHODS = ("none", "augmented")


def run_dvc(folder: Path, *arguments: str, **environment: str) -> str:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("BEATWISE_")}
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
    done = subprocess.run(
        ["dvc", *arguments],
        cwd=folder,
        env=environ | {"DVC_NO_ANALYTICS": "1"} | environment,
        capture_output=True,
        text=True,
        timeout=1500,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


def tiny_project(folder: Path) -> Path:
    """Copy what `dvc repro` needs, with parameters for minutes instead of hours."""
    for name in ("ecg", "pipeline", "samples"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())
    for stage in stages["stages"].values():
        if "model" in stage.get("matrix", {}):
            known = {*MODELS, dataset.RHYTHM}
            stage["matrix"]["model"] = [name for name in stage["matrix"]["model"] if name in known]
        if "method" in stage.get("matrix", {}):
            stage["matrix"]["method"] = list(METHODS)
    evaluated = {f"data/artefacts/{name}" for name in MODELS}
    stages["stages"]["evaluate"]["deps"] = [
        dep
        for dep in stages["stages"]["evaluate"]["deps"]
        if dep in evaluated or not dep.startswith("data/artefacts/")
    ]
    for name, kept in (("train", MODELS), ("train-rhythm", OF_RHYTHM)):
        foreach = stages["stages"][name]["foreach"]
        stages["stages"][name]["foreach"] = {key: foreach[key] for key in kept}
    (folder / "dvc.yaml").write_text(yaml.safe_dump(stages))
    document = yaml.safe_load((ROOT / "params.yaml").read_text())
    for section in ("models", "rhythm_models"):
        document[section] = {name: document[section][name] for name in TINY[section]}
    for section, values in TINY.items():
        for key, value in values.items():
            merged = {**document[section][key], **value} if isinstance(value, dict) else value
            document[section][key] = merged
    (folder / "params.yaml").write_text(yaml.safe_dump(document))
    run_dvc(folder, "init", "--no-scm", "--quiet")
    return folder


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.skipif(
    not os.environ.get("BEATWISE_MIRROR"),
    reason="wants MIT-BIH: set BEATWISE_MIRROR to a folder or address that holds its archive",
)
def test_the_whole_pipeline_runs_on_five_records(tmp_path: Path) -> None:
    mirror = os.environ["BEATWISE_MIRROR"]
    local = str(Path(mirror).resolve()) if Path(mirror).is_dir() else mirror
    project = tiny_project(tmp_path)
    run_dvc(project, "repro", BEATWISE_MIRROR=local)
    metrics = json.loads((project / "reports" / "metrics.json").read_text())
    of_convxgb = metrics["beats"]["convxgb"]
    for protocol in dataset.PROTOCOLS:
        assert {"accuracy", "macro_f1", "macro_f1_nsv", "j_kappa"} <= of_convxgb[protocol].keys()
        assert set(of_convxgb[protocol]["V"]) == {"se", "ppv", "f1", "n"}
    for section in ("beats", "folds", "by_patient", "conditions", "in_noise"):
        assert {*metrics[section]} == {*MODELS}
    assert {*metrics["imbalance"]["cascade"]} == {*METHODS}
    for name in MODELS:
        served = classifier.load(project / "models" / name)
        served.replay()
        assert served.card["protocols"] == metrics["beats"][name]
    assert {*metrics["rhythm"]} == {*OF_RHYTHM, "crnn", "length-alone"}
    of_rhythm = rhythm.load(project / "models" / "rhythm")
    of_rhythm.replay()
    assert of_rhythm.card["protocols"]["mit-bih"] == metrics["rhythm"]["rhythm"]["mit-bih"]["all"]
    assert len((project / "examples" / "random_beats.csv").read_text().splitlines()) > 30
    assert "up to date" in run_dvc(project, "status")

    # Offline, and the same seed gives the same bytes.
    made = ("data/embedding", "data/trained", "data/trained-rhythm", "models", "reports")
    before = {name: digests(project / name) for name in made}
    for stage in ("train@convxgb", "train@lstm", "train@cascade", "train-rhythm@rhythm"):
        run_dvc(project, "repro", "--force", "--single-item", stage)
    run_dvc(project, "repro")
    after = {name: digests(project / name) for name in before}
    assert after == before
