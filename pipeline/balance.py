"""What is done about rare classes: weights, SMOTE, samples of a mixture, real beats varied.

Each makes beats of training rows alone, before anything is fitted to them.
"""

from typing import Final

import numpy as np
import wfdb
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from ecg import filters
from ecg.beats import Beats, clean
from pipeline import dataset, params, smote

METHODS: Final = ("none", "weights", "smote", "mixture", "augmented")
_COMPONENTS = 30
_BEATS_A_PART = 40
_NOISE = 0.05
"""Mean deviation of the noise added to a beat, over its QRS amplitude."""
_WANDER_HZ = (0.5, 1.0)

Made = tuple[Beats, NDArray[np.int64]]


def balanced(
    beats: Beats, label: NDArray[np.int64], method: str, wanted: params.Balance
) -> tuple[Beats, NDArray[np.int64], NDArray[np.float64]]:
    """Return the beats with those that `method` makes after them, labels and weights (n,) of all.

    Minority classes are raised to `wanted.share` of the largest; `weights` makes none and weighs.
    """
    if method not in METHODS:
        raise SystemExit(f"balance: {method!r} is not one of {', '.join(METHODS)}")
    if method == "weights":
        return beats, label, root_weights(label)
    made, of_made = _MAKERS[method](beats, label, wanted)
    every = dataset.join_beats([beats, made])
    labels = np.concatenate([label, of_made])
    return every, labels, np.ones(len(labels))


def root_weights(label: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the weight (n,) of each row: the root of its class's rarity, 1 for the largest."""
    count = np.bincount(label)
    return np.asarray(np.sqrt(count.max() / np.maximum(count, 1))[label])


def varied(windows: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return windows (n, length, channels) a little moved, stretched, scaled and noisy."""
    n, length = windows.shape[:2]
    peak = 0.4 * length
    stretch = np.where(rng.random(n) < 0.5, rng.uniform(0.9, 1.12, n), 1.0)
    moved = np.where(rng.random(n) < 0.5, rng.integers(-2, 3, n), 0)
    source = peak + (np.arange(length) - peak) * stretch[:, None] + moved[:, None]
    low = np.clip(np.floor(source).astype(np.int64), 0, length - 2)
    share = np.clip(source - low, 0, 1)[..., None].astype(np.float32)
    rows = np.arange(n)[:, None]
    out = windows[rows, low] * (1 - share) + windows[rows, low + 1] * share
    out *= rng.uniform(0.85, 1.15, (n, 1, 1)).astype(np.float32)
    noise = rng.standard_normal(out.shape, np.float32)
    out += noise * rng.exponential(0.01, (n, 1, 1)).astype(np.float32)
    # A lone beat's second channel is no difference of zero: it is not there.
    if windows.shape[2] > 1:
        out[~windows[..., 1].any(axis=1), :, 1] = 0
    return np.asarray(out)


def _none(beats: Beats, label: NDArray[np.int64], _wanted: params.Balance) -> Made:
    return beats.take(np.empty(0, np.int64)), label[:0]


def _smote(beats: Beats, label: NDArray[np.int64], wanted: params.Balance) -> Made:
    options = params.Smote(wanted.seed, [1.0, 0.0], wanted.share, wanted.neighbours)
    return smote.oversample(beats, label, options)


def _mixture(beats: Beats, label: NDArray[np.int64], wanted: params.Balance) -> Made:
    """Sample minority classes from Gaussian mixtures of their principal components."""
    rows = smote.to_rows(beats)
    known = ~np.isnan(rows).all(axis=0)
    complete = ~np.isnan(rows[:, known]).any(axis=1)
    parts, labels = [rows[:0]], [label[:0]]
    for value, n in _missing(label[complete], wanted):
        some = rows[complete & (label == value)][:, known].astype(np.float64)
        space = PCA(min(_COMPONENTS, *some.shape), random_state=wanted.seed).fit(some)
        few = max(1, min(wanted.components, len(some) // _BEATS_A_PART))
        mixture = GaussianMixture(few, random_state=wanted.seed, reg_covar=1e-4)
        made = np.full((n, rows.shape[1]), np.nan, np.float32)
        made[:, known] = space.inverse_transform(mixture.fit(space.transform(some)).sample(n)[0])
        parts.append(made)
        labels.append(np.full(n, value))
    return smote.from_rows(np.concatenate(parts), beats), np.concatenate(labels)


def _augmented(beats: Beats, label: NDArray[np.int64], wanted: params.Balance) -> Made:
    """Vary real beats of minority classes: moved, stretched, scaled, wandering, in real noise."""
    rng = np.random.default_rng(wanted.seed)
    rows = [np.empty(0, np.int64)]
    rows += [rng.choice(np.flatnonzero(label == value), n) for value, n in _missing(label, wanted)]
    chosen = np.concatenate(rows)
    some = beats.take(chosen)
    windows = varied(some.windows, rng) if len(chosen) else some.windows
    size = len(chosen), windows.shape[1]
    noise = _noise(*size, rng) + _wander(*size, rng)
    return Beats(windows + noise[..., None], some.context, beats.view), label[chosen]


_MAKERS = {"none": _none, "smote": _smote, "mixture": _mixture, "augmented": _augmented}


def _missing(label: NDArray[np.int64], wanted: params.Balance) -> list[tuple[int, int]]:
    """Return each minority class and how many beats it lacks."""
    count = np.bincount(label)
    goal = int(wanted.share * count.max(initial=0))
    return [(value, goal - n) for value, n in enumerate(count.tolist()) if 1 < n < goal]


def _noise(n: int, length: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return stretches (n, length) of recorded noise, through the filters that beats go through."""
    kinds = np.stack([_recorded(kind) for kind in dataset.NOISE_KINDS])
    at = rng.integers(0, kinds.shape[1] - length, n)[:, None] + np.arange(length)
    drawn = kinds[rng.integers(0, len(kinds), n)[:, None], at]
    return np.asarray(drawn * rng.exponential(_NOISE, (n, 1)), np.float32)


def _recorded(kind: str) -> NDArray[np.float64]:
    record = wfdb.rdrecord(str(dataset.NOISES / kind))
    noise = clean(filters.resample(np.ascontiguousarray(record.p_signal[:, 0]), float(record.fs)))
    return np.asarray(noise / noise.std())


def _wander(n: int, length: int, rng: np.random.Generator) -> NDArray[np.float32]:
    hertz, phase = rng.uniform(*_WANDER_HZ, (n, 1)), rng.uniform(0, 2 * np.pi, (n, 1))
    wave = np.sin(2 * np.pi * hertz * np.arange(length) / filters.FS + phase)
    return np.asarray(wave * rng.exponential(_NOISE, (n, 1)), np.float32)
