"""Recordings written as text: CSV and TSV of any layout, Apple Watch exports, Polar text."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ecg.beat_rows import is_beat_rows
from ecg.errors import InputError
from ecg.record import MV, Record
from ecg.text_columns import COUNTS, lead_columns, lead_names, time_columns, unit_of
from ecg.text_layout import HERTZ, SEPARATORS, Layout, plain_text, read_layout
from ecg.text_numbers import read_numbers
from ecg.text_time import clock_of_column, clock_of_header, telling


def read_text(content: bytes, *, fs: float | None = None, unit: str | None = None) -> Record:
    """Read one recording written as text: a row a sample, a column a lead.

    `fs` (Hz) and `unit` (mV, uV, V, adc) win over what the file says. Raises InputError for bytes
    that are not such text, for a cell that is no number (row and column named), and where neither
    the file nor the caller gives a sampling frequency or a known unit.
    """
    if unit is not None and unit.lower() not in MV.keys() | COUNTS:
        raise InputError("unit", "is not known", "mV, uV, V or adc")
    if is_beat_rows(content):
        raise InputError(
            "files", "holds single heartbeats of 187 samples", "them as heartbeats, not a recording"
        )
    layout = read_layout(plain_text(content))
    times = time_columns(layout)
    leads = lead_columns(layout, times)
    time = telling(layout, times)
    # Without a time column, a missing fs is said before megabytes are read.
    clock = clock_of_header(layout, times, fs) if time is None else None
    signal, stamps = _numbers(layout, leads, time, fs)
    clock = clock or clock_of_column(layout, times[0], stamps, fs)
    known, scaled = _to_mv(layout, leads, signal, unit)
    ignored = [c for c in range(len(layout.names)) if c not in leads and c not in times]
    found = [_said_columns(layout), *clock.found, *scaled, *_said_ignored(ignored)]
    if missing := int(np.isnan(signal).sum()):
        found.append(f"{missing} cells are missing")
    return Record(
        signal=_spread(signal, clock.at),
        fs=clock.fs,
        leads=lead_names(layout, leads),
        format=_style(layout),
        unit_known=known,
        found=tuple(found),
    )


def _numbers(
    layout: Layout, leads: Sequence[int], time: int | None, fs: float | None
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    try:
        return read_numbers(layout, leads, time)
    except InputError:
        if fs is None:
            raise
    # Where fs is given, a cell without a time is no reason to refuse.
    return read_numbers(layout, leads)


def _style(layout: Layout) -> str:
    if len(layout.names) == 1 and HERTZ.search(layout.preamble):
        return "Apple Watch"
    if any(name.lower().startswith("sensor timestamp") for name in layout.names):
        return "Polar text"
    return "TSV" if layout.separator == "\t" else "CSV"


def _to_mv(
    layout: Layout, leads: Sequence[int], signal: NDArray[np.float32], unit: str | None
) -> tuple[bool, list[str]]:
    """Scale `signal` to mV in place; say whether every unit is known, and where from."""
    units = [unit.lower() if unit else unit_of(layout, c) for c in leads]
    with np.errstate(all="ignore"):
        signal *= np.array([MV.get(name, 1.0) for name in units], np.float32)
    signal[~np.isfinite(signal)] = np.nan
    known = MV.keys() >= set(units)
    said = [f"the unit is the one given: {unit}"] if unit else sorted(set(map(_said_unit, units)))
    return known, said


def _said_unit(name: str) -> str:
    if name in MV:
        return f"samples in {name[:-1]}V"
    return "samples in converter counts" if name else "the unit is not said: taken as unknown"


def _said_columns(layout: Layout) -> str:
    comma = ", decimal commas" if layout.decimal_comma else ""
    if not layout.separator:
        return f"one column{comma}"
    return f"{SEPARATORS[layout.separator]} separate {len(layout.names)} columns{comma}"


def _said_ignored(ignored: Sequence[int]) -> list[str]:
    numbers = ", ".join(str(c + 1) for c in ignored)
    return [f"not a lead, not read: column {numbers}"] if ignored else []


def _spread(signal: NDArray[np.float32], at: NDArray[np.int64]) -> NDArray[np.float32]:
    """Put rows where their time says, NaN between them."""
    if not at.size:
        return signal
    wide = np.full((int(at[-1]) + 1, signal.shape[1]), np.nan, np.float32)
    wide[at] = signal
    return wide
