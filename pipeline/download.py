"""Bring a PhysioNet database, verified: `python -m pipeline.download mit-bih`."""

import hashlib
import os
import re
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from errno import EPIPE
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit

from tqdm import tqdm

from pipeline.streams import Stream, open_file, open_http

ARCHIVE = "mit-bih-arrhythmia-database-1.0.0.zip"
NOISE_ARCHIVE = "mit-bih-noise-stress-test-database-1.0.0.zip"
PHYSIONET = "https://physionet.org/static/published-projects/mitdb"
# By name, which its manifest and its folder in data/ bear: PhysioNet's folder and the archive.
DATABASES = {
    "mit-bih": (PHYSIONET, ARCHIVE),
    "mit-bih-noise": ("https://physionet.org/static/published-projects/nstdb", NOISE_ARCHIVE),
    "challenge-2017": ("https://physionet.org/files/challenge-2017/1.0.0", "training2017.zip"),
}
MIRROR = "BEATWISE_MIRROR"
ACCEPTED = "a folder or a file://, http://, https:// or s3:// address"
# The public archives are 94 MB at most and their members 2 MB: far beyond is another thing.
MAX_ARCHIVE_BYTES = 256 * 2**20
MAX_MEMBER_BYTES = 8 * 2**20
# disable=None: a bar on a terminal, silence in a log.
BAR: dict[str, Any] = {"unit": "B", "unit_scale": True, "disable": None}
ANY = "-"
"""In a manifest: of a file that differs among the archive's versions; its reader checks it."""
MANIFEST_LINE = re.compile(rf"([0-9a-f]{{64}}|{ANY})  (\w[\w.-]*)")
HTTP_PASSING = (408, 416, 425, 429, 500, 502, 503, 504)


class DownloadError(Exception):
    """The database cannot be brought; carries a code and says what would be accepted."""

    def __init__(self, code: str, problem: str) -> None:
        super().__init__(f"{problem}; {MIRROR} may name {ACCEPTED} that holds the archive")
        self.code = code


@dataclass(frozen=True)
class Job:
    """What to bring (manifest), whence (mirror; None: PhysioNet), where to; times in seconds."""

    mirror: str | None
    manifest: Path
    target: Path
    work: Path
    archive: str = ARCHIVE
    home: str = PHYSIONET
    attempts: int = 4
    pause_s: float = 1.0
    timeout_s: float = 20.0

    @property
    def address(self) -> str:
        """Name the archive's address."""
        return f"{mirror_folder(self.mirror, self.home).rstrip('/')}/{self.archive}"

    @property
    def part(self) -> Path:
        """Name the file that grows while the archive is being brought."""
        return self.work / f"{self.archive}.part"


def mirror_folder(setting: str | None, home: str = PHYSIONET) -> str:
    """Turn the mirror setting into the address of the archive's folder; PhysioNet when unset.

    Raises DownloadError (code mirror) on another kind of address. A folder gives its path.
    """
    if not setting:
        return home
    parts = urlsplit(setting)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return unquote(parts.path)
    if parts.scheme in ("http", "https", "s3") and parts.netloc and "@" not in parts.netloc:
        return setting
    if "://" in setting or parts.scheme == "file":
        # Not echoed: a user name in it comes with a password.
        raise DownloadError("mirror", f"{MIRROR} is no address of a known kind")
    return str(Path(setting).expanduser().resolve())


def read_manifest(path: Path) -> dict[str, str]:
    """Read a manifest in sha256sum's format: plain file name to SHA-256.

    Raises DownloadError (code manifest) on a line of another form, a folder in a name included.
    """
    lines = path.read_text(encoding="ascii").splitlines()
    matches = [MANIFEST_LINE.fullmatch(line) for line in lines]
    found = {match[2]: match[1] for match in matches if match}
    if not found or len(found) != len(lines):
        raise DownloadError("manifest", f"{path} is not a list of '<SHA-256>  <file name>'")
    return found


def outstanding(target: Path, hashes: dict[str, str]) -> dict[str, str]:
    """Pick those of the manifest's files that are missing in the folder, or altered."""
    return {name: sha for name, sha in hashes.items() if not _holds(target / name, sha)}


def _holds(path: Path, sha: str) -> bool:
    return path.is_file() and _is(path.read_bytes(), sha)


def _is(content: bytes, sha: str) -> bool:
    return sha == ANY or hashlib.sha256(content).hexdigest() == sha


def download(job: Job) -> int:
    """Bring every file of the manifest that is not in place and right; return how many came.

    Raises DownloadError with code manifest, mirror, absent, unreachable or archive,
    and OSError when the disk refuses. The target holds whole, verified files at every moment.
    """
    hashes = outstanding(job.target, read_manifest(job.manifest))
    if hashes:
        _bring(job, hashes)
    for leftover in (job.part, job.work / job.archive):
        leftover.unlink(missing_ok=True)
    with suppress(OSError):
        job.work.rmdir()
    return len(hashes)


def _bring(job: Job, hashes: dict[str, str]) -> None:
    kept = (job.work / job.archive).exists() or job.part.exists()
    try:
        unpack(job, fetch(job), hashes)
    except DownloadError as error:
        # Bytes kept from an earlier run may come from another mirror: they get one fresh start.
        if error.code != "archive" or not kept:
            raise
        unpack(job, fetch(job), hashes)


def fetch(job: Job) -> Path:
    """Bring the archive, going on where an earlier run or attempt broke off; return its path.

    Raises DownloadError (code mirror, absent, archive, or unreachable, which keeps the part).
    """
    whole = job.work / job.archive
    job.work.mkdir(parents=True, exist_ok=True)
    attempt = 0
    while not whole.exists():
        try:
            _append(job)
            job.part.replace(whole)
        except DownloadError as error:
            attempt += 1
            if error.code != "unreachable" or attempt == job.attempts:
                raise
            time.sleep(job.pause_s * 2 ** (attempt - 1))
    return whole


def _append(job: Job) -> None:
    offset = job.part.stat().st_size if job.part.exists() else 0
    # Not fsspec's http: it reads block by block, which a server that ignores Range breaks.
    opened = open_http if job.address.startswith("http") else open_file
    with ExitStack() as stack:
        with _reaching(job):
            stream = stack.enter_context(opened(job.address, offset, job.timeout_s))
        file = stack.enter_context(job.part.open("ab" if stream.start else "wb"))
        bar = stack.enter_context(
            tqdm(desc=job.archive, total=stream.total, initial=stream.start, **BAR)
        )
        while chunk := _next_chunk(job, stream, file.tell()):
            if file.tell() + len(chunk) > MAX_ARCHIVE_BYTES:
                job.part.unlink()
                raise DownloadError("archive", f"{job.address} exceeds {MAX_ARCHIVE_BYTES} bytes")
            file.write(chunk)
            bar.update(len(chunk))


def _next_chunk(job: Job, stream: Stream, position: int) -> bytes:
    with _reaching(job):
        chunk = stream.read()
        # http.client takes an early end for the end when it reads in pieces.
        if not chunk and stream.total is not None and position < stream.total:
            raise ConnectionError(EPIPE, f"broke off at {position} of {stream.total} bytes")
        return chunk


@contextmanager
def _reaching(job: Job) -> Iterator[None]:
    try:
        yield
    except _breaks(job) as error:
        raise _failure(job, error) from error


def _breaks(job: Job) -> tuple[type[Exception], ...]:
    if not job.address.startswith("s3://"):
        return (OSError, HTTPException)
    # Imported late: only a mirror on S3 has it and pays for it.
    from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped, unused-ignore]

    return (OSError, BotoCoreError)


def _failure(job: Job, error: Exception) -> DownloadError:
    reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or repr(error)
    final = isinstance(error, (FileNotFoundError, NotADirectoryError, PermissionError))
    if isinstance(error, HTTPError):
        error.close()
        final, reason = error.code not in HTTP_PASSING, f"HTTP {error.code}"
        if error.code == 416:
            # Nothing lies beyond the part: whole, or of another archive. Start over.
            job.part.unlink(missing_ok=True)
    if final:
        return DownloadError("absent", f"{job.address} is not there or not readable ({reason})")
    return DownloadError("unreachable", f"cannot bring {job.address} ({reason}): run again")


def unpack(job: Job, archive: Path, hashes: dict[str, str]) -> None:
    """Put the named members in the target once all of them are verified.

    Raises DownloadError (code archive) and removes the archive when one is missing or wrong.
    """
    try:
        with TemporaryDirectory(dir=job.work) as name, zipfile.ZipFile(archive) as members:
            folder = Path(name)
            for member in tqdm(hashes, desc="verifying", disable=None):
                data = _member(members, f"{archive.stem}/{member}", hashes[member])
                (folder / member).write_bytes(data)
            job.target.mkdir(parents=True, exist_ok=True)
            for member in hashes:
                (folder / member).replace(job.target / member)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as error:
        archive.unlink()
        raise DownloadError("archive", f"{job.address} is another archive: {error}") from error


def _member(members: zipfile.ZipFile, name: str, sha: str) -> bytes:
    info = members.NameToInfo.get(name)
    if info is None or info.file_size > MAX_MEMBER_BYTES:
        raise ValueError(f"{name} is missing or exceeds {MAX_MEMBER_BYTES} bytes")
    data = members.read(info)
    if not _is(data, sha):
        raise ValueError(f"{name} has another SHA-256")
    return data


def run(job: Job) -> int:
    """Download and report: what came on stdout, or one sentence on stderr; return the exit code."""
    try:
        print(f"{job.target}: every file verified, {download(job)} brought")
        return 0
    except DownloadError as error:
        print(f"download of {job.archive}: {error}.", file=sys.stderr)
    except OSError as error:
        problem = f"cannot use {error.filename or job.work} ({error.strerror or error})"
        print(f"download of {job.archive}: {DownloadError('storage', problem)}.", file=sys.stderr)
    return 1


def main() -> int:
    """Bring the database that is named into its folder in data/; return the exit code."""
    name = sys.argv[1] if len(sys.argv) == 2 else ""
    if name not in DATABASES:
        print(f"download: name one of {', '.join(DATABASES)}.", file=sys.stderr)
        return 2
    home, archive = DATABASES[name]
    manifest, data = Path(__file__).with_name(f"{name}.sha256"), Path("data")
    work = data / "download" / name
    return run(Job(os.environ.get(MIRROR), manifest, data / name, work, archive, home))


if __name__ == "__main__":
    sys.exit(main())
