"""From the rows of a text file to numbers, some lines at a time, so that memory stays small."""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecg.errors import InputError
from ecg.text_layout import HEAD_BYTES, MISSING, Layout

_CHUNK_BYTES = 256 << 10
_EPOCH = datetime(2000, 1, 1)
# A row that is neither blank nor a comment; numpy warns where there is none.
_ROW = re.compile(rb"^[^#\n]*[^#\s\x1c-\x1f\x85\xa0]", re.MULTILINE)

_Parsers = dict[int | str, Callable[[str], Any]]


def read_numbers(
    layout: Layout, leads: Sequence[int], time: int | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return (n_rows, n_leads) samples, NaN where missing, and (n_rows,) of column `time`.

    A time of day or a date is in seconds. Raises InputError that names a cell that is no number.
    """
    columns = [*leads, *([] if time is None else [time])]
    samples, times = [np.empty((0, len(leads)), np.float32)], [np.empty(0)]
    with np.errstate(all="ignore"):
        for line, chunk in _chunks(layout):
            table = _table(layout, chunk, line, columns)
            samples.append(table[:, : len(leads)].astype(np.float32))
            if time is not None:
                times.append(table[:, -1].copy())
    signal = np.concatenate(samples)
    signal[~np.isfinite(signal)] = np.nan
    return signal, np.concatenate(times)


def seconds(cell: str) -> float:
    """Return a date and time in seconds since 2000, a time of day in seconds, a number as it is.

    Raises ValueError for anything else.
    """
    text = cell.strip("[] ").replace(",", ".")
    if text[4:5] == "-" and ":" in text:
        stamp = datetime.fromisoformat(text)
        return ((stamp.replace(tzinfo=None) if stamp.tzinfo else stamp) - _EPOCH).total_seconds()
    total = 0.0
    for part in text[text.rfind(" ") + 1 :].split(":"):
        total = 60 * total + float(part)
    return total


def _chunks(layout: Layout) -> Iterator[tuple[int, bytes]]:
    """Yield whole lines that hold rows, as numpy reads them, and the number of the first line."""
    content, at, line = layout.content, layout.start, layout.first_line
    point = bytes.maketrans(b",", b".") if layout.decimal_comma else None
    # Spreadsheets write rows of empty cells at the end.
    tail = content[-HEAD_BYTES:]
    spare = len(tail) - len(tail.rstrip(b"\n ,;|\t\"'"))
    stop = content.find(b"\n", len(content) - spare) + 1 or len(content)
    while at < stop:
        end = content.find(b"\n", at + _CHUNK_BYTES, stop) + 1 or stop
        chunk = content[at:end].translate(point, b"\"'")
        if _ROW.search(chunk):
            yield line, chunk
        line += chunk.count(b"\n")
        at = end


def _table(layout: Layout, chunk: bytes, line: int, columns: Sequence[int]) -> NDArray[np.float64]:
    clocks: _Parsers = {c: seconds for c in columns if layout.kinds[c] == "clock"}
    try:
        return _parse(layout, io.BytesIO(chunk), columns, clocks)
    except ValueError:
        # Most rows miss nothing: what stands for missing is looked for only now, in Python.
        parsers: _Parsers = {c: clocks.get(c, _value) for c in columns}
    rows = (row for row in io.BytesIO(chunk) if _is_row(row, layout.separator))
    try:
        return _parse(layout, rows, columns, parsers)
    except ValueError as error:
        raise _bad_cell(layout, chunk, line, str(error)) from None


def _parse(
    layout: Layout, rows: Iterable[bytes], columns: Sequence[int], parsers: _Parsers
) -> NDArray[np.float64]:
    # One column of text has no separator; a bar never occurs in a number.
    delimiter = {"": "|", " ": None}.get(layout.separator, layout.separator)
    table: NDArray[np.float64] = np.loadtxt(
        rows, delimiter=delimiter, usecols=columns, ndmin=2, converters=parsers
    )
    return table


def _is_row(line: bytes, separator: str) -> bool:
    # Tabs between cells that are all missing are no blank line.
    return bool(line.split(b"#")[0].strip(b" \n" if separator == "\t" else None))


def _value(cell: str) -> float:
    text = cell.strip()
    return np.nan if text.lower() in MISSING else float(text)


def _bad_cell(layout: Layout, chunk: bytes, line: int, message: str) -> InputError:
    at = re.search(r"row (\d+)", message)
    column = re.search(r"column (?:index )?(\d+)", message)
    if at is None or column is None:
        return InputError("files", "has rows that are not numbers", "numbers")
    # numpy counts rows from 0 in the one message and from 1 in the other.
    unlike = "could not convert" in message
    rows = (k for k, row in enumerate(io.BytesIO(chunk), line) if _is_row(row, layout.separator))
    line = next(islice(rows, int(at.group(1)) - (not unlike), None), line)
    if not unlike:
        return InputError("files", f"has fewer columns in row {line}", "as many as in other rows")
    where = f"in row {line}, column {column.group(1)}"
    if layout.kinds[int(column.group(1)) - 1] == "clock":
        return InputError("files", f"has no time {where}", "a time in every row")
    accepted = "a number, or an empty cell for a missing one"
    return InputError("files", f"has no number {where}", accepted)
