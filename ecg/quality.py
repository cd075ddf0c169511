"""How far a recording can be trusted, beat by beat and every ten seconds.

Four measures of each beat, as running medians over its neighbours so that one odd beat is an odd
beat and not noise; the worst decides. Thresholds were chosen on DS1 with the noise records `bw`,
`em`, `ma` mixed in (docs/experiments.md), so that few ten-second windows of clean recordings and
most of those in which beats are missed or made up are unusable.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter, uniform_filter1d
from scipy.signal import butter, sosfiltfilt

from ecg.filters import FS

LEVELS: Final = ("good", "noisy", "unusable")
REASONS: Final = (None, "missing samples", "muscle noise", "unsteady shape", "movement")
GOOD, NOISY, UNUSABLE = range(len(LEVELS))
MISSING, MUSCLE, SHAPE, MOVEMENT = range(1, len(REASONS))

MUSCLE_RATIO: Final = (0.3, 0.5)
"""Noisy and unusable from here: RMS of the fast band outside the QRS over that inside."""
SHAPE_CORRELATION: Final = (0.85, 0.75)
"""... up to here: correlation with the `ALIKE`th most alike of the beats about it."""
MOVEMENT_RATIO: Final = (0.18, 0.25)
"""... from here: RMS outside the QRS over the recording's median QRS, peak to peak ..."""
STEADY: Final = 0.92
"""... where the shape's correlation is below this: wide beats in a row are no movement."""
MISSING_SHARE: Final = (0.0, 0.1)
"""... above here: missing samples among those of the beat's window."""

FAST_BAND_HZ: Final = (15.0, 40.0)
"""Muscle noise is there, P and T waves are not."""
QRS_S: Final = 0.1
ABOUT_S: Final = 0.5
"""Half-width about a beat in which the signal outside the QRS is measured."""
SHAPE_S: Final = 0.2
ALIKE: Final = 3
NEIGHBOURS: Final = 10
"""Beats on each side with which a beat is compared: ectopic ones find their like among them."""
RUNNING: Final = 11
WINDOW_S: Final = 10.0

PAUSE_S: Final = 1.5
"""An interval of so long a time or more may be a pause, or the time that a loose electrode took."""
PAUSE_DRIFT: Final = 0.7
"""Swing of the baseline in it, over the median QRS: an amplifier that comes back drifts by one QRS
and more, a heart that pauses leaves it within half of one (68 of 70 such intervals of DS1)."""
PAUSE_EDGES_S: Final = (0.4, 0.2)
"""Left out after the beat before, for its T wave, and before the next one."""


@dataclass(frozen=True)
class Quality:
    """level: indices in `LEVELS`; reason: in `REASONS`, of the worst measure; 0 where good."""

    level: NDArray[np.int64]
    reason: NDArray[np.int64]

    @property
    def usable(self) -> NDArray[np.bool_]:
        return np.asarray(self.level < UNUSABLE)


def of_beats(
    canonical: NDArray[np.float64], centres: NDArray[np.int64], missing: NDArray[np.bool_]
) -> Quality:
    """Judge each beat at `centres` (n_beats,) of a signal as `beats.clean` returns it.

    missing: (n_samples,) the samples that are lines across holes.
    """
    if len(centres) == 0:
        return Quality(np.empty(0, np.int64), np.empty(0, np.int64))
    outside = ~_near(centres, len(canonical), round(QRS_S * FS))
    share = np.maximum(_moving_mean(outside.astype(np.float64))[centres], 1e-3)
    likeness = _running(_likeness(canonical, centres))
    movement = _running(_movement(canonical, centres, outside, share)) * (likeness < STEADY)
    measured = (
        (MISSING, _share(missing, centres), MISSING_SHARE),
        (MUSCLE, _running(_muscle(canonical, centres, outside, share)), MUSCLE_RATIO),
        (SHAPE, -likeness, tuple(-t for t in SHAPE_CORRELATION)),
        (MOVEMENT, movement, MOVEMENT_RATIO),
    )
    reasons = np.array([reason for reason, _, _ in measured])
    levels = np.array(
        [(value > low).astype(int) + (value > high) for _, value, (low, high) in measured]
    )
    worst = levels.argmax(axis=0)
    level = levels.max(axis=0)
    return Quality(level, np.where(level > GOOD, reasons[worst], 0))


def lost_between(
    signal: NDArray[np.float64],
    fs: float,
    sample: NDArray[np.int64],
    canonical: NDArray[np.float64],
    centres: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Return (n_beats - 1,) whether the signal was lost between a beat and the next.

    signal: (n_samples,) as recorded at `fs` Hz, bridged; sample: (n_beats,) R peaks in it;
    canonical, centres: the same at `FS`.
    """
    lost = np.zeros(max(len(sample) - 1, 0), np.bool_)
    after, before = (round(s * fs) for s in PAUSE_EDGES_S)
    long = np.flatnonzero(np.diff(sample) >= PAUSE_S * fs)
    most = PAUSE_DRIFT * _height(canonical, centres) if len(long) else 0.0
    for i in long:
        stretch = signal[sample[i] + after : sample[i + 1] - before]
        smooth = uniform_filter1d(stretch, round(0.2 * fs), mode="nearest")
        lost[i] = np.ptp(smooth) > most
    return lost


def of_windows(beats: Quality, centres: NDArray[np.int64], missing: NDArray[np.bool_]) -> Quality:
    """Judge each `WINDOW_S` of the recording: by the median of its beats, and by what is missing.

    A window without a beat is good: a pause is no noise.
    """
    size = round(WINDOW_S * FS)
    n = max(1, -(-len(missing) // size))
    counts = np.zeros((n, len(LEVELS)), np.int64)
    np.add.at(counts, (centres // size, beats.level), 1)
    half = counts.sum(axis=1) / 2
    level = np.where(counts[:, UNUSABLE] > half, UNUSABLE, GOOD)
    level[(level == GOOD) & (counts[:, NOISY:].sum(axis=1) > half)] = NOISY
    votes = np.zeros((n, len(REASONS)), np.int64)
    np.add.at(votes, (centres // size, beats.reason), 1)
    reason = np.where(level > GOOD, 1 + votes[:, 1:].argmax(axis=1), 0)
    lost = np.add.reduceat(missing, np.arange(n) * size) / np.minimum(
        size, len(missing) - np.arange(n) * size
    )
    level[lost > 0.5], reason[lost > 0.5] = UNUSABLE, MISSING
    return Quality(level, reason)


def analysable(windows: Quality, missing: NDArray[np.bool_]) -> float:
    """Return the share of the time, 0 to 1, that is neither missing nor in an unusable window."""
    unusable = np.repeat(~windows.usable, round(WINDOW_S * FS))[: len(missing)]
    return float(1 - (missing | unusable).mean())


def _near(centres: NDArray[np.int64], n: int, reach: int) -> NDArray[np.bool_]:
    edges = np.zeros(n + 1, np.int64)
    np.add.at(edges, np.maximum(centres - reach, 0), 1)
    np.add.at(edges, np.minimum(centres + reach + 1, n), -1)
    return np.asarray(np.cumsum(edges[:-1]) > 0)


def _share(missing: NDArray[np.bool_], centres: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(_moving_mean(missing.astype(np.float64))[centres].round(6))


def _muscle(
    canonical: NDArray[np.float64],
    centres: NDArray[np.int64],
    outside: NDArray[np.bool_],
    share: NDArray[np.float64],
) -> NDArray[np.float64]:
    power = sosfiltfilt(_fast_band(), canonical, padlen=min(len(canonical) - 1, round(FS))) ** 2
    own = np.sqrt(_about(power, centres, round(QRS_S / 2 * FS)).mean(axis=1))
    return np.asarray(_rms_outside(power, centres, outside, share) / np.maximum(own, 1e-12))


def _movement(
    canonical: NDArray[np.float64],
    centres: NDArray[np.int64],
    outside: NDArray[np.bool_],
    share: NDArray[np.float64],
) -> NDArray[np.float64]:
    height = _height(canonical, centres)
    rms = _rms_outside(canonical**2, centres, outside, share)
    return np.asarray(rms / np.maximum(height, 1e-12))


def _height(canonical: NDArray[np.float64], centres: NDArray[np.int64]) -> float:
    return float(np.median(np.ptp(_about(canonical, centres, round(0.15 * FS)), axis=1)))


def _rms_outside(
    power: NDArray[np.float64],
    centres: NDArray[np.int64],
    outside: NDArray[np.bool_],
    share: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return (n_beats,) RMS about each beat outside the QRS, which takes 1 - `share` of it."""
    mean = np.maximum(_moving_mean(power * outside)[centres], 0.0) / share
    return np.asarray(np.sqrt(mean))


def _moving_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(uniform_filter1d(values, 2 * round(ABOUT_S * FS) + 1))


def _likeness(canonical: NDArray[np.float64], centres: NDArray[np.int64]) -> NDArray[np.float64]:
    windows = _about(canonical, centres, round(SHAPE_S * FS)).astype(np.float32)
    windows -= windows.mean(axis=1, keepdims=True)
    windows /= np.maximum(np.linalg.norm(windows, axis=1, keepdims=True), 1e-12)
    n, most = len(windows), min(NEIGHBOURS, len(windows) - 1)
    if most == 0:
        return np.ones(n)
    alike = np.full((2 * most, n), -1.0)
    for step in range(1, most + 1):
        correlation = np.einsum("ij,ij->i", windows[step:], windows[:-step])
        alike[2 * step - 2, step:] = correlation
        alike[2 * step - 1, :-step] = correlation
    rank = min(ALIKE, most)
    return np.asarray(np.partition(alike, -rank, axis=0)[-rank])


def _about(
    canonical: NDArray[np.float64], centres: NDArray[np.int64], reach: int
) -> NDArray[np.float64]:
    index = np.clip(centres[:, None] + np.arange(-reach, reach + 1), 0, len(canonical) - 1)
    return np.asarray(canonical[index])


def _running(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(median_filter(values, RUNNING, mode="nearest"))


@lru_cache
def _fast_band() -> NDArray[np.float64]:
    return np.asarray(butter(2, FAST_BAND_HZ, "bandpass", fs=FS, output="sos"))
