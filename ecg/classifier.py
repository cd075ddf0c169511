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
from ecg.beats import CONSTANTS, VIEWS, WINDOW, Beats, from_cuts, from_record
from ecg.context import CONTEXT, RR_FIELDS
from ecg.errors import ArtefactError

PROTOCOL: Final = 2
"""Of the artefact's layout; raised when files or their meaning change."""
MANIFEST: Final = "manifest.json"
MODELS: Final = {view: f"{view}.onnx" for view in VIEWS}
"""Beats of a recording and beats sent alone have a graph of their own each."""
GOLDEN: Final = "golden.npz"

_FILES = {*MODELS.values(), GOLDEN}
_LARGEST_FILE = 64 * 1024 * 1024
_CHUNK = 1024
GOLDEN_INPUT: Final = ("fs", "signal", "r_peak", "rr", "recording", "recording_r_peak")
"""Real beats cut out, and a real recording with its R peaks."""
_GOLDEN_ARRAYS = (
    *GOLDEN_INPUT,
    *("embedding", "proba", "recording_embedding", "recording_proba"),
)
# Golden beats replayed on another CPU: its sums round differently, and a split of a tree that
# an embedding only just crosses moves a probability by a few hundredths.
_EMBEDDING_TOLERANCE = 1e-2
_PROBA_TOLERANCE = 0.1


@dataclass(frozen=True)
class Classifier:
    """A verified artefact, ready to run.

    card: the manifest as read; sha256: of the manifest, which holds those of all other files;
    sessions: by `VIEWS`.
    """

    card: dict[str, Any]
    sha256: str
    sessions: dict[str, onnxruntime.InferenceSession]
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
        return run(self.sessions[beats.view], beats)

    def replay(self) -> None:
        """Run the golden beats, real ones, from raw signal to class.

        Raises ArtefactError when a class, embedding or probability is not what training had.
        """
        for prefix, beats in golden_beats(self.golden).items():
            self._replay(beats, self.golden[f"{prefix}embedding"], self.golden[f"{prefix}proba"])

    def _replay(
        self, beats: Beats, embedding: NDArray[np.float32], expected: NDArray[np.float32]
    ) -> None:
        proba, found = self.run(beats)
        if not np.array_equal(proba.argmax(1), expected.argmax(1)):
            wrong = int((proba.argmax(1) != expected.argmax(1)).sum())
            raise ArtefactError(f"{wrong} of {len(proba)} golden beats got another class")
        if not np.allclose(found, embedding, rtol=_EMBEDDING_TOLERANCE, atol=_EMBEDDING_TOLERANCE):
            raise ArtefactError("golden beats got another embedding")
        if not np.allclose(proba, expected, rtol=0, atol=_PROBA_TOLERANCE):
            raise ArtefactError("golden beats got other probabilities")


def load(folder: Path) -> Classifier:
    """Load the artefact in `folder`, verifying every file's SHA-256 and the constants.

    Raises ArtefactError naming the file that is missing, altered or made for other constants.
    """
    text = _read(folder, MANIFEST)
    card = _parse(folder, text)
    contents = {name: _verified(folder, name, card["files"]) for name in sorted(_FILES)}
    return Classifier(
        card=card,
        sha256=hashlib.sha256(text).hexdigest(),
        sessions={
            view: open_session(contents[name], str(folder / name)) for view, name in MODELS.items()
        },
        golden=_golden(folder, contents[GOLDEN]),
    )


def run(
    session: onnxruntime.InferenceSession, beats: Beats
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return proba (n_beats, 5) and embedding (n_beats, n_embedding) by one graph."""
    chunks = [
        session.run(
            ["proba", "embedding"],
            {
                "windows": beats.windows[start : start + _CHUNK],
                "context": beats.context[start : start + _CHUNK],
            },
        )
        for start in range(0, max(len(beats), 1), _CHUNK)
    ]
    return np.concatenate([c[0] for c in chunks]), np.concatenate([c[1] for c in chunks])


def golden_beats(golden: dict[str, NDArray[Any]]) -> dict[str, Beats]:
    """Prepare the golden beats, by the prefix of their arrays' names.

    Cut-outs (n, n_samples) mV at `fs` Hz, R peaks (n,), RR (n, 4) s; and a recording (n_samples,)
    with its R peaks.
    """
    cuts, fs = list(golden["signal"].astype(np.float64)), float(golden["fs"])
    recording = golden["recording"].astype(np.float64)
    return {
        "": from_cuts(cuts, fs, golden["r_peak"].tolist(), golden["rr"]),
        "recording_": from_record(recording, fs, golden["recording_r_peak"]),
    }


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


def open_session(content: bytes, name: str) -> onnxruntime.InferenceSession:
    """Open a graph; raises ArtefactError when it is none or takes other inputs."""
    options = onnxruntime.SessionOptions()
    # One beat wants one thread: the default pools cost milliseconds to wake.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime raises a dozen types of its own
        raise ArtefactError(f"{name} cannot be loaded") from error
    inputs = {one.name: one.shape[1:] for one in session.get_inputs()}
    if inputs != {"windows": [WINDOW, 2], "context": [len(CONTEXT)]}:
        raise ArtefactError(f"{name} takes other inputs than this code makes")
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
