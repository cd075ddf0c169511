"""Why an answer: how much of its probability goes when a part of what was known is taken away.

Occlusion (Zeiler & Fergus, ECCV 2014): a stretch of the window is drawn as a straight line, or a
family of the context is taken as missing, and the beat is answered anew. It needs nothing but
answers, and says what the model leans on, not what is true of the heart.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.beats import BEFORE_S, KACHUEE, LONE, RECORDING, WINDOW, Beats
from ecg.classifier import Classifier
from ecg.context import CONTEXT
from ecg.filters import FS

MOST: Final = 500
"""Beats of a recording that are explained: each costs as much as twenty answers."""
SURE: Final = 0.9
STEP: Final = 10
"""Samples of a stretch of the window, 0.08 s: a QRS is one or two, a P wave one."""
STRETCHES: Final = WINDOW // STEP
FROM_S: Final = {RECORDING: -BEFORE_S, LONE: -BEFORE_S, KACHUEE: 0.0}
"""Where the window starts, from the R peak, by view."""
STEP_S: Final = STEP / FS

_P_WAVE: Final = ("p_", "late_p", "later_p", "dp", "ddiastole")
_SHAPE: Final = (
    *("dqrs", "dt", "width", "area", "lowest", "highest", "polarity", "amplitude", "similarity"),
    *("like_", "alike_"),
)
FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "rhythm": tuple(name for name in CONTEXT if not name.startswith((*_P_WAVE, *_SHAPE))),
    "p_wave": tuple(name for name in CONTEXT if name.startswith(_P_WAVE)),
    "shape": tuple(name for name in CONTEXT if name.startswith(_SHAPE)),
}
"""The context by what it tells of: every feature is in one of them."""


@dataclass(frozen=True)
class Explanation:
    """What the probability of the answer loses, negative where it gains.

    beat: (n,) index of each beat that is explained; window: (n, n_stretches) without each stretch
    of `STEP_S` from `from_s` on; context: (n, len(FAMILIES)) without each family.
    """

    beat: NDArray[np.int64]
    window: NDArray[np.float32]
    context: NDArray[np.float32]
    from_s: float


def worth_explaining(proba: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return up to `MOST` beats of proba (n_beats, 5): not N, or not `SURE`; the least sure first.

    Beats without an answer, whose probabilities are NaN, are none of them. In order of time.
    """
    confidence = proba.max(axis=1)
    asked = np.flatnonzero((proba[:, 0] < SURE) & ~np.isnan(confidence))
    return np.sort(asked[np.argsort(confidence[asked], kind="stable")[:MOST]])


def explain(
    classifier: Classifier, beats: Beats, proba: NDArray[np.float32], number: NDArray[np.int64]
) -> Explanation:
    """Explain the answers to beats.

    proba: (n_beats, 5) as the classifier gave it; number: (n_beats,) what to call each beat.
    """
    answer = proba.argmax(axis=1)
    rows = np.arange(len(beats))

    def loss(windows: NDArray[np.float32], context: NDArray[np.float32]) -> NDArray[np.float32]:
        without = classifier.predict(Beats(windows, context, beats.view))
        return np.asarray(proba[rows, answer] - without[rows, answer], np.float32)

    stretches = range(beats.windows.shape[1] // STEP)
    of_window = [loss(_straight(beats.windows, k), beats.context) for k in stretches]
    of_context = [
        loss(beats.windows, _missing(beats.context, names)) for names in FAMILIES.values()
    ]
    window, context = np.stack(of_window, axis=1), np.stack(of_context, axis=1)
    return Explanation(number, window, context, FROM_S[beats.view])


def _straight(windows: NDArray[np.float32], stretch: int) -> NDArray[np.float32]:
    """Return windows whose stretch is a line between the samples on either side of it."""
    start = stretch * STEP
    before, after = max(start - 1, 0), min(start + STEP, windows.shape[1] - 1)
    share = np.linspace(0, 1, STEP + 2, dtype=np.float32)[1:-1, None]
    out = windows.copy()
    out[:, start : start + STEP] = (
        windows[:, before, None] * (1 - share) + windows[:, after, None] * share
    )
    return out


def _missing(context: NDArray[np.float32], names: tuple[str, ...]) -> NDArray[np.float32]:
    out = context.copy()
    out[:, [CONTEXT.index(name) for name in names]] = np.nan
    return out
