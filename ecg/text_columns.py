"""Which columns of a text file are time, row numbers and leads; what their names and units are."""

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ecg.errors import InputError
from ecg.record import MV, distinct
from ecg.text_layout import Layout, tokens
from ecg.text_numbers import seconds

COUNTS = frozenset({"adc", "adu", "raw", "counts", "lsb"})
TIME_UNITS = {
    1.0: {"s", "sec", "secs", "second", "seconds", "sekunden", "secondes"},
    1e3: {"ms", "msec", "millis", "millisecond", "milliseconds"},
    1e6: {"us", "µs", "μs", "usec", "micros", "microsecond", "microseconds"},
    1e9: {"ns", "nsec", "nanos", "nanosecond", "nanoseconds"},
}
"""How many of a unit are a second, and the words for it."""
_NAMES_OF_TIME = set(
    "time timestamp timestamps date datetime zeit temps elapsed clock uhrzeit".split()
)
_TIME = {"t"}.union(_NAMES_OF_TIME, *TIME_UNITS.values())
_INDEX = set("index idx i n nr no row sample samples counter".split())
_NOT_ECG = _NAMES_OF_TIME | set(
    "hr rr bpm resp respiration temp temperature spo2 pleth ppg acc accx accy accz gyro label"
    " labels class annotation annotations symbol quality marker event status battery hrv"
    " target".split()
)
_LEAD_LINE = re.compile(
    r"^(?:lead|ableitung|dérivation|derivación|derivazione)[,;] ?(.+)$", re.I | re.M
)


def time_columns(layout: Layout) -> list[int]:
    """Return the columns that hold a time or a row number, the best one first."""
    ranked = []
    for c, (name, kind) in enumerate(zip(layout.names, layout.kinds, strict=True)):
        uneven = _unevenness(layout, c)
        named = bool(tokens(name) & (_TIME | _INDEX))
        # A lead may rise for a while: without a name, only the first of several columns is time.
        even = c == 0 < len(layout.names) - 1 and uneven < 0.5 and len(layout.rows) >= 10
        even = even and not unit_of(layout, c)
        if kind == "clock" or (uneven < np.inf and (named or even)):
            ranked.append((is_index(layout, c), kind == "clock", uneven, c))
    return [rank[-1] for rank in sorted(ranked)]


def _steps(layout: Layout, column: int) -> list[float]:
    """Return the steps of a column's first rows, read over cells that hold no value."""
    values = [value for row in layout.rows if np.isfinite(value := _value(row[column]))]
    return [b - a for a, b in pairwise(values)]


def _value(cell: str) -> float:
    try:
        return seconds(cell)
    except ValueError:
        return np.nan


def _unevenness(layout: Layout, column: int) -> float:
    """Return how much the steps of a rising column differ; infinity for one that does not rise."""
    steps = _steps(layout, column)
    if layout.kinds[column] == "text" or not any(steps) or min(steps) < 0:
        return np.inf
    with np.errstate(all="ignore"):
        return float(np.std(steps) / np.mean(steps))


def is_index(layout: Layout, column: int) -> bool:
    """Say whether a column counts rows: by ones, and without a unit of time in its name."""
    if layout.kinds[column] == "clock" or time_unit(layout.names[column]):
        return False
    return all(step == 1 for step in _steps(layout, column))


def time_unit(name: str) -> float:
    """Return how many of the unit of time in a column's name are a second; 0 without one."""
    return next((k for k, words in TIME_UNITS.items() if tokens(name) & words), 0.0)


def lead_columns(layout: Layout, times: Sequence[int]) -> list[int]:
    """Return the columns of samples; raise InputError where there are none."""
    numeric = [c for c, kind in enumerate(layout.kinds) if kind == "number" and c not in times]
    leads = [c for c in numeric if not tokens(layout.names[c]) & _NOT_ECG]
    if not leads:
        raise InputError("files", "has no column that could be a lead", "a column of ECG samples")
    return leads


def lead_names(layout: Layout, leads: Sequence[int]) -> tuple[str, ...]:
    """Return one name a lead, each another: the column's without its unit, else a made-up one."""
    said = _LEAD_LINE.search(layout.preamble) if len(layout.names) == 1 else None
    names: list[str] = []
    for k, column in enumerate(leads, 1):
        name = _without_unit(layout.names[column] or (said.group(1) if said else ""))
        names.append(name or f"lead {k}")
    return distinct(names)


def _without_unit(name: str) -> str:
    short = re.sub(r"[mnuµμ]V$", "", re.split(r"[\[(]", name)[0], flags=re.IGNORECASE)
    return "".join(ch for ch in short.strip(" _-") if ch.isprintable())[:40]


def unit_of(layout: Layout, column: int) -> str:
    """Return the unit that a column's name, else the preamble, says in lower case; "" without."""
    name = layout.names[column]
    bracket = re.search(r"[\[(]([^\])]*)", name)
    words = tokens(bracket.group(1) if bracket else name) & (MV.keys() | COUNTS)
    if not bracket:
        words -= {"v"}
    if not words:
        values = (re.split(r"[,;:=\t]", line)[-1] for line in layout.preamble.split("\n"))
        words = {value.strip().lower() for value in values} & MV.keys()
    return min(words, default="")
