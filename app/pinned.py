"""Models pinned to a revision, and how those at an s3:// address are brought.

The standard library and S3 alone: what brings models is a process of its own, `app.fetch`.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from app.remote import open_path, told
from app.settings import Pinned
from ecg.errors import ArtefactError

MANIFEST: Final = "manifest.json"
"""As in `ecg.artefact`, whose import would take the inference runtime along."""

_MOST: Final = 64
"""Models at an address: their manifests are read before any hash is known."""
_LARGEST_MANIFEST: Final = 4 * 1024 * 1024
_LARGEST_FILE: Final = 64 * 1024 * 1024
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


def revision(hashes: Mapping[str, str]) -> str:
    """Return one hash for all models: `sha256:` and 64 hex digits.

    hashes: the SHA-256 of each manifest, by name of its folder; each manifest names its files by
    theirs. It is what `sha256sum */manifest.json | sha256sum` prints in the folder of models,
    sorted by name as the C locale does.
    """
    lines = (f"{digest}  {name}/{MANIFEST}\n" for name, digest in sorted(hashes.items()))
    return f"sha256:{hashlib.sha256(''.join(lines).encode()).hexdigest()}"


def check(hashes: Mapping[str, str], pinned: Pinned) -> None:
    """Raise ArtefactError where manifests of these hashes are not of the pinned revision."""
    if not hashes:
        raise ArtefactError(
            f"{pinned.address} holds no folder with a {MANIFEST}: is it the right one?"
        )
    found = revision(hashes)
    if found != pinned.revision:
        raise ArtefactError(
            f"the manifests in {pinned.address} are of revision {found}, not of the pinned "
            f"{pinned.revision}: a {MANIFEST} was altered, or these are other models"
        )


def fetch(pinned: Pinned, into: Path) -> None:
    """Bring the models of an s3:// address into the empty folder `into`.

    The manifests are compared with the pinned revision before anything else is asked for, and
    nothing is brought that they do not name. Raises ArtefactError, RemoteError and OSError.
    """
    with told(pinned.address):
        root: Any = open_path(pinned.address)
        paths = sorted(root.glob(f"*/{MANIFEST}"), key=str)
    if len(paths) > _MOST:
        raise ArtefactError(
            f"{pinned.address} holds {len(paths)} models; at most {_MOST} are taken"
        )
    manifests = {path.parent.name: _read(path, _LARGEST_MANIFEST) for path in paths}
    check({name: hashlib.sha256(m).hexdigest() for name, m in manifests.items()}, pinned)
    for name, manifest in manifests.items():
        bring(root / name, manifest, into / name)


def bring(source: Any, manifest: bytes, into: Path) -> None:
    """Bring the files that a manifest names from the folder `source` into the new folder `into`.

    Raises ArtefactError for what is no manifest, or names what is no plain file.
    """
    names = [*_named(source / MANIFEST, manifest)]
    if not all(_PLAIN.fullmatch(name) for name in (into.name, *names)):
        raise ArtefactError(f"{source / MANIFEST} names a file that is no plain name")
    into.mkdir()
    (into / MANIFEST).write_bytes(manifest)
    for name in names:
        (into / name).write_bytes(_read(source / name, _LARGEST_FILE))


def _named(path: Any, manifest: bytes) -> Iterator[str]:
    try:
        yield from json.loads(manifest)["files"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ArtefactError(f"{path} is not a manifest of a model") from error


def _read(path: Any, most: int) -> bytes:
    with told(str(path)):
        size = path.stat().st_size
        with path.open("rb") as file:
            content: bytes = file.read(most + 1)
    if max(size, len(content)) > most:
        raise ArtefactError(f"{path} is larger than {most} bytes")
    return content
