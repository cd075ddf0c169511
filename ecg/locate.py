"""Where the beats of one lead are, and how good its signal is there: all but their classes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecg import beats, quality
from ecg.detector import search
from ecg.gaps import hold
from ecg.quality import Quality


@dataclass(frozen=True)
class Located:
    """The beats of one lead before they are classified; fields as in `analysis.Analysis`."""

    sample: NDArray[np.int64]
    inverted: bool
    quality: Quality
    windows: Quality
    analysable: float
    ready: beats.Recording


def locate(signal: NDArray[np.floating], fs: float) -> Located:
    """Find the beats of one lead (n_samples,) at `fs` Hz, NaN where missing, and judge them."""
    held = hold(signal, fs)
    found = search(held)
    canonical = beats.clean(-held.resampled if found.inverted else held.resampled)
    centres = beats.canonical_index(found.sample, fs)
    lost = held.at_canonical(held.missing)
    judged = quality.of_beats(canonical, centres, lost)
    gone = quality.lost_between(held.signal, fs, found.sample, canonical, centres)
    together = _together(found.sample, held.gaps, judged.usable) & ~gone
    for i in np.flatnonzero(gone):
        lost[centres[i] : centres[i + 1]] = True
    windows = quality.of_windows(judged, centres, lost)
    return Located(
        sample=found.sample,
        inverted=found.inverted,
        quality=judged,
        windows=windows,
        analysable=quality.analysable(windows, lost),
        ready=beats.prepare(canonical, fs, found.sample, judged.usable, together),
    )


def _together(
    sample: NDArray[np.int64], gaps: NDArray[np.bool_], usable: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return (n_beats - 1,) whether nothing is lost from each beat to the next."""
    both = np.asarray(usable[:-1] & usable[1:])
    if not gaps.any():
        return both
    lost = np.concatenate([[0], np.cumsum(gaps)])[sample]
    return np.asarray(both & (np.diff(lost) == 0))
