"""Read WFDB headers (.hea) from untrusted bytes.

Source: WFDB Applications Guide, header(5).
"""

import math
import re
from dataclasses import dataclass

from ecg.errors import InputError
from ecg.record import MV

MAX_HEADER_BYTES = 64 * 1024
MAX_LEADS = 64
MAX_SAMPLES_PER_FRAME = 1024
# Narrow enough that no sample overflows float32, wide enough for any converter there is.
GAIN_RANGE = (1e-6, 1e12)
MAX_FS = 1e6
# header(5): what stands for an absent frequency and for an absent or zero gain.
DEFAULT_FS = 250.0
DEFAULT_GAIN = 200.0
NAME_CHARACTERS = 32

_NUMBER = r"\d{1,20}(?:\.\d{0,20})?(?:[eE][+-]?\d{1,3})?|\.\d{1,20}(?:[eE][+-]?\d{1,3})?"
_RECORD_NAME = re.compile(r"[-\w]{1,64}", re.ASCII)
_FILE_NAME = re.compile(r"(?!\.)[-\w.]{1,128}", re.ASCII)
# Sampling frequency, counter frequency, base counter value; only the first is used.
_FS = re.compile(rf"({_NUMBER})(?:/[+-]?(?:{_NUMBER})(?:\([+-]?(?:{_NUMBER})\))?)?", re.ASCII)
_COUNT = re.compile(r"\d{1,15}", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,10}", re.ASCII)
_FORMAT = re.compile(r"(\d{1,3})(?:x(\d{1,6}))?(?::(\d{1,10}))?(?:\+(\d{1,10}))?", re.ASCII)
_GAIN = re.compile(rf"([+-]?(?:{_NUMBER}))(?:\(([+-]?\d{{1,10}})\))?(?:/(\S{{1,32}}))?", re.ASCII)

A_HEADER = "a WFDB header (.hea): a record line, then one line a lead"


@dataclass(frozen=True)
class Lead:
    """One signal line. gain: converter steps a unit; scale: mV a unit, None where not a voltage.

    per_frame: samples a frame; skew: frames; offset: bytes before the first sample; checksum:
    the 16-bit sum of the samples, None where the header has none.
    """

    file: str
    code: int
    per_frame: int
    skew: int
    offset: int
    gain: float
    calibrated: bool
    baseline: int
    scale: float | None
    checksum: int | None
    name: str


@dataclass(frozen=True)
class Header:
    """A record line and its signal lines. fs: frames a second; n_frames: None where not said."""

    fs: float
    fs_said: bool
    n_frames: int | None
    leads: tuple[Lead, ...]


def refuse(problem: str, accepted: str = A_HEADER) -> InputError:
    """Return the error for a file that cannot be read."""
    return InputError("files", problem, accepted)


def read_header(content: bytes) -> Header:
    """Return what a .hea file of up to `MAX_HEADER_BYTES` says.

    Raises InputError for one that is malformed, has more than one segment, or claims what no
    recording has. Source: header(5).
    """
    if len(content) > MAX_HEADER_BYTES:
        raise refuse("header is too long", f"a header of up to {MAX_HEADER_BYTES} bytes")
    lines = [line.strip() for line in _decode(content).splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines:
        raise refuse("header is empty")
    n_leads, fs, n_frames = _record_line(lines[0].split())
    if len(lines) - 1 != n_leads:
        raise refuse(f"header has {len(lines) - 1} signal lines where it says {n_leads}")
    leads = tuple(_signal_line(line, i) for i, line in enumerate(lines[1:], 1))
    return Header(DEFAULT_FS if fs is None else fs, fs is not None, n_frames, leads)


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _record_line(fields: list[str]) -> tuple[int, float | None, int | None]:
    name, _, segments = fields[0].partition("/")
    if segments and segments.isdecimal():
        raise refuse("is a multi-segment record", "one segment, sent as a record of its own")
    if segments or not _RECORD_NAME.fullmatch(name) or "/" in fields[0]:
        raise refuse("header's record name is not a plain name", "letters, digits, - and _")
    if len(fields) < 2 or not _COUNT.fullmatch(fields[1]):
        raise refuse("header does not say how many leads there are")
    n_leads = int(fields[1])
    if not 1 <= n_leads <= MAX_LEADS:
        raise refuse("header claims a number of leads out of range", f"1 to {MAX_LEADS} leads")
    fs = _fs(fields[2]) if len(fields) > 2 else None
    return n_leads, fs, _n_frames(fields[3]) if len(fields) > 3 else None


def _fs(text: str) -> float:
    found = _FS.fullmatch(text)
    fs = float(found[1]) if found else math.nan
    if not 0 < fs <= MAX_FS:
        raise InputError("fs", "is not a sampling frequency in the header", f"up to {MAX_FS:g} Hz")
    return fs


def _n_frames(text: str) -> int | None:
    if not _COUNT.fullmatch(text):
        raise refuse("header's number of samples is not a count", "a whole number from 0")
    return int(text) or None


def _signal_line(line: str, i: int) -> Lead:
    fields = line.split(maxsplit=8)
    if fields[0].startswith("~"):
        raise refuse("is a variable-layout header", "a record with signals of its own")
    if not _FILE_NAME.fullmatch(fields[0]) or fields[0] == "-":
        raise refuse(f"signal file {i} is not a plain name", "a file name without a folder")
    form = _FORMAT.fullmatch(fields[1]) if len(fields) > 1 else None
    if form is None:
        raise refuse(f"signal line {i} has no format that can be read")
    per_frame = int(form[2] or 1)
    if not 1 <= per_frame <= MAX_SAMPLES_PER_FRAME:
        raise refuse(
            f"signal line {i} has samples per frame out of range", f"1 to {MAX_SAMPLES_PER_FRAME}"
        )
    gain, baseline, unit = _gain(fields[2] if len(fields) > 2 else "0", i)
    # Resolution, zero, first value, checksum, block size.
    numbers = [_integer(text, i) for text in fields[3:8]]
    zero = numbers[1] if len(numbers) > 1 else 0
    return Lead(
        file=fields[0],
        code=int(form[1]),
        per_frame=per_frame,
        skew=int(form[3] or 0),
        offset=int(form[4] or 0),
        gain=gain or DEFAULT_GAIN,
        calibrated=gain != 0,
        baseline=zero if baseline is None else baseline,
        scale=MV.get(unit.lower()),
        checksum=numbers[3] if len(numbers) > 3 else None,
        name=_name(fields[8] if len(fields) > 8 else "", i),
    )


def _gain(text: str, i: int) -> tuple[float, int | None, str]:
    found = _GAIN.fullmatch(text)
    gain = float(found[1]) if found else math.nan
    if found is None or not (gain == 0 or GAIN_RANGE[0] <= abs(gain) <= GAIN_RANGE[1]):
        raise refuse(
            f"signal line {i} has a gain that cannot be used",
            f"a gain from {GAIN_RANGE[0]:g} to {GAIN_RANGE[1]:g} steps a unit",
        )
    return gain, None if found[2] is None else _integer(found[2], i), found[3] or "mV"


def _integer(text: str, i: int) -> int:
    if not _INTEGER.fullmatch(text):
        raise refuse(f"signal line {i} has something else where a whole number stands")
    return int(text)


def _name(text: str, i: int) -> str:
    printable = "".join(c for c in text if c.isprintable())
    return printable[:NAME_CHARACTERS].strip() or f"lead {i}"
