"""The test records under other conditions than the figures' own, with reference R peaks.

`reference`: as training saw it. `jittered`: each R peak up to 50 ms off. `streaming`: each beat is
answered 0.8 s after its R peak, from the last 300 beats, knowing nothing of what follows.
`second_lead`: the record's other lead, a lead that training never saw. Noise: as `nst` adds it, on
all of the record.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg import aami, scoring
from ecg.beats import AFTER_S, BEFORE_S, Beats, canonical_index, clean, prepare
from ecg.classifier import load as load_model
from ecg.filters import FS, resample
from ecg.record import Record, choose_lead
from pipeline import dataset
from pipeline.recordings import MAPS, NOISES, each, load, marks_of, with_noise

JITTER_S: Final = 0.05
HISTORY: Final = 300
SNR_DB: Final = (24, 18, 12, 6, 0, -6)

Signal = NDArray[np.float64]
Condition = Callable[[Record, int, NDArray[np.int64]], Beats]


def as_recorded(record: Record, lead: int, r_peaks: NDArray[np.int64]) -> Beats:
    """Return the beats of a lead."""
    signal = record.signal[:, lead].astype(np.float64)
    return prepare(clean(resample(signal, record.fs)), record.fs, r_peaks).cut()


def jittered(record: Record, lead: int, r_peaks: NDArray[np.int64]) -> Beats:
    """Return the beats with each R peak moved by up to `JITTER_S`, evenly."""
    reach = round(JITTER_S * record.fs)
    rng = np.random.default_rng(len(r_peaks))
    moved = r_peaks + rng.integers(-reach, reach + 1, len(r_peaks))
    later = np.arange(len(moved))
    rising = np.maximum.accumulate(np.sort(moved) - later) + later
    return as_recorded(record, lead, np.clip(rising, 0, record.n_samples - 1))


def streaming(record: Record, lead: int, r_peaks: NDArray[np.int64]) -> Beats:
    """Return the beats, each made of nothing that comes after its own window."""
    resampled = resample(record.signal[:, lead].astype(np.float64), record.fs)
    centres = canonical_index(r_peaks, record.fs)
    return dataset.join_beats(
        [_last_of(resampled, record.fs, r_peaks, centres, i) for i in range(len(r_peaks))]
    )


def second_lead(record: Record, lead: int, r_peaks: NDArray[np.int64]) -> Beats:
    """Return the beats of the lead that is not `lead`."""
    return as_recorded(record, 1 - lead, r_peaks)


CONDITIONS: Final[dict[str, Condition]] = {
    "reference": as_recorded,
    "jittered": jittered,
    "streaming": streaming,
    "second_lead": second_lead,
}


def scored(artefact: Path, names: tuple[str, ...], jobs: int) -> dict[str, Any]:
    """Return the scores of an artefact on `names` under each condition, by each class map."""
    answered = each(_answers, names, jobs, "conditions", artefact)
    found: dict[str, Any] = {}
    for condition in CONDITIONS:
        for map_name in MAPS:
            matrix = sum(
                scoring.confusion(labels[map_name], answers[condition])
                for labels, answers in answered
            )
            found.setdefault(condition, {})[map_name] = scoring.scores(np.asarray(matrix))
    return found


def noise_curve(artefact: Path, names: tuple[str, ...], jobs: int) -> dict[str, Any]:
    """Return the scores by the kind of noise and the signal-to-noise ratio, default map."""
    every = each(_in_noise, names, jobs, "noise", artefact)
    return {
        kind: {
            f"{snr}_db": scoring.scores(np.sum([one[kind, snr] for one in every], axis=0))
            for snr in SNR_DB
        }
        for kind in NOISES
    }


def _last_of(
    resampled: Signal,
    fs: float,
    r_peaks: NDArray[np.int64],
    centres: NDArray[np.int64],
    beat: int,
) -> Beats:
    first = max(beat - HISTORY + 1, 0)
    start = max(int(centres[first] - BEFORE_S * FS), 0)
    end = int(centres[beat] + AFTER_S * FS) + 1
    # One second at least: the filters want as much.
    canonical = clean(resampled[min(start, max(end - round(FS), 0)) : end])
    shifted = r_peaks[first : beat + 1] / fs - start / FS
    peaks = np.rint(np.maximum(shifted, 0) * fs).astype(np.int64)
    return prepare(canonical, fs, peaks).cut(slice(len(peaks) - 1, None))


def _beats_of(record: Record) -> tuple[int, NDArray[np.int64], dict[str, NDArray[np.int64]]]:
    marks = marks_of(record)
    known = np.array([symbol in aami.symbol_to_class() for symbol in marks.symbol])
    symbols = np.array(marks.symbol)[known]
    labels = {
        name: np.array([aami.symbol_to_class(classes)[s] for s in symbols], np.int64)
        for name, classes in MAPS.items()
    }
    return choose_lead(record, None), marks.sample[known], labels


def _answers(
    name: str, artefact: Path
) -> tuple[dict[str, NDArray[np.int64]], dict[str, NDArray[np.int64]]]:
    model, record = load_model(artefact), load(name)
    lead, r_peaks, labels = _beats_of(record)
    answers = {
        condition: model.predict(beats(record, lead, r_peaks)).argmax(axis=1).astype(np.int64)
        for condition, beats in CONDITIONS.items()
    }
    return labels, answers


def _in_noise(name: str, artefact: Path) -> dict[tuple[str, int], NDArray[np.int64]]:
    model, record = load_model(artefact), load(name)
    lead, r_peaks, labels = _beats_of(record)
    signal = record.signal[:, lead].astype(np.float64)
    found = {}
    for kind in NOISES:
        noise = load(kind, dataset.NOISES).signal[:, 0].astype(np.float64)
        for snr in SNR_DB:
            noisy = with_noise(signal, r_peaks, record.fs, noise, snr)
            beats = prepare(clean(resample(noisy, record.fs)), record.fs, r_peaks).cut()
            answer = model.predict(beats).argmax(axis=1)
            found[kind, snr] = scoring.confusion(labels["de_chazal"], answer)
    return found
