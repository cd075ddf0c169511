"""What a model may see of a beat, engineered features of its window among it.

Moments, energy and crossings of the window and of its stretches, as the public projects on this
database use them; RR intervals and their like are in `ecg.context`.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.beats import SHAPES, WINDOW, Beats
from ecg.context import CONTEXT

STRETCHES: Final = 10
"""Of one window, 0.128 s each: P wave, QRS and T wave fall into different ones."""
_MOMENTS: Final = ("mean", "deviation", "skewness", "kurtosis", "energy", "crossings")
_EXTREMES: Final = ("lowest", "highest", "lowest_at", "highest_at")
_CHANNELS: Final = ("beat", "difference")

FEATURES: Final = (
    *(f"{channel}_{name}" for channel in _CHANNELS for name in (*_MOMENTS, *_EXTREMES)),
    *(
        f"{channel}_{name}_{k}"
        for channel in _CHANNELS
        for name in ("mean", "energy")
        for k in range(STRETCHES)
    ),
)
"""Columns of `engineered`: of the beat and of its difference from the typical one."""

Array = NDArray[np.float64]


def engineered(beats: Beats) -> NDArray[np.float32]:
    """Return features (n_beats, len(FEATURES)) of windows (n_beats, WINDOW, 2); none is missing.

    A lone beat has no typical one: the features of its difference are 0.
    """
    windows = beats.windows.astype(np.float64)
    own, difference = windows[..., 0], windows[..., 1]
    columns = [
        *(_of_window(channel) for channel in (own, difference)),
        *(_of_stretches(channel) for channel in (own, difference)),
    ]
    return np.hstack(columns).astype(np.float32)


INPUTS: Final[dict[str, Callable[[Beats], NDArray[np.float32]]]] = {
    "windows": lambda beats: beats.windows,
    "context": lambda beats: beats.context,
    "features": engineered,
}
"""What a graph may take, by the name of its input."""


def input_shapes(view: str) -> dict[str, tuple[int, ...]]:
    """Return the shape of one beat's part of each of `INPUTS`."""
    return {"windows": SHAPES[view], "context": (len(CONTEXT),), "features": (len(FEATURES),)}


def _of_window(values: Array) -> Array:
    mean, deviation = values.mean(axis=1), values.std(axis=1)
    scaled = (values - mean[:, None]) / np.maximum(deviation, 1e-12)[:, None]
    crossings = (np.diff(np.signbit(scaled), axis=1) != 0).sum(axis=1)
    return np.column_stack(
        [
            *(mean, deviation, (scaled**3).mean(axis=1), (scaled**4).mean(axis=1)),
            *((values**2).mean(axis=1), crossings / WINDOW),
            *(values.min(axis=1), values.max(axis=1)),
            *(values.argmin(axis=1) / WINDOW, values.argmax(axis=1) / WINDOW),
        ]
    )


def _of_stretches(values: Array) -> Array:
    stretches = values.reshape(len(values), STRETCHES, WINDOW // STRETCHES)
    return np.hstack([stretches.mean(axis=2), (stretches**2).mean(axis=2)])
