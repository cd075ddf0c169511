"""Read WFDB records (.hea with .dat or MATLAB v4 .mat) from untrusted bytes.

Source: WFDB Applications Guide, header(5) and signal(5). No file system: the files are given.
Memory is a small multiple of the bytes given, whatever the header claims.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecg.record import Record
from ecg.wfdb_header import DEFAULT_FS, DEFAULT_GAIN, Header, Lead, read_header, refuse

MAX_VALUES = 2**29
"""Samples of all leads together: 48 h of three leads at 1000 Hz, 2 GiB as float32."""
CHUNK_VALUES = 2**18
"""Samples turned into millivolts at a time, so that float64 is never held for a whole lead."""

# MATLAB v4: five little-endian int32 (type, rows, columns, imaginary, name's length), the name.
MATLAB_HEADER_BYTES = 20
MATLAB_TYPES = {16: 30, 32: 20, 80: 50}

Integers = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Format:
    """One signal(5) format: `samples` of `size` bytes a block; `missing`: the missing sample."""

    samples: int
    size: int
    missing: int
    decode: Callable[[NDArray[np.uint8]], Integers]


def _decode_212(raw: NDArray[np.uint8]) -> Integers:
    """Return 12-bit samples, two in three bytes; a last one may stand in two."""
    padded = np.append(raw, np.zeros(-len(raw) % 3, np.uint8)).reshape(-1, 3)
    low, middle, high = padded.T.astype(np.int16)
    pairs = np.stack((low | (middle & 0x0F) << 8, high | (middle & 0xF0) << 4), axis=1)
    # Shift the sign bit of 12 to the sign bit of 16, and back.
    return (pairs.reshape(-1) << 4) >> 4


def _decode_24(raw: NDArray[np.uint8]) -> Integers:
    wide = np.zeros((len(raw) // 3, 4), np.uint8)
    wide[:, 1:] = raw.reshape(-1, 3)
    return wide.view("<i4")[:, 0] >> 8


FORMATS = {
    16: Format(1, 2, -(2**15), lambda raw: raw.view("<i2")),
    24: Format(1, 3, -(2**23), _decode_24),
    32: Format(1, 4, -(2**31), lambda raw: raw.view("<i4")),
    61: Format(1, 2, -(2**15), lambda raw: raw.view(">i2")),
    80: Format(1, 1, -(2**7), lambda raw: raw.astype(np.int16) - 128),
    160: Format(1, 2, -(2**15), lambda raw: (raw.view("<u2") ^ 0x8000).view("<i2")),
    212: Format(2, 3, -(2**11), _decode_212),
}


@dataclass(frozen=True)
class Group:
    """The leads that share one signal file, by index in the record, and the file's bytes."""

    leads: dict[int, Lead]
    content: bytes

    @property
    def first(self) -> Lead:
        return next(iter(self.leads.values()))

    @property
    def form(self) -> Format:
        return FORMATS[self.first.code]

    @property
    def per_frame(self) -> int:
        return sum(lead.per_frame for lead in self.leads.values())

    @property
    def n_frames(self) -> int:
        """Whole frames that the bytes given hold."""
        n_bytes = max(len(self.content) - self.first.offset, 0)
        return n_bytes * self.form.samples // self.form.size // self.per_frame


def read_wfdb(files: Mapping[str, bytes], header: str) -> Record:
    """Return the record that the header named `header` among `files` describes.

    files: the uploaded files by base name. Samples in mV; missing ones NaN; samples of a frame
    averaged, so that fs is the header's frame frequency, which annotations count in.
    Raises InputError for a header or signal file that is malformed, not there, truncated, of
    several segments, or in another format. Sources: header(5), signal(5).
    """
    if header not in files:
        raise refuse("header is not among the files", "a .hea file and the files it names")
    parsed = read_header(files[header])
    groups = _groups(files, parsed.leads)
    n_frames = _length(parsed, groups)
    signal = np.full((n_frames, len(parsed.leads)), np.nan, np.float32)
    found = _assumptions(parsed, groups, n_frames)
    for group in groups:
        found += _fill(signal, group)
    codes = sorted({lead.code for lead in parsed.leads})
    return Record(
        signal=signal,
        fs=parsed.fs,
        leads=tuple(lead.name for lead in parsed.leads),
        format=f"WFDB {', '.join(map(str, codes))}",
        unit_known=all(lead.scale is not None for lead in parsed.leads),
        found=tuple(found),
    )


def _groups(files: Mapping[str, bytes], leads: tuple[Lead, ...]) -> list[Group]:
    by_file: dict[str, dict[int, Lead]] = {}
    for i, lead in enumerate(leads):
        by_file.setdefault(lead.file, {})[i] = lead
    return [_group(files, name, members) for name, members in by_file.items()]


def _group(files: Mapping[str, bytes], name: str, leads: dict[int, Lead]) -> Group:
    if len({(lead.code, lead.offset) for lead in leads.values()}) > 1:
        raise refuse(f"{name} has leads of different format or offset", "one format a file")
    if next(iter(leads.values())).code not in FORMATS:
        raise refuse(f"{name} is in another format", f"formats {', '.join(map(str, FORMATS))}")
    if name not in files:
        raise refuse(f"{name} is named in the header and was not sent", "every file it names")
    group = Group(leads, files[name])
    if name.lower().endswith(".mat"):
        _check_matlab(group)
    return group


def _check_matlab(group: Group) -> None:
    """Refuse a .mat file whose own header is not what the .hea file says of it."""
    lead = group.first
    words = np.frombuffer(group.content[:MATLAB_HEADER_BYTES].ljust(20, b"\0"), "<i4").tolist()
    kind, rows, _, imaginary, name_bytes = words
    expected = (MATLAB_TYPES.get(lead.code), group.per_frame, 0)
    if (kind, rows, imaginary) != expected or MATLAB_HEADER_BYTES + name_bytes != lead.offset:
        raise refuse(
            f"{lead.file} is not the MATLAB file that the header describes",
            "MATLAB v4, one row a lead, of the format and byte offset that the header says",
        )


def _length(header: Header, groups: list[Group]) -> int:
    """Return the frames to read: what the header says, else what the shortest file holds."""
    held = min(group.n_frames for group in groups)
    if header.n_frames is not None and header.n_frames > held:
        raise refuse(
            f"is truncated: {held} samples a lead found, {header.n_frames} claimed",
            "signal files as long as the header says",
        )
    n_frames = header.n_frames or held
    if not n_frames:
        raise refuse("has no samples", "a signal file with at least one sample a lead")
    if n_frames * len(header.leads) > MAX_VALUES:
        raise refuse("has too many samples", f"up to {MAX_VALUES} in all leads together")
    return n_frames


def _assumptions(header: Header, groups: list[Group], n_frames: int) -> list[str]:
    found: list[str] = []
    leads = header.leads
    if not header.fs_said:
        found.append(f"no sampling frequency in the header: {DEFAULT_FS:g} Hz assumed")
    if names := _names(lead for lead in leads if not lead.calibrated):
        found.append(f"uncalibrated: {DEFAULT_GAIN:g} steps a unit assumed for {names}")
    if names := _names(lead for lead in leads if lead.scale is None):
        found.append(f"not in volts: the unit of {names}")
    if names := _names(lead for lead in leads if lead.per_frame > 1):
        found.append(f"several samples a frame, averaged: {names}")
    if any(group.n_frames > n_frames for group in groups):
        found.append(f"samples after the first {n_frames} a lead are not read")
    return found


def _names(leads: Iterable[Lead]) -> str:
    return ", ".join(lead.name for lead in leads)


def _fill(signal: NDArray[np.float32], group: Group) -> list[str]:
    """Write the leads of one file into `signal`; return what was found out."""
    n_frames = len(signal)
    frames = _frames(group, n_frames)
    broken: list[Lead] = []
    start = 0
    for i, lead in group.leads.items():
        samples = frames[:, start : start + lead.per_frame]
        start += lead.per_frame
        # As in wfdb, a skewed lead's last samples are missing even where the file goes on.
        part = samples[lead.skew :]
        step = max(CHUNK_VALUES // lead.per_frame, 1)
        for at in range(0, len(part), step):
            chunk = part[at : at + step]
            signal[at : at + len(chunk), i] = _physical(chunk, lead, group.form.missing)
        # Writers that compute no checksum say 0; how skew counts in it is not specified.
        total = int(part.sum(dtype=np.int64))
        if lead.checksum and not lead.skew and (total - lead.checksum) & 0xFFFF:
            broken.append(lead)
    return [f"checksum does not match: {_names(broken)}"] if broken else []


def _frames(group: Group, n_frames: int) -> Integers:
    """Return the first (n_frames, samples a frame) of a signal file."""
    n_samples = n_frames * group.per_frame
    n_bytes = -(-n_samples * group.form.size // group.form.samples)
    raw = np.frombuffer(group.content, np.uint8, n_bytes, group.first.offset)
    return group.form.decode(raw)[:n_samples].reshape(n_frames, group.per_frame)


def _physical(samples: Integers, lead: Lead, missing: int) -> NDArray[np.float64]:
    """Return (n,) means of frames in mV, or in the lead's own unit where that is no voltage."""
    values = (samples.astype(np.float64) - lead.baseline) / lead.gain
    values[samples == missing] = np.nan
    frames: NDArray[np.float64] = values[:, 0] if lead.per_frame == 1 else values.mean(axis=1)
    return frames * (1.0 if lead.scale is None else lead.scale)
