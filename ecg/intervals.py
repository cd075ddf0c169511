"""What RR intervals say of a rhythm: spread, change, Poincaré plot, entropy, early and late beats.

Over many stretches at once: rows are stretches, NaN stands where a row has no interval.
"""

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_RR_QUANTILES: Final = (0, 0.05, 0.25, 0.75, 0.95, 1)
_CHANGE_QUANTILES: Final = (0.1, 0.25, 0.5, 0.75, 0.9)
_CHANGES: Final = (0.02, 0.05, 0.1, 0.2)
_NEAR_S: Final = (0.03, 0.06)
_LAGS: Final = (1, 2, 3, 4)
_CELL_S: Final = 0.04
_CELLS: Final = 30
_ORIGIN_S: Final = 0.08
_EARLY, _LATE = 0.87, 1.2
INTERVALS: Final = (
    *("mean_s", "median_s", "shortest_s", "longest_s", "variation", "deviation"),
    *(f"quantile_{q:g}" for q in _RR_QUANTILES),
    *(f"change_quantile_{q:g}" for q in _CHANGE_QUANTILES),
    *("change_mean", "change_rms"),
    *(f"changed_{limit:g}_s" for limit in _CHANGES),
    *(f"changed_{limit:g}" for limit in _CHANGES),
    *("poincare_1", "poincare_2", "poincare_ratio"),
    *(f"entropy_{m}_{near:g}" for near in _NEAR_S for m in (1, 2)),
    *("entropy_coefficient", "turning"),
    *("lorenz_origin", "lorenz_spread", "lorenz_early"),
    *(f"correlation_{k}" for k in _LAGS),
    *("early", "very_early", "late", "very_late", "early_then_late"),
    *("own_share", "own_variation", "own_change", "own_irregular"),
)
"""Columns of `of_intervals`."""
FEWEST: Final = len(_LAGS) + 2
"""Intervals of which something can be told."""


def of_intervals(rr: Array, own: Array) -> Array:
    """Return `INTERVALS` (n, ...) of RR intervals rr (n, most) seconds, NaN is none.

    own: the same of the intervals between two beats of the usual kind.
    """
    average = mean(rr, axis=1)
    columns = [
        *_spread_of(rr, average),
        *_changes_of(np.diff(rr, axis=1), average),
        *_poincare(rr, average),
        *_entropy(rr, average),
        *_lorenz(np.diff(rr, axis=1)),
        *_correlation(rr - average[:, None]),
        *_oddness(rr),
        *_own(own, rr),
    ]
    return np.column_stack(columns)


def _known(values: Array) -> NDArray[np.int64]:
    return np.asarray((~np.isnan(values)).sum(axis=1))


def mean(values: Array, axis: int) -> Array:
    """Return the mean of what is known along an axis; NaN where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def share(which: NDArray[np.bool_], of: Array) -> Array:
    """Return the share of `which` (n, most) among what is known `of` (n, most)."""
    count = _known(of)
    return np.where(count > 0, (which & ~np.isnan(of)).sum(axis=1) / np.maximum(count, 1), np.nan)


def quantiles(values: Array, wanted: tuple[float, ...]) -> list[Array]:
    """Return quantiles (n, n_columns) over the known members of (n, most, n_columns)."""
    ordered = np.sort(values, axis=1)
    last = np.maximum((~np.isnan(values)).sum(axis=1) - 1, 0)
    found = []
    for q in wanted:
        place = q * last
        low = np.floor(place).astype(np.int64)[:, None]
        below = np.take_along_axis(ordered, low, axis=1)[:, 0]
        above = np.take_along_axis(ordered, np.minimum(low + 1, last[:, None]), axis=1)[:, 0]
        found.append(below + (above - below) * (place - low[:, 0]))
    return found


def _spread_of(rr: Array, average: Array) -> list[Array]:
    median, *others = (q[:, 0] for q in quantiles(rr[..., None], (0.5, *_RR_QUANTILES)))
    deviation = quantiles(np.abs(rr - median[:, None])[..., None], (0.5,))[0][:, 0]
    variation = np.sqrt(mean((rr - average[:, None]) ** 2, axis=1)) / average
    ends = (others[0], others[-1])
    return [
        average,
        median,
        *ends,
        variation,
        deviation / median,
        *(one / median for one in others),
    ]


def _changes_of(change: Array, average: Array) -> list[Array]:
    size = np.abs(change)
    return [
        *(q[:, 0] / average for q in quantiles(size[..., None], _CHANGE_QUANTILES)),
        mean(size, axis=1) / average,
        np.sqrt(mean(size**2, axis=1)) / average,
        *(share(size > limit, size) for limit in _CHANGES),
        *(share(size > limit * average[:, None], size) for limit in _CHANGES),
    ]


def _poincare(rr: Array, average: Array) -> list[Array]:
    """Return the spread across and along the identity line of successive intervals."""
    first, second = rr[:, :-1], rr[:, 1:]
    across, along = (second - first) / np.sqrt(2), (second + first) / np.sqrt(2)
    spreads = [
        np.sqrt(mean((one - mean(one, axis=1)[:, None]) ** 2, axis=1)) for one in (across, along)
    ]
    return [spreads[0] / average, spreads[1] / average, spreads[0] / np.maximum(spreads[1], 1e-3)]


def _entropy(rr: Array, average: Array) -> list[Array]:
    """Return sample entropies of one and two intervals, their coefficient, and turning points.

    Source: Lake & Moorman, Am J Physiol Heart Circ Physiol 300(1), 2011 (coefficient).
    """
    found = []
    whole = ~np.isnan(rr[:, :-2] + rr[:, 1:-1] + rr[:, 2:])
    for near in _NEAR_S:
        close = np.abs(rr[:, :, None] - rr[:, None, :]) < near
        one = close[:, :-2, :-2] & whole[:, :, None] & whole[:, None, :]
        two = one & close[:, 1:-1, 1:-1]
        three = two & close[:, 2:, 2:]
        # A half more: where nothing is alike, the logarithm stays finite.
        counts = [
            np.count_nonzero(c, axis=(1, 2)) - whole.sum(axis=1) + 0.5 for c in (one, two, three)
        ]
        found += [np.log(a / b) for a, b in pairwise(counts)]
    known = ~np.isnan(average)
    found = [np.where(known, one, np.nan) for one in found]
    coefficient = found[0] - np.log(2 * _NEAR_S[0]) - np.log(average)
    change = np.diff(rr, axis=1)
    turns = change[:, 1:] * change[:, :-1]
    return [*found, coefficient, share(turns < 0, turns)]


def _lorenz(change: Array) -> list[Array]:
    """Return evidence of fibrillation and of premature beats from successive changes.

    Share in the origin, cells filled outside it, share shorter and then longer. Source: Sarkar,
    Ritscher & Mehra, IEEE TBME 55(3), 2008.
    """
    first, second = change[:, :-1], change[:, 1:]
    known = ~np.isnan(first + second)
    origin = known & (np.abs(first) < _ORIGIN_S) & (np.abs(second) < _ORIGIN_S)
    cells = [
        np.clip(np.nan_to_num(one) / _CELL_S + _CELLS / 2, 0, _CELLS - 1).astype(np.int64)
        for one in (first, second)
    ]
    place = np.arange(len(change))[:, None] * _CELLS**2 + cells[0] * _CELLS + cells[1]
    filled = np.bincount(place[known & ~origin], minlength=len(change) * _CELLS**2) > 0
    pairs = np.maximum(known.sum(axis=1), 1)
    spread = np.where(
        known.any(axis=1), filled.reshape(len(change), -1).sum(axis=1) / pairs, np.nan
    )
    early = (first < -_ORIGIN_S) & (second > _ORIGIN_S)
    sums = first + second
    return [share(origin, sums), spread, share(early, sums)]


def _correlation(deviation: Array) -> list[Array]:
    power = np.maximum(mean(deviation**2, axis=1), 1e-6)
    return [mean(deviation[:, k:] * deviation[:, :-k], axis=1) / power for k in _LAGS]


def _oddness(rr: Array) -> list[Array]:
    """Return shares of intervals that are early or late beside the median of those about them."""
    padded = np.pad(rr, ((0, 0), (3, 3)), constant_values=np.nan)
    about = np.lib.stride_tricks.sliding_window_view(padded, 7, axis=1)
    ratio = rr / quantiles(np.moveaxis(about, 2, 1), (0.5,))[0]
    then = (ratio[:, :-1] < _EARLY) & (ratio[:, 1:] > 1.1)
    return [
        *(share(ratio < limit, ratio) for limit in (_EARLY, 0.8)),
        *(share(ratio > limit, ratio) for limit in (_LATE, 1.5)),
        share(then, ratio[:, :-1] + ratio[:, 1:]),
    ]


def _own(own: Array, rr: Array) -> list[Array]:
    """Return how irregular the intervals between two beats of the usual kind are."""
    average = mean(own, axis=1)
    change = np.abs(np.diff(own, axis=1)) / average[:, None]
    return [
        share(~np.isnan(own), rr),
        np.sqrt(mean((own - average[:, None]) ** 2, axis=1)) / average,
        mean(change, axis=1),
        share(change > 0.08, change),
    ]
