"""A recording in figures: heart rate, burden, couplets, runs, bigeminy, pauses, variability."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg.aami import CLASSES
from ecg.analysis import Analysis

RATE_INTERVALS: Final = 8
"""RR intervals over which the lowest and the highest heart rate are means."""
PAUSE_S: Final = 2.0
LISTED_PAUSES: Final = 1000
NORMAL_RR_S: Final = (0.3, 2.0)
"""Normal-to-normal intervals outside are missed or made-up beats (Task Force of the ESC and
NASPE, Circulation 93(5), 1996, asks for their exclusion)."""
PNN_S: Final = 0.05
BIGEMINY_PAIRS: Final = 3
"""Ectopic beats in a row, each after one normal beat, that make an episode of bigeminy."""


def summarise(analysis: Analysis) -> dict[str, Any]:
    """Return the figures of a recording; None where there is nothing to work one out from.

    Burden is the share of the classified beats. Couplets, runs, bigeminy, pauses and intervals end
    where samples are missing and at unusable beats.
    """
    usable = analysis.quality.usable
    classes, rr = analysis.aami_class, analysis.rr
    linked = ~np.isnan(rr)
    return {
        "duration_s": round(analysis.record.duration_s, 3),
        "beats": len(classes),
        "unusable_beats": int((~usable).sum()),
        "heart_rate": heart_rate(rr),
        "by_class": _by_class(classes, usable),
        "ventricular": ectopy(classes == CLASSES.index("V"), linked, classes == 0),
        "supraventricular": ectopy(classes == CLASSES.index("S"), linked, classes == 0),
        "pauses": _pauses(analysis),
        "hrv": variability(rr, classes == CLASSES.index("N")),
        "analysable_percent": round(100 * analysis.analysable, 2),
    }


def heart_rate(rr: NDArray[np.float64]) -> dict[str, float | None]:
    """Return beats a minute: over all intervals `rr` (n,) seconds, and the extremes of means over
    `RATE_INTERVALS` in a row; NaN is no interval."""
    known = rr[~np.isnan(rr)]
    if len(known) == 0:
        return {"mean": None, "min": None, "max": None}
    width = min(RATE_INTERVALS, len(known))
    with np.errstate(invalid="ignore"):
        means = np.lib.stride_tricks.sliding_window_view(rr, width).mean(axis=1)
    means = means[~np.isnan(means)] if not np.isnan(means).all() else np.array([known.mean()])
    return {
        "mean": round(60 / float(known.mean()), 1),
        "min": round(60 / float(means.max()), 1),
        "max": round(60 / float(means.min()), 1),
    }


def ectopy(
    ectopic: NDArray[np.bool_], linked: NDArray[np.bool_], normal: NDArray[np.bool_]
) -> dict[str, int]:
    """Count couplets (two ectopic beats in a row), runs (three and more), episodes of bigeminy.

    Each (n_beats,); linked: the beat follows the one before it with nothing lost between.
    """
    lengths = _lengths(np.flatnonzero(ectopic), linked, step=1)
    paired = np.flatnonzero(ectopic & linked & np.concatenate([[False], normal])[:-1])
    pairs = _lengths(paired, linked & np.concatenate([[False], linked])[:-1], step=2)
    return {
        "couplets": int((lengths == 2).sum()),
        "runs": int((lengths >= 3).sum()),
        "longest_run": int(lengths[lengths >= 3].max(initial=0)),
        "bigeminy": int((pairs >= BIGEMINY_PAIRS).sum()),
    }


def variability(
    rr: NDArray[np.float64], normal: NDArray[np.bool_]
) -> dict[str, float | int | None]:
    """Return SDNN, RMSSD and pNN50 over the intervals between two normal beats in a row.

    Source: Task Force of the ESC and NASPE, Circulation 93(5), 1996.
    """
    low, high = NORMAL_RR_S
    both = normal & np.concatenate([[False], normal])[:-1]
    nn = np.where(both & (rr >= low) & (rr <= high), rr, np.nan)
    known = nn[~np.isnan(nn)]
    step = np.diff(nn)
    step = step[~np.isnan(step)]
    return {
        "sdnn_ms": _rounded(1000 * known.std(ddof=1)) if len(known) > 1 else None,
        "rmssd_ms": _rounded(1000 * np.sqrt(np.mean(step**2))) if len(step) else None,
        "pnn50_percent": _rounded(100 * np.mean(np.abs(step) > PNN_S)) if len(step) else None,
        "intervals": len(known),
    }


def _lengths(index: NDArray[np.int64], linked: NDArray[np.bool_], step: int) -> NDArray[np.int64]:
    """Return how many of `index` follow each other, `step` beats apart and with nothing lost."""
    if len(index) == 0:
        return np.empty(0, np.int64)
    new = np.concatenate([[True], (np.diff(index) != step) | ~linked[index[1:]]])
    return np.diff(np.concatenate([np.flatnonzero(new), [len(index)]]))


def _by_class(classes: NDArray[np.int64], usable: NDArray[np.bool_]) -> dict[str, dict[str, Any]]:
    counts = np.bincount(classes, minlength=len(CLASSES))
    classified = np.bincount(classes[usable], minlength=len(CLASSES))
    share = 100 * classified / max(int(classified.sum()), 1)
    return {
        name: {"count": int(n), "burden_percent": round(float(percent), 3)}
        for name, n, percent in zip(CLASSES, counts, share, strict=True)
    }


def _pauses(analysis: Analysis) -> dict[str, Any]:
    with np.errstate(invalid="ignore"):
        at = np.flatnonzero(analysis.rr > PAUSE_S)
    begin = analysis.sample[at] / analysis.record.fs - analysis.rr[at]
    return {
        "count": len(at),
        "longest_s": round(float(analysis.rr[at].max()), 3) if len(at) else None,
        "at_s": [round(float(t), 3) for t in begin[:LISTED_PAUSES]],
    }


def _rounded(value: Any) -> float:
    return round(float(value), 1)
