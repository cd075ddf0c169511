"""The files of recordings that the command line names, on this machine or in S3."""

from pathlib import PurePosixPath

from app.remote import AnyPath, is_file, open_path, read_bytes
from ecg.errors import InputError
from ecg.wfdb_header import read_header


def of_recordings(names: list[str]) -> list[list[AnyPath]]:
    """Return the files of each recording: a header first, then what it names and its .atr.

    Raises RemoteError where addresses cannot be read at all.
    """
    paths = [open_path(name) for name in names]
    groups = [_of_header(path) for path in paths if path.suffix.lower() == ".hea"]
    taken = {path.resolve() for group in groups for path in group}
    return groups + [[path] for path in paths if path.resolve() not in taken]


def _of_header(path: AnyPath) -> list[AnyPath]:
    try:
        names = {lead.file for lead in read_header(read_bytes(path)).leads}
        beside = [path.with_name(PurePosixPath(name).name) for name in sorted(names)]
        return [path, *(p for p in (*beside, path.with_suffix(".atr")) if is_file(p))]
    except (InputError, OSError):
        return [path]
