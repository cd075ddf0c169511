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

from ecg import classifier, rhythm
from ecg.classifier import Classifier
from ecg.errors import ArtefactError
from ecg.rhythm import RhythmModel
from pipeline import dataset
from pipeline.dataset import CONVXGB, RHYTHM
from pipeline.publish import RHYTHM_PATH, SIGNAL_PATH, sources_digest
from pipeline.recorded import NETWORK

MODELS: Final = Path("models")
SCRIPT: Final = Path("pipeline/tracked_model.py")
RHYTHM_SCRIPT: Final = Path("pipeline/tracked_rhythm.py")
PARAMS: Final = Path("params.yaml")
DVC_LOCK: Final = Path("dvc.lock")
LOCK: Final = Path("requirements/tracking.lock")
NEEDED: Final = ("mlflow-skinny", "numpy", "onnxruntime", "pandas", "scipy")
"""What a registered model imports, by `ecg` and its script."""
COMPARED: Final = f"{RHYTHM}-"
"""Before the names of models that the rhythm's is compared with: `svm` alone is one of beats."""
OF_ALL_MODELS: Final = ("models_", "rhythm_auc", "rhythm_f1")
"""How the names of plots begin that show all models; the others are of the data and the served."""
_ILLEGAL: Final = re.compile(r"[^A-Za-z0-9_. -]")


@dataclass(frozen=True)
class Tracked:
    """A model as MLflow is told of it.

    params, metrics, tags: by name; plots: files; sha256: of what makes it another run: parameters
    and figures, and of a registered model artefacts and code that answers.
    """

    name: str
    params: dict[str, str]
    metrics: dict[str, float]
    plots: tuple[Path, ...]
    tags: dict[str, str]
    sha256: str


@dataclass(frozen=True)
class Registered(Tracked):
    """One that answers, by `script`; folders: of the artefacts that it wants, its own first."""

    served: Classifier | RhythmModel
    script: Path
    folders: tuple[Path, ...]


def gather(name: str) -> Registered:
    """Load, verify and replay `models/<name>` and collect what is known of it.

    The rhythm's wants CONVXGB too, whose classes it looks at. Raises ArtefactError, as `load` and
    `replay` of `ecg.classifier` and `ecg.rhythm` do.
    """
    if name == RHYTHM:
        names, script, modules = [RHYTHM, CONVXGB], RHYTHM_SCRIPT, [*SIGNAL_PATH, *RHYTHM_PATH]
    else:
        names, script, modules = [name], SCRIPT, [*SIGNAL_PATH]
    served, *others = [verified(one) for one in names]
    params, metrics = known(name)
    tags = {
        "version": served.version,
        "manifest_sha256": served.sha256,
        **{f"{other.name}_sha256": other.sha256 for other in others},
        "ecg_sha256": sources_digest([Path("ecg") / module for module in modules]),
        **provenance(),
    }
    script_sha256 = hashlib.sha256(script.read_bytes()).hexdigest()
    artefacts = [one.sha256 for one in (served, *others)]
    sha256 = digest(*artefacts, tags["ecg_sha256"], script_sha256, params, metrics)
    shown, folders = plots(name), tuple(MODELS / one for one in names)
    return Registered(name, params, metrics, shown, tags, sha256, served, script, folders)


def compared() -> list[Tracked]:
    """Collect what is known of the models that the rhythm's is compared with, without artefacts."""
    own = [*yaml.safe_load(PARAMS.read_text())["rhythm_models"], NETWORK]
    found = []
    for name in (COMPARED + one for one in own if one != RHYTHM):
        told = known(name)
        found.append(Tracked(name, *told, plots(name), provenance(), digest(name, *told)))
    return found


def verified(name: str) -> Classifier | RhythmModel:
    """Load and replay `models/<name>`; raises ArtefactError, as `gather` does."""
    folder = MODELS / name
    served = rhythm.load(folder) if name == RHYTHM else classifier.load(folder)
    if served.name != name:
        raise ArtefactError(f"{folder} holds the model '{served.name}'")
    served.replay()
    return served


def known(name: str) -> tuple[dict[str, str], dict[str, float]]:
    """Return parameters and figures of a model, as params.yaml and metrics.json have them."""
    params = parameters(yaml.safe_load(PARAMS.read_text()), name)
    return params, figures(json.loads(dataset.METRICS.read_text()), name)


def digest(*makes: Any) -> str:
    """Return the SHA-256 of values that JSON can hold."""
    return hashlib.sha256(json.dumps(makes, sort_keys=True).encode()).hexdigest()


def of_rhythm(name: str) -> bool:
    """Return whether a model tells the rhythm, and not the class of a beat."""
    return name == RHYTHM or name.startswith(COMPARED)


def figures(found: dict[str, Any], name: str) -> dict[str, float]:
    """Return the numbers that metrics.json has of a model, by `<protocol>.<score>`.

    Sections beside `beats` come before the protocol: `conditions.jittered.de_chazal.accuracy`.
    Those of the rhythm are all in one section: `score.mean`, `mit-bih.all.se`.
    """
    if of_rhythm(name):
        return dict(_numbers(found.get(RHYTHM, {}).get(name.removeprefix(COMPARED), {})))
    sections = {key: of[name] for key, of in found.items() if key != RHYTHM and name in of}
    return dict(_numbers({**sections.pop("beats", {}), **sections}))


def _numbers(value: Any, *path: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _numbers(item, *path, key)
    elif isinstance(value, list) and "interval_95" in path:
        yield from _numbers(dict(zip(("low", "high"), value, strict=True)), *path)
    elif isinstance(value, int | float):
        yield _ILLEGAL.sub("_", ".".join(path).replace("~", "noise")), float(value)


def parameters(document: dict[str, Any], name: str) -> dict[str, str]:
    """Return the values of params.yaml that a model is made with, by `<section>.<key>`."""
    if of_rhythm(name):
        return dict(_texts(_rhythm_sections(document, name.removeprefix(COMPARED))))
    used = {key: of for key, of in document.items() if not key.startswith(("models", RHYTHM))}
    if name != CONVXGB:
        # Of CONVXGB's own section the others share the folds and seeds, and nothing else.
        used["train"] = {key: document["train"][key] for key in ("seeds", "folds")}
        used["model"] = document["models"][name]
    return dict(_texts(used))


def _rhythm_sections(document: dict[str, Any], name: str) -> dict[str, Any]:
    used = {"rhythm": document["rhythm"]}
    if name != NETWORK:
        used["model"] = document["rhythm_models"][name]
    if name == NETWORK or "embedding" in used["model"]["inputs"]:
        used["rhythm_network"] = document["rhythm_network"]
    if name == RHYTHM:
        used["export"] = document["export"]
    return used


def _texts(value: Any, *path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, *path, key)
    else:
        yield ".".join(path), value if isinstance(value, str) else json.dumps(value)


def plots(name: str) -> tuple[Path, ...]:
    """Return the plots of `reports/` that show a model."""
    found = sorted(dataset.REPORTS.glob("*.png"))
    alike = [p for p in found if p.name.startswith("rhythm_") == of_rhythm(name)]
    every = name in (CONVXGB, RHYTHM)
    return tuple(p for p in alike if every or p.name.startswith(OF_ALL_MODELS))


def provenance() -> dict[str, str]:
    """Return what every model comes from: git's revision and dvc.lock, where there is one."""
    tags = {}
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
