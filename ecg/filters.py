"""Resampling to the canonical rate, and the two zero-phase filters of the signal path."""

from fractions import Fraction
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, firwin, resample_poly, sosfiltfilt

FS: Final = 125.0
"""Canonical sampling frequency, Hz: twice the 40 Hz low-pass and more, and the rate of the
widely used 187-sample beats (Kachuee, Fazeli & Sarrafzadeh, ICHI 2018)."""

BASELINE_HZ: Final = 0.5
"""Baseline wander lies below it (AHA recommendations, Kligfield et al. 2007: zero-phase filters
may cut at up to 0.67 Hz without shifting the ST segment)."""

NOISE_HZ: Final = 40.0
"""Monitoring bandwidth: mains (50, 60 Hz) and most muscle noise lie above it."""

_MAX_RATIO_TERM = 500


def resample(signal: NDArray[np.float64], fs: float) -> NDArray[np.float64]:
    """Bring `signal` (..., n_samples) at `fs` Hz to `FS` along its last axis.

    The ratio is the nearest fraction with a denominator up to 500, exact for every whole number
    of Hz in use; whoever maps sample indices asks `effective_fs` where they land.
    """
    up, down = _ratio(fs)
    if up == down:
        return signal
    # A polyphase filter's phases differ by 1e-5 at 0 Hz: nothing to an ECG in mV, much to raw
    # counts on a large offset.
    offset = signal[..., :1]
    window = _antialias(up, down)
    resampled = resample_poly(signal - offset, up, down, axis=-1, window=window, padtype="line")
    return np.asarray(resampled + offset)


def effective_fs(fs: float) -> float:
    """Return the rate, in Hz, at which one sample of a signal at `fs` Hz lands after `resample`."""
    up, down = _ratio(fs)
    return fs * up / down


def remove_noise(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Low-pass `signal` (..., n_samples) at `FS` with no phase shift."""
    return np.asarray(sosfiltfilt(_low_pass(), signal, axis=-1))


def remove_baseline(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """High-pass `signal` (..., n_samples) at `FS` with no phase shift; wants seconds of signal."""
    padding = min(signal.shape[-1] - 1, int(4 * FS))
    return np.asarray(sosfiltfilt(_high_pass(), signal, axis=-1, padlen=padding))


@cache
def _ratio(fs: float) -> tuple[int, int]:
    ratio = Fraction(FS / fs).limit_denominator(_MAX_RATIO_TERM)
    return ratio.numerator, ratio.denominator


@cache
def _antialias(up: int, down: int) -> NDArray[np.float64]:
    # The design is the costly part of scipy's polyphase filter for one short beat.
    longest = max(up, down)
    return np.asarray(firwin(20 * longest + 1, 1.0 / longest, window=("kaiser", 5.0)))


@cache
def _low_pass() -> NDArray[np.float64]:
    return np.asarray(butter(4, NOISE_HZ, "lowpass", fs=FS, output="sos"))


@cache
def _high_pass() -> NDArray[np.float64]:
    return np.asarray(butter(2, BASELINE_HZ, "highpass", fs=FS, output="sos"))
