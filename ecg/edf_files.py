"""EDF, EDF+ and BDF recordings, through edfio.

edfio believes a header; so every size in it is checked against the bytes given before edfio sees
them. Source: https://www.edfplus.info/specs/edf.html, edfplus.html; BDF: BioSemi's description.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from edfio import BdfSignal, EdfSignal, read_bdf, read_edf
from numpy.typing import NDArray

from ecg.errors import InputError
from ecg.record import FS_RANGE, MV, Record, distinct

EDF_MAGIC = b"0       "
BDF_MAGIC = b"\xffBIOSEMI"
MAX_SIGNALS = 512
_FIXED = 256
_WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
_LEAD = re.compile(
    r"ecg|ekg|\bml?i{1,3}\b|^(?:lead )?(?:i{1,3}|av[rlf]|v[1-6]r?|mc?l[ivx1-6]{1,3})$",
    re.IGNORECASE,
)
_NOT_ECG = re.compile(
    r"eeg|emg|eog|resp|pleth|spo2|flow|thor|abdo|status|annotations", re.IGNORECASE
)

_KINDS = {EDF_MAGIC: "EDF", BDF_MAGIC: "BDF"}


@dataclass(frozen=True)
class _Header:
    kind: str
    plus: bool
    n_records: int
    record_s: float
    labels: tuple[str, ...]
    units: tuple[str, ...]
    samples: tuple[int, ...]
    size: int
    record_bytes: int


def is_edf(content: bytes) -> bool:
    """Say whether `content` starts as EDF or BDF does."""
    return content[:8] in (EDF_MAGIC, BDF_MAGIC)


def read_edf_bytes(content: bytes) -> Record:
    """Read the ECG leads of an EDF, EDF+C or BDF file.

    Raises InputError for a header that does not fit the bytes given, for a discontinuous file
    (EDF+D, BDF+D) and for a file without an ECG lead.
    """
    header = _header(content)
    content, found = _fitted(content, header)
    chosen = _choose(header)
    fs = header.samples[chosen[0]] / header.record_s
    _check_ranges(content, header)
    whole = read_edf(content) if header.kind == "EDF" else read_bdf(content)
    ordinary = [k for k, label in enumerate(header.labels) if not _is_annotations(label)]
    signals = [whole.signals[ordinary.index(k)] for k in chosen]
    units = [header.units[k] for k in chosen]
    if ignored := len(ordinary) - len(chosen):
        found.append(f"{ignored} signals that are not ECG at {fs:g} Hz are not read")
    if len(ordinary) < len(header.labels):
        found.append("annotations are not read")
    if unknown := [u for u in units if u.lower() not in MV]:
        found.append(f"the unit of {len(unknown)} leads is not said: taken as unknown")
    return Record(
        _stacked(signals, units),
        fs,
        distinct([header.labels[k] or f"lead {n + 1}" for n, k in enumerate(chosen)]),
        header.kind + ("+" if header.plus else ""),
        not unknown,
        None,
        tuple(found),
    )


def _refuse(problem: str, accepted: str = "a whole EDF, EDF+C or BDF file") -> InputError:
    return InputError("files", problem, accepted)


def _text(field: bytes) -> str:
    # edfio reads ASCII; µ is written as one byte (Latin-1) or two (UTF-8) all the same.
    text = field.replace("µ".encode(), b"\xb5").decode("latin-1")
    return "".join(c for c in text if c.isprintable()).strip()


def _whole(field: bytes, name: str) -> int:
    if not re.fullmatch(rb" *[-+]?[0-9]{1,8} *", field):
        raise _refuse(f"has a header whose {name} is not a number")
    return int(field)


def _real(field: bytes, name: str) -> float:
    if not re.fullmatch(rb" *[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)? *", field):
        raise _refuse(f"has a header whose {name} is not a number")
    value = float(field)
    if not math.isfinite(value):
        raise _refuse(f"has a header whose {name} is out of range")
    return value


def _header(content: bytes) -> _Header:
    """Parse the header and hold every size in it against the bytes given."""
    if not is_edf(content) or len(content) < _FIXED:
        raise _refuse("is not an EDF file, or is cut off in its header")
    kind = _KINDS[content[:8]]
    reserved = content[192:236]
    if reserved[:5] in (b"EDF+D", b"BDF+D"):
        raise _refuse("is discontinuous (EDF+D)", "a continuous recording (EDF, EDF+C or BDF)")
    n_signals = _whole(content[252:256], "number of signals")
    if not 1 <= n_signals <= MAX_SIGNALS:
        raise _refuse(f"claims {n_signals} signals", f"1 to {MAX_SIGNALS} signals")
    size = _FIXED * (n_signals + 1)
    if _whole(content[184:192], "header size") != size or len(content) < size:
        raise _refuse("has a header size that does not fit its number of signals or its bytes")
    record_s = _real(content[244:252], "record duration")
    if not record_s > 0:
        raise _refuse("has data records of no duration", "a recording with signals")
    columns = _columns(content, n_signals)
    samples = tuple(_whole(field, "samples in a record") for field in columns[8])
    if min(samples) < 1:
        raise _refuse("has a signal without samples")
    return _Header(
        kind=kind,
        plus=reserved[:5] in (b"EDF+C", b"BDF+C"),
        n_records=_whole(content[236:244], "number of records"),
        record_s=record_s,
        labels=tuple(map(_text, columns[0])),
        units=tuple(map(_text, columns[2])),
        samples=samples,
        size=size,
        record_bytes=sum(samples) * (2 if kind == "EDF" else 3),
    )


def _columns(content: bytes, n_signals: int) -> list[list[bytes]]:
    at, columns = _FIXED, []
    for width in _WIDTHS:
        columns.append([content[at + k * width :][:width] for k in range(n_signals)])
        at += width * n_signals
    return columns


def _fitted(content: bytes, header: _Header) -> tuple[bytes, list[str]]:
    """Cut `content` to the records its header counts; count them where it says -1 (unknown)."""
    there, spare = divmod(len(content) - header.size, header.record_bytes)
    claimed = header.n_records
    if claimed < -1 or claimed == 0 or there == 0 or claimed > there:
        raise _refuse(f"claims {claimed} data records and holds {there}")
    if claimed == there and not spare:
        return content, []
    records = there if claimed == -1 else claimed
    end = header.size + records * header.record_bytes
    note = "the header does not count the records: all whole ones are read"
    if claimed != -1:
        note = f"{len(content) - end} bytes after the last record are not read"
    return content[:236] + b"%-8d" % records + content[244:end], [note]


def _check_ranges(content: bytes, header: _Header) -> None:
    columns = _columns(content, len(header.labels))
    for label, *fields in zip(header.labels, *columns[3:7], strict=True):
        if _is_annotations(label):
            continue
        low, high = (_real(field, "physical range") for field in fields[:2])
        bottom, top = (_whole(field, "digital range") for field in fields[2:])
        if low == high or bottom >= top:
            raise _refuse("has a signal with an empty physical or digital range")


def _is_annotations(label: str) -> bool:
    return label in ("EDF Annotations", "BDF Annotations")


def _choose(header: _Header) -> list[int]:
    """Choose the signals that are ECG by label, else by voltage; of these, those of one fs."""
    open_ = [k for k, label in enumerate(header.labels) if not _NOT_ECG.search(label)]
    volts = [k for k in open_ if header.units[k].lower() in MV or not header.units[k]]
    named = [k for k in volts if _LEAD.search(header.labels[k])]
    chosen = named or [k for k in volts if header.units[k]]
    fits = [k for k in chosen if FS_RANGE[0] <= header.samples[k] / header.record_s <= FS_RANGE[1]]
    if not chosen:
        raise _refuse("has no ECG lead", "a signal in mV, uV or V, or one labelled ECG")
    if not fits:
        low, high = FS_RANGE
        raise InputError("fs", "of the ECG is out of range", f"{low:g} to {high:g} Hz")
    return [k for k in fits if header.samples[k] == header.samples[fits[0]]]


def _stacked(signals: Sequence[EdfSignal | BdfSignal], units: Sequence[str]) -> NDArray[np.float32]:
    """Return physical values in mV, (n_samples, n_leads)."""
    first = np.asarray(signals[0].digital)
    table = np.empty((len(first), len(signals)), np.float32)
    with np.errstate(all="ignore"):
        for k, (signal, unit) in enumerate(zip(signals, units, strict=True)):
            table[:, k] = signal.data * MV.get(unit.lower(), 1.0)
    table[~np.isfinite(table)] = np.nan
    return table
