"""Find the heartbeats of one lead, and whether the lead is upside down.

A QRS complex is the fastest part of a beat whatever its sign, so the search runs on the local
root-mean-square slope of the band-passed signal, and nothing in it knows polarity or unit.
After Pan & Tompkins, IEEE TBME 32(3), 1985 (band-pass, slope energy, T-wave rule, search-back);
deviations: zero-phase filters and thresholds that look to both sides, because a whole recording
is at hand; a threshold relative to the median of the strongest slopes nearby, because an
exponential average takes long to forget an artefact. Parameters were chosen on DS1.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, median_filter, uniform_filter1d
from scipy.signal import butter, sosfiltfilt

from ecg.filters import FS
from ecg.gaps import Held, hold

QRS_BAND_HZ: Final = (3.5, 22.0)
SLOPE_S: Final = 0.11
"""Width of the window in which slopes are averaged: a QRS complex."""
SMOOTH_S: Final = 0.04
REFRACTORY_S: Final = 0.2
"""No two beats are nearer (Pan & Tompkins 1985)."""

BLOCK_S: Final = 1.2
LEVEL_BLOCKS: Final = 7
"""The level at a point: the median of the strongest slopes of so many blocks about it."""
LEVEL_FLOOR: Final = 0.15
"""A level is at least this share of the recording's median level."""

THRESHOLD: Final = 0.33
"""A beat's slope, as a share of the level."""
SEARCH_BACK: Final = 0.2
"""The same inside a pause of `PAUSE` local median RR intervals."""
PAUSE: Final = 1.35
PAUSE_BEATS: Final = 9
T_WAVE_S: Final = 0.36
"""A weak slope so soon after a strong one is its T wave (Pan & Tompkins 1985)."""
T_WAVE_RATIO: Final = 0.5
T_WAVE_LEVEL: Final = 0.7
"""A slope above this share of the level is a premature beat and no T wave."""
EDGE_S: Final = 0.04
"""So near the signal's ends it is half a complex, or the filters' start."""
PRELUDE_S: Final = 0.25
"""A weak slope so shortly before a strong one is its P wave or noise."""
PRELUDE_RATIO: Final = 0.2

INTRUDER_RR: Final = 1.25
"""A weak slope between two beats that are no more than so many usual RR intervals apart ..."""
INTRUDER_RATIO: Final = 0.6
"""... is no beat below this share of the weaker one ..."""
INTRUDER_LEVEL: Final = 0.6
"""... and below this share of the level."""

SHORTEST_S: Final = 0.5

FIDUCIAL_BAND_HZ: Final = (1.0, 40.0)
FIDUCIAL_S: Final = 0.08
SNAP_S: Final = 0.012
AGAINST: Final = 0.7
"""Weight of a deflection against the lead's polarity where a beat's peak is sought."""

TEMPLATE_S: Final = (0.2, 0.5)
"""The median beat reaches so far before and behind the fiducial point."""
TEMPLATE_BEATS: Final = 500
QRS_HALF_S: Final = 0.06
T_SPAN_S: Final = (0.14, 0.45)
QRS_NEGATIVE: Final = -0.1
"""Balance of the QRS's deflections, -1 (all negative) to 1, below which a lead may be inverted."""
T_WEIGHT: Final = 4.0
"""Weight of the T wave (as a share of the QRS) beside that balance: a negative QRS before an
upright T wave is one of the leads V1 to V3, or a pacemaker's or a bundle branch block's."""
INVERTED: Final = -0.05
"""Evidence below which a lead is upside down."""


@dataclass(frozen=True)
class RPeaks:
    """sample (n,) int64: rising indices of the QRS complexes' main peaks in the signal's own fs.

    inverted: the lead is upside down; both its QRS complexes and its T waves point down.
    """

    sample: NDArray[np.int64]
    inverted: bool


NOTHING: Final = RPeaks(np.empty(0, np.int64), inverted=False)


def find_r_peaks(signal: NDArray[np.float64], fs: float) -> RPeaks:
    """Find the beats of `signal` (n_samples,), in any unit, at `fs` Hz from 100 to 2000.

    Samples that are not finite and constant stretches of a second are missing: no beat is found
    where they last `GAP_S` or longer, and their edges are none. No signal has no beats; noise
    alone has beats, for the threshold is relative.
    """
    return search(hold(signal, fs))


def search(held: Held) -> RPeaks:
    """Find the beats of a lead whose holes are bridged, as `find_r_peaks` does."""
    n, fs = len(held.signal), held.fs
    if n < SHORTEST_S * fs or held.missing.all():
        return NOTHING
    beats = _beats(held.resampled, held.at_canonical(held.gaps))
    shape = _band_passed(held.resampled, FIDUCIAL_BAND_HZ)
    inverted = _is_inverted(shape, _fiducials(shape, beats, upright=0))
    beats = _fiducials(shape, beats, upright=-1 if inverted else 1)
    sample = _snapped(held.signal, held.own_index(beats), np.sign(shape[beats]), fs)
    return RPeaks(np.unique(sample[~held.gaps[sample]]), inverted)


def _beats(canonical: NDArray[np.float64], gone: NDArray[np.bool_]) -> NDArray[np.int64]:
    slope = _slope(canonical)
    peak = _peaks(slope, gone)
    level = _level(slope, gone)[peak]
    peak, level = peak[level > 0], level[level > 0]
    strength = slope[peak] / level
    kept = _without_intruders(peak / FS, strength, _strong(peak / FS, strength))
    return peak[sorted([*kept, *_skipped(peak / FS, strength, kept)])]


def _slope(canonical: NDArray[np.float64]) -> NDArray[np.float64]:
    steepness = np.gradient(_band_passed(canonical, QRS_BAND_HZ))
    # The moving sum may end a rounding error below zero.
    power = np.maximum(uniform_filter1d(steepness**2, round(SLOPE_S * FS)), 0.0)
    return np.asarray(uniform_filter1d(np.sqrt(power), round(SMOOTH_S * FS)))


def _band_passed(
    canonical: NDArray[np.float64], band_hz: tuple[float, float]
) -> NDArray[np.float64]:
    return np.asarray(sosfiltfilt(_sections(band_hz), canonical))


@lru_cache
def _sections(band_hz: tuple[float, float]) -> NDArray[np.float64]:
    return np.asarray(butter(2, band_hz, "bandpass", fs=FS, output="sos"))


def _peaks(slope: NDArray[np.float64], gone: NDArray[np.bool_]) -> NDArray[np.int64]:
    highest = maximum_filter1d(slope, 2 * round(REFRACTORY_S * FS) - 1)
    peak = np.flatnonzero((slope == highest) & ~gone)
    peak = peak[(peak >= EDGE_S * FS) & (peak < len(slope) - EDGE_S * FS)]
    # A plateau's samples are one peak.
    return np.asarray(peak[np.diff(peak, prepend=-len(slope)) >= REFRACTORY_S * FS])


def _level(slope: NDArray[np.float64], gone: NDArray[np.bool_]) -> NDArray[np.float64]:
    block = round(BLOCK_S * FS)
    n_blocks = -(-len(slope) // block)
    padded = np.pad(np.where(gone, 0.0, slope), (0, n_blocks * block - len(slope)))
    strongest = padded.reshape(n_blocks, block).max(axis=1)
    known = np.flatnonzero(np.add.reduceat(~gone, np.arange(n_blocks) * block) > block / 2)
    if len(known) == 0:
        known = np.flatnonzero(strongest > 0)
    if len(known) == 0:
        return np.zeros_like(slope)
    # The median is over known blocks alone: beats on both sides of a gap are neighbours.
    near = median_filter(strongest[known], LEVEL_BLOCKS, mode="nearest")
    near = np.maximum(near, LEVEL_FLOOR * np.median(near))
    return np.asarray(np.interp(np.arange(len(slope)), (known + 0.5) * block, near))


def _strong(time: NDArray[np.float64], strength: NDArray[np.float64]) -> list[int]:
    kept: list[int] = []
    for i in np.flatnonzero(strength > THRESHOLD).tolist():
        if kept:
            apart = time[i] - time[kept[-1]]
            before, own = strength[kept[-1]], strength[i]
            if apart < T_WAVE_S and own < min(T_WAVE_RATIO * before, T_WAVE_LEVEL):
                continue
            if apart < PRELUDE_S and before < PRELUDE_RATIO * own:
                kept.pop()
        kept.append(i)
    return kept


def _without_intruders(
    time: NDArray[np.float64], strength: NDArray[np.float64], kept: list[int]
) -> list[int]:
    if len(kept) < 3:
        return kept
    beat = np.array(kept)
    rr = np.diff(time[beat])
    usual = median_filter(rr, PAUSE_BEATS, mode="nearest")
    around = rr[:-1] + rr[1:]
    own, weaker = strength[beat[1:-1]], np.minimum(strength[beat[:-2]], strength[beat[2:]])
    fits = (around < INTRUDER_RR * np.maximum(usual[:-1], usual[1:])) & (
        own < np.minimum(INTRUDER_RATIO * weaker, INTRUDER_LEVEL)
    )
    keep = np.concatenate([[True], ~fits, [True]])
    return [int(b) for b in beat[keep]]


def _skipped(
    time: NDArray[np.float64], strength: NDArray[np.float64], kept: list[int]
) -> list[int]:
    if len(kept) < 3:
        return []
    rr = np.diff(time[kept])
    usual = median_filter(rr, PAUSE_BEATS, mode="nearest")
    found = []
    for k in np.flatnonzero(rr > PAUSE * usual).tolist():
        inside = np.arange(kept[k] + 1, kept[k + 1])
        apart = np.minimum(time[inside] - time[kept[k]], time[kept[k + 1]] - time[inside])
        inside = inside[(apart > T_WAVE_S) & (strength[inside] > SEARCH_BACK)]
        if len(inside):
            found.append(int(inside[np.argmax(strength[inside])]))
    return found


def _fiducials(
    shape: NDArray[np.float64], beats: NDArray[np.int64], upright: int
) -> NDArray[np.int64]:
    reach = round(FIDUCIAL_S * FS)
    index = np.clip(beats[:, None] + np.arange(-reach, reach + 1), 0, len(shape) - 1)
    height = shape[index]
    weight = np.where(np.sign(height) == -upright, AGAINST, 1.0)
    return np.asarray(index[np.arange(len(beats)), np.argmax(np.abs(height) * weight, axis=1)])


def _is_inverted(shape: NDArray[np.float64], beats: NDArray[np.int64]) -> bool:
    before, behind = (round(s * FS) for s in TEMPLATE_S)
    inside = beats[(beats >= before) & (beats < len(shape) - behind)]
    if len(inside) == 0:
        return False
    # Drawn, not every k-th: in bigeminy and trigeminy those would be of one kind.
    n_drawn = min(len(inside), TEMPLATE_BEATS)
    chosen = np.random.default_rng(0).choice(inside, n_drawn, replace=False)
    median = np.median(shape[chosen[:, None] + np.arange(-before, behind)], axis=0)
    half = round(QRS_HALF_S * FS)
    qrs = median[before - half : before + half + 1]
    t_wave = median[before + round(T_SPAN_S[0] * FS) : before + round(T_SPAN_S[1] * FS)]
    up, down = max(float(qrs.max()), 0.0), max(-float(qrs.min()), 0.0)
    if up + down == 0:
        return False
    balance = (up - down) / (up + down)
    swing = float(t_wave.max() + t_wave.min()) / max(up, down)
    return balance < QRS_NEGATIVE and balance + T_WEIGHT * swing < INVERTED


def _snapped(
    held: NDArray[np.float64], sample: NDArray[np.int64], sign: NDArray[np.float64], fs: float
) -> NDArray[np.int64]:
    # The canonical rate knows a peak to 4 ms; the signal itself knows it better.
    reach = round(SNAP_S * fs)
    index = np.clip(sample[:, None] + np.arange(-reach, reach + 1), 0, len(held) - 1)
    best = np.argmax(held[index] * sign[:, None], axis=1)
    return np.asarray(index[np.arange(len(sample)), best])
