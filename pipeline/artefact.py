"""Write an artefact's manifest: what `ecg.classifier` verifies."""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from ecg import classifier

PARITY: Final = "parity.json"


def write_manifest(folder: Path, card: dict[str, Any]) -> None:
    """Write the manifest with the SHA-256 of every other file of `folder`."""
    names = sorted((classifier.GOLDEN, *classifier.MODELS.values()))
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    text = json.dumps({**card, "files": files}, indent=1, sort_keys=True)
    (folder / classifier.MANIFEST).write_text(text + "\n")
