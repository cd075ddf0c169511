"""Resampling to the canonical rate, and the two zero-phase filters of the signal path."""

from fractions import Fraction
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, firwin, resample_poly, sosfilt, sosfilt_zi

FS: Final = 125.0
"""Canonical sampling frequency, Hz: twice the 40 Hz low-pass and more, and the rate of the
widely used 187-sample beats (Kachuee, Fazeli & Sarrafzadeh, ICHI 2018)."""

BASELINE_HZ: Final = 0.5
"""Baseline wander lies below it (AHA recommendations, Kligfield et al. 2007: zero-phase filters
may cut at up to 0.67 Hz without shifting the ST segment)."""

NOISE_HZ: Final = 40.0
"""Monitoring bandwidth: mains (50, 60 Hz) and most muscle noise lie above it."""

LOW_PASS_PADDING: Final = 15
HIGH_PASS_PADDING: Final = round(4 * FS)
"""Samples by which both ends are mirrored: the filters' transients die there."""

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
    return _both_ways(signal, *_low_pass(), padding=min(signal.shape[-1] - 1, LOW_PASS_PADDING))


def remove_baseline(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """High-pass `signal` (..., n_samples) at `FS` with no phase shift; wants seconds of signal."""
    return _both_ways(signal, *_high_pass(), padding=min(signal.shape[-1] - 1, HIGH_PASS_PADDING))


def _both_ways(
    signal: NDArray[np.float64],
    sections: NDArray[np.float64],
    settled: NDArray[np.float64],
    padding: int,
) -> NDArray[np.float64]:
    # scipy.signal.sosfiltfilt, whose steady state is worked out anew on every call: for one beat
    # that costs more than the filter does.
    first, last = signal[..., :1], signal[..., -1:]
    before = 2 * first - signal[..., padding:0:-1]
    after = 2 * last - signal[..., -2 : -padding - 2 : -1]
    out = np.concatenate([before, signal, after], axis=-1)
    shape = (len(sections), *([1] * (signal.ndim - 1)), 2)
    for _ in range(2):
        out = sosfilt(sections, out, axis=-1, zi=settled.reshape(shape) * out[..., :1])[0][
            ..., ::-1
        ]
    return np.asarray(out[..., padding : out.shape[-1] - padding])


# Bounded: `fs` is the client's choice.
@lru_cache(maxsize=64)
def _ratio(fs: float) -> tuple[int, int]:
    ratio = Fraction(FS / fs).limit_denominator(_MAX_RATIO_TERM)
    return ratio.numerator, ratio.denominator


@lru_cache(maxsize=64)
def _antialias(up: int, down: int) -> NDArray[np.float64]:
    # The design is the costly part of scipy's polyphase filter for one short beat.
    longest = max(up, down)
    return np.asarray(firwin(20 * longest + 1, 1.0 / longest, window=("kaiser", 5.0)))


@lru_cache
def _low_pass() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    sections = np.asarray(butter(4, NOISE_HZ, "lowpass", fs=FS, output="sos"))
    return sections, np.asarray(sosfilt_zi(sections))


@lru_cache
def _high_pass() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    sections = np.asarray(butter(2, BASELINE_HZ, "highpass", fs=FS, output="sos"))
    return sections, np.asarray(sosfilt_zi(sections))
