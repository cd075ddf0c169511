"""The waves of a beat beside those of its recording: QRS, P and T, and which beats are alike."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.filters import FS

Array = NDArray[np.float64]

P_S: Final = (-0.272, -0.064)
"""Where the P wave is sought, from the R peak, s."""
DIASTOLE_S: Final = (-0.432, -0.064)
T_S: Final = (0.12, 0.48)
QRS_NARROW_S: Final = (-0.08, 0.088)
QRS_WIDE_S: Final = (-0.192, 0.208)
ALIKE: Final = (0.9, 0.97)
_ALIKE_FROM: Final = 400

MEASURES: Final = (
    *("dp", "dqrs", "dt", "ddiastole", "dp_max", "dp_min", "dp_mean"),
    *("width", "area", "lowest", "highest", "polarity"),
    *("p_similarity", "p_projection", "p_clarity"),
)


def measure(own: Array, difference: Array, typical: Array, late: Array) -> dict[str, Array]:
    """Return `MEASURES` of beats, (n,) each.

    own: (n, WINDOW) each over its QRS amplitude; difference: (n, WINDOW) from the typical beat;
    typical, late: (WINDOW,) the typical beat of all, and of the late ones that P waves are held to.
    """
    p, diastole, t, narrow, wide = map(
        _span, (P_S, DIASTOLE_S, T_S, QRS_NARROW_S, QRS_WIDE_S), (own.shape[1],) * 5
    )
    slope = np.abs(np.diff(own[:, wide], axis=1))
    slope /= np.maximum(slope.sum(axis=1, keepdims=True), 1e-12)
    place = np.arange(slope.shape[1])
    centre = slope @ place
    from_late = difference[:, diastole] + typical[diastole] - late[diastole]
    from_late_p = difference[:, p] + typical[p] - late[p]
    # The line between the ends is T wave and baseline: what is left above it is the P wave.
    wave, late_wave = _humps(from_late_p + late[p]), _humps(late[p])
    return {
        "dp": _rms(from_late_p),
        "dqrs": _rms(difference[:, narrow]),
        "dt": _rms(difference[:, t]),
        "ddiastole": _rms(from_late),
        "dp_max": from_late_p.max(axis=1),
        "dp_min": from_late_p.min(axis=1),
        "dp_mean": from_late_p.mean(axis=1),
        "width": np.sqrt(np.maximum(slope @ place**2 - centre**2, 0)),
        "area": np.abs(own - np.median(own, axis=1, keepdims=True))[:, wide].sum(axis=1),
        "lowest": own[:, narrow].min(axis=1),
        "highest": own[:, narrow].max(axis=1),
        "polarity": _cosine(own[:, narrow], typical[narrow]),
        "p_similarity": _cosine(wave, late_wave),
        "p_projection": wave @ late_wave / max(float(late_wave @ late_wave), 1e-12),
        "p_clarity": _clarity(wave, late_wave),
    }


def qrs_shape(own: Array) -> NDArray[np.float32]:
    """Return (n, n_samples) the wide QRS of beats (n, WINDOW), centred and of norm 1."""
    shape = _centred(own[:, _span(QRS_WIDE_S, own.shape[1])])
    norm = np.maximum(np.linalg.norm(shape, axis=1, keepdims=True), 1e-12)
    return np.asarray(shape / norm, np.float32)


def compare(shape: NDArray[np.float32]) -> dict[str, Array]:
    """Return how like its neighbours each beat is, and how many of the recording are like it.

    shape: (n, n_samples) as `qrs_shape` returns it.
    """
    n = len(shape)
    found = {}
    for k in (-2, -1, 1, 2):
        like = np.full(n, np.nan)
        if n > abs(k):
            alike = np.einsum("ij,ij->i", shape[abs(k) :], shape[: -abs(k)])
            like[slice(None, -k) if k > 0 else slice(-k, None)] = alike
        found[f"like_{k:+d}"] = like
    some = np.linspace(0, n - 1, min(n, _ALIKE_FROM)).astype(np.int64)
    shares = np.empty((n, len(ALIKE)))
    for start in range(0, n, 4096):
        alike = shape[start : start + 4096] @ shape[some].T
        for i, limit in enumerate(ALIKE):
            shares[start : start + 4096, i] = np.count_nonzero(alike > limit, axis=1) / len(some)
    return found | {f"alike_{limit:g}": shares[:, i] for i, limit in enumerate(ALIKE)}


def _span(seconds: tuple[float, float], window: int) -> slice:
    before = round(0.4 * window)
    return slice(before + round(seconds[0] * FS), before + round(seconds[1] * FS))


def _centred(values: Array) -> Array:
    return np.asarray(values - values.mean(axis=-1, keepdims=True))


def _humps(values: Array) -> Array:
    """Return values (..., n) above the line between the means of their first and last quarters."""
    n = values.shape[-1]
    quarter = n // 4
    first = values[..., :quarter].mean(axis=-1, keepdims=True)
    last = values[..., -quarter:].mean(axis=-1, keepdims=True)
    share = (np.arange(n) - (quarter - 1) / 2) / (n - quarter)
    return np.asarray(values - first - (last - first) * share)


def _clarity(wave: Array, typical: Array) -> Array:
    """Return the logarithm of the typical wave over what is left of a wave without it."""
    left = np.sqrt(((wave - typical) ** 2).mean(axis=1))
    return np.asarray(np.log((np.sqrt((typical**2).mean()) + 1e-3) / (left + 1e-3)))


def _rms(values: Array) -> Array:
    return np.asarray(np.sqrt((values**2).mean(axis=1)))


def _cosine(values: Array, other: Array) -> Array:
    norm = np.linalg.norm(values, axis=1) * np.linalg.norm(other)
    return np.asarray(values @ other / np.maximum(norm, 1e-12))
