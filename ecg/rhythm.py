"""The rhythm of a recording: normal, atrial fibrillation, another, or too noisy to say.

A short recording gets one answer; a longer one an answer every `STEP_S`, each from the half minute
about it. Classes as in the PhysioNet/CinC Challenge 2017 (Clifford et al., CinC 44, 2017).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ecg import artefact
from ecg.beats import CONSTANTS, Recording
from ecg.errors import ArtefactError
from ecg.filters import FS
from ecg.locate import Located, locate
from ecg.rhythm_features import FEATURES, features

RHYTHMS: Final = ("N", "A", "O", "~")
WORDS: Final = ("normal rhythm", "atrial fibrillation", "another rhythm", "too noisy to say")
FIBRILLATION: Final = RHYTHMS.index("A")
NOISE: Final = RHYTHMS.index("~")

WHOLE_S: Final = 60.0
"""Up to here a recording has one rhythm, as those that the model learns from."""
STRETCH_S: Final = 30.0
STEP_S: Final = 10.0
TOGETHER: Final = round(STRETCH_S / STEP_S)
"""Segments of a stretch."""
SEGMENT: Final = round(STEP_S * FS)
"""Samples that the network reads at once."""
LARGEST: Final = 4.0
"""Of a segment's samples, in typical QRS amplitudes: beyond, how far does not matter."""

GRAPHS: Final = ("segments.onnx", "stretches.onnx", "rhythm.onnx")
"""Samples of segments -> steps; steps of stretches -> embedding; rows -> probabilities."""
GOLDEN: Final = ("fs", "signal", "beat_proba", "proba")
RHYTHM_CONSTANTS: Final = {
    **CONSTANTS,
    "features": list(FEATURES),
    "stretch_s": STRETCH_S,
    "step_s": STEP_S,
}
"""What an artefact was made for; loading refuses one that says otherwise."""

Spans = tuple[NDArray[np.float64], NDArray[np.float64]]

EPISODE_S: Final = 30.0
"""Shortest fibrillation that counts as an episode (Hindricks et al., Eur Heart J 42(5), 2021)."""

_CHUNK = 512
_TOLERANCE = 0.1
"""Of a golden probability on another CPU, whose sums round differently."""


@dataclass(frozen=True)
class Rhythm:
    """Answers for parts of a lead, one after the other without a gap.

    begin_s, end_s: (n,) from the lead's start; proba: (n, 4), in the order of `RHYTHMS`, NaN where
    no beat of what a part is told from is usable; model: name, version and sha256 of what answered.
    """

    begin_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    proba: NDArray[np.float32]
    model: dict[str, str]

    @property
    def rhythm(self) -> NDArray[np.int64]:
        """Return (n,) indices in `RHYTHMS`; noise where no beat is usable."""
        return likeliest(self.proba)

    @property
    def whole(self) -> NDArray[np.float32]:
        """Return proba (4,) of the whole lead: the mean over its known parts by their length."""
        known = np.isfinite(self.proba[:, 0])
        if not known.any():
            return np.full(len(RHYTHMS), np.nan, np.float32)
        seconds = self.end_s - self.begin_s
        return np.average(self.proba[known], axis=0, weights=seconds[known]).astype(np.float32)


@dataclass(frozen=True)
class Fibrillation:
    """Of a recording: burden, the share (0 to 1) of the time that is not noise, and its episodes.

    begin_s, end_s: (n_episodes,); burden is None where all is noise.
    """

    burden: float | None
    begin_s: NDArray[np.float64]
    end_s: NDArray[np.float64]


@dataclass(frozen=True)
class RhythmModel:
    """A verified artefact; card: the manifest as read; sha256: of it; graphs: those of `GRAPHS`."""

    card: dict[str, Any]
    sha256: str
    graphs: tuple[onnxruntime.InferenceSession, ...]
    golden: dict[str, NDArray[Any]]

    @property
    def name(self) -> str:
        return str(self.card["name"])

    @property
    def version(self) -> str:
        return str(self.card["version"])

    def classify(self, found: Located, beat_proba: NDArray[np.float32]) -> Rhythm:
        """Answer for one lead; beat_proba: (n_beats, 5), NaN where a beat was not classified."""
        duration = len(found.ready.canonical) / FS
        (begin_s, end_s), spans = plan(duration)
        embedded = averaged(self.embed(segments(scaled(found.ready))), *spans)
        proba = self.answer(features(found, beat_proba, *spans), embedded)
        proba[~_anything(found, *spans)] = np.nan
        model = {"name": self.name, "version": self.version, "sha256": self.sha256}
        return Rhythm(begin_s, end_s, proba, model)

    def embed(self, cut: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the embedding (n_stretches, 4) of segments (n, SEGMENT), all stretches of them."""
        steps = _run(self.graphs[0], "segments", "steps", cut)
        found = [
            _run(self.graphs[1], "steps", "embedding", np.hstack(list(steps[some].swapaxes(0, 1))))
            for some in _chunks(stretches(len(cut)))
        ]
        return np.concatenate(found)

    def answer(
        self, told: NDArray[np.float32], embedded: NDArray[np.floating]
    ) -> NDArray[np.float32]:
        """Return proba (n, 4) of features (n, len(FEATURES)) and embedding (n, 4)."""
        rows = np.hstack([told, embedded]).astype(np.float32)
        return _run(self.graphs[2], "rows", "proba", rows)

    def replay(self) -> None:
        """Run the golden recording; raises ArtefactError when it is not what training had."""
        found = locate(self.golden["signal"].astype(np.float64), float(self.golden["fs"]))
        proba = self.classify(found, self.golden["beat_proba"]).proba
        expected = self.golden["proba"]
        if not np.array_equal(proba.argmax(axis=1), expected.argmax(axis=1)):
            raise ArtefactError("the golden recording got another rhythm")
        if not np.allclose(proba, expected, rtol=0, atol=_TOLERANCE):
            raise ArtefactError("the golden recording got other probabilities")


def load(folder: Path) -> RhythmModel:
    """Load the artefact in `folder`, verified; raises ArtefactError as `artefact.read` does."""
    found = artefact.read(folder, RHYTHMS, RHYTHM_CONSTANTS, GRAPHS)
    graphs = (artefact.open_session(found.contents[name], str(folder / name)) for name in GRAPHS)
    return RhythmModel(found.card, found.sha256, tuple(graphs), found.golden(GOLDEN))


def likeliest(proba: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return (n,) indices in `RHYTHMS` of proba (n, 4); noise where it is not known."""
    known = np.isfinite(proba[:, 0])
    return np.where(known, np.nan_to_num(proba).argmax(axis=1), NOISE)


def fibrillation(answered: Rhythm) -> Fibrillation:
    """Return burden and episodes of atrial fibrillation."""
    of_part, seconds = answered.rhythm, answered.end_s - answered.begin_s
    known = float(seconds[of_part != NOISE].sum())
    there = of_part == FIBRILLATION
    edges = np.diff(there.astype(np.int64), prepend=0, append=0)
    begin = answered.begin_s[np.flatnonzero(edges == 1)]
    end = answered.end_s[np.flatnonzero(edges == -1) - 1]
    whole = len(there) == 1
    kept = (end - begin >= EPISODE_S) | whole
    burden = float(seconds[there].sum()) / known if known else None
    return Fibrillation(burden, begin[kept], end[kept])


def plan(duration_s: float) -> tuple[Spans, Spans]:
    """Return begin and end (n,) of the parts that get an answer, and of what each is told from."""
    if duration_s <= WHOLE_S:
        whole = np.zeros(1), np.array([duration_s])
        return whole, whole
    begin = np.arange(0, duration_s, STEP_S)
    end = np.minimum(begin + STEP_S, duration_s)
    first = np.clip(begin - (STRETCH_S - STEP_S) / 2, 0, duration_s - STRETCH_S)
    return (begin, end), (first, first + STRETCH_S)


def scaled(ready: Recording) -> NDArray[np.float32]:
    """Return the lead (n_samples,) at `FS` in typical QRS amplitudes, within `LARGEST`."""
    scale = max(ready.typical_amplitude, 1e-12)
    return np.clip(ready.canonical / scale, -LARGEST, LARGEST).astype(np.float32)


def segments(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a `scaled` lead (n, SEGMENT), the last segment from its end; a shorter starts over."""
    if len(signal) < SEGMENT:
        signal = np.resize(signal, SEGMENT)
    whole = signal[: len(signal) // SEGMENT * SEGMENT].reshape(-1, SEGMENT)
    return whole if len(signal) % SEGMENT == 0 else np.vstack([whole, signal[None, -SEGMENT:]])


def stretches(n_segments: int) -> NDArray[np.int64]:
    """Return the segments (n, TOGETHER) of each stretch, one step on from the last.

    Too few for one stretch start over: every stretch is as long as any other.
    """
    first = np.arange(max(n_segments - TOGETHER, 0) + 1)
    return np.asarray((first[:, None] + np.arange(TOGETHER)) % n_segments)


def averaged(
    embedded: NDArray[np.float32], begin_s: NDArray[np.float64], end_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean embedding (n, 4) over the stretches that lie in each span."""
    total = np.vstack([np.zeros((1, embedded.shape[1])), np.cumsum(embedded, axis=0, dtype=float)])
    first = np.minimum(np.rint(begin_s / STEP_S).astype(np.int64), len(embedded) - 1)
    last = np.ceil(end_s / STEP_S).astype(np.int64) - (TOGETHER - 1)
    last = np.clip(last, first + 1, len(embedded))
    return np.asarray((total[last] - total[first]) / (last - first)[:, None])


def _run(
    graph: onnxruntime.InferenceSession, name: str, result: str, values: NDArray[np.float32]
) -> NDArray[np.float32]:
    parts = [graph.run([result], {name: part})[0] for part in _chunks(values)]
    return np.concatenate(parts)


def _chunks(values: NDArray[Any]) -> list[NDArray[Any]]:
    return [values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK)]


def _anything(
    found: Located, begin_s: NDArray[np.float64], end_s: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return (n,) whether a span has a beat that can be told from noise."""
    at = found.ready.centres[found.quality.usable] / FS
    return np.asarray(np.searchsorted(at, end_s) > np.searchsorted(at, begin_s))
