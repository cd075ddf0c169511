"""Where a signal is missing, and lines across the holes."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from ecg.filters import effective_fs, resample

FLAT_S: Final = 1.0
"""A signal constant for so long is no signal."""
GAP_S: Final = 0.1
"""Shorter gaps are bridged by a line and searched like any signal."""


@dataclass(frozen=True)
class Held:
    """One lead with lines across what is missing.

    signal: (n_samples,) finite, at `fs` Hz; missing, gaps: (n_samples,) lines of any length, and
    those of `GAP_S` or longer; resampled: (n,) the signal at `filters.FS`.
    """

    signal: NDArray[np.float64]
    fs: float
    missing: NDArray[np.bool_]
    gaps: NDArray[np.bool_]
    resampled: NDArray[np.float64]

    def own_index(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where indices of `resampled` lie in `signal`."""
        own = np.rint(index * (self.fs / effective_fs(self.fs))).astype(np.int64)
        return np.asarray(np.minimum(own, len(self.signal) - 1))

    def at_canonical(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return (n,) a mask of samples where `resampled` has its own."""
        if not mask.any():
            return np.zeros(len(self.resampled), np.bool_)
        return np.asarray(mask[self.own_index(np.arange(len(self.resampled)))])


def hold(signal: NDArray[np.floating], fs: float) -> Held:
    """Bridge the holes of one lead (n_samples,) at `fs` Hz: not finite, or flat for `FLAT_S`."""
    missing = missing_samples(signal, fs)
    held = bridged(signal, missing)
    return Held(held, fs, missing, long_gaps(missing, fs), resample(held, fs))


def missing_samples(signal: NDArray[np.floating], fs: float) -> NDArray[np.bool_]:
    """Return (n_samples,) whether each sample of `signal` is not finite or in a flat stretch."""
    flat = in_long_runs(signal[1:] != signal[:-1], round(FLAT_S * fs))
    return np.asarray(~np.isfinite(signal) | flat)


def long_gaps(missing: NDArray[np.bool_], fs: float) -> NDArray[np.bool_]:
    """Return (n_samples,) the `missing` samples that lie in gaps of `GAP_S` or longer."""
    if not missing.any():
        return missing
    return np.asarray(missing & in_long_runs(missing[1:] != missing[:-1], round(GAP_S * fs)))


def in_long_runs(changes: NDArray[np.bool_], shortest: int) -> NDArray[np.bool_]:
    """Return (n + 1,) whether each sample is in an unchanging run of `shortest` samples or more."""
    block = shortest // 2
    whole_blocks = changes[: len(changes) // block * block].reshape(-1, block)
    # A long run holds a whole block without a change: most signals have none.
    if whole_blocks.any(axis=1).all() and len(changes) >= shortest:
        return np.zeros(len(changes) + 1, np.bool_)
    # An opening: a byte a sample, where a list of the runs would take sixteen.
    size = max(shortest - 1, 1)
    same = (~changes).view(np.uint8)
    whole = minimum_filter1d(same, size, mode="constant")
    whole = maximum_filter1d(whole, size, mode="constant", origin=0 if size % 2 else -1) > 0
    out = np.zeros(len(changes) + 1, np.bool_)
    out[:-1] |= whole
    out[1:] |= whole
    return out


def bridged(signal: NDArray[np.floating], missing: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return `signal` with lines across what is missing: the step to a rail would look like a beat.

    All zeros where nothing is known.
    """
    if not missing.any():
        return signal.astype(np.float64, copy=False)
    known = np.flatnonzero(~missing)
    if len(known) == 0:
        return np.zeros(len(signal))
    return np.asarray(np.interp(np.arange(len(signal)), known, signal[known]))
