"""The public heartbeat CSV: single beats cut from recordings, one a row."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecg.beats import KACHUEE_SAMPLES
from ecg.errors import InputError
from ecg.filters import FS
from ecg.text_layout import BOM, HEAD_BYTES, is_number, number, plain_text, read_layout
from ecg.text_numbers import read_numbers

BEAT_FS = FS
BEAT_SAMPLES = KACHUEE_SAMPLES


@dataclass(frozen=True)
class BeatRows:
    """Single heartbeats, one a row: cuts (n, 187) from the R peak; label (n,) 0..4 or None."""

    cuts: NDArray[np.float32]
    label: NDArray[np.int64] | None
    fs: float = BEAT_FS


def is_beat_rows(content: bytes) -> bool:
    """Say whether `content` is the public heartbeat CSV: rows of 187 or 188 numbers from 0 to 1."""
    lines = content[:HEAD_BYTES].removeprefix(BOM).decode("latin-1").splitlines()
    whole = lines[:-1] if len(content) > HEAD_BYTES else lines
    rows = [line.split(",") for line in whole if line.strip()][:20]
    if rows and not is_number(rows[0][0]):
        rows = rows[1:]
    sizes = {len(row) for row in rows}
    return sizes in ({BEAT_SAMPLES}, {BEAT_SAMPLES + 1}) and all(map(_is_beat, rows))


def _is_beat(row: list[str]) -> bool:
    values = [number(cell) for cell in row[:BEAT_SAMPLES]]
    return all(value is not None and 0 <= value <= 1 for value in values)


def read_beat_rows(content: bytes) -> BeatRows:
    """Read the public heartbeat CSV: 187 samples in 0..1 at 125 Hz a row, label 0..4 optional.

    Raises InputError for other text, a cell that is no number, values outside 0..1, odd labels.
    """
    if not is_beat_rows(content):
        raise InputError("files", "is not a heartbeat CSV", "rows of 187 or 188 numbers")
    layout = read_layout(plain_text(content))
    table, _ = read_numbers(layout, range(len(layout.names)))
    cuts, label = table[:, :BEAT_SAMPLES], table[:, BEAT_SAMPLES:]
    if not ((cuts >= 0) & (cuts <= 1)).all():
        raise InputError("files", "has heartbeat samples outside 0..1", "values from 0 to 1")
    if not np.isin(label, range(5)).all():
        raise InputError("files", "has unknown labels in column 188", "labels 0, 1, 2, 3 or 4")
    return BeatRows(
        np.ascontiguousarray(cuts), label[:, 0].astype(np.int64) if label.size else None
    )
