"""Recordings written as text: CSV and TSV of any layout, Apple Watch exports, Polar text."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from ecg.errors import InputError
from ecg.record import FS_RANGE, Record

MV = {"nv": 1e-6, "uv": 1e-3, "µv": 1e-3, "μv": 1e-3, "mv": 1.0, "v": 1e3}
"""Millivolts in one of each unit of voltage."""
COUNTS = frozenset({"adc", "adu", "raw", "counts", "lsb"})
MAX_COLUMNS = 256
HEAD_BYTES = 65536
HEAD_LINES = 200
BEAT_FS = 125.0
BEAT_SAMPLES = 187
JITTER = 0.05
ACCEPTED = "CSV, TSV, WFDB (.hea with its data files), EDF, EDF+, BDF, or a zip of one of these"
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars", ",": "commas", " ": "spaces"}
_TIME_UNITS = {
    1.0: {"s", "sec", "secs", "second", "seconds", "sekunden", "secondes"},
    1e3: {"ms", "msec", "millis", "millisecond", "milliseconds"},
    1e6: {"us", "µs", "μs", "usec", "micros", "microsecond", "microseconds"},
    1e9: {"ns", "nsec", "nanos", "nanosecond", "nanoseconds"},
}
_UNIT_WORDS = {1.0: "s", 1e3: "ms", 1e6: "µs", 1e9: "ns"}
_TIME = {"t", "time", "timestamp", "timestamps", "date", "datetime", "zeit", "temps", "elapsed"}
_TIME |= {"clock", "uhrzeit"}.union(*_TIME_UNITS.values())
_INDEX = {"index", "idx", "i", "n", "nr", "no", "row", "sample", "samples", "counter", ""}
_NOT_ECG = set(
    "hr rr bpm resp respiration temp temperature spo2 pleth ppg acc accx accy accz".split()
)
_NOT_ECG |= set(
    "gyro label labels class annotation annotations symbol quality marker event".split()
)
_NOT_ECG |= set("status battery hrv target".split())
_CLOCK_NAME = "clock time (s)"
_MISSING = frozenset({"", "-", "--", "na", "n/a", "nan", "null", "none"})
_CLOCK = re.compile(
    r"(?:\[?\d{4}-\d\d-\d\d[T ]|\d[\d./]*\s+)?\d{1,3}:\d\d(?::\d\d)?(?:[.,]\d+)?\S{0,7}"
)
_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+(?:[eE][-+]?\d+)?")
_HERTZ = re.compile(r"(\d{2,5}(?:[.,]\d{1,6})?)\s*(?:hz|hertz)\b", re.IGNORECASE)
_RATE = re.compile(
    r"\b(?:fs|sampl\w{0,8}[ _](?:rate|freq\w{0,6}))\W{1,5}(\d{2,5}(?:\.\d{1,6})?)", re.I
)

_LEAD_LINE = re.compile(
    r"^(?:lead|ableitung|dérivation|derivación|derivazione)[,;] ?(.+)$", re.I | re.M
)


@dataclass(frozen=True)
class BeatRows:
    """Single heartbeats, one a row: cuts (n, 187) from the R peak; label (n,) 0..4 or None."""

    cuts: NDArray[np.float32]
    label: NDArray[np.int64] | None
    fs: float = BEAT_FS


@dataclass(frozen=True)
class _Layout:
    separator: str
    decimal_comma: bool
    names: tuple[str, ...]
    preamble: str
    rows: tuple[tuple[str, ...], ...]
    kinds: tuple[str, ...]
    body: bytes
    first_line: int


@dataclass(frozen=True)
class _Clock:
    fs: float
    found: tuple[str, ...]
    at: NDArray[np.int64]


def read_text(content: bytes, *, fs: float | None = None, unit: str | None = None) -> Record:
    """Read one recording written as text: a row a sample, a column a lead.

    `fs` (Hz) and `unit` (mV, uV, V, adc) win over what the file says. Raises InputError for bytes
    that are not such text, for a cell that is no number (row and column named), and where neither
    the file nor the caller gives a sampling frequency or a known unit.
    """
    if unit is not None and unit.lower() not in MV and unit.lower() not in COUNTS:
        raise InputError("unit", "is not known", "mV, uV, V or adc")
    if is_beat_rows(content):
        raise InputError(
            "files", "holds single heartbeats of 187 samples", "them as heartbeats, not a recording"
        )
    layout = _layout(_as_utf8(content))
    times = _time_columns(layout)
    leads = _lead_columns(layout, times)
    signal = _numbers(layout, leads)
    clock = _clock(layout, times, fs)
    names = [_lead_name(layout.names[c] or _said_lead(layout), k) for k, c in enumerate(leads)]
    known, scaled = _to_mv(layout, leads, signal, unit)
    ignored = [c for c in range(len(layout.names)) if c not in leads and c not in times]
    found = [_said_columns(layout), *clock.found, *scaled, *_said_ignored(ignored)]
    if missing := int(np.isnan(signal).sum()):
        found.append(f"{missing} cells are missing")
    return Record(
        _spread(signal, clock.at),
        clock.fs,
        _distinct(names),
        _style(layout),
        known,
        None,
        tuple(found),
    )


def _style(layout: _Layout) -> str:
    if len(layout.names) == 1 and _HERTZ.search(layout.preamble):
        return "Apple Watch"
    if any(name.lower().startswith("sensor timestamp") for name in layout.names):
        return "Polar text"
    return "TSV" if layout.separator == "\t" else "CSV"


def _said_lead(layout: _Layout) -> str:
    said = _LEAD_LINE.search(layout.preamble) if len(layout.names) == 1 else None
    return said.group(1) if said else ""


def is_beat_rows(content: bytes) -> bool:
    """Say whether `content` is the public heartbeat CSV: rows of 187 or 188 numbers from 0 to 1."""
    lines = content[:HEAD_BYTES].decode("latin-1").split("\n")
    whole = lines[:-1] if len(content) > HEAD_BYTES else lines
    rows = [line.split(",") for line in whole if line.strip()][:20]
    if rows and not _number(rows[0][0]):
        rows = rows[1:]
    if not rows or len({len(row) for row in rows}) != 1:
        return False
    return len(rows[0]) in (BEAT_SAMPLES, BEAT_SAMPLES + 1) and all(map(_beat_row, rows))


def read_beat_rows(content: bytes) -> BeatRows:
    """Read the public heartbeat CSV: 187 samples in 0..1 at 125 Hz a row, label 0..4 optional.

    Raises InputError for other text, a cell that is no number, values outside 0..1, odd labels.
    """
    if not is_beat_rows(content):
        raise InputError("files", "is not a heartbeat CSV", "rows of 187 or 188 numbers")
    layout = _layout(content)
    table = _numbers(layout, list(range(len(layout.names))))
    cuts, label = table[:, :BEAT_SAMPLES], table[:, BEAT_SAMPLES:]
    if not ((cuts >= 0) & (cuts <= 1)).all():
        raise InputError("files", "has heartbeat samples outside 0..1", "values from 0 to 1")
    if not np.isin(label, range(5)).all():
        raise InputError("files", "has unknown labels in column 188", "labels 0, 1, 2, 3 or 4")
    return BeatRows(
        np.ascontiguousarray(cuts), label[:, 0].astype(np.int64) if label.size else None
    )


def _beat_row(row: list[str]) -> bool:
    return all(_number(cell) and 0 <= float(cell) <= 1 for cell in row[:BEAT_SAMPLES])


def _number(cell: str) -> bool:
    text = cell.strip().strip("\"'")
    try:
        float(text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text)
    except ValueError:
        return False
    return True


def _as_utf8(content: bytes) -> bytes:
    """Return the text as UTF-8 without BOM, with newlines and minus signs as numpy reads them."""
    head = content[:1000]
    wide = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}.get(head[:2])
    if wide is None and b"\0" in head:
        wide = "utf-16-le" if head[1:2] == b"\0" else "utf-16-be"
    if wide is not None:
        content = content.decode(wide, errors="replace").encode(errors="replace")
    content = content.removeprefix(b"\xef\xbb\xbf")
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"\0" in content or sum(byte < 9 or 13 < byte < 32 for byte in content[:1000]):
        raise InputError("files", "is not in a format known here", ACCEPTED)
    content = content.replace("\N{MINUS SIGN}".encode(), b"-")
    return _in_column(content)


def _in_column(content: bytes) -> bytes:
    """Turn one long line of numbers into one number a line; refuse other long lines."""
    flat = content.strip()
    if b"\n" not in flat:
        for separator in (b";", b"\t", b"|", b",", b" "):
            if flat.count(separator) >= FS_RANGE[0]:
                return flat.replace(separator, b"\n")
    at = 0
    while len(content) - at > HEAD_BYTES:
        at = content.rfind(b"\n", at, at + HEAD_BYTES) + 1
        if not at:
            raise InputError("files", "has a line that is too long", "one sample a line")
    return content


def _decoded(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _layout(content: bytes) -> _Layout:
    head = content[:HEAD_BYTES]
    if len(content) > HEAD_BYTES:
        head = head[: head.rfind(b"\n") + 1]
    raw = head.split(b"\n")[:HEAD_LINES]
    lines = [_decoded(line) for line in raw]
    used = [k for k, text in enumerate(lines) if text.strip() and not _comment(text)]
    if not used:
        raise InputError("files", "holds no rows", ACCEPTED)
    separator, decimal_comma = _separator([lines[k] for k in used])
    cells = {k: _split(lines[k], separator) for k in used}
    last = used[len(used) // 2 :]
    sizes = [len(cells[k]) for k in last]
    width = max(sizes, key=sizes.count)
    if width > MAX_COLUMNS:
        raise InputError("files", f"has {width} columns", f"up to {MAX_COLUMNS} columns")
    kinds = _kinds([cells[k] for k in last if len(cells[k]) == width], width)
    start = next((k for k in used if _fits(cells[k], kinds)), None)
    if start is None or "number" not in kinds:
        raise InputError("files", "holds no column of numbers", ACCEPTED)
    above = [
        _split(lines[k].lstrip("#%/ "), separator) for k in range(start) if k in cells or width > 1
    ]
    above = [row for row in above if len(row) == width]
    body = content[sum(len(line) + 1 for line in raw[:start]) :]
    rows = tuple(cells[k] for k in used if k >= start and len(cells[k]) == width)
    names = (
        _names(above, width) if width > 1 or not _HERTZ.search(head.decode("latin-1")) else ("",)
    )
    return _Layout(
        separator, decimal_comma, names, "\n".join(lines[:start]), rows, kinds, body, start + 1
    )


def _comment(text: str) -> bool:
    return text.lstrip().startswith(("#", "%", "//"))


def _split(text: str, separator: str) -> tuple[str, ...]:
    cells = text.split(separator if separator != " " else None) if separator else [text]
    return tuple(cell.strip().strip("\"'").strip() for cell in cells)


def _separator(lines: list[str]) -> tuple[str, bool]:
    """Choose the separator that leaves most cells numbers; say whether commas are decimal."""
    body = [line.strip() for line in lines[len(lines) // 2 :]]
    text = [line for line in lines if not _number(line.split(",")[0])]
    alone = all(_DECIMAL_COMMA.fullmatch(line) or _number(line) for line in body)
    if alone and (any(_HERTZ.search(t) for t in text) or (text and "," not in text[-1])):
        return "", any("," in line for line in body)
    best, most = "", 0.0
    for separator in _SEPARATORS:
        rows = [_split(line, separator) for line in body]
        cells = [cell for row in rows for cell in row]
        good = sum(_number(c) or c.lower() in _MISSING or bool(_CLOCK.fullmatch(c)) for c in cells)
        if good / max(len(cells), 1) > most and max(map(len, rows)) > 1:
            best, most = separator, good / len(cells)
    cells = [cell for line in body for cell in _split(line, best)]
    return best, best != "," and any(_DECIMAL_COMMA.fullmatch(cell) for cell in cells)


def _kinds(rows: list[tuple[str, ...]], width: int) -> tuple[str, ...]:
    return tuple(_kind([row[c] for row in rows]) for c in range(width))


def _kind(column: list[str]) -> str:
    cells = [cell for cell in column if cell.lower() not in _MISSING]
    if cells and sum(map(_number, cells)) >= 0.7 * len(cells):
        return "number"
    return "clock" if cells and all(_CLOCK.fullmatch(cell) for cell in cells) else "text"


def _fits(cells: tuple[str, ...], kinds: tuple[str, ...]) -> bool:
    if len(cells) != len(kinds):
        return False
    pairs = [cell for cell, kind in zip(cells, kinds, strict=True) if kind == "number"]
    return any(map(_number, pairs)) and all(_number(c) or c.lower() in _MISSING for c in pairs)


def _names(above: list[tuple[str, ...]], width: int) -> tuple[str, ...]:
    """Join the header row and a row of units below it, where there is one."""
    if len(above) > 1 and all(c[:1] in "([" or not c or _tokens(c) & set(MV) for c in above[-1]):
        return tuple(f"{a} {b}".strip() for a, b in zip(above[-2], above[-1], strict=True))
    return above[-1] if above else ("",) * width


def _tokens(name: str) -> set[str]:
    return set(re.split(r"[^a-z0-9µμ]+", name.lower())) - {""} or {""}


def _rise(layout: _Layout, column: int) -> tuple[bool, float]:
    """Say whether a column of the first rows rises, and by how much its steps differ."""
    values = [row[column] for row in layout.rows]
    try:
        with np.errstate(all="ignore"):
            step = np.diff(np.array([_seconds(v) if ":" in v else _float(v) for v in values]))
    except ValueError:
        return False, np.inf
    if not step.size or not np.isfinite(step).all() or (step < 0).any() or not step.any():
        return False, np.inf
    return True, float(step.std() / step.mean())


def _float(cell: str) -> float:
    return float(cell.replace(",", "."))


def _time_columns(layout: _Layout) -> list[int]:
    """Return the columns that hold a time or a row number, the best one first."""
    ranked = []
    for c, (name, kind) in enumerate(zip(layout.names, layout.kinds, strict=True)):
        rises, uneven = _rise(layout, c) if kind != "text" else (False, np.inf)
        named = bool(_tokens(name) & (_TIME | (_INDEX - {""})))
        # A lead may rise for a while: without a name, only the first of several columns is time.
        even = c == 0 < len(layout.names) - 1 and uneven < 0.5 and len(layout.rows) >= 10
        even = even and not _unit(layout, c)
        if kind == "clock" or (rises and (named or even)):
            ranked.append((_is_index(layout, c), kind == "clock", uneven, c))
    return [rank[-1] for rank in sorted(ranked)]


def _is_index(layout: _Layout, column: int) -> bool:
    """Say whether a column counts rows: by ones, and without a unit of time in its name."""
    if layout.kinds[column] == "clock" or _named_scale(layout.names[column]):
        return False
    try:
        with np.errstate(all="ignore"):
            step = np.diff(np.array([_float(row[column]) for row in layout.rows]))
    except ValueError:
        return False
    return bool((step == 1).all())


def _named_scale(name: str) -> float:
    return next((k for k, words in _TIME_UNITS.items() if _tokens(name) & words), 0.0)


def _lead_columns(layout: _Layout, times: list[int]) -> list[int]:
    other = _NOT_ECG | (_TIME - set().union(*_TIME_UNITS.values()) - {"t"})
    numeric = [c for c, kind in enumerate(layout.kinds) if kind == "number" and c not in times]
    leads = [c for c in numeric if not _tokens(layout.names[c]) & other]
    if not leads:
        raise InputError("files", "has no column that could be a lead", "a column of ECG samples")
    return leads


def _clock(layout: _Layout, times: list[int], fs: float | None) -> _Clock:
    """Find the sampling frequency: the one given, else the time column's, else the header's."""
    rows = np.empty(0, np.int64)
    said = _said_rate(layout.preamble)
    column = f"column {times[0] + 1}" if times else ""
    if not times or _is_index(layout, times[0]):
        note = [f"{column} counts the rows"] if times else []
        if fs is None and said is None:
            problem = "is not given, and the file has no time column that tells it"
            raise InputError("fs", problem, "fs, the sampling frequency in Hz")
        source = "the sampling frequency is the one given" if fs else "the header gives"
        return _Clock(fs or said or 0.0, (*note, f"{source}: {fs or said:g} Hz"), rows)
    name = _CLOCK_NAME if layout.kinds[times[0]] == "clock" else layout.names[times[0]]
    clock = _clock_of(_times(layout, times[0]), name, column)
    if fs is None:
        return clock
    note = [f"the sampling frequency is the one given: {fs:g} Hz"]
    if abs(clock.fs - fs) > 0.01 * fs:
        note.append(f"{column} says {clock.fs:g} Hz; it is not used")
    return _Clock(fs, tuple(note), rows)


def _said_rate(preamble: str) -> float | None:
    found = _HERTZ.search(preamble) or _RATE.search(preamble)
    return float(found.group(1).replace(",", ".")) if found else None


def _clock_of(times: NDArray[np.float64], name: str, column: str) -> _Clock:
    """Turn times into a sampling frequency and each row's place; gaps leave places free."""
    with np.errstate(all="ignore"):
        step = np.diff(times)
    middle = float(np.median(step)) if step.size else 0.0
    if not np.isfinite(step).all() or middle <= 0 or (step < 0).any():
        problem = f"cannot be told: {column} does not rise row by row"
        raise InputError("fs", problem, "fs, the sampling frequency in Hz")
    size = float(step[step <= 2 * middle].mean())
    size = float(step[step <= 1.8 * size].mean())
    scale = _named_scale(name) or _scale_of(size)
    fs = _round_rate(scale / size)
    what = name if name == _CLOCK_NAME else f"time in {_UNIT_WORDS[scale]}"
    notes = [f"{column} is {what}: {fs:g} Hz"]
    gap = step > 1.8 * size
    uneven = np.abs(step[~gap] / size - 1)
    if float(np.percentile(uneven, 95)) > JITTER:
        notes.append(f"its steps vary by up to {float(uneven.max()):.0%}; even steps are assumed")
    lost = np.where(gap, np.clip(np.round(step / size), 1, 1e9) - 1, 0)
    if gap.any():
        notes.append(f"{int(gap.sum())} gaps in time, {lost.sum() / fs:.1f} s together")
    if lost.sum() > len(times):
        notes.append("the gaps are longer than the recording and are closed")
        lost[:] = 0
    at = np.arange(len(times)) + np.concatenate([[0], np.cumsum(lost)]).astype(np.int64)
    return _Clock(fs, tuple(notes), at if lost.any() else np.empty(0, np.int64))


def _round_rate(fs: float) -> float:
    """Round to whole Hz what differs by no more than rounded times explain."""
    return float(round(fs)) if abs(fs - round(fs)) <= 5e-4 * fs else float(f"{fs:.6g}")


def _scale_of(size: float) -> float:
    """Return the only unit of time in which this step is a sampling frequency taken here."""
    for scale in _TIME_UNITS:
        if FS_RANGE[0] <= _round_rate(scale / size) <= FS_RANGE[1]:
            return scale
    raise InputError("fs", "cannot be told from the time column", "fs in Hz, or a unit of time")


def _times(layout: _Layout, column: int) -> NDArray[np.float64]:
    if layout.kinds[column] == "number":
        stamps: NDArray[np.float64] = _load(layout, [column], np.float64)[:, 0].astype(np.float64)
        return stamps
    times: NDArray[np.float64] = np.fromiter(_clock_cells(layout, column), np.float64)
    wraps = np.diff(times) < -43200
    if wraps.any() and times.max() < 90000:
        times[1:] += 86400.0 * np.cumsum(wraps)
    since: NDArray[np.float64] = times - times[0]
    return since


def _clock_cells(layout: _Layout, column: int) -> Iterator[float]:
    separator = layout.separator if layout.separator != " " else None
    for row, line in enumerate(io.BytesIO(layout.body)):
        if line.isspace() or line.startswith(b"#"):
            continue
        try:
            cells = (
                line.decode("latin-1").split(separator, column + 1)
                if layout.separator
                else [line.decode()]
            )
            yield _seconds(cells[column].strip(" \"'[]\n"))
        except (ValueError, IndexError, OverflowError):
            where = f"has no time in line {layout.first_line + row}, column {column + 1}"
            raise InputError("files", where, "a time in every row") from None


def _seconds(text: str) -> float:
    """Return a date and time, or a time of day, in seconds."""
    if text[4:5] == "-":
        return (
            datetime.fromisoformat(text).replace(tzinfo=None) - datetime(2000, 1, 1)
        ).total_seconds()
    total = 0.0
    for part in text.split()[-1].split(":"):
        total = 60 * total + _float(part)
    return total


def _numbers(layout: _Layout, columns: list[int]) -> NDArray[np.float32]:
    """Parse columns as (n_rows, n_columns); what is missing or not finite is NaN."""
    table: NDArray[np.float32] = _load(layout, columns, np.float32)
    table[~np.isfinite(table)] = np.nan
    return table


def _load(layout: _Layout, columns: list[int], kind: type) -> NDArray[np.float32]:
    body = layout.body
    for quote in (b'"', b"'"):
        body = body.replace(quote, b"")
    if layout.decimal_comma:
        body = body.replace(b",", b".")
    try:
        return _parse(body, layout.separator, columns, kind)
    except ValueError:
        body = _mark_missing(body, layout.separator)
    try:
        return _parse(body, layout.separator, columns, kind)
    except ValueError as error:
        raise _bad_cell(layout, body, str(error)) from None


def _parse(body: bytes, separator: str, columns: list[int], kind: type) -> NDArray[np.float32]:
    delimiter = separator if separator.strip() or separator == "\t" else None
    # One column of text has no separator; a bar never occurs in a number.
    delimiter = delimiter if separator else "|"
    with np.errstate(all="ignore"):
        table: NDArray[np.float32] = np.loadtxt(
            io.BytesIO(body), dtype=kind, delimiter=delimiter, usecols=columns, ndmin=2
        )
    return table


def _mark_missing(body: bytes, separator: str) -> bytes:
    """Write nan where a cell says that it is missing; `replace` keeps memory in bounds."""
    mark = separator.encode().strip(b" ")
    if not mark:
        return body
    body = b"\n" + body.rstrip() + b"\n"
    for word in (b"", b" ", b"-", b"--", b"NA", b"N/A", b"null", b"None"):
        for left, right in ((mark, mark), (mark, mark), (mark, b"\n"), (b"\n", mark)):
            body = body.replace(left + word + right, left + b"nan" + right)
    return body[1:]


def _bad_cell(layout: _Layout, body: bytes, message: str) -> InputError:
    row = re.search(r"row (\d+)", message)
    column = re.search(r"column (?:index )?(\d+)", message)
    if row is None:
        return InputError("files", "has rows that are not numbers", "numbers")
    wanted = int(row.group(1)) + ("could not convert" in message)
    line = layout.first_line + _line_of(body, wanted)
    if column is None or "could not convert" not in message:
        return InputError(
            "files", f"has fewer columns in row {line}", "as many as in the other rows"
        )
    problem = f"has no number in row {line}, column {column.group(1)}"
    return InputError("files", problem, "a number, or an empty cell for a missing one")


def _line_of(body: bytes, wanted: int) -> int:
    for at, line in enumerate(io.BytesIO(body)):
        wanted -= bool(line.split(b"#")[0].strip())
        if not wanted:
            return at
    return 0


def _to_mv(
    layout: _Layout, leads: list[int], signal: NDArray[np.float32], unit: str | None
) -> tuple[bool, list[str]]:
    """Scale `signal` to mV in place; say whether every unit is known, and where from."""
    units = [unit.lower() if unit else _unit(layout, c) for c in leads]
    with np.errstate(all="ignore"):
        for k, name in enumerate(units):
            signal[:, k] *= np.float32(MV.get(name, 1.0))
    signal[~np.isfinite(signal)] = np.nan
    known = all(name in MV for name in units)
    if unit:
        return known, [f"the unit is the one given: {unit}"]
    words = sorted({_said_unit(name) for name in units})
    return known, words


def _said_unit(name: str) -> str:
    if name in MV:
        return f"samples in {name[:-1]}V"
    return "samples in converter counts" if name else "the unit is not said: taken as unknown"


def _unit(layout: _Layout, column: int) -> str:
    name = layout.names[column]
    bracket = re.search(r"[\[(]([^\])]*)", name)
    words = _tokens(bracket.group(1) if bracket else name) & (set(MV) | COUNTS)
    if not bracket:
        words -= {"v"}
    if not words:
        values = (re.split(r"[,;:=\t]", line)[-1] for line in layout.preamble.split("\n"))
        words = {v.strip().lower() for v in values} & set(MV)
    return min(words, default="")


def _lead_name(name: str, position: int) -> str:
    short = re.sub(r"[\[(].*|[ _-]*[mnuµμ]V$", "", name, flags=re.IGNORECASE).strip(" _-")
    return "".join(ch for ch in short if ch.isprintable())[:40] or f"lead {position + 1}"


def _distinct(names: list[str]) -> tuple[str, ...]:
    return tuple(n if n not in names[:k] else f"{n} ({k + 1})" for k, n in enumerate(names))


def _said_columns(layout: _Layout) -> str:
    comma = ", decimal commas" if layout.decimal_comma else ""
    if not layout.separator:
        return f"one column{comma}"
    return f"{_SEPARATORS[layout.separator]} separate {len(layout.names)} columns{comma}"


def _said_ignored(ignored: list[int]) -> list[str]:
    if not ignored:
        return []
    numbers = ", ".join(str(c + 1) for c in ignored)
    return [f"not a lead, not read: column {numbers}"]


def _spread(signal: NDArray[np.float32], at: NDArray[np.int64]) -> NDArray[np.float32]:
    """Put rows where their time says, NaN between them."""
    if not at.size:
        return signal
    wide = np.full((int(at[-1]) + 1, signal.shape[1]), np.nan, np.float32)
    wide[at] = signal
    return wide
