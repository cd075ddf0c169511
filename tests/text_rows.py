"""One recording written as text, as rows of its samples and of times of several kinds."""

from collections.abc import Callable

import numpy as np

N = 1500
WAVE = np.round(np.sin(np.arange(N) / 20), 4)


def rows(time_of: Callable[[int], str] | None, *, separator: str = ",", comma: bool = False) -> str:
    lines = []
    for k, value in enumerate(WAVE):
        cells = ([time_of(k)] if time_of else []) + [f"{value:.4f}"]
        lines.append(separator.join(c.replace(".", ",") if comma else c for c in cells))
    return "\n".join(lines) + "\n"


def seconds(k: int) -> str:
    return f"{k / 250:.3f}"


def iso(k: int) -> str:
    return str(np.datetime64("2020-01-01T23:59:58.000") + 4 * k)


def clock(k: int) -> str:
    return str(np.datetime64("2020-01-01T23:59:58.000") + 4 * k)[11:]
