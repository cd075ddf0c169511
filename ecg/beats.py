"""THE preprocessing: a recording or a cut-out in, what the classifier sees out.

Training and serving both call `from_record` and `from_cuts`, and nothing else makes beats.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg import context, filters, waves
from ecg.context import CONTEXT, RR_FIELDS
from ecg.cuts import check, main_peaks
from ecg.filters import FS

RECORDING: Final = "recording"
LONE: Final = "lone"
KACHUEE: Final = "kachuee"
VIEWS: Final = (RECORDING, LONE, KACHUEE)
"""Beats of a recording, which knows more of them, beats sent alone, and those of `ecg.kachuee`."""

BEFORE_S: Final = 0.512
"""Before the R peak: holds the P wave at PR intervals up to 0.3 s."""
AFTER_S: Final = 0.768
"""After the R peak: holds the T wave at QT intervals up to 0.6 s."""
QRS_S: Final = 0.15
"""Half-width about the R peak in which a beat's amplitude is measured: a wide QRS lasts 0.2 s."""
BEFORE: Final = round(BEFORE_S * FS)
WINDOW: Final = BEFORE + round(AFTER_S * FS)
KACHUEE_SAMPLES: Final = 187
SHAPES: Final = {RECORDING: (WINDOW, 2), LONE: (WINDOW, 2), KACHUEE: (KACHUEE_SAMPLES, 1)}
"""Of one window, by view."""
_QRS = slice(BEFORE - round(QRS_S * FS), BEFORE + round(QRS_S * FS) + 1)
_QRS_REACH = round(0.1 * FS)
_FIDUCIAL_STEPS = 4
_TYPICAL_FROM = 2000
_CHUNK = 4096

CONSTANTS: Final = {
    "fs": FS,
    "before_s": BEFORE_S,
    "after_s": AFTER_S,
    "qrs_s": QRS_S,
    "baseline_hz": filters.BASELINE_HZ,
    "noise_hz": filters.NOISE_HZ,
    "context": list(CONTEXT),
}
"""What an artefact was made for; loading refuses one that says otherwise."""


@dataclass(frozen=True)
class Beats:
    """Beats as the classifier takes them.

    windows: (n_beats, WINDOW, 2) float32 at `FS`; channel 0 is the beat over its own QRS
        amplitude, channel 1 its difference from the recording's typical beat over the
        recording's amplitude (zeros for a lone beat). (n_beats, 187, 1) for `KACHUEE`.
    context: (n_beats, len(CONTEXT)) float32; NaN is missing.
    view: `RECORDING`, or `LONE` where each was sent without its recording, or `KACHUEE`.
    """

    windows: NDArray[np.float32]
    context: NDArray[np.float32]
    view: str = RECORDING

    def __len__(self) -> int:
        return len(self.windows)

    def take(self, rows: NDArray[np.int64]) -> "Beats":
        """Return the beats of `rows` (n,), in memory."""
        windows, context = np.asarray(self.windows[rows]), np.asarray(self.context[rows])
        return Beats(windows, context, self.view)


@dataclass(frozen=True)
class Recording:
    """One lead made ready for cutting its beats, a few or all of them at a time.

    canonical: (n,) at `FS`, filtered; centres: (n_beats,) middles of the QRS in it; rr: (n_beats,
    4) seconds as `RR_FIELDS`, between the R peaks as given; typical: (WINDOW,) the typical beat
    over typical_amplitude; context: (n_beats, len(CONTEXT)).
    """

    canonical: NDArray[np.float64]
    centres: NDArray[np.int64]
    rr: NDArray[np.float64]
    typical: NDArray[np.float64]
    typical_amplitude: float
    context: NDArray[np.float32]

    def cut(self, which: slice | NDArray[np.int64] = slice(None)) -> Beats:
        """Return the beats of `which`, indices or a slice."""
        own, difference, _ = _views(
            self.canonical, self.centres[which], self.typical, self.typical_amplitude
        )
        windows = np.stack([own, difference], axis=-1).astype(np.float32)
        return Beats(windows, self.context[which])


def from_record(signal: NDArray[np.float64], fs: float, r_peaks: NDArray[np.int64]) -> Beats:
    """Cut the beats of one lead of a recording.

    signal: (n_samples,) finite, in any unit at `fs` Hz, at least one second; r_peaks: (n_beats,)
    rising indices into it.
    """
    return prepare(clean(filters.resample(signal, fs)), fs, r_peaks).cut()


def clean(resampled: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return one lead of a recording at `FS` without baseline wander and noise above the ECG."""
    return filters.remove_baseline(filters.remove_noise(resampled))


def prepare(
    canonical: NDArray[np.float64],
    fs: float,
    r_peaks: NDArray[np.int64],
    usable: NDArray[np.bool_] | None = None,
    together: NDArray[np.bool_] | None = None,
) -> Recording:
    """Prepare a recording, as `clean` returns it, for cutting its beats.

    r_peaks: (n_beats,) rising indices at the recording's own `fs`. usable: (n_beats,) the beats
    that the typical one is made of; together: (n_beats - 1,) whether the interval from each beat
    to the next is an RR interval, and not the width of a gap; all of them where not given.
    """
    found = fiducials(canonical, canonical_index(r_peaks, fs))
    centres = np.rint(found).astype(np.int64)
    # Two marks on one QRS have one middle: time goes on by a sample all the same.
    later = np.arange(len(found)) / fs
    times = np.maximum.accumulate(found / filters.effective_fs(fs) - later) + later
    rr = context.rr_context(r_peaks / fs, together)
    few = centres if usable is None or not usable.any() else centres[usable]
    typical, amplitude = _typical_beat(canonical, few)
    between = context.rr_context(times, together)
    of_beats = _context(canonical, centres, typical, amplitude, between)
    return Recording(canonical, centres, rr, typical, amplitude, of_beats)


def from_cuts(
    cuts: Sequence[NDArray[np.float64]],
    fs: float,
    r_peaks: Sequence[int | None] | None = None,
    rr: NDArray[np.float64] | None = None,
) -> Beats:
    """Prepare lone beats, each a cut-out of any length with its R peak anywhere inside.

    cuts: each (n_samples,) in any unit at `fs` Hz, 0.2 to 10 s; r_peaks: the R peak's index in
    each, None where it is to be found; rr: (n_beats, 4) seconds in the order of `RR_FIELDS`, NaN
    where unknown. What the window wants beyond a cut's ends holds its last value.
    Raises InputError for a cut that is too short, too long, flat or beyond `cuts.LARGEST`.
    """
    raw = np.empty((len(cuts), WINDOW))
    peaks = r_peaks if r_peaks is not None else [None] * len(cuts)
    for length in {len(cut) for cut in cuts}:
        rows = [i for i, cut in enumerate(cuts) if len(cut) == length]
        raw[rows] = _lone_windows(cuts, rows, fs, [peaks[i] for i in rows])
    first = raw / _amplitude(raw)[:, None]
    windows = np.stack([first, np.zeros_like(first)], axis=-1)
    known = rr if rr is not None else np.full((len(cuts), len(RR_FIELDS)), np.nan)
    return Beats(windows.astype(np.float32), context.of_lone_beats(known), LONE)


def canonical_index(r_peaks: NDArray[np.int64], fs: float) -> NDArray[np.int64]:
    """Return where sample indices at `fs` Hz lie in a signal at `FS`."""
    return np.asarray(np.rint(r_peaks * (filters.effective_fs(fs) / fs)), np.int64)


def fiducials(canonical: NDArray[np.float64], centres: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the middle of each QRS near `centres` (n_beats,): where its steepness has its centre.

    Annotators and detectors mark R peaks up to 50 ms apart; RR intervals and windows are to be the
    same whoever marked them. In samples at `FS`, with a fraction.
    """
    steepness = np.gradient(canonical) ** 2
    reach = np.arange(-_QRS_REACH, _QRS_REACH + 1)
    taper = np.hanning(len(reach) + 2)[1:-1]
    found = centres.astype(np.float64)
    for _ in range(_FIDUCIAL_STEPS):
        at = np.clip(np.rint(found).astype(np.int64)[:, None] + reach, 0, len(canonical) - 1)
        weight = steepness[at] * taper
        total = np.maximum(weight.sum(axis=1), 1e-30)
        found = (weight * at).sum(axis=1) / total
    kept = np.abs(found - centres) <= _QRS_REACH
    return np.where(kept, found, centres)


def _views(
    canonical: NDArray[np.float64],
    centres: NDArray[np.int64],
    typical: NDArray[np.float64],
    typical_amplitude: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return beats over their own amplitude, their difference from the typical one, amplitudes."""
    raw = _cut(canonical, centres)
    amplitude = _amplitude(raw)
    return raw / amplitude[:, None], raw / typical_amplitude - typical, amplitude


def _context(
    canonical: NDArray[np.float64],
    centres: NDArray[np.int64],
    typical: NDArray[np.float64],
    typical_amplitude: float,
    rr: NDArray[np.float64],
) -> NDArray[np.float32]:
    if len(centres) == 0:
        return np.empty((0, len(CONTEXT)), np.float32)
    chunks = [centres[start : start + _CHUNK] for start in range(0, len(centres), _CHUNK)]
    qrs = [_cut(canonical, chunk)[:, _QRS] for chunk in chunks]
    similarity = np.concatenate([_similarity(part, typical[_QRS]) for part in qrs])
    late = centres[context.late_beats(rr[:, 0], similarity)]
    shape, scale = _typical_beat(canonical, late)
    late_beat = shape * (scale / typical_amplitude)
    parts = []
    for chunk in chunks:
        own, difference, amplitude = _views(canonical, chunk, typical, typical_amplitude)
        measured = waves.measure(own, difference, typical, late_beat)
        parts.append((measured, amplitude / typical_amplitude, waves.qrs_shape(own)))
    measures = {name: np.concatenate([p[0][name] for p in parts]) for name in waves.MEASURES}
    against_typical = np.column_stack([np.concatenate([p[1] for p in parts]), similarity])
    likeness = waves.compare(np.concatenate([p[2] for p in parts]))
    return context.of_recording(rr, against_typical, measures, likeness)


def _cut(canonical: NDArray[np.float64], centres: NDArray[np.int64]) -> NDArray[np.float64]:
    at = centres[:, None] + np.arange(-BEFORE, WINDOW - BEFORE)
    at = np.clip(at, 0, canonical.shape[-1] - 1)
    windows = canonical[at] if canonical.ndim == 1 else np.take_along_axis(canonical, at, axis=1)
    return np.asarray(windows - np.median(windows, axis=1, keepdims=True))


def _lone_windows(
    cuts: Sequence[NDArray[np.float64]], rows: list[int], fs: float, peaks: list[int | None]
) -> NDArray[np.float64]:
    signals = np.stack([cuts[i] for i in rows])
    check(signals, rows, fs, peaks)
    canonical = filters.remove_noise(filters.resample(signals, fs))
    centres = canonical_index(np.array([peak or 0 for peak in peaks], np.int64), fs)
    unknown = np.array([peak is None for peak in peaks])
    if unknown.any():
        centres[unknown] = main_peaks(canonical[unknown])
    return _cut(canonical, centres)


def _amplitude(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    peak_to_peak = np.ptp(raw[:, _QRS], axis=1)
    floor = np.maximum(1e-12, 1e-3 * np.ptp(raw, axis=1))
    return np.asarray(np.maximum(peak_to_peak, floor))


def _typical_beat(
    canonical: NDArray[np.float64], centres: NDArray[np.int64]
) -> tuple[NDArray[np.float64], float]:
    if len(centres) == 0:
        return np.zeros(WINDOW), 1.0
    # The median over evenly spaced beats: 24 h cost no more than half an hour.
    some = np.linspace(0, len(centres) - 1, min(len(centres), _TYPICAL_FROM)).astype(np.int64)
    raw = _cut(canonical, centres[some])
    scale = float(np.median(_amplitude(raw)))
    return np.asarray(np.median(raw, axis=0) / scale), scale


def _similarity(windows: NDArray[np.float64], typical: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = windows - windows.mean(axis=1, keepdims=True)
    reference = typical - typical.mean()
    norms = np.linalg.norm(centred, axis=1) * np.linalg.norm(reference)
    return np.asarray(centred @ reference / np.maximum(norms, 1e-12))
