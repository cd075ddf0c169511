"""The folder of models: which of them answers what."""

import re
from collections.abc import Container
from pathlib import Path
from typing import Final

from ecg.beat_rows import BeatRows

DEFAULT_MODEL: Final = "convxgb"
ROWS_MODEL: Final = "kachuee187"
"""What answers the public 187-sample beats where no model is named, if it is there."""
RHYTHM_MODEL: Final = "rhythm"
"""What tells the rhythm of recordings, if it is there, beside the default model."""


def default_model(opened: object, known: Container[str]) -> str:
    """Return the name of the model for what was opened, where none was asked for."""
    return ROWS_MODEL if isinstance(opened, BeatRows) and ROWS_MODEL in known else DEFAULT_MODEL


def folders(folder: Path) -> list[Path]:
    """Return the folder of each model, by name; that of the default one where there is none."""
    # lost+found: a volume of its own has it.
    others = re.compile(r"\..*|lost\+found")
    found = sorted(p for p in folder.glob("*") if p.is_dir() and not others.fullmatch(p.name))
    return found or [folder / DEFAULT_MODEL]
