"""The test records under other conditions than the figures' own, with reference R peaks.

`reference`: as training saw it. `jittered`: each R peak up to 50 ms off. `streaming`: each beat is
answered 0.8 s after its R peak, from the last 300 beats, knowing nothing of what follows.
`second_lead`: the record's other lead, a lead that training never saw. `inverted`: upside down, and
not turned as the service turns it. `gain`: drifting from half to twice the amplitude within
minutes. `125_hz`: recorded at a third of the rate. `lost`: a tenth of the time in gaps of up to
1 s, bridged as the service bridges them. Noise: as `nst` adds it, on all of the record.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg import aami, kachuee, scoring
from ecg.beats import AFTER_S, BEFORE_S, KACHUEE, RECORDING, Beats, canonical_index, clean, prepare
from ecg.classifier import Classifier
from ecg.classifier import load as load_model
from ecg.filters import FS, resample
from ecg.gaps import hold
from ecg.record import Record, choose_lead
from pipeline import dataset
from pipeline.recordings import MAPS, each, load, marks_of, transformed, with_noise

JITTER_S: Final = 0.05
HISTORY: Final = 300
SNR_DB: Final = (24, 18, 12, 6, 0, -6)
LOW_FS: Final = 125
DRIFT_S: Final = 120.0
LOST_SHARE: Final = 0.1
STREAMING: Final = "streaming"

Signal = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Lead:
    """One lead (n_samples,) in mV at `fs` Hz, and its reference R peaks (n_beats,)."""

    signal: Signal
    fs: float
    r_peaks: Indices

    def beats(self, view: str) -> Beats:
        """Return the beats as a view has them."""
        if view == KACHUEE:
            return kachuee.from_record(self.signal, self.fs, self.r_peaks)
        ready = prepare(clean(resample(self.signal, self.fs)), self.fs, self.r_peaks)
        return ready.cut()


def as_recorded(record: Record, lead: int, r_peaks: Indices) -> Lead:
    """Return a lead as it is."""
    return Lead(record.signal[:, lead].astype(np.float64), record.fs, r_peaks)


def jittered(record: Record, lead: int, r_peaks: Indices) -> Lead:
    """Move each R peak by up to `JITTER_S`, evenly."""
    reach = round(JITTER_S * record.fs)
    rng = np.random.default_rng(len(r_peaks))
    moved = r_peaks + rng.integers(-reach, reach + 1, len(r_peaks))
    later = np.arange(len(moved))
    rising = np.maximum.accumulate(np.sort(moved) - later) + later
    return as_recorded(record, lead, np.clip(rising, 0, record.n_samples - 1))


def second_lead(record: Record, lead: int, r_peaks: Indices) -> Lead:
    """Return the lead that is not `lead`."""
    return as_recorded(record, 1 - lead, r_peaks)


def inverted(record: Record, lead: int, r_peaks: Indices) -> Lead:
    """Turn the lead upside down."""
    one = as_recorded(record, lead, r_peaks)
    return replace(one, signal=-one.signal)


def gain(record: Record, lead: int, r_peaks: Indices) -> Lead:
    """Let the amplitude drift from half to twice itself and back."""
    one = as_recorded(record, lead, r_peaks)
    drift = 2 ** np.sin(2 * np.pi * np.arange(len(one.signal)) / (DRIFT_S * one.fs))
    return replace(one, signal=one.signal * drift)


def low_fs(record: Record, lead: int, r_peaks: Indices) -> Lead:
    """Record the lead at `LOW_FS`."""
    one = as_recorded(record, lead, r_peaks)
    signal, fs = transformed(one.signal, one.fs, f"{LOW_FS}_hz")
    moved = np.rint(r_peaks * fs / one.fs).astype(np.int64)
    return Lead(signal, fs, np.minimum(moved, len(signal) - 1))


def lost(record: Record, lead: int, r_peaks: Indices) -> Lead:
    """Lose `LOST_SHARE` of the samples in gaps of 0.1 to 1 s, bridged as `ecg.gaps` has it."""
    one = as_recorded(record, lead, r_peaks)
    rng = np.random.default_rng(len(r_peaks))
    n = round(LOST_SHARE * len(one.signal) / (0.55 * one.fs))
    signal = one.signal.copy()
    starts = rng.integers(0, len(signal), n)
    for start, length in zip(starts, rng.uniform(0.1, 1, n), strict=True):
        signal[start : start + round(length * one.fs)] = np.nan
    return replace(one, signal=hold(signal, one.fs).signal)


CONDITIONS: Final[dict[str, Callable[[Record, int, Indices], Lead]]] = {
    "reference": as_recorded,
    "jittered": jittered,
    "second_lead": second_lead,
    "inverted": inverted,
    "gain": gain,
    "125_hz": low_fs,
    "lost": lost,
}


def view_of(served: Classifier) -> str:
    """Return how a model sees the beats of a recording."""
    return RECORDING if RECORDING in served.graphs else KACHUEE


def streamed(lead: Lead) -> Beats:
    """Return the beats, each made of nothing that comes after its own window."""
    resampled = resample(lead.signal, lead.fs)
    centres = canonical_index(lead.r_peaks, lead.fs)
    return dataset.join_beats(
        [_last_of(resampled, lead.fs, lead.r_peaks, centres, i) for i in range(len(lead.r_peaks))]
    )


def scored(artefacts: dict[str, Path], names: tuple[str, ...], jobs: int) -> dict[str, Any]:
    """Return the scores of artefacts on `names` under each condition, by each class map."""
    answered = each(_answers, names, jobs, "conditions", artefacts)
    found: dict[str, Any] = {name: {} for name in artefacts}
    for model, condition in answered[0][1] if answered else ():
        for map_name in MAPS:
            matrix = sum(
                scoring.confusion(labels[map_name], answers[model, condition])
                for labels, answers in answered
            )
            of_model = found[model].setdefault(condition, {})
            of_model[map_name] = scoring.scores(np.asarray(matrix))
    return found


def noise_curve(artefacts: dict[str, Path], names: tuple[str, ...], jobs: int) -> dict[str, Any]:
    """Return the scores by the kind of noise and the signal-to-noise ratio, default map."""
    every = each(_in_noise, names, jobs, "noise", artefacts)
    return {
        model: {
            kind: {
                f"{snr}_db": scoring.scores(
                    np.sum([one[model, kind, snr] for one in every], axis=0)
                )
                for snr in SNR_DB
            }
            for kind in dataset.NOISE_KINDS
        }
        for model in artefacts
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
    name: str, artefacts: dict[str, Path]
) -> tuple[dict[str, Indices], dict[tuple[str, str], Indices]]:
    loaded, record = _loaded(artefacts), load(name)
    lead, r_peaks, labels = _beats_of(record)
    answers: dict[tuple[str, str], Indices] = {}
    for condition, changed in CONDITIONS.items():
        for model, proba in _by_model(loaded, changed(record, lead, r_peaks)).items():
            answers[model, condition] = proba
    streaming = streamed(as_recorded(record, lead, r_peaks))
    for model, classifier in loaded.items():
        if RECORDING in classifier.graphs:
            answers[model, STREAMING] = _classes(classifier, streaming)
    return labels, answers


def _in_noise(
    name: str, artefacts: dict[str, Path]
) -> dict[tuple[str, str, int], NDArray[np.int64]]:
    loaded, record = _loaded(artefacts), load(name)
    lead, r_peaks, labels = _beats_of(record)
    one = as_recorded(record, lead, r_peaks)
    found = {}
    for kind in dataset.NOISE_KINDS:
        noise = load(kind, dataset.NOISES).signal[:, 0].astype(np.float64)
        for snr in SNR_DB:
            noisy = replace(one, signal=with_noise(one.signal, r_peaks, one.fs, noise, snr))
            for model, answer in _by_model(loaded, noisy).items():
                found[model, kind, snr] = scoring.confusion(labels["de_chazal"], answer)
    return found


def _loaded(artefacts: dict[str, Path]) -> dict[str, Classifier]:
    return {name: load_model(folder) for name, folder in artefacts.items()}


def _by_model(loaded: dict[str, Classifier], lead: Lead) -> dict[str, Indices]:
    """Return what each model answers; the beats of a view are made once."""
    views = {name: view_of(one) for name, one in loaded.items()}
    made = {view: lead.beats(view) for view in sorted({*views.values()})}
    return {name: _classes(one, made[views[name]]) for name, one in loaded.items()}


def _classes(classifier: Classifier, beats: Beats) -> Indices:
    return np.asarray(classifier.predict(beats).argmax(axis=1), np.int64)
