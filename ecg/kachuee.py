"""The public heartbeat datasets' own cut: 187 samples from the R peak on, scaled to 0..1.

Source: Kachuee, Fazeli & Sarrafzadeh, ECG Heartbeat Classification: A Deep Transferable
Representation, ICHI 2018, section III.A: at 125 Hz, each beat lasts 1.2 times the median RR
interval of its 10 s and is filled up with zeros. Deviation: R peaks are those that are given; the
paper takes maxima above 0.9 of each stretch, but labels by the annotations.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg import filters
from ecg.beats import KACHUEE, KACHUEE_SAMPLES, Beats, canonical_index
from ecg.context import CONTEXT
from ecg.cuts import check
from ecg.errors import InputError
from ecg.filters import FS

PERIODS: Final = 1.2
STRETCH_S: Final = 10.0
SHORTEST_S: Final = 0.2
"""Of a lone beat, from its R peak on: a QRS and the start of what follows it."""


def from_record(signal: NDArray[np.float64], fs: float, r_peaks: NDArray[np.int64]) -> Beats:
    """Cut the beats of one lead of a recording.

    signal: (n_samples,) finite, in any unit at `fs` Hz; r_peaks: (n_beats,) rising indices into it.
    """
    resampled = filters.resample(signal, fs)
    centres = canonical_index(r_peaks, fs)
    last = np.minimum(np.rint(PERIODS * periods(centres / FS) * FS), KACHUEE_SAMPLES)
    length = np.minimum(last.astype(np.int64), len(resampled) - centres)
    at = centres[:, None] + np.arange(KACHUEE_SAMPLES)
    return _beats(resampled[np.minimum(at, len(resampled) - 1)], length)


def from_cuts(
    cuts: Sequence[NDArray[np.float64]], fs: float, r_peaks: Sequence[int | None] | None = None
) -> Beats:
    """Prepare lone beats (n_samples,) in any unit at `fs` Hz, with their R peaks.

    A beat without R peak is taken to start with it, as the public files have them.
    Raises InputError for a beat that is too short, too long, flat or beyond `cuts.LARGEST`.
    """
    peaks = r_peaks if r_peaks is not None else [None] * len(cuts)
    signals = np.zeros((len(cuts), KACHUEE_SAMPLES))
    length = np.zeros(len(cuts), np.int64)
    for n in {len(cut) for cut in cuts}:
        rows = [i for i, cut in enumerate(cuts) if len(cut) == n]
        together = np.stack([cuts[i] for i in rows])
        check(together, rows, fs, [peaks[i] for i in rows])
        resampled = filters.resample(together, fs)
        starts = canonical_index(np.array([peaks[i] or 0 for i in rows], np.int64), fs)
        for row, start, whole in zip(rows, starts.tolist(), resampled, strict=True):
            cut = whole[start : start + KACHUEE_SAMPLES]
            if len(cut) < SHORTEST_S * FS:
                accepted = f"at least {SHORTEST_S:g} s from the R peak on"
                raise InputError(f"beats[{row}]", f"has {len(cut) / FS:.2f} s", accepted)
            signals[row, : len(cut)], length[row] = cut, len(cut)
    return _beats(signals, length)


def periods(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median RR interval (n_beats,) s of each beat's `STRETCH_S`, by R peaks in s.

    Where a stretch has one beat alone, the median of the recording; 1 s where that has one.
    """
    rr = np.diff(times)
    stretch = (times // STRETCH_S).astype(np.int64)
    together = stretch[1:] == stretch[:-1]
    whole = float(np.median(rr)) if len(rr) else 1.0
    found = np.full(len(times), whole)
    for number in np.unique(stretch[1:][together]):
        found[stretch == number] = np.median(rr[together & (stretch[1:] == number)])
    return found


def _beats(signals: NDArray[np.float64], length: NDArray[np.int64]) -> Beats:
    """Scale the first `length` (n,) samples of signals (n, 187) to 0..1, zeros after them."""
    there = np.arange(KACHUEE_SAMPLES) < length[:, None]
    lowest = np.where(there, signals, np.inf).min(axis=1, keepdims=True)
    highest = np.where(there, signals, -np.inf).max(axis=1, keepdims=True)
    scaled = (signals - lowest) / np.maximum(highest - lowest, 1e-12)
    windows = np.where(there, scaled, 0)[..., None].astype(np.float32)
    return Beats(windows, np.full((len(signals), len(CONTEXT)), np.nan, np.float32), KACHUEE)
