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
    main = Path(f"pipeline/{stage}.py")
    named = {Path(dep) for dep in STAGES[stage]["deps"] if dep.endswith(".py")}
    assert named == {main} | imported(ROOT / main)


def test_the_manifest_names_the_sources_that_make_an_answer() -> None:
    made_by = imported(ROOT / "ecg" / "classifier.py") | {Path("ecg/classifier.py")}
    assert [f"ecg/{name}" for name in publish.SIGNAL_PATH] == sorted(map(str, made_by))


TINY: dict[str, dict[str, Any]] = {
    "generate": {"records": ["100", "102", "104", "208", "223"], "seed": 1, "jobs": 2},
    "train": {
        "seeds": [1, 2],
        "folds": [["208"], ["223"]],
        "network": {"epochs": 1, "conducted_beats": 500},
        "trees": {"shape_rounds": 5, "rhythm_rounds": 5},
    },
}


def run_dvc(folder: Path, *arguments: str, **environment: str) -> str:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("BEATWISE_")}
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
    done = subprocess.run(
        ["dvc", *arguments],
        cwd=folder,
        env=environ | {"DVC_NO_ANALYTICS": "1"} | environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


def tiny_project(folder: Path) -> Path:
    """Copy what `dvc repro` needs, with parameters for minutes instead of hours."""
    for name in ("ecg", "pipeline", "samples"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "dvc.yaml", folder)
    document = yaml.safe_load((ROOT / "params.yaml").read_text())
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
@pytest.mark.timeout(900)
@pytest.mark.skipif(
    not os.environ.get("BEATWISE_MIRROR"),
    reason="wants MIT-BIH: set BEATWISE_MIRROR to a folder or address that holds its archive",
)
def test_the_whole_pipeline_runs_on_five_records(tmp_path: Path) -> None:
    mirror = os.environ["BEATWISE_MIRROR"]
    local = str(Path(mirror).resolve()) if Path(mirror).is_dir() else mirror
    project = tiny_project(tmp_path)
    run_dvc(project, "repro", BEATWISE_MIRROR=local)
    metrics = json.loads((project / "reports" / "metrics.json").read_text())["beats"]["convxgb"]
    for protocol in dataset.PROTOCOLS:
        assert {"accuracy", "macro_f1", "macro_f1_nsv", "j_kappa"} <= metrics[protocol].keys()
        assert set(metrics[protocol]["V"]) == {"se", "ppv", "f1", "n"}
    assert "up to date" in run_dvc(project, "status")

    # Offline, and the same seed gives the same bytes.
    before = {name: digests(project / name) for name in ("data/networks", "models", "reports")}
    run_dvc(project, "repro", "--force", "--single-item", "train")
    run_dvc(project, "repro")
    after = {name: digests(project / name) for name in before}
    assert after == before
