"""Which detected beats are which reference beats.

Sources: ANSI/AAMI EC57, whose reference implementation is the WFDB tool `bxb` (bxb(1); bxb.c as
of 10 August 2010, G. B. Moody): the pairs here are those of its main loop.
"""

from dataclasses import dataclass
from operator import itemgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.errors import InputError
from ecg.record import Annotation

WINDOW_S: Final = 0.15
"""Farthest apart that a reference and a detected beat are the same beat (bxb(1), option -w)."""

LEARNING_S: Final = 300.0
"""Start of a record that EC57 leaves out of the scores: the detector may learn in it (bxb -f)."""

_NEVER: Final = np.iinfo(np.int64).min
_END: Final = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Matches:
    """pairs (n, 2): indices in reference and test; missed: in reference; extra: in test."""

    pairs: NDArray[np.int64]
    missed: NDArray[np.int64]
    extra: NDArray[np.int64]


def match(
    reference: NDArray[np.int64], test: NDArray[np.int64], fs: float, window_s: float = WINDOW_S
) -> Matches:
    """Pair each beat of `reference` with at most one of `test`, within the window and its edge.

    Both hold sample indices at `fs` Hz in order. Of two that fall on one, the nearer is paired,
    and the later where both are as near; but none is left alone for a neighbour that has a nearer
    partner of its own. Raises InputError for indices that are not in order.
    Source: cases 1 to 4 of the main loop of bxb.c. Deviation: `bxb` rounds the window to whole
    samples, so that at 250 Hz it is 152 ms; here it is 150 ms at every rate.
    """
    _in_order(reference, "reference")
    _in_order(test, "test")
    paired = np.array(_walk(reference.tolist(), test.tolist(), window_s * fs), np.int64)
    paired = paired.reshape(-1, 2)
    return Matches(
        pairs=paired,
        missed=np.setdiff1d(np.arange(len(reference)), paired[:, 0]),
        extra=np.setdiff1d(np.arange(len(test)), paired[:, 1]),
    )


def ventricular_flutter(annotation: Annotation) -> NDArray[np.int64]:
    """Return (n, 2) the first and last sample of each segment from a `[` to the next `]`.

    One that nothing ends lasts to the end, which is the largest int64.
    """
    segments: list[tuple[int, int]] = []
    begun: int | None = None
    for sample, symbol in zip(annotation.sample.tolist(), annotation.symbol, strict=True):
        if symbol == "[" and begun is None:
            begun = sample
        elif symbol == "]" and begun is not None:
            segments.append((begun, sample))
            begun = None
    if begun is not None:
        segments.append((begun, _END))
    return np.array(segments, np.int64).reshape(-1, 2)


def inside(sample: NDArray[np.int64], segments: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return (n,) whether each sample lies in one of the (m, 2) segments, edges included.

    The segments are in order and share no more than an edge.
    """
    begun = np.searchsorted(segments[:, 0], sample, side="right")
    last = np.r_[_NEVER, segments[:, 1]][begun]
    return np.asarray(sample <= last)


def _in_order(sample: NDArray[np.int64], name: str) -> None:
    if (np.diff(sample) < 0).any():
        raise InputError(name, "has beats that run backwards", "sample indices in order")


def _walk(reference: list[int], test: list[int], window: float) -> list[tuple[int, int]]:
    pairs = []
    i = j = 0
    # Beyond the last beat of either side lies none.
    left: list[float] = [*reference, np.inf]
    right: list[float] = [*test, np.inf]
    while i < len(reference) and j < len(test):
        sides = (left[i], left[i + 1]), (right[j], right[j + 1])
        early, late = sorted(sides, key=itemgetter(0))
        if _belong(early, late, window):
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif test[j] < reference[i]:
            j += 1
        else:
            i += 1
    return pairs


def _belong(early: tuple[float, float], late: tuple[float, float], window: float) -> bool:
    """Say whether the first beats of two sides are one; each comes with the one after it."""
    apart, rival = late[0] - early[0], abs(late[0] - early[1])
    # The rival does not count where a later beat of the late side is nearer to it.
    return apart <= window and (apart < rival or abs(late[1] - early[1]) < rival)
