"""Files at s3:// addresses, as paths: AWS S3 and what speaks its protocol.

Keys, endpoint and region come from where the tools of AWS have them: `AWS_ACCESS_KEY_ID`,
`AWS_SECRET_ACCESS_KEY`, `AWS_ENDPOINT_URL`, `AWS_DEFAULT_REGION`, profiles, roles. s3fs and
botocore are imported where an address is read, and not before: they take 0.7 s and 40 MB.
"""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from upath import UPath

AnyPath: TypeAlias = "Path | UPath"
SCHEME: Final = "s3://"

_LIMITS: Final[dict[str, Any]] = {
    "connect_timeout": 10,
    "read_timeout": 30,
    "retries": {"total_max_attempts": 3},
}
_SHOWN: Final = 400
_ADDRESS: Final = re.compile(r"s3://[^/@\s]+/.*[^/]")
_WANTED: Final = "s3:// addresses want s3fs and universal-pathlib: pip install 'beatwise[s3]'"


class RemoteError(OSError):
    """An address cannot be read; the message says why and what would help."""


def is_remote(text: str) -> bool:
    """Return whether `text` is an address and no path of this machine."""
    return text.lower().startswith(SCHEME)


def open_path(text: str) -> AnyPath:
    """Return a path of this machine, or one that reads from S3.

    Raises RemoteError where `text` is no s3://bucket/key, and without s3fs.
    """
    if not is_remote(text):
        return Path(text)
    if _ADDRESS.fullmatch(text) is None:
        raise RemoteError(f"{text} is no address of a file: s3://bucket/key is wanted")
    try:
        from upath import UPath

        # Nothing is listed twice from memory: what lies there is what is there now.
        return UPath(text, config_kwargs=dict(_LIMITS), use_listings_cache=False)
    except ImportError as error:
        raise RemoteError(_WANTED) from error


@contextmanager
def told(address: str) -> Iterator[None]:
    """Turn what s3fs and what it is made of raise into RemoteError."""
    from botocore.exceptions import CredentialRetrievalError, NoCredentialsError

    try:
        yield
    except NoCredentialsError as error:
        raise RemoteError(
            f"{address}: no keys; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and "
            "AWS_ENDPOINT_URL for a host other than AWS"
        ) from error
    except CredentialRetrievalError as error:
        # Its text is what the program said that was to give the keys.
        raise RemoteError(f"{address}: the program that gives the keys failed") from error
    except PermissionError as error:
        raise RemoteError(shown(f"{address}: the host refuses these keys ({error})")) from error
    except FileNotFoundError as error:
        raise RemoteError(f"{address}: nothing lies there") from error
    except Exception as error:  # of s3fs, botocore and aiohttp, a dozen kinds of their own
        if isinstance(error.__cause__ or error.__context__ or error, MemoryError):
            raise MemoryError(address) from error
        said = f"{address}: {type(error).__name__}: {error}"
        hint = "; AWS_ENDPOINT_URL starts with http:// or https://" * ("Invalid endpoint" in said)
        raise RemoteError(shown(said, hint)) from error


def shown(text: str, more: str = "") -> str:
    """Return text that a host may have had a hand in, cut to `_SHOWN` printable characters."""
    line = "".join(c if c.isprintable() else " " for c in text[: _SHOWN + 1])
    return (line if len(line) <= _SHOWN else f"{line[:_SHOWN]}...") + more


def read_bytes(path: AnyPath) -> bytes:
    """Return what lies there; raises OSError, of an address RemoteError."""
    with _telling(path):
        return bytes(path.read_bytes())


def is_file(path: AnyPath) -> bool:
    """Return whether a file lies there; raises RemoteError where an address cannot be asked."""
    with _telling(path):
        return bool(path.is_file())


def _telling(path: AnyPath) -> AbstractContextManager[None]:
    return nullcontext() if isinstance(path, Path) else told(str(path))
