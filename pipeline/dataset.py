"""The beats of the database as arrays on disk, and who may train on which."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ecg import aami
from ecg.beats import Beats
from pipeline.params import Smote

Protocol = Literal["inter_patient", "random_split"]
PROTOCOLS: Final[tuple[Protocol, ...]] = get_args(Protocol)

RECORDS: Final = Path("data/mit-bih")
NOISES: Final = Path("data/mit-bih-noise")
BEATS: Final = Path("data/beats")
TRAINING: Final = Path("data/training")
NETWORKS: Final = Path("data/networks")
ARTEFACTS: Final = Path("data/artefacts")
REPORTS: Final = Path("reports")
METRICS: Final = REPORTS / "metrics.json"


@dataclass(frozen=True)
class Dataset:
    """Beats of all records in the order of the records and of time.

    beats: in their recordings; lone: (n, WINDOW) the same beats cut out alone; label: (n,) index
    in `aami.CLASSES`; record: (n,) number of the record; sample: (n,) R peak at 360 Hz.
    """

    beats: Beats
    lone: NDArray[np.float32]
    label: NDArray[np.int64]
    record: NDArray[np.int64]
    sample: NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Indices of beats: none is in two parts."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def save(dataset: Dataset, folder: Path) -> None:
    """Write the arrays, each a .npy file, so that stages map what they need."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, NDArray[Any]] = {
        "windows": dataset.beats.windows,
        "context": dataset.beats.context,
        "lone": dataset.lone,
        "label": dataset.label,
        "record": dataset.record,
        "sample": dataset.sample,
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)


def load(folder: Path = BEATS) -> Dataset:
    """Map what `save` wrote."""
    names = ("windows", "context", "lone", "label", "record", "sample")
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in names}
    beats = Beats(arrays.pop("windows"), arrays.pop("context"))
    return Dataset(beats=beats, **arrays)


def split(dataset: Dataset, protocol: Protocol, params: Smote) -> Split:
    """Return the beats that `protocol` trains, stops and tests on."""
    if protocol == "inter_patient":
        return inter_patient(dataset.record, params.validation_records)
    return random_split(dataset.label, params.random_split, params.seed)


def inter_patient(record: NDArray[np.int64], validation_records: list[str]) -> Split:
    """Train on DS1 less the validation records, test on DS2; paced records on either side.

    Raises SystemExit when a validation record is not in DS1.
    """
    outside = set(validation_records) - set(aami.DS1)
    if outside:
        raise SystemExit(f"smote.validation_records: {sorted(outside)} are not in DS1")
    training = set(aami.DS1 + aami.PACED_TRAIN) - set(validation_records)
    parts = (training, validation_records, aami.DS2 + aami.PACED_TEST)
    return Split(*(np.flatnonzero(np.isin(record, [int(r) for r in part])) for part in parts))


def random_split(label: NDArray[np.int64], shares: list[float], seed: int) -> Split:
    """Split by beat, stratified by class: patients leak from training into testing."""
    rng = np.random.default_rng(seed)
    parts: list[list[NDArray[np.int64]]] = [[], [], []]
    for value in np.unique(label):
        rows = rng.permutation(np.flatnonzero(label == value))
        ends = np.rint(np.cumsum(shares[:2]) * len(rows)).astype(int)
        for part, chunk in zip(parts, np.split(rows, ends), strict=True):
            part.append(chunk)
    return Split(*(np.sort(np.concatenate(part)) for part in parts))
