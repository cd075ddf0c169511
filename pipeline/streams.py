"""The rest of a file from a given byte on, by http, from a disk or from S3."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.request import Request, urlopen

import fsspec  # type: ignore[import-untyped, unused-ignore]

CHUNK_BYTES = 2**18
S3_BLOCK_BYTES = 2**22


@dataclass(frozen=True)
class Stream:
    """The rest of an archive: the byte it starts at, the size of the whole, and its reader."""

    start: int
    total: int | None
    read: Callable[[], bytes]


@contextmanager
def open_http(address: str, offset: int, timeout_s: float) -> Iterator[Stream]:
    """Open the rest of what lies at a web address; all of it where the server knows no ranges."""
    headers = {"User-Agent": "beatwise", "Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    request = Request(address, headers=headers)
    with urlopen(request, timeout=timeout_s) as answer:
        granted = answer.headers.get("Content-Range", "").startswith(f"bytes {offset}-")
        start = offset if answer.status == 206 and granted else 0
        length = answer.headers.get("Content-Length")
        total = start + int(length) if length else None
        yield Stream(start, total, partial(answer.read, CHUNK_BYTES))


@contextmanager
def open_file(address: str, offset: int, timeout_s: float) -> Iterator[Stream]:
    """Open the rest of a file, on a disk or in S3."""
    config: dict[str, Any] = {"retries": {"total_max_attempts": 1}}  # `fetch` retries
    config |= {"connect_timeout": timeout_s, "read_timeout": timeout_s}
    s3 = {"config_kwargs": config, "default_block_size": S3_BLOCK_BYTES}
    files, path = fsspec.url_to_fs(address, **(s3 if address.startswith("s3:") else {}))
    with files.open(path, "rb") as file:
        total = file.seek(0, os.SEEK_END)
        start = file.seek(offset if offset <= total else 0)
        yield Stream(start, total, partial(file.read, CHUNK_BYTES))
