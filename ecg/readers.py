"""From the files a user uploaded to one Record: told by content, in bounds set by constants."""

import dataclasses
import io
import re
import zipfile
import zlib
from collections.abc import Mapping

from ecg.beat_rows import BeatRows, is_beat_rows, read_beat_rows
from ecg.edf_files import is_edf, read_edf_bytes
from ecg.errors import InputError
from ecg.record import Record, validate
from ecg.text_files import read_text
from ecg.text_layout import ACCEPTED
from ecg.wfdb_annotations import read_annotations
from ecg.wfdb_signals import read_wfdb

MAX_FILES = 64
MAX_UNPACKED_BYTES = 512 << 20
"""48 h of one lead at 1000 Hz and 16 bits are 346 MB."""
MAX_RATIO = 50
"""Unpacked to packed bytes; digital ECG packs 2 to 20 times, a flat one up to about 1000.
What bounds the time that a small upload takes: text is read at 10 to 50 MB a second."""
RATIO_FREE_BYTES = 16 << 20
"""Up to this size the ratio does not matter: a short flat recording is no attack."""
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_ZIP_ENTRY = b"PK\x01\x02"
_HEADER_LINE = re.compile(r"[^\s,;]+(?:/\d+)?[ \t]+\d+(?:[ \t]+[\d.eE+/()-]+)*(?:[ \t]+\S+)*\s*")
_TOGETHER = "one file; or one WFDB header (.hea) with its data files; or a zip of these"


def read(files: Mapping[str, bytes], *, fs: float | None = None, unit: str | None = None) -> Record:
    """Read what a user uploaded, by file name, as one recording.

    `fs` (Hz) and `unit` (mV, uV, V, adc) are for files that do not say. Raises InputError for
    anything else than one recording of a known format, within the bounds of `validate`.
    """
    return validate(_read(_unpacked(files), fs, unit))


def open_files(
    files: Mapping[str, bytes], *, fs: float | None = None, unit: str | None = None
) -> Record | BeatRows:
    """Read one recording as `read` does, or one CSV of separate beats of 187 samples."""
    unpacked = _unpacked(files)
    if len(unpacked) == 1:
        (content,) = unpacked.values()
        if is_beat_rows(content):
            return read_beat_rows(content)
    return validate(_read(unpacked, fs, unit))


def _unpacked(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    if len(files) == 1:
        (content,) = files.values()
        if content[:4] in (_ZIP, _EMPTY_ZIP):
            return unpack(content)
    return files


def unpack(content: bytes) -> dict[str, bytes]:
    """Unpack a zip in memory: file contents by base name.

    Raises InputError for encrypted, nested, absolute, climbing, doubled or damaged members and
    where the archive has too many, or unpacks to more than it may.
    """
    # The directory is parsed into objects 15 times its size: count its entries first.
    if content.count(_ZIP_ENTRY) > MAX_FILES:
        raise InputError("files", "is a zip of too many files", f"up to {MAX_FILES} files")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [m for m in archive.infolist() if _wanted(m)]
            _check(members, len(content))
            return {_base(m.filename): _member(archive, m) for m in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("files", "is a damaged zip", "a whole zip archive") from None


def _base(name: str) -> str:
    return name.rsplit("/", 1)[-1].rsplit("\\", 1)[-1]


def _wanted(member: zipfile.ZipInfo) -> bool:
    """Leave out folders and what macOS and hidden files add."""
    name = member.filename
    return not (name.endswith("/") or name.startswith("__MACOSX/") or _base(name).startswith("."))


def _check(members: list[zipfile.ZipInfo], packed: int) -> None:
    for member in members:
        _check_member(member)
    names = [_base(member.filename) for member in members]
    if len(set(names)) < len(names):
        raise InputError("files", "is a zip with two files of one name", "one recording")
    total = sum(member.file_size for member in members)
    if total > MAX_UNPACKED_BYTES or total > max(RATIO_FREE_BYTES, MAX_RATIO * packed):
        raise InputError(
            "files",
            f"is a zip that unpacks to {total} bytes",
            f"up to {MAX_UNPACKED_BYTES} bytes, and {MAX_RATIO} times its size",
        )


def _check_member(member: zipfile.ZipInfo) -> None:
    # zipfile itself turns the platform's separator into /; the original is in orig_filename.
    name = member.orig_filename.replace("\\", "/")
    if name.startswith("/") or ".." in name.split("/") or name[1:2] == ":" or "\0" in name:
        raise InputError("files", "is a zip with a path that leaves it", "plain file names")
    if member.flag_bits & 1:
        raise InputError("files", "is an encrypted zip", "a zip without a password")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputError("files", "is a zip packed in an unusual way", "deflated or stored files")


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as file:
        content = file.read(member.file_size)
    if len(content) != member.file_size:
        raise InputError("files", "is a damaged zip", "a whole zip archive")
    if content[:4] == _ZIP:
        raise InputError("files", "is a zip in a zip", "a zip of recordings")
    return content


def _read(files: Mapping[str, bytes], fs: float | None, unit: str | None) -> Record:
    named = {_base(name): content for name, content in files.items()}
    if not named or not any(named.values()):
        raise InputError("files", "is empty", ACCEPTED)
    if len(named) < len(files) or len(named) > MAX_FILES:
        raise InputError("files", "has two files of one name, or too many", _TOGETHER)
    headers = [name for name, content in named.items() if _is_header(name, content)]
    if len(headers) == 1:
        return _noted(_annotated(read_wfdb(named, headers[0]), named), fs, unit)
    if len(headers) > 1:
        raise InputError("files", f"holds {len(headers)} WFDB headers", _TOGETHER)
    if len(named) > 1:
        raise InputError("files", f"holds {len(named)} files that are not one recording", _TOGETHER)
    (content,) = named.values()
    if is_edf(content):
        return _noted(read_edf_bytes(content), fs, unit)
    if content[:4] in (_ZIP, _EMPTY_ZIP):
        raise InputError("files", "is a zip in a zip", "a zip of recordings")
    return read_text(content, fs=fs, unit=unit)


def _is_header(name: str, content: bytes) -> bool:
    """Say whether a file is a WFDB header: by its record line, and by the name others rely on."""
    if not name.lower().endswith(".hea"):
        return False
    lines = content[:4096].decode("latin-1").splitlines()
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    return len(first) < 400 and bool(_HEADER_LINE.fullmatch(first))


def _annotated(record: Record, files: Mapping[str, bytes]) -> Record:
    """Add the reference annotations, where an .atr file came along."""
    marks = [content for name, content in files.items() if name.lower().endswith(".atr")]
    if len(marks) > 1:
        raise InputError("files", f"holds {len(marks)} annotation files", "one .atr file")
    if not marks:
        return record
    return dataclasses.replace(record, annotation=read_annotations(marks[0], fs=record.fs))


def _noted(record: Record, fs: float | None, unit: str | None) -> Record:
    """Say that what the caller gave is not used where the file itself says it."""
    notes = []
    if fs is not None and fs != record.fs:
        notes.append(f"the file says {record.fs:g} Hz; the fs given is not used")
    if unit is not None and record.unit_known:
        notes.append("the file says its units; the unit given is not used")
    return dataclasses.replace(record, found=(*record.found, *notes))
