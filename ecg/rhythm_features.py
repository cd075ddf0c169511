"""What stretches of a recording say of its rhythm: intervals, waves, beats' classes, spectrum.

Each stretch is described by means, spreads and quantiles over its beats and over frames of its
signal, never by a count or a sum: how long it lasts is not among its features. Beats are measured
as `ecg.context` does, against their recording.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal.windows import hann

from ecg.aami import CLASSES
from ecg.beats import BEFORE
from ecg.context import CONTEXT
from ecg.filters import FS
from ecg.intervals import FEWEST, INTERVALS, mean, of_intervals, quantiles
from ecg.locate import Located
from ecg.quality import LEVELS, MISSING, REASONS

Array = NDArray[np.float64]

OWN_KIND: Final = 0.85
"""Similarity with the typical QRS from which an interval's ends are beats of the usual kind."""
QUANTILES: Final = (0.1, 0.5, 0.9)
OF_CONTEXT: Final = (
    *("amplitude/typical", "similarity_to_typical", "alike_0.9", "alike_0.97"),
    *("like_-2", "like_-1", "like_+1", "like_+2"),
    *("width", "area", "lowest", "highest", "polarity", "width_relative", "area_relative"),
    *("dp", "dqrs", "dt", "ddiastole", "dp_max", "dp_min", "dp_mean"),
    *("p_similarity", "p_projection", "p_clarity", "p_similarity_relative"),
    *("p_projection_relative", "p_similarity_17", "p_clarity_17", "later_p_clarity_17"),
    *("previous/next", "previous/local_mean", "previous/mean_of_5", "previous/mean_of_21"),
    *("change_9", "change_17", "irregular_9", "irregular_17", "variation_9", "variation_17"),
    *("previous_score_33", "next_score_33", "premature_21"),
)
"""Columns of a beat's context that tell of the beat and of those about it."""
BANDS_HZ: Final = (0.5, 1, 2, 4, 6, 9, 12, 18, 25, 35, 50)
FRAME: Final = 256
"""Samples, 2 s, hopped by half: at least one beat in each."""
_FRAMES: Final = (*(f"power_{low:g}" for low in BANDS_HZ[:-1]), "swing", "peakedness", "entropy")
_STATISTICS: Final = ("mean", "spread", *(f"q{100 * q:g}" for q in QUANTILES))
_SHARES: Final = (*LEVELS, *(reason for reason in REASONS if reason))
_TYPICAL_STEP: Final = 5
_TYPICAL: Final = 32

FEATURES: Final = (
    *(f"rr_{name}" for name in (*INTERVALS, "beats_per_s")),
    *(f"beat_{name}_{s}" for s in _STATISTICS for name in (*OF_CONTEXT, *CLASSES)),
    *(f"frame_{name}_{s}" for s in _STATISTICS for name in _FRAMES),
    *(f"quality_{name}" for name in _SHARES),
    *(f"typical_{k}" for k in range(_TYPICAL)),
    *("typical_p_highest", "typical_p_lowest", "typical_p_at"),
    *("typical_t_highest", "typical_t_lowest", "typical_t_at"),
)
"""Columns of `features`."""

_CHUNK = 256


def features(
    found: Located, proba: NDArray[np.float32], begin_s: Array, end_s: Array
) -> NDArray[np.float32]:
    """Return features (n, len(FEATURES)) of stretches of a lead; NaN where too few beats tell.

    proba: (n_beats, 5), NaN where not classified; begin_s, end_s: (n,) from the lead's start.
    """
    ready = found.ready
    shown = np.hstack([ready.context[:, [CONTEXT.index(name) for name in OF_CONTEXT]], proba])
    shares = np.hstack([_one_hot(found.quality.level, 0, len(LEVELS))])
    shares = np.hstack([shares, _one_hot(found.quality.reason, 1, len(REASONS))])
    frames = _frames(ready.canonical, ready.typical_amplitude)
    frame_at = (np.arange(len(frames)) * (FRAME // 2) + FRAME / 2) / FS
    beat_at = ready.centres / FS
    typical = np.tile(_typical(ready.typical), (_CHUNK, 1))
    parts = []
    for start in range(0, len(begin_s), _CHUNK):
        begin, end = begin_s[start : start + _CHUNK], end_s[start : start + _CHUNK]
        which, inside = _members(beat_at, begin, end)
        of_frames, in_frames = _members(frame_at, begin, end)
        parts.append(
            np.hstack(
                [
                    _intervals(found, which, inside, end - begin),
                    _statistics(_taken(shown, which, inside)),
                    _statistics(_taken(frames, of_frames, in_frames)),
                    mean(_taken(shares, which, inside), axis=1),
                    typical[: len(begin)],
                ]
            )
        )
    return np.concatenate(parts).astype(np.float32)


def _members(
    at: NDArray[np.floating], begin: Array, end: Array
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the indices (n, most) of what lies in each stretch, and which of them do."""
    first, last = np.searchsorted(at, begin), np.searchsorted(at, end)
    most = max(int((last - first).max(initial=0)), 1)
    which = first[:, None] + np.arange(most)
    return np.minimum(which, max(len(at) - 1, 0)), which < last[:, None]


def _taken(
    table: NDArray[np.floating], which: NDArray[np.int64], inside: NDArray[np.bool_]
) -> Array:
    if not len(table):
        return np.full((*which.shape, table.shape[1]), np.nan)
    return np.where(inside[..., None], table[which].astype(np.float64), np.nan)


def _statistics(values: Array) -> Array:
    """Return `_STATISTICS` (n, 5 * n_columns) over the members of (n, most, n_columns)."""
    average = mean(values, axis=1)
    spread = np.sqrt(mean((values - average[:, None]) ** 2, axis=1))
    return np.hstack([average, spread, *quantiles(values, QUANTILES)])


def _intervals(
    found: Located, which: NDArray[np.int64], inside: NDArray[np.bool_], seconds: Array
) -> Array:
    """Return `INTERVALS` and beats a second (n, ...) of each stretch."""
    beats = inside.sum(axis=1) / seconds
    known = inside[:, 1:] & inside[:, :-1]
    if known.shape[1] < FEWEST:
        return np.hstack([np.full((len(which), len(INTERVALS)), np.nan), beats[:, None]])
    lost = found.quality.reason == MISSING
    known &= ~(lost[which[:, 1:]] | lost[which[:, :-1]])
    at = found.ready.centres / FS
    rr = np.where(known, at[which[:, 1:]] - at[which[:, :-1]], np.nan)
    rr[known.sum(axis=1) < FEWEST] = np.nan
    similar = found.ready.context[:, CONTEXT.index("similarity_to_typical")] > OWN_KIND
    own = np.where(similar[which[:, 1:]] & similar[which[:, :-1]], rr, np.nan)
    return np.hstack([of_intervals(rr, own), beats[:, None]])


def _frames(canonical: Array, amplitude: float) -> Array:
    """Return `_FRAMES` (n_frames, ...): power shares, swing, peakedness, spectral entropy."""
    padded = np.pad(canonical, (0, max(FRAME - len(canonical), 0)))
    cut = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[:: FRAME // 2]
    parts = []
    for start in range(0, len(cut), 4096):
        some = cut[start : start + 4096] - cut[start : start + 4096].mean(axis=1, keepdims=True)
        power = np.abs(np.fft.rfft(some * hann(FRAME, sym=False), axis=1)) ** 2
        edges = np.searchsorted(np.fft.rfftfreq(FRAME, 1 / FS), BANDS_HZ)
        bands = np.add.reduceat(power, edges, axis=1)[:, :-1]
        shares = bands / np.maximum(bands.sum(axis=1, keepdims=True), 1e-30)
        spread = np.maximum(some.std(axis=1), 1e-12)
        parts.append(
            np.column_stack(
                [
                    np.log(shares + 1e-6),
                    np.log(np.ptp(some, axis=1) / max(amplitude, 1e-12) + 1e-6),
                    np.log(np.square(np.square(some / spread[:, None])).mean(axis=1) + 1e-6),
                    -(shares * np.log(shares + 1e-12)).sum(axis=1),
                ]
            )
        )
    return np.concatenate(parts)


def _typical(typical: Array) -> Array:
    p, t = typical[BEFORE - 34 : BEFORE - 8], typical[BEFORE + 12 : BEFORE + 60]
    waves = [one for part in (p, t) for one in (part.max(), part.min(), np.abs(part).argmax())]
    return np.asarray(np.concatenate([typical[::_TYPICAL_STEP], waves]))


def _one_hot(values: NDArray[np.int64], first: int, end: int) -> Array:
    return np.asarray(values[:, None] == np.arange(first, end), np.float64)
