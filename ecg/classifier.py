"""Load, verify and run a model artefact: a folder of files that execute no code on load."""

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ecg.aami import CLASSES
from ecg.beats import CONSTANTS, CONTEXT, RR_FIELDS, WINDOW, Beats, from_cuts
from ecg.errors import ArtefactError

PROTOCOL: Final = 1
"""Of the artefact's layout; raised when files or their meaning change."""
MANIFEST: Final = "manifest.json"
MODEL: Final = "model.onnx"
GOLDEN: Final = "golden.npz"

_FILES = {MODEL, GOLDEN}
_LARGEST_FILE = 64 * 1024 * 1024
_CHUNK = 1024
_GOLDEN_ARRAYS = ("fs", "signal", "r_peak", "rr", "embedding", "proba")
# Golden beats replayed on another CPU: its sums round differently, and a split of a tree that
# an embedding only just crosses moves a probability by a few hundredths.
_EMBEDDING_TOLERANCE = 1e-3
_PROBA_TOLERANCE = 0.1


@dataclass(frozen=True)
class Classifier:
    """A verified artefact, ready to run.

    card: the manifest as read; sha256: of the manifest, which holds those of all other files.
    """

    card: dict[str, Any]
    sha256: str
    session: onnxruntime.InferenceSession
    golden: dict[str, NDArray[Any]]

    @property
    def name(self) -> str:
        return str(self.card["name"])

    @property
    def version(self) -> str:
        return str(self.card["version"])

    def predict(self, beats: Beats) -> NDArray[np.float32]:
        """Return proba (n_beats, 5), in the order of `aami.CLASSES`; each row sums to 1."""
        return self.run(beats)[0]

    def run(self, beats: Beats) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return proba (n_beats, 5) and the network's embedding (n_beats, n_embedding)."""
        chunks = [
            self.session.run(
                ["proba", "embedding"],
                {
                    "windows": beats.windows[start : start + _CHUNK],
                    "context": beats.context[start : start + _CHUNK],
                },
            )
            for start in range(0, max(len(beats), 1), _CHUNK)
        ]
        return np.concatenate([c[0] for c in chunks]), np.concatenate([c[1] for c in chunks])

    def replay(self) -> None:
        """Run the golden beats, real ones, from raw signal to class.

        Raises ArtefactError when a class, embedding or probability is not what training had.
        """
        proba, embedding = self.run(golden_beats(self.golden))
        expected = self.golden["proba"]
        if not np.array_equal(proba.argmax(1), expected.argmax(1)):
            wrong = int((proba.argmax(1) != expected.argmax(1)).sum())
            raise ArtefactError(f"{wrong} of {len(proba)} golden beats got another class")
        if not np.allclose(
            embedding,
            self.golden["embedding"],
            rtol=_EMBEDDING_TOLERANCE,
            atol=_EMBEDDING_TOLERANCE,
        ):
            raise ArtefactError("golden beats got another embedding")
        if not np.allclose(proba, expected, rtol=0, atol=_PROBA_TOLERANCE):
            raise ArtefactError("golden beats got other probabilities")


def load(folder: Path) -> Classifier:
    """Load the artefact in `folder`, verifying every file's SHA-256 and the constants.

    Raises ArtefactError naming the file that is missing, altered or made for other constants.
    """
    text = _read(folder, MANIFEST)
    card = _parse(folder, text)
    contents = {name: _verified(folder, name, card["files"]) for name in (MODEL, GOLDEN)}
    return Classifier(
        card=card,
        sha256=hashlib.sha256(text).hexdigest(),
        session=_session(folder, contents[MODEL]),
        golden=_golden(folder, contents[GOLDEN]),
    )


def golden_beats(golden: dict[str, NDArray[Any]]) -> Beats:
    """Prepare the golden cut-outs: (n, n_samples) mV at `fs` Hz, R peaks (n,), RR (n, 4) s."""
    cuts = list(golden["signal"].astype(np.float64))
    return from_cuts(cuts, float(golden["fs"]), golden["r_peak"].tolist(), golden["rr"])


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    if not path.is_file():
        raise ArtefactError(f"{path} is missing; `dvc pull -r bundled {folder}` brings it")
    if path.stat().st_size > _LARGEST_FILE:
        raise ArtefactError(f"{path} is larger than {_LARGEST_FILE} bytes")
    return path.read_bytes()


def _parse(folder: Path, text: bytes) -> dict[str, Any]:
    try:
        card = json.loads(text)
        made_for = (card["protocol"], card["classes"], card["constants"])
        complete = {"name", "version", "protocols"} <= card.keys() and {*card["files"]} == _FILES
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ArtefactError(f"{folder / MANIFEST} is not a manifest of a model") from error
    if made_for != (PROTOCOL, list(CLASSES), CONSTANTS) or not complete:
        raise ArtefactError(
            f"{folder} was made for other preprocessing or classes than this code's; "
            "rebuild it with `dvc repro` or fetch the one that belongs to this version"
        )
    return dict(card)


def _verified(folder: Path, name: str, files: dict[str, str]) -> bytes:
    content = _read(folder, name)
    if hashlib.sha256(content).hexdigest() != files.get(name):
        raise ArtefactError(f"{folder / name} is not the file that the manifest names (SHA-256)")
    return content


def _session(folder: Path, content: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # One beat wants one thread: the default pools cost milliseconds to wake.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime raises a dozen types of its own
        raise ArtefactError(f"{folder / MODEL} cannot be loaded") from error
    inputs = {one.name: one.shape[1:] for one in session.get_inputs()}
    if inputs != {"windows": [WINDOW, 2], "context": [len(CONTEXT)]}:
        raise ArtefactError(f"{folder / MODEL} takes other inputs than this code makes")
    return session


def _golden(folder: Path, content: bytes) -> dict[str, NDArray[Any]]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            golden = {name: archive[name] for name in _GOLDEN_ARRAYS}
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise ArtefactError(f"{folder / GOLDEN} cannot be read") from error
    if golden["rr"].shape != (len(golden["signal"]), len(RR_FIELDS)):
        raise ArtefactError(f"{folder / GOLDEN} holds other beats than this code replays")
    return golden
