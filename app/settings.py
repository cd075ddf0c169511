"""Settings from the environment: `BEATWISE_*`, and nothing else."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PREFIX: Final = "BEATWISE_"
OTHERS: Final = frozenset(
    {
        "BEATWISE_IMAGE",
        "BEATWISE_MIRROR",
        "BEATWISE_REQUIRE_BROWSER",
        "BEATWISE_TRACKING_PYTHON",
    }
)
"""Keys of the pipeline and the tests, which share the environment with the service."""
_PINNED: Final = re.compile(
    r"(?P<address>s3://[^/@\s]+/\S*[^/\s]|(?!.*:/).*[^/])/?@(?P<revision>sha256:[0-9a-f]{64})"
)
LOG_LEVELS: Final = ("debug", "info", "warning", "error", "critical")


class SettingsError(ValueError):
    """A `BEATWISE_*` key is unknown, or its value is not one that the service takes."""


@dataclass(frozen=True)
class Pinned:
    """Artefacts of a revision: where their folder lies, and the revision that it must have.

    address: a path or s3://bucket/path; revision: `sha256:` and 64 hex digits, as
    `app.pinned.revision` tells it.
    """

    address: str
    revision: str


@dataclass(frozen=True)
class Settings:
    """models: folder of artefacts, one each; max_body_bytes: of one request; log_level: a word.

    host, port: where to listen; port 0 takes a free one.
    max_record_bytes: of one request to /v1/records: 24 h of three leads at 250 Hz are 130 MB.
    max_held_bytes: request bodies held at once, over all requests; more are answered 503.
    """

    models: Path | Pinned = Path("models")
    host: str = "127.0.0.1"
    port: int = 8000
    max_body_bytes: int = 32 * 1024 * 1024
    max_record_bytes: int = 160 * 1024 * 1024
    max_held_bytes: int = 512 * 1024 * 1024
    max_beats: int = 10_000
    log_level: str = "info"


def from_environ(environ: Mapping[str, str]) -> Settings:
    """Read the settings; an empty environment gives the defaults.

    Raises SettingsError naming the known keys, or what a key takes.
    """
    given = {k: v for k, v in environ.items() if k.startswith(PREFIX) and k not in OTHERS}
    unknown = sorted(given.keys() - known_keys())
    if unknown:
        raise SettingsError(f"unknown setting {unknown[0]}; known: {', '.join(known_keys())}")
    read = {key[len(PREFIX) :].lower(): value for key, value in given.items()}
    numbers = {
        name: _positive(name, read.get(name, str(getattr(Settings, name))))
        for name in ("max_body_bytes", "max_record_bytes", "max_held_bytes", "max_beats")
    }
    return Settings(
        models=_models(read.get("models", "models")),
        host=_host(read.get("host", Settings.host)),
        port=_port(read.get("port", str(Settings.port))),
        log_level=_level(read.get("log_level", "info")),
        **numbers,
    )


def known_keys() -> list[str]:
    """Return the names of the environment's keys, in the order of `Settings`."""
    return [PREFIX + name.upper() for name in Settings.__dataclass_fields__]


def numeric_level(settings: Settings) -> int:
    """Return `log_level` as the number that `logging` takes."""
    return logging.getLevelNamesMapping()[settings.log_level.upper()]


def _positive(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16 and int(text) > 0):
        raise SettingsError(f"{PREFIX}{name.upper()} must be a whole number above 0")
    return int(text)


def _models(text: str) -> Path | Pinned:
    found = _PINNED.fullmatch(text)
    if found is not None:
        return Pinned(found["address"], found["revision"])
    if not text or ":/" in text or "@sha256" in text.lower():
        raise SettingsError(
            f"{PREFIX}MODELS must be a folder, a folder@sha256:<64 hex digits> or "
            "s3://bucket/path@sha256:<64 hex digits>; `beatwise models` prints the digits"
        )
    return Path(text)


def _host(text: str) -> str:
    if not text:
        raise SettingsError(f"{PREFIX}HOST must be an address or a name to listen on")
    return text


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65536):
        raise SettingsError(f"{PREFIX}PORT must be a whole number from 0 to 65535")
    return int(text)


def _level(text: str) -> str:
    if text.lower() not in LOG_LEVELS:
        raise SettingsError(f"{PREFIX}LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}")
    return text.lower()
