"""How a recording written as text is laid out: its characters, separator, header and columns."""

import re
from dataclasses import dataclass
from statistics import mode

from ecg.errors import InputError
from ecg.record import FS_RANGE, MV

ACCEPTED = "CSV, TSV, WFDB (.hea with its data files), EDF, EDF+, BDF, or a zip of one of these"
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars", ",": "commas", " ": "spaces"}
MISSING = frozenset({"", "-", "--", "na", "n/a", "nan", "null", "none"})
"""What stands, in any case, in a cell that has no value."""
HERTZ = re.compile(r"(\d{2,5}(?:[.,]\d{1,6})?)\s*(?:hz|hertz)\b", re.IGNORECASE)
BOM = b"\xef\xbb\xbf"
HEAD_BYTES = 65536
"""The layout is told from so many bytes; a line may not be longer."""
_HEAD_LINES = 200
_MAX_COLUMNS = 256
_COMMENT = ("#", "%", "//")
_CLOCK = re.compile(
    r"(?:\[?\d{4}-\d\d-\d\d[T ]|\d[\d./]*\s+)?\d{1,3}:\d\d(?::\d\d)?(?:[.,]\d+)?\S{0,7}"
)
_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class Layout:
    """Where the rows of `content` begin, and what their columns are.

    separator: "" for one column; kinds: "number", "clock" (a time of day, a date) or "text" a
    column; rows: the cells of the first rows; preamble: the lines above them; start and
    first_line: where the rows begin, in bytes from 0 and in lines from 1.
    """

    content: bytes
    separator: str
    decimal_comma: bool
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    preamble: str
    start: int
    first_line: int


def plain_text(content: bytes) -> bytes:
    """Return the text as UTF-8 without BOM, with newlines and minus signs as numpy reads them.

    Raises InputError for what is no text, and for lines that are too long.
    """
    head = content[:1000]
    wide = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}.get(head[:2])
    if wide is None and b"\0" in head:
        wide = "utf-16-le" if head[1:2] == b"\0" else "utf-16-be"
    if wide is not None:
        content = content.decode(wide, errors="replace").encode(errors="replace")
    content = content.removeprefix(BOM)
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"\0" in content or sum(byte < 9 or 13 < byte < 32 for byte in content[:1000]):
        raise InputError("files", "is not in a format known here", ACCEPTED)
    return _in_column(content.replace("\N{MINUS SIGN}".encode(), b"-"))


def _in_column(content: bytes) -> bytes:
    """Turn one long line of numbers into one number a line; refuse other long lines."""
    # Stripping copies: only where the first bytes may be the one line.
    if b"\n" not in content[:HEAD_BYTES].strip() and b"\n" not in (flat := content.strip()):
        for separator in SEPARATORS:
            if flat.count(separator.encode()) >= FS_RANGE[0]:
                return flat.replace(separator.encode(), b"\n")
    at = 0
    while len(content) - at > HEAD_BYTES:
        at = content.rfind(b"\n", at, at + HEAD_BYTES) + 1
        if not at:
            raise InputError("files", "has a line that is too long", "one sample a line")
    return content


def read_layout(content: bytes) -> Layout:
    """Tell the layout of `content`, as `plain_text` returns it, from its first lines.

    Raises InputError where there are no rows of numbers, or too many columns.
    """
    head = content[:HEAD_BYTES]
    if len(content) > HEAD_BYTES:
        head = head[: head.rfind(b"\n") + 1]
    raw = head.split(b"\n")[:_HEAD_LINES]
    lines = [_decoded(line) for line in raw]
    used = [k for k, line in enumerate(lines) if line.strip() and not _comment(line)]
    if not used:
        raise InputError("files", "holds no rows", ACCEPTED)
    separator, decimal_comma = _separator([lines[k] for k in used])
    cells = {k: _split(lines[k], separator) for k in used}
    last = [cells[k] for k in used[len(used) // 2 :]]
    width = mode(map(len, last))
    if width > _MAX_COLUMNS:
        raise InputError("files", f"has {width} columns", f"up to {_MAX_COLUMNS} columns")
    kinds = tuple(map(_kind, zip(*(row for row in last if len(row) == width), strict=True)))
    start = next((k for k in used if _fits(cells[k], kinds)), None)
    if start is None:
        raise InputError("files", "holds no column of numbers", ACCEPTED)
    # A header may stand in a comment.
    above = [lines[k].lstrip("#%/ ") for k in range(start) if k in cells or width > 1]
    told = width == 1 and HERTZ.search("\n".join(lines))
    return Layout(
        content=content,
        separator=separator,
        decimal_comma=decimal_comma,
        names=("",) if told else _names([_split(line, separator) for line in above], width),
        kinds=kinds,
        rows=tuple(cells[k] for k in used if k >= start and len(cells[k]) == width),
        preamble="\n".join(lines[:start]),
        start=sum(len(line) + 1 for line in raw[:start]),
        first_line=start + 1,
    )


def _decoded(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _comment(text: str) -> bool:
    return text.lstrip().startswith(_COMMENT)


def _split(text: str, separator: str) -> tuple[str, ...]:
    cells = text.split(separator if separator != " " else None) if separator else [text]
    return tuple(cell.strip().strip("\"'").strip() for cell in cells)


def _separator(lines: list[str]) -> tuple[str, bool]:
    """Choose the separator that leaves most cells numbers; say whether commas are decimal."""
    body = [line.strip() for line in lines[len(lines) // 2 :]]
    text = [line for line in lines if not is_number(line.split(",")[0])]
    if all(map(is_number, body)) and (
        any(map(HERTZ.search, text)) or (text and "," not in text[-1])
    ):
        return "", any("," in line for line in body)
    best, most = "", 0.0
    for separator in SEPARATORS:
        rows = [_split(line, separator) for line in body]
        cells = [cell for row in rows for cell in row]
        good = sum(map(_has_value_form, cells)) / max(len(cells), 1)
        if good > most and max(map(len, rows)) > 1:
            best, most = separator, good
    cells = [cell for line in body for cell in _split(line, best)]
    return best, best != "," and any(map(_DECIMAL_COMMA.fullmatch, cells))


def _has_value_form(cell: str) -> bool:
    return is_number(cell) or cell.lower() in MISSING or bool(_CLOCK.fullmatch(cell))


def number(cell: str) -> float | None:
    """Return a cell, quoted or not, with a decimal point or comma, as a number; None for others."""
    text = cell.strip().strip("\"'")
    try:
        return float(text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text)
    except ValueError:
        return None


def is_number(cell: str) -> bool:
    """Say whether `number` reads a cell."""
    return number(cell) is not None


def _kind(column: tuple[str, ...]) -> str:
    cells = [cell for cell in column if cell.lower() not in MISSING]
    if cells and sum(map(is_number, cells)) >= 0.7 * len(cells):
        return "number"
    return "clock" if cells and all(map(_CLOCK.fullmatch, cells)) else "text"


def _fits(cells: tuple[str, ...], kinds: tuple[str, ...]) -> bool:
    """Say whether this is a row of values, not of names: all of its numbers are some."""
    if len(cells) != len(kinds):
        return False
    numeric = [cell for cell, kind in zip(cells, kinds, strict=True) if kind == "number"]
    return any(map(is_number, numeric)) and all(
        is_number(cell) or cell.lower() in MISSING for cell in numeric
    )


def _names(above: list[tuple[str, ...]], width: int) -> tuple[str, ...]:
    """Join the header row and a row of units below it, where there is one."""
    rows = [row for row in above if len(row) == width]
    if len(rows) > 1 and all(c[:1] in "([" or tokens(c) & MV.keys() for c in rows[-1]):
        return tuple(f"{a} {b}".strip() for a, b in zip(rows[-2], rows[-1], strict=True))
    return rows[-1] if rows else ("",) * width


def tokens(name: str) -> set[str]:
    """Return the words of a column's name, in lower case; {""} where it has none."""
    return set(re.split(r"[^a-z0-9µμ]+", name.lower())) - {""} or {""}
