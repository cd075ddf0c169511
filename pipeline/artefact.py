"""Write an artefact's manifest: what `ecg.classifier` verifies."""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from ecg import artefact, classifier, rhythm

PARITY: Final = "parity.json"


def files(folder: Path) -> list[str]:
    """Return the names of the files that a manifest names: what is golden, and every graph."""
    known = (artefact.GOLDEN, *classifier.MODELS.values(), *rhythm.GRAPHS)
    return sorted(name for name in known if (folder / name).is_file())


def write_manifest(folder: Path, card: dict[str, Any]) -> None:
    """Write the manifest with the SHA-256 of every other file of `folder`."""
    found = {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in files(folder)}
    text = json.dumps({**card, "files": found}, indent=1, sort_keys=True)
    (folder / artefact.MANIFEST).write_text(text + "\n")
