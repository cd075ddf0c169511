"""What `track` tells MLflow of a model: parameters, figures, plots and where it comes from."""

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from packaging.requirements import Requirement

from ecg import classifier
from ecg.classifier import Classifier
from ecg.errors import ArtefactError
from pipeline import dataset
from pipeline.dataset import CONVXGB
from pipeline.publish import SIGNAL_PATH, sources_digest

MODELS: Final = Path("models")
SCRIPT: Final = Path("pipeline/tracked_model.py")
PARAMS: Final = Path("params.yaml")
DVC_LOCK: Final = Path("dvc.lock")
LOCK: Final = Path("requirements/tracking.lock")
NEEDED: Final = ("mlflow-skinny", "numpy", "onnxruntime", "pandas", "scipy")
"""What a registered model imports, by `ecg.classifier` and `SCRIPT`."""
OF_ALL_MODELS: Final = "models_"
"""How the names of plots begin that show all models; the others are of CONVXGB and the data."""
_ILLEGAL: Final = re.compile(r"[^A-Za-z0-9_. -]")


@dataclass(frozen=True)
class Tracked:
    """A model as MLflow is told of it.

    params, metrics, tags: by name; plots: files; sha256: of what makes it another run: artefact,
    code that answers, parameters and figures.
    """

    served: Classifier
    folder: Path
    params: dict[str, str]
    metrics: dict[str, float]
    plots: tuple[Path, ...]
    tags: dict[str, str]
    sha256: str

    @property
    def name(self) -> str:
        return self.served.name


def gather(name: str) -> Tracked:
    """Load, verify and replay `models/<name>` and collect what is known of it.

    Raises ArtefactError, as `ecg.classifier.load` and `replay` do.
    """
    served = classifier.load(MODELS / name)
    if served.name != name:
        raise ArtefactError(f"{MODELS / name} holds the model '{served.name}'")
    served.replay()
    params = parameters(yaml.safe_load(PARAMS.read_text()), name)
    metrics = figures(json.loads(dataset.METRICS.read_text()), name)
    tags = provenance(served)
    script = hashlib.sha256(SCRIPT.read_bytes()).hexdigest()
    makes = [served.sha256, tags["ecg_sha256"], script, params, metrics]
    sha256 = hashlib.sha256(json.dumps(makes, sort_keys=True).encode()).hexdigest()
    return Tracked(served, MODELS / name, params, metrics, plots(name), tags, sha256)


def figures(found: dict[str, Any], name: str) -> dict[str, float]:
    """Return the numbers that metrics.json has of a model, by `<protocol>.<score>`.

    Sections beside `beats` come before the protocol: `conditions.jittered.de_chazal.accuracy`.
    """
    sections = {key: of[name] for key, of in found.items() if name in of}
    return dict(_numbers({**sections.pop("beats", {}), **sections}))


def _numbers(value: Any, *path: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _numbers(item, *path, key)
    elif isinstance(value, list) and "interval_95" in path:
        yield from _numbers(dict(zip(("low", "high"), value, strict=True)), *path)
    elif isinstance(value, int | float):
        yield _ILLEGAL.sub("_", ".".join(path)), float(value)


def parameters(document: dict[str, Any], name: str) -> dict[str, str]:
    """Return the values of params.yaml that a model is made with, by `<section>.<key>`."""
    used = {section: values for section, values in document.items() if section != "models"}
    if name != CONVXGB:
        # Of CONVXGB's own section the others share the folds and seeds, and nothing else.
        used["train"] = {key: document["train"][key] for key in ("seeds", "folds")}
        used["model"] = document["models"][name]
    return dict(_texts(used))


def _texts(value: Any, *path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, *path, key)
    else:
        yield ".".join(path), value if isinstance(value, str) else json.dumps(value)


def plots(name: str) -> tuple[Path, ...]:
    """Return the plots of `reports/` that show a model."""
    found = sorted(dataset.REPORTS.glob("*.png"))
    return tuple(p for p in found if name == CONVXGB or p.name.startswith(OF_ALL_MODELS))


def provenance(served: Classifier) -> dict[str, str]:
    """Return what a model comes from; git's revision and dvc.lock where there is one."""
    tags = {
        "version": served.version,
        "manifest_sha256": served.sha256,
        "ecg_sha256": sources_digest([Path("ecg") / name for name in SIGNAL_PATH]),
    }
    if DVC_LOCK.is_file():
        md5 = hashlib.md5(DVC_LOCK.read_bytes(), usedforsecurity=False)  # DVC's own digest
        tags["dvc_lock_md5"] = md5.hexdigest()
    revision = git_revision()
    return {**tags, "git_revision": revision} if revision else tags


def git_revision() -> str:
    """Return the commit, with `-dirty` where files differ from it, or nothing outside of git."""
    if shutil.which("git") is None:
        return ""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def pinned(lock: Path = LOCK) -> list[str]:
    """Return `NEEDED` as the lock has them for this Python, without hashes."""
    lines = [line for line in lock.read_text().splitlines() if line[:1].isalnum()]
    found = [Requirement(line.rstrip("\\ ")) for line in lines]
    here = [one for one in found if one.marker is None or one.marker.evaluate()]
    return [f"{one.name}{one.specifier}" for one in here if one.name in NEEDED]
