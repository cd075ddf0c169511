"""The one call: a recording in, its beats with class, confidence and quality out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg import beats
from ecg.aami import CLASSES
from ecg.beat_rows import BeatRows
from ecg.classifier import Classifier
from ecg.errors import InputError
from ecg.explain import Explanation, explain, worth_explaining
from ecg.locate import Located, locate
from ecg.quality import Quality
from ecg.record import Record, choose_lead
from ecg.rhythm import Rhythm, RhythmModel

UNCLASSIFIED: Final = CLASSES.index("Q")

Progress = Callable[[str, float], None]
"""Called with a step in words and the share of it that is done."""


@dataclass(frozen=True)
class Analysis:
    """What was found in one lead of a recording.

    lead: its index; inverted: it was upside down, and was turned before it was classified.
    sample: (n_beats,) R peaks in the recording's own fs. aami_class: (n_beats,) index in
    `aami.CLASSES`. proba: (n_beats, 5); NaN where the beat was not classified because its quality
    is unusable, and its class `Q`. rr: (n_beats,) seconds since the beat before; NaN at the first
    one, where the signal was lost between, and next to an unusable beat. quality: of each beat;
    windows: of each `quality.WINDOW_S`; analysable: share of the time, 0 to 1. explanation: of the
    beats worth it, where it was asked for; rhythm: likewise.
    """

    record: Record
    lead: int
    inverted: bool
    sample: NDArray[np.int64]
    aami_class: NDArray[np.int64]
    proba: NDArray[np.float32]
    rr: NDArray[np.float64]
    quality: Quality
    windows: Quality
    analysable: float
    explanation: Explanation | None = None
    rhythm: Rhythm | None = None


@dataclass(frozen=True)
class RhythmBy:
    """What tells a rhythm: its model, and that of the beats whose classes it looks at."""

    model: RhythmModel
    beats: Classifier


@dataclass(frozen=True)
class RowAnalysis:
    """The same of separate beats, one a row: aami_class (n_beats,), proba (n_beats, 5)."""

    rows: BeatRows
    aami_class: NDArray[np.int64]
    proba: NDArray[np.float32]
    explanation: Explanation | None = None


def analyse_any(
    opened: Record | BeatRows,
    classifier: Classifier,
    lead: str | None = None,
    progress: Progress | None = None,
    *,
    explained: bool = False,
    rhythm: RhythmBy | None = None,
) -> Analysis | RowAnalysis:
    """Analyse what `readers.open_files` returned; raises what the two below raise."""
    if isinstance(opened, BeatRows):
        return analyse_rows(opened, classifier, explained=explained)
    return analyse(opened, classifier, lead, progress, explained=explained, rhythm=rhythm)


def analyse_rows(rows: BeatRows, classifier: Classifier, *, explained: bool = False) -> RowAnalysis:
    """Classify separate beats, each from its R peak on; nothing is known of what was before it.

    Raises InputError for a row that is a flat line.
    """
    cuts = [cut.astype(np.float64) for cut in rows.cuts]
    made = classifier.of_cuts(cuts, rows.fs, [0] * len(cuts))
    proba = classifier.predict(made)
    why = _explanation(made.take, proba, classifier) if explained else None
    return RowAnalysis(rows, proba.argmax(axis=1).astype(np.int64), proba, why)


def analyse(
    record: Record,
    classifier: Classifier,
    lead: str | None = None,
    progress: Progress | None = None,
    *,
    explained: bool = False,
    rhythm: RhythmBy | None = None,
) -> Analysis:
    """Find the beats of a validated recording, judge their quality and classify them.

    lead: by name; MLII, II or the first where not given. explained: say why, of the beats worth
    it; rhythm: what tells the rhythm too. Raises InputError for a lead that the recording does not
    have, and for a model of separate beats.
    """
    if beats.RECORDING not in classifier.graphs:
        problem = f"{classifier.name} answers separate beats of 187 samples, no recordings"
        raise InputError("model", problem, "a model of recordings")
    tell = progress or _silent
    chosen = choose_lead(record, lead)
    tell("finding beats", 0.0)
    found = locate(record.signal[:, chosen], record.fs)
    proba = classifier.of_recording(
        found.ready, found.quality.usable, lambda share: tell("classifying beats", share)
    )
    told = _rhythm(found, proba, classifier, rhythm, tell) if rhythm else None
    classes = np.where(found.quality.usable, proba.argmax(axis=1), UNCLASSIFIED)
    return Analysis(
        record=record,
        lead=chosen,
        inverted=found.inverted,
        sample=found.sample,
        aami_class=classes.astype(np.int64),
        proba=proba,
        rr=found.ready.rr[:, 0],
        quality=found.quality,
        windows=found.windows,
        analysable=found.analysable,
        explanation=_explanation(found.ready.cut, proba, classifier) if explained else None,
        rhythm=told,
    )


def _explanation(
    beats_of: Callable[[NDArray[np.int64]], beats.Beats],
    proba: NDArray[np.float32],
    classifier: Classifier,
) -> Explanation:
    which = worth_explaining(proba)
    return explain(classifier, beats_of(which), proba[which], which)


def _rhythm(
    found: Located,
    proba: NDArray[np.float32],
    classifier: Classifier,
    by: RhythmBy,
    tell: Progress,
) -> Rhythm:
    tell("telling the rhythm", 0.0)
    if classifier is not by.beats:
        proba = by.beats.of_recording(found.ready, found.quality.usable)
    return by.model.classify(found, proba)


def _silent(_step: str, _share: float) -> None:
    return
