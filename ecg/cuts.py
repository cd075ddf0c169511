"""Beats sent alone, each a cut-out: which are taken, and where the R peak lies in one."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from ecg.errors import InputError
from ecg.filters import FS

CUT_S: Final = (0.2, 10.0)
"""Shortest and longest cut-out, in seconds, taken for one beat."""
LARGEST: Final = 1e9
"""Largest absolute sample: beyond any unit (nV of an ECG stay below 1e8)."""


def check(
    signals: NDArray[np.float64], rows: list[int], fs: float, peaks: list[int | None]
) -> None:
    """Refuse cut-outs (n, n_samples) that hold no beat, by the numbers `rows` that they have.

    Raises InputError, as `beats.from_cuts` says.
    """
    length = signals.shape[1]
    shortest, longest = (round(seconds * fs) for seconds in CUT_S)
    accepted = f"{shortest} to {longest} numbers at {fs:g} Hz ({CUT_S[0]:g} to {CUT_S[1]:g} s)"
    if not shortest <= length <= longest:
        raise InputError(f"beats[{rows[0]}]", f"has {length} numbers", accepted)
    for row, peak in zip(rows, peaks, strict=True):
        if peak is not None and not 0 <= peak < length:
            raise InputError(
                f"r_peak[{row}]", "lies outside its beat", f"an index from 0 to {length - 1}"
            )
    largest = np.abs(signals).max(axis=1)
    if not np.all(largest <= LARGEST):
        row = rows[int(np.argmax(~(largest <= LARGEST)))]
        raise InputError(f"beats[{row}]", "holds a number beyond reach", "finite, up to 1e9")
    flat = np.ptp(signals, axis=1) <= np.maximum(1e-12, 1e-9 * largest)
    if flat.any():
        raise InputError(
            f"beats[{rows[int(np.argmax(flat))]}]", "is a flat line", "a signal that varies"
        )


def main_peaks(canonical: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the index of the R peak in each cut-out (n_beats, n_samples) at `FS`.

    The steepest stretch of 0.1 s, then the largest deflection about it; of two alike, the one
    nearer to the middle.
    """
    n = canonical.shape[1]
    slope = np.gradient(canonical, axis=1) ** 2
    steepness = uniform_filter1d(slope, round(0.1 * FS), axis=1, mode="constant")
    off_centre = np.abs(np.arange(n) - (n - 1) / 2) / max(n / 2, 1)
    steepest = np.argmax(steepness * (1 - 0.3 * off_centre), axis=1)
    reach = round(0.06 * FS)
    near = np.clip(steepest[:, None] + np.arange(-reach, reach + 1), 0, n - 1)
    level = np.median(canonical, axis=1, keepdims=True)
    largest = np.argmax(np.abs(np.take_along_axis(canonical, near, axis=1) - level), axis=1)
    return np.asarray(near[np.arange(len(near)), largest], np.int64)
