"""Settings from the environment: `BEATWISE_*`, and nothing else."""

import logging
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ecg.beat_rows import BeatRows

PREFIX: Final = "BEATWISE_"
DEFAULT_MODEL: Final = "convxgb"
ROWS_MODEL: Final = "kachuee187"
"""What answers the public 187-sample beats where no model is named, if it is there."""
RHYTHM_MODEL: Final = "rhythm"
"""What tells the rhythm of recordings, if it is there, beside the default model."""
OTHERS: Final = frozenset(
    {"BEATWISE_MIRROR", "BEATWISE_REQUIRE_BROWSER", "BEATWISE_TRACKING_PYTHON"}
)
"""Keys of the pipeline and the tests, which share the environment with the service."""
LOG_LEVELS: Final = ("debug", "info", "warning", "error", "critical")


def default_model(opened: object, known: Container[str]) -> str:
    """Return the name of the model for what was opened, where none was asked for."""
    return ROWS_MODEL if isinstance(opened, BeatRows) and ROWS_MODEL in known else DEFAULT_MODEL


class SettingsError(ValueError):
    """A `BEATWISE_*` key is unknown, or its value is not one that the service takes."""


@dataclass(frozen=True)
class Settings:
    """models: folder of artefacts, one each; max_body_bytes: of one request; log_level: a word.

    max_record_bytes: of one request to /v1/records: 24 h of three leads at 250 Hz are 130 MB.
    max_held_bytes: request bodies held at once, over all requests; more are answered 503.
    """

    models: Path = Path("models")
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
        models=Path(read.get("models", "models")),
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


def _level(text: str) -> str:
    if text.lower() not in LOG_LEVELS:
        raise SettingsError(f"{PREFIX}LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}")
    return text.lower()
