"""One recording and its marks: what every reader returns and `analyse` takes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ecg.errors import InputError

FS_RANGE = (100.0, 2000.0)
"""Sampling frequencies taken, Hz."""
MV = {"nv": 1e-6, "uv": 1e-3, "µv": 1e-3, "μv": 1e-3, "mv": 1.0, "v": 1e3}
"""Millivolts in one of each unit of voltage, by its name in lower case; µ has two code points."""
LONGEST_S = 48 * 3600.0
SHORTEST_S = 2.0
PREFERRED = ("MLII", "II")


@dataclass(frozen=True)
class Annotation:
    """Marks of a recording: sample (n,) int64 rising indices in its own fs; symbol (n,) letters."""

    sample: NDArray[np.int64]
    symbol: tuple[str, ...]
    aux: tuple[str, ...] = ()


@dataclass(frozen=True)
class Record:
    """One recording.

    signal: (n_samples, n_leads) float32 in mV, or in an unknown unit where `unit_known` is False;
    NaN where samples are missing. fs: Hz. leads: one name each. format: what was read ("WFDB 212",
    "EDF+", "CSV"). found: what the reader had to find out or assume, in words, for the user.
    """

    signal: NDArray[np.float32]
    fs: float
    leads: tuple[str, ...]
    format: str
    unit_known: bool = True
    annotation: Annotation | None = None
    found: tuple[str, ...] = field(default=())

    @property
    def n_samples(self) -> int:
        return len(self.signal)

    @property
    def duration_s(self) -> float:
        return len(self.signal) / self.fs


def validate(record: Record) -> Record:
    """Return `record` when it can be analysed.

    Raises InputError for a sampling frequency, duration or lead that is out of bounds, and for a
    recording without one finite sample.
    """
    if not FS_RANGE[0] <= record.fs <= FS_RANGE[1]:
        raise InputError(
            "fs",
            "is out of range",
            f"a sampling frequency from {FS_RANGE[0]:g} to {FS_RANGE[1]:g} Hz",
        )
    if record.signal.ndim != 2 or record.signal.shape[1] != len(record.leads):
        raise InputError("files", "has leads that do not match its samples", "one name a lead")
    if not SHORTEST_S <= record.duration_s <= LONGEST_S:
        raise InputError(
            "files",
            f"lasts {record.duration_s:.1f} s",
            f"{SHORTEST_S:g} s to {LONGEST_S / 3600:g} h",
        )
    if not np.isfinite(record.signal).any():
        raise InputError("files", "has no finite sample", "a signal")
    return record


def choose_lead(record: Record, wanted: str | None = None) -> int:
    """Return the index of the lead to analyse: the wanted one, else MLII or II, else the first.

    Case and words like "ECG" and "lead" do not matter. Raises InputError naming the leads there
    are when the wanted one is not among them.
    """
    names = [_short(name) for name in record.leads]
    if wanted is not None:
        if _short(wanted) not in names:
            raise InputError("lead", "is not in the recording", f"one of {', '.join(record.leads)}")
        return names.index(_short(wanted))
    return next((names.index(name) for name in PREFERRED if name in names), 0)


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Return lead names of which none is there twice: the later ones bear their place."""
    return tuple(n if n not in names[:k] else f"{n} ({k + 1})" for k, n in enumerate(names))


def _short(name: str) -> str:
    words = [w for w in re.split(r"[\s_:.-]+", name.upper()) if w not in ("ECG", "EKG", "LEAD", "")]
    return "".join(words) or name.upper()
