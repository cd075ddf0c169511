"""Load, verify and run a model artefact: a folder of files that execute no code on load."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ecg import kachuee
from ecg.aami import CLASSES
from ecg.beats import (
    CONSTANTS,
    KACHUEE,
    LONE,
    RECORDING,
    SHAPES,
    VIEWS,
    Beats,
    from_cuts,
    from_record,
)
from ecg.context import CONTEXT, RR_FIELDS
from ecg.errors import ArtefactError
from ecg.features import FEATURES, engineered

PROTOCOL: Final = 3
"""Of the artefact's layout; raised when files or their meaning change."""
MANIFEST: Final = "manifest.json"
MODELS: Final = {view: f"{view}.onnx" for view in VIEWS}
"""The graph of each view; an artefact has those of the views that it answers."""
GOLDEN: Final = "golden.npz"

_LARGEST_FILE = 64 * 1024 * 1024
_CHUNK = 1024
GOLDEN_INPUT: Final = ("fs", "signal", "r_peak", "rr", "recording", "recording_r_peak")
"""Real beats cut out, and a real recording with its R peaks."""
GOLDEN_PREFIX: Final = {LONE: "", RECORDING: "recording_", KACHUEE: "kachuee_"}
"""Of the arrays that hold what training answered, by view."""
# Golden beats replayed on another CPU: its sums round differently, and a split of a tree that
# an embedding only just crosses moves a probability by a few hundredths.
_EMBEDDING_TOLERANCE = 1e-2
_PROBA_TOLERANCE = 0.1


@dataclass(frozen=True)
class Graph:
    """A session, the inputs that it takes of `INPUTS`, and whether it tells its embedding."""

    session: onnxruntime.InferenceSession
    inputs: frozenset[str]
    embeds: bool

    def run(self, beats: Beats) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return proba (n_beats, 5) and embedding (n_beats, n_embedding), none of most models."""
        chunks = [
            self._run(beats, slice(start, start + _CHUNK))
            for start in range(0, max(len(beats), 1), _CHUNK)
        ]
        return np.concatenate([c[0] for c in chunks]), np.concatenate([c[1] for c in chunks])

    def _run(self, beats: Beats, rows: slice) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        some = Beats(beats.windows[rows], beats.context[rows], beats.view)
        feed = {name: INPUTS[name](some) for name in self.inputs}
        if self.embeds:
            proba, embedding = self.session.run(["proba", "embedding"], feed)
            return proba, embedding
        (proba,) = self.session.run(["proba"], feed)
        return proba, np.empty((len(proba), 0), np.float32)


INPUTS: Final[dict[str, Callable[[Beats], NDArray[np.float32]]]] = {
    "windows": lambda beats: beats.windows,
    "context": lambda beats: beats.context,
    "features": engineered,
}
"""What a graph may take, by the name of its input."""


def input_shapes(view: str) -> dict[str, tuple[int, ...]]:
    """Return the shape of one beat's part of each of `INPUTS`."""
    return {"windows": SHAPES[view], "context": (len(CONTEXT),), "features": (len(FEATURES),)}


@dataclass(frozen=True)
class Classifier:
    """A verified artefact, ready to run.

    card: the manifest as read; sha256: of the manifest, which holds those of all other files;
    graphs: by view, of those that it answers.
    """

    card: dict[str, Any]
    sha256: str
    graphs: dict[str, Graph]
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
        """Return what the graph of the beats' view does."""
        return self.graphs[beats.view].run(beats)

    def of_cuts(
        self,
        cuts: Sequence[NDArray[np.float64]],
        fs: float,
        r_peaks: Sequence[int | None] | None = None,
        rr: NDArray[np.float64] | None = None,
    ) -> Beats:
        """Prepare lone beats as this model takes them; `beats.from_cuts` says what is given.

        Raises InputError, as that and `kachuee.from_cuts` do.
        """
        return _of_cuts(LONE if LONE in self.graphs else KACHUEE, cuts, fs, r_peaks, rr)

    def replay(self) -> None:
        """Run the golden beats, real ones, from raw signal to class.

        Raises ArtefactError when a class, embedding or probability is not what training had.
        """
        for view in self.graphs:
            prefix = GOLDEN_PREFIX[view]
            expected = self.golden[f"{prefix}embedding"], self.golden[f"{prefix}proba"]
            self._replay(golden_beats(self.golden, view), *expected)

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
    contents = {name: _verified(folder, name, card["files"]) for name in sorted(card["files"])}
    graphs = {
        view: open_graph(contents[name], str(folder / name), view)
        for view, name in MODELS.items()
        if name in contents
    }
    golden = _golden(folder, contents[GOLDEN], tuple(graphs))
    return Classifier(card, hashlib.sha256(text).hexdigest(), graphs, golden)


def golden_beats(golden: dict[str, NDArray[Any]], view: str) -> Beats:
    """Prepare the golden beats as a view has them.

    Cut-outs (n, n_samples) mV at `fs` Hz, R peaks (n,), RR (n, 4) s; and a recording (n_samples,)
    with its R peaks.
    """
    fs = float(golden["fs"])
    if view == RECORDING:
        recording = golden["recording"].astype(np.float64)
        return from_record(recording, fs, golden["recording_r_peak"])
    cuts = list(golden["signal"].astype(np.float64))
    return _of_cuts(view, cuts, fs, golden["r_peak"].tolist(), golden["rr"])


def _of_cuts(
    view: str,
    cuts: Sequence[NDArray[np.float64]],
    fs: float,
    r_peaks: Sequence[int | None] | None,
    rr: NDArray[np.float64] | None,
) -> Beats:
    if view == KACHUEE:
        return kachuee.from_cuts(cuts, fs, r_peaks)
    return from_cuts(cuts, fs, r_peaks, rr)


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
        complete = {"name", "version", "protocols"} <= card.keys()
        graphs = {*card["files"]} - {GOLDEN}
        complete &= GOLDEN in card["files"] and bool(graphs) and graphs <= {*MODELS.values()}
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


def open_graph(content: bytes, name: str, view: str) -> Graph:
    """Open a graph; raises ArtefactError when it is none or takes other inputs."""
    options = onnxruntime.SessionOptions()
    # One beat wants one thread: the default pools cost milliseconds to wake.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # The arena keeps what its largest batch once took, of every graph: 30 MB for no speed.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime raises a dozen types of its own
        raise ArtefactError(f"{name} cannot be loaded") from error
    takes = {one.name: tuple(one.shape[1:]) for one in session.get_inputs()}
    gives = {one.name for one in session.get_outputs()}
    if not takes or not takes.items() <= input_shapes(view).items() or "proba" not in gives:
        raise ArtefactError(f"{name} takes other inputs than this code makes")
    return Graph(session, frozenset(takes), "embedding" in gives)


def _golden(folder: Path, content: bytes, views: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    answers = (f"{GOLDEN_PREFIX[view]}{name}" for view in views for name in ("embedding", "proba"))
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            golden = {name: archive[name] for name in (*GOLDEN_INPUT, *answers)}
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise ArtefactError(f"{folder / GOLDEN} cannot be read") from error
    if golden["rr"].shape != (len(golden["signal"]), len(RR_FIELDS)):
        raise ArtefactError(f"{folder / GOLDEN} holds other beats than this code replays")
    return golden
