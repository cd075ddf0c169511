"""Where a signal is missing, and lines across the holes."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, minimum_filter1d

FLAT_S: Final = 1.0
"""A signal constant for so long is no signal."""
GAP_S: Final = 0.1
"""Shorter gaps are bridged by a line and searched like any signal."""


def missing_samples(signal: NDArray[np.floating], fs: float) -> NDArray[np.bool_]:
    """Return (n_samples,) whether each sample of `signal` is not finite or in a flat stretch."""
    flat = in_long_runs(signal[1:] != signal[:-1], round(FLAT_S * fs))
    return np.asarray(~np.isfinite(signal) | flat)


def long_gaps(missing: NDArray[np.bool_], fs: float) -> NDArray[np.bool_]:
    """Return (n_samples,) the `missing` samples that lie in gaps of `GAP_S` or longer."""
    return np.asarray(missing & in_long_runs(missing[1:] != missing[:-1], round(GAP_S * fs)))


def in_long_runs(changes: NDArray[np.bool_], shortest: int) -> NDArray[np.bool_]:
    """Return (n + 1,) whether each sample is in an unchanging run of `shortest` samples or more."""
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
