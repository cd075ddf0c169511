"""Which detected beats are which reference beats, and the QRS scores that follow.

Sources: ANSI/AAMI EC57:2012, 4.3; the WFDB tool `bxb` (Moody & Mark), whose pairing this is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.record import Annotation

WINDOW_S: Final = 0.15
"""Farthest apart that a reference and a detected beat are the same beat (EC57:2012, 4.3.2)."""

LEARNING_S: Final = 300.0
"""Start of a record that EC57 leaves out of the scores: the detector may learn in it."""


@dataclass(frozen=True)
class Matches:
    """pairs (n, 2): indices in reference and test; missed: in reference; extra: in test."""

    pairs: NDArray[np.int64]
    missed: NDArray[np.int64]
    extra: NDArray[np.int64]


@dataclass(frozen=True)
class Counts:
    """Beats found (tp), missed (fn), and detections that are no beat (fp)."""

    tp: int
    fn: int
    fp: int


@dataclass(frozen=True)
class Scores:
    """Sensitivity and positive predictivity, 0..1; NaN where there is nothing to divide by."""

    se: float
    ppv: float


def match(
    reference: NDArray[np.int64], test: NDArray[np.int64], fs: float, window_s: float = WINDOW_S
) -> Matches:
    """Pair each beat of `reference` with at most one of `test`, nearest first, within the window.

    Both hold rising sample indices at `fs` Hz. A pair is refused where the neighbour of one side
    is nearer and the other side would not lose its own by it: the rule of `bxb`.
    """
    pairs = _walk(reference.tolist(), test.tolist(), window_s * fs)
    paired = np.array(pairs, np.int64).reshape(-1, 2)
    return Matches(
        pairs=paired,
        missed=np.setdiff1d(np.arange(len(reference)), paired[:, 0]),
        extra=np.setdiff1d(np.arange(len(test)), paired[:, 1]),
    )


def count(
    reference: NDArray[np.int64],
    test: NDArray[np.int64],
    fs: float,
    *,
    start_s: float = 0.0,
    excluded: NDArray[np.int64] | None = None,
) -> Counts:
    """Match, then count the beats from `start_s` on and outside the `excluded` segments.

    `excluded` (n, 2): first and last sample of each, as `ventricular_flutter` returns them. Beats
    are left out after matching, so that none loses its partner to the edge of a segment. A pair
    stands or falls with its reference beat.
    """
    found = match(reference, test, fs)
    in_reference = _counted(reference, start_s * fs, excluded)
    in_test = _counted(test, start_s * fs, excluded)
    return Counts(
        tp=int(in_reference[found.pairs[:, 0]].sum()),
        fn=int(in_reference[found.missed].sum()),
        fp=int(in_test[found.extra].sum()),
    )


def ventricular_flutter(annotation: Annotation, n_samples: int) -> NDArray[np.int64]:
    """Return (n, 2) the first and last sample of each segment from a `[` to the next `]`."""
    segments: list[tuple[int, int]] = []
    begun: int | None = None
    for sample, symbol in zip(annotation.sample.tolist(), annotation.symbol, strict=True):
        if symbol == "[" and begun is None:
            begun = sample
        elif symbol == "]" and begun is not None:
            segments.append((begun, sample))
            begun = None
    if begun is not None:
        segments.append((begun, n_samples - 1))
    return np.array(segments, np.int64).reshape(-1, 2)


def scores(counts: Counts) -> Scores:
    """Return the sensitivity and the positive predictivity of one record."""
    return Scores(
        se=_ratio(counts.tp, counts.tp + counts.fn), ppv=_ratio(counts.tp, counts.tp + counts.fp)
    )


def gross(counts: Sequence[Counts]) -> Scores:
    """Score all records' beats as one heap: every beat weighs the same (EC57:2012, 5.2)."""
    return scores(
        Counts(
            tp=sum(c.tp for c in counts),
            fn=sum(c.fn for c in counts),
            fp=sum(c.fp for c in counts),
        )
    )


def average(counts: Sequence[Counts]) -> Scores:
    """Average the records' scores: every record weighs the same; undefined ones are left out."""
    each = [scores(c) for c in counts]
    return Scores(se=_mean([s.se for s in each]), ppv=_mean([s.ppv for s in each]))


def _walk(reference: list[int], test: list[int], window: float) -> list[tuple[int, int]]:
    pairs = []
    i = j = 0
    while i < len(reference) and j < len(test):
        if _belong(reference, test, i, j, window):
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif reference[i] <= test[j]:
            i += 1
        else:
            j += 1
    return pairs


def _belong(reference: list[int], test: list[int], i: int, j: int, window: float) -> bool:
    apart = abs(reference[i] - test[j])
    if apart > window:
        return False
    # Only the later side's beat can be nearer to a later beat of the earlier side.
    early, late, e, k = (
        (reference, test, i, j) if reference[i] <= test[j] else (test, reference, j, i)
    )
    if e + 1 == len(early) or abs(early[e + 1] - late[k]) >= apart:
        return True
    following = late[k + 1] if k + 1 < len(late) else float("inf")
    return abs(early[e + 1] - following) < abs(early[e + 1] - late[k])


def _counted(
    sample: NDArray[np.int64], start: float, excluded: NDArray[np.int64] | None
) -> NDArray[np.bool_]:
    kept = sample >= start
    for first, last in [] if excluded is None else excluded:
        kept &= (sample < first) | (sample > last)
    return np.asarray(kept)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _mean(values: list[float]) -> float:
    known = [v for v in values if v == v]
    return sum(known) / len(known) if known else float("nan")
