"""The sampling frequency of a text file, from its time column or from its header."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ecg.errors import InputError
from ecg.record import FS_RANGE
from ecg.text_columns import TIME_UNITS, is_index, time_unit
from ecg.text_layout import HERTZ, Layout

_JITTER = 0.05
"""Steps that differ by more than this part are said to vary."""
_GAP = 1.8
"""A longer step, in usual ones, is a gap: jitter is less, a lost sample more."""
_DAY_S = 86400.0
_UNIT_WORDS = {1.0: "s", 1e3: "ms", 1e6: "µs", 1e9: "ns"}
_RATE = re.compile(
    r"\b(?:fs|sampl\w{0,8}[ _](?:rate|freq\w{0,6}))\W{1,5}(\d{2,5}(?:\.\d{1,6})?)", re.I
)


@dataclass(frozen=True)
class Clock:
    """fs: Hz; found: how it was told, in words; at: (n_rows,) places, empty where without gaps."""

    fs: float
    found: tuple[str, ...]
    at: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))


def telling(layout: Layout, times: Sequence[int]) -> int | None:
    """Return the first of the columns `times` where it tells more than the row's number."""
    return times[0] if times and not is_index(layout, times[0]) else None


def clock_of_header(layout: Layout, times: Sequence[int], fs: float | None) -> Clock:
    """Take the sampling frequency given (Hz), else the header's; raise InputError without one."""
    found = HERTZ.search(layout.preamble) or _RATE.search(layout.preamble)
    note = [f"column {times[0] + 1} counts the rows"] if times else []
    if fs is not None:
        return Clock(fs, (*note, f"the sampling frequency is the one given: {fs:g} Hz"))
    if found is None:
        problem = "is not given, and the file has no time column that tells it"
        raise InputError("fs", problem, "fs, the sampling frequency in Hz")
    said = float(found.group(1).replace(",", "."))
    return Clock(said, (*note, f"the header gives: {said:g} Hz"))


def clock_of_column(
    layout: Layout, column: int, stamps: NDArray[np.float64], fs: float | None
) -> Clock:
    """Tell the sampling frequency and the gaps from `stamps` (n_rows,), the values of `column`.

    An `fs` given (Hz) wins. Raises InputError where there is none and the column tells none.
    """
    if fs is None:
        return _clock(layout, column, stamps)
    note = f"the sampling frequency is the one given: {fs:g} Hz"
    try:
        clock = _clock(layout, column, stamps)
    except InputError:
        return Clock(fs, (note, f"column {column + 1} tells no time; it is not used"))
    if abs(clock.fs - fs) > 0.01 * fs:
        return Clock(fs, (note, f"column {column + 1} says {clock.fs:g} Hz; it is not used"))
    return replace(clock, fs=fs, found=(note, *clock.found[1:]))


def _clock(layout: Layout, column: int, stamps: NDArray[np.float64]) -> Clock:
    """Turn times into a sampling frequency and each row's place; gaps leave places free."""
    said = f"column {column + 1}"
    with np.errstate(all="ignore"):
        step = _steps(stamps, layout.kinds[column] == "clock", said)
        size = float(step[step <= 2 * np.median(step)].mean())
        size = float(step[step <= _GAP * size].mean())
        if layout.kinds[column] == "clock":
            scale, what = 1.0, "clock time (s)"
        else:
            scale = time_unit(layout.names[column]) or _scale_of(size)
            what = f"time in {_UNIT_WORDS[scale]}"
        fs = _rate(scale, size)
        step /= size
    low, high = FS_RANGE
    if not low <= fs <= high:
        raise InputError("fs", f"is {fs:g} Hz by {said}", f"{low:g} to {high:g} Hz")
    places, notes = _places(step, fs)
    return Clock(fs, (f"{said} is {what}: {fs:g} Hz", *notes), places)


def _steps(stamps: NDArray[np.float64], of_day: bool, said: str) -> NDArray[np.float64]:
    step: NDArray[np.float64] = np.diff(stamps)
    if of_day and step.size and stamps.max() < 1.05 * _DAY_S:
        step[step < -_DAY_S / 2] += _DAY_S
    if not step.size or not (step.min() >= 0 and step.max() < np.inf and np.median(step) > 0):
        problem = f"cannot be told: {said} does not rise row by row"
        raise InputError("fs", problem, "fs, the sampling frequency in Hz")
    return step


def _rate(scale: float, size: float) -> float:
    """Return Hz, rounded to a whole number where it differs by no more than rounded times do."""
    fs = np.float64(scale) / size
    return float(np.round(fs) if abs(fs - np.round(fs)) <= 5e-4 * fs else f"{fs:.6g}")


def _scale_of(size: float) -> float:
    """Return the only unit of time in which this step is a sampling frequency taken here."""
    for scale in TIME_UNITS:
        if FS_RANGE[0] <= _rate(scale, size) <= FS_RANGE[1]:
            return scale
    raise InputError("fs", "cannot be told from the time column", "fs in Hz, or a unit of time")


def _places(step: NDArray[np.float64], fs: float) -> tuple[NDArray[np.int64], list[str]]:
    """Return each row's place, none where without gaps, from steps in samples; and what is odd."""
    notes, nowhere = [], np.empty(0, np.int64)
    uneven = np.abs(step[step <= _GAP] - 1)
    if np.mean(uneven > _JITTER) > 0.05:
        notes.append(f"its steps vary by up to {float(uneven.max()):.0%}; even steps are assumed")
    gaps = np.flatnonzero(step > _GAP)
    if not gaps.size:
        return nowhere, notes
    lost = np.round(np.minimum(step[gaps], 1e9)) - 1
    notes.append(f"{len(gaps)} gaps in time, {lost.sum() / fs:.1f} s together")
    if lost.sum() > len(step) + 1:
        return nowhere, [*notes, "the gaps are longer than the recording and are closed"]
    ahead = np.ones(len(step) + 1, np.int64)
    ahead[0] = 0
    ahead[gaps + 1] += lost.astype(np.int64)
    return np.cumsum(ahead), notes
