"""The classifier of beats: a verified artefact, replayed on real beats before it answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ecg import artefact, kachuee
from ecg.aami import CLASSES
from ecg.beats import (
    CONSTANTS,
    KACHUEE,
    LONE,
    RECORDING,
    VIEWS,
    Beats,
    Recording,
    from_cuts,
    from_record,
)
from ecg.context import RR_FIELDS
from ecg.errors import ArtefactError
from ecg.features import INPUTS, input_shapes

MODELS: Final = {view: f"{view}.onnx" for view in VIEWS}
"""The graph of each view; an artefact has those of the views that it answers."""
CHUNK: Final = 4096
"""Beats cut and classified at a time: what bounds the memory of a recording of days."""
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

    def of_recording(
        self,
        ready: Recording,
        usable: NDArray[np.bool_],
        tell: Callable[[float], None] | None = None,
    ) -> NDArray[np.float32]:
        """Return proba (n_beats, 5) of a recording's beats, NaN where not `usable` (n_beats,).

        tell: called with the share that is done.
        """
        proba = np.full((len(usable), len(CLASSES)), np.nan, np.float32)
        for start in range(0, len(usable), CHUNK):
            which = slice(start, start + CHUNK)
            proba[which] = self.predict(ready.cut(which))
            if tell is not None:
                tell(min((start + CHUNK) / len(usable), 1.0))
        proba[~usable] = np.nan
        return proba

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
    """Load the artefact in `folder`, verified; raises ArtefactError as `artefact.read` does."""
    found = artefact.read(folder, CLASSES, CONSTANTS, MODELS.values())
    graphs = {
        view: open_graph(found.contents[name], str(folder / name), view)
        for view, name in MODELS.items()
        if name in found.contents
    }
    answers = [f"{GOLDEN_PREFIX[view]}{n}" for view in graphs for n in ("embedding", "proba")]
    golden = found.golden([*GOLDEN_INPUT, *answers])
    if golden["rr"].shape != (len(golden["signal"]), len(RR_FIELDS)):
        raise ArtefactError(f"{folder / artefact.GOLDEN} holds other beats than this code replays")
    return Classifier(found.card, found.sha256, graphs, golden)


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


def open_graph(content: bytes, name: str, view: str) -> Graph:
    """Open a graph; raises ArtefactError when it is none or takes other inputs."""
    session = artefact.open_session(content, name)
    takes = {one.name: tuple(one.shape[1:]) for one in session.get_inputs()}
    gives = {one.name for one in session.get_outputs()}
    if not takes or not takes.items() <= input_shapes(view).items() or "proba" not in gives:
        raise ArtefactError(f"{name} takes other inputs than this code makes")
    return Graph(session, frozenset(takes), "embedding" in gives)
