"""What a recording says of each of its beats: rhythm about it, shape beside the others, P wave.

Everything is relative to the recording itself, so that a patient's own rate, amplitude and noise
carry no class: ratios to means, and distances from the median in robust deviations. Means and not
medians are the measure of prematurity: where an ectopic rhythm is the majority, the median is
ectopic. The families were chosen on folds of DS1 (docs/experiments.md).
"""

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from ecg.waves import ALIKE, MEASURES

Array = NDArray[np.float64]

RR_FIELDS: Final = ("previous_s", "next_s", "local_mean_s", "record_mean_s")
LOCAL_INTERVALS: Final = 10
"""RR intervals, the beat's own previous one included, in the local mean."""

_RATIOS: Final = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
_MEANS: Final = (5, 11, 21, 51, 101, 301)
_SPREADS: Final = (9, 17, 33, 65)
_SCORES: Final = (33, 101, 301)
_SINUS: Final = (17, 41, 101)
_PREMATURE: Final = (21, 101)
_NEIGHBOURS: Final = (-3, -2, -1, 2, 3, 4)
_IRREGULAR: Final = 0.08
"""Change from one interval to the next, over the mean, that counts as irregular."""
_PREMATURE_RATIO: Final = 0.85
TYPICAL: Final = 0.85
"""Similarity with the typical QRS from which a beat is of the recording's own kind."""

LATE_SHARE: Final = 0.2
"""Of the beats, those after the longest intervals: the surest to be of the sinus node."""
_FEWEST_LATE: Final = 5

_OF_QRS: Final = ("dqrs", "dt", "width", "area")
_OF_P: Final = ("dp", "ddiastole", "p_similarity", "p_projection")

RATIOS: Final = tuple(f"{RR_FIELDS[a][:-2]}/{RR_FIELDS[b][:-2]}" for a, b in _RATIOS)
OF_RECORDING: Final = (
    *("amplitude/typical", "similarity_to_typical"),
    *(f"previous/mean_of_{w}" for w in _MEANS),
    *(f"{name}_{w}" for w in _SPREADS for name in ("change", "irregular", "variation")),
    *(f"interval_{k:+d}" for k in _NEIGHBOURS),
    *("previous_score", *(f"{name}_score_{w}" for w in _SCORES for name in ("previous", "next"))),
    *("previous/sinus_mean", "next/sinus_mean", "after_odd", "before_odd"),
    *("previous/late_mean", "previous/weighted_mean"),
    *("late_p_similarity", "late_p_clarity", "p_clarity_17", "p_clarity_101"),
    *(f"later_p_clarity_{w}" for w in _SINUS),
    *(f"sinus_{name}_{w}" for w in _SINUS for name in ("change", "irregular")),
    *(f"premature_{w}" for w in _PREMATURE),
    *MEASURES,
    *(f"{name}_relative" for name in (*_OF_QRS, *_OF_P)),
    *(f"{name}_log" for name in (*_OF_QRS[:2], *_OF_P[:2])),
    *("p_similarity_17", "p_similarity_before", "p_similarity_after"),
    *(f"like_{k:+d}" for k in (-2, -1, 1, 2)),
    *(f"alike_{limit:g}" for limit in ALIKE),
)
CONTEXT: Final = (*RATIOS, *OF_RECORDING)
NEAR: Final = tuple(
    name for name in CONTEXT if not re.search(r"^late_|_(33|41|51|65|101|301)$", name)
)
"""What is known from a beat and the dozen on either side of it."""


def rr_context(times: Array, together: NDArray[np.bool_] | None = None) -> Array:
    """Return (n_beats, 4) RR seconds, as `RR_FIELDS`, of beats at `times` (n_beats,) seconds.

    NaN before the first and after the last beat and where an interval is not `together`; means
    are over the intervals that are there. A lone beat has none.
    """
    out = np.full((len(times), len(RR_FIELDS)), np.nan)
    rr = np.diff(times)
    known = np.ones(len(rr), np.bool_) if together is None else together
    if not known.any():
        return out
    out[1:, 0] = np.where(known, rr, np.nan)
    out[:-1, 1] = np.where(known, rr, np.nan)
    total = np.concatenate([[0.0], np.cumsum(np.where(known, rr, 0.0))])
    counted = np.concatenate([[0], np.cumsum(known)])
    start = np.maximum(np.arange(len(times)) - LOCAL_INTERVALS, 0)
    count = counted - counted[start]
    out[1:, 2] = np.where(count > 0, (total - total[start]) / np.maximum(count, 1), np.nan)[1:]
    out[:, 3] = rr[known].mean()
    return out


def of_lone_beats(rr: Array) -> NDArray[np.float32]:
    """Return context (n, len(CONTEXT)) of beats sent alone with RR seconds (n, 4): ratios."""
    missing = np.full((len(rr), len(OF_RECORDING)), np.nan)
    return np.hstack([_ratios(rr), missing]).astype(np.float32)


def of_recording(
    rr: Array, against_typical: Array, measures: dict[str, Array], likeness: dict[str, Array]
) -> NDArray[np.float32]:
    """Return context (n, len(CONTEXT)) of a recording's beats.

    rr: (n, 4) seconds; against_typical: (n, 2) amplitude and similarity; measures, likeness: as
    `ecg.waves` returns them, (n,) each.
    """
    every, late = np.arange(len(rr)), late_beats(rr[:, 0], against_typical[:, 1])
    columns = {
        "amplitude/typical": against_typical[:, 0],
        "similarity_to_typical": against_typical[:, 1],
        **_rhythm(rr),
        **_sinus_rhythm(rr, against_typical[:, 1] > TYPICAL, late),
        **measures,
        **{f"{name}_relative": _robust_score(measures[name], every) for name in _OF_QRS},
        **{f"{name}_log": _over_median(measures[name], every) for name in _OF_QRS[:2]},
        **{f"{name}_relative": _robust_score(measures[name], late) for name in _OF_P},
        **{f"{name}_log": _over_median(measures[name], late) for name in _OF_P[:2]},
        "p_similarity_17": _mean(measures["p_similarity"], 17),
        "late_p_clarity": np.full(len(rr), np.median(measures["p_clarity"][late])),
        **_where_later(measures["p_clarity"], rr[:, 0], against_typical[:, 1] > TYPICAL),
        "p_clarity_17": _mean(measures["p_clarity"], 17),
        "p_clarity_101": _mean(measures["p_clarity"], 101),
        "late_p_similarity": np.full(len(rr), np.median(measures["p_similarity"][late])),
        "p_similarity_before": _neighbour(measures["p_similarity"], -1),
        "p_similarity_after": _neighbour(measures["p_similarity"], 1),
        **likeness,
    }
    return np.column_stack([_ratios(rr), *(columns[name] for name in OF_RECORDING)]).astype(
        np.float32
    )


def late_beats(previous: Array, similarity: Array) -> NDArray[np.int64]:
    """Return the beats that came late and look like most: the surest to be of the sinus node.

    previous: (n,) seconds; similarity: (n,) of the QRS to the recording's. All where none is late.
    """
    own = np.flatnonzero((similarity > TYPICAL) & ~np.isnan(previous))
    n = max(round(LATE_SHARE * len(own)), _FEWEST_LATE)
    late = np.sort(own[np.argsort(-previous[own], kind="stable")[:n]])
    return late if len(late) else np.arange(len(previous))


def _ratios(rr: Array) -> Array:
    return np.column_stack([rr[:, a] / rr[:, b] for a, b in _RATIOS])


def _rhythm(rr: Array) -> dict[str, Array]:
    mean = rr[0, 3]
    previous = np.where(np.isnan(rr[:, 0]), mean, rr[:, 0])
    following = _neighbour(previous, 1)
    change = np.abs(np.diff(previous, prepend=previous[:1]))
    means = {w: _mean(previous, w) for w in {*_MEANS, *_SPREADS, *_SCORES, 21}}
    squares = {w: _mean(previous**2, w) for w in {*_SPREADS, *_SCORES}}
    found = {f"previous/mean_of_{w}": rr[:, 0] / means[w] for w in _MEANS}
    for w in _SPREADS:
        found[f"change_{w}"] = _mean(change, w) / means[w]
        found[f"irregular_{w}"] = _mean(change > _IRREGULAR * means[w], w)
        found[f"variation_{w}"] = np.sqrt(np.maximum(squares[w] - means[w] ** 2, 0)) / means[w]
    for k in _NEIGHBOURS:
        found[f"interval_{k:+d}"] = _neighbour(rr[:, 0], k, np.nan) / mean
    found["previous_score"] = (previous - mean) / max(float(previous.std()), 0.01)
    for w in _SCORES:
        spread = np.sqrt(np.maximum(squares[w] - means[w] ** 2, 1e-4))
        found[f"previous_score_{w}"] = (previous - means[w]) / spread
        found[f"next_score_{w}"] = (following - means[w]) / spread
    premature = previous < _PREMATURE_RATIO * means[21]
    return found | {f"premature_{w}": _mean(premature, w) for w in _PREMATURE}


def _sinus_rhythm(
    rr: Array, own_kind: NDArray[np.bool_], late: NDArray[np.int64]
) -> dict[str, Array]:
    """Return the rhythm of the intervals between two beats of the recording's own kind."""
    previous, own = rr[:, 0], own_kind.astype(np.float64)
    both = own_kind & (_neighbour(own, -1, 0.0) > 0) & ~np.isnan(previous)
    mean = float(previous[both].mean()) if both.any() else float(rr[0, 3])
    sinus = np.where(both, previous, np.nan)
    change = np.abs(np.diff(sinus, prepend=np.nan)) / mean
    known = ~np.isnan(change)
    irregular = known & (change > _IRREGULAR)
    squares = np.nansum(previous**2)
    found = {
        "previous/late_mean": previous / _mean_known(previous[late]),
        "previous/weighted_mean": previous * np.nansum(previous) / max(float(squares), 1e-12),
        "previous/sinus_mean": previous / mean,
        "next/sinus_mean": rr[:, 1] / mean,
        "after_odd": 1 - _neighbour(own, -1, 0.0),
        "before_odd": 1 - _neighbour(own, 1, 0.0),
    }
    for w in _SINUS:
        found[f"sinus_change_{w}"] = _mean_where(known, change, w)
        found[f"sinus_irregular_{w}"] = _mean_where(known, irregular, w)
    return found


def _where_later(clarity: Array, previous: Array, own_kind: NDArray[np.bool_]) -> dict[str, Array]:
    """Return how clear the P waves about each beat are of beats that came later than most."""
    filled = np.where(np.isnan(previous), _mean_known(previous), previous)
    later = own_kind & (filled >= _mean(filled, 21))
    return {f"later_p_clarity_{w}": _mean_where(later, clarity, w) for w in _SINUS}


def _mean_where(
    which: NDArray[np.bool_], values: NDArray[np.float64] | NDArray[np.bool_], width: int
) -> Array:
    share = _mean(which, width)
    there = share > 0.5 / width
    mean = _mean(np.where(which, values, 0), width) / np.where(there, share, 1)
    return np.where(there, mean, np.nan)


def _mean_known(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _mean(values: NDArray[np.float64] | NDArray[np.bool_], width: int) -> Array:
    return np.asarray(uniform_filter1d(values.astype(np.float64), width, mode="nearest"))


def _neighbour(values: Array, k: int, edge: float | None = None) -> Array:
    """Return the values of the beats `k` places on; at the ends `edge`, or the last there is."""
    at = np.arange(len(values)) + k
    found = values[np.clip(at, 0, len(values) - 1)]
    if edge is None:
        return found
    return np.where((at < 0) | (at >= len(values)), edge, found)


def _robust_score(values: Array, late: NDArray[np.int64]) -> Array:
    of_late = values[late]
    median = np.median(of_late)
    spread = 1.4826 * np.median(np.abs(of_late - median))
    return np.asarray(np.clip((values - median) / max(float(spread), 1e-6), -30, 30))


def _over_median(values: Array, late: NDArray[np.int64]) -> Array:
    return np.asarray(np.log(np.maximum(values, 1e-9) / max(float(np.median(values[late])), 1e-6)))
