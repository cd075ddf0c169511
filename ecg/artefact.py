"""A model artefact: a folder of files that execute no code on load, verified before they are run.

Its manifest names every other file with its SHA-256, and says which classes and constants the
files were made for.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ecg.errors import ArtefactError

PROTOCOL: Final = 3
"""Of the artefact's layout; raised when files or their meaning change."""
MANIFEST: Final = "manifest.json"
GOLDEN: Final = "golden.npz"

_LARGEST_FILE = 64 * 1024 * 1024


@dataclass(frozen=True)
class Artefact:
    """card: the manifest as read; sha256: of the manifest; contents: of the files it names."""

    folder: Path
    card: dict[str, Any]
    sha256: str
    contents: dict[str, bytes]

    def golden(self, names: Collection[str]) -> dict[str, NDArray[Any]]:
        """Return arrays of the golden file; raises ArtefactError when they cannot be read."""
        try:
            with np.load(io.BytesIO(self.contents[GOLDEN]), allow_pickle=False) as archive:
                return {name: archive[name] for name in names}
        except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
            raise ArtefactError(f"{self.folder / GOLDEN} cannot be read") from error


def read(
    folder: Path, classes: Collection[str], constants: dict[str, Any], graphs: Collection[str]
) -> Artefact:
    """Read and verify the artefact in `folder`: its own classes, constants, and some of `graphs`.

    Raises ArtefactError naming the file that is missing, altered or made for other constants.
    """
    text = _read(folder, MANIFEST)
    card = _parse(folder, text, graphs)
    if (card["protocol"], card["classes"], card["constants"]) != (
        PROTOCOL,
        list(classes),
        constants,
    ):
        raise ArtefactError(
            f"{folder} was made for other preprocessing or classes than this code's; "
            "rebuild it with `dvc repro` or fetch the one that belongs to this version"
        )
    contents = {name: _verified(folder, name, card["files"]) for name in sorted(card["files"])}
    return Artefact(folder, card, hashlib.sha256(text).hexdigest(), contents)


def open_session(content: bytes, name: str) -> onnxruntime.InferenceSession:
    """Open a graph; raises ArtefactError when it is none."""
    options = onnxruntime.SessionOptions()
    # One beat wants one thread: the default pools cost milliseconds to wake.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # The arena keeps what its largest batch once took, of every graph: 30 MB for no speed.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime raises a dozen types of its own
        raise ArtefactError(f"{name} cannot be loaded") from error


def _parse(folder: Path, text: bytes, graphs: Collection[str]) -> dict[str, Any]:
    try:
        card = dict(json.loads(text))
        found = {*card["files"]} - {GOLDEN}
        complete = {"name", "version", "protocols", "protocol", "classes", "constants"} <= {*card}
        complete &= GOLDEN in card["files"] and bool(found) and found <= {*graphs}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ArtefactError(f"{folder / MANIFEST} is not a manifest of a model") from error
    if not complete:
        raise ArtefactError(f"{folder / MANIFEST} is not a manifest of a model of this kind")
    return card


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    if not path.is_file():
        raise ArtefactError(f"{path} is missing; `dvc pull -r bundled {folder}` brings it")
    if path.stat().st_size > _LARGEST_FILE:
        raise ArtefactError(f"{path} is larger than {_LARGEST_FILE} bytes")
    return path.read_bytes()


def _verified(folder: Path, name: str, files: dict[str, str]) -> bytes:
    content = _read(folder, name)
    if hashlib.sha256(content).hexdigest() != files.get(name):
        raise ArtefactError(f"{folder / name} is not the file that the manifest names (SHA-256)")
    return content
