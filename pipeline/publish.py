"""Stage `publish`: the inter-patient artefact of one model, with its figures on its card.

The served model is the one whose figures are quoted: it is not trained anew on all records.
"""

import hashlib
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ecg import artefact, classifier, rhythm
from pipeline import dataset
from pipeline.artefact import PARITY, files, write_manifest
from pipeline.dataset import RHYTHM

SIGNAL_PATH: Final = (
    *("aami.py", "artefact.py", "beats.py", "classifier.py", "context.py", "cuts.py", "errors.py"),
    *("features.py", "filters.py", "kachuee.py", "waves.py"),
)
"""What makes an answer of the artefact: a reader or an export may change without a new one."""
RHYTHM_PATH: Final = (
    *("detector.py", "gaps.py", "intervals.py", "locate.py", "quality.py", "rhythm.py"),
    "rhythm_features.py",
)
"""What a rhythm is told by beside that."""


def card(folder: Path, metrics: Path) -> dict[str, Any]:
    """Return the manifest in `folder` with the figures of `metrics` and where they come from."""
    manifest = dict(json.loads((folder / artefact.MANIFEST).read_text()))
    del manifest["files"]
    found = json.loads(metrics.read_text())
    if manifest["name"] == RHYTHM:
        figures = found["rhythm"][RHYTHM]
        manifest["protocols"] = {"mit-bih": figures["mit-bih"]["all"]}
        manifest["folds"] = {"recordings": {k: v for k, v in figures.items() if "mean" in v}}
    else:
        manifest["protocols"] = found["beats"][manifest["name"]]
        manifest["folds"] = found["folds"][manifest["name"]]
    manifest["parity"] = json.loads((folder / PARITY).read_text())
    manifest["data"] = (
        "MIT-BIH Arrhythmia Database 1.0.0 (Moody & Mark 2001), "
        "PhysioNet/CinC Challenge 2017 (Clifford et al. 2017), ODC-By 1.0"
    )
    # Git's revision would differ after each commit; the sources of the signal path do not.
    modules = (*SIGNAL_PATH, *RHYTHM_PATH) if manifest["name"] == RHYTHM else SIGNAL_PATH
    manifest["ecg_sha256"] = sources_digest([Path("ecg") / name for name in modules])
    return manifest


def sources_digest(modules: Sequence[Path]) -> str:
    """Return the SHA-256 over the names and texts of modules."""
    digest = hashlib.sha256()
    for path in modules:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def main(name: str) -> None:
    source, target = dataset.ARTEFACTS / name / "inter_patient", Path("models") / name
    source = dataset.ARTEFACTS / RHYTHM if name == RHYTHM else source
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for file in files(source):
        shutil.copyfile(source / file, target / file)
    write_manifest(target, card(source, dataset.METRICS))
    (rhythm if name == RHYTHM else classifier).load(target).replay()


if __name__ == "__main__":
    main(sys.argv[1])
