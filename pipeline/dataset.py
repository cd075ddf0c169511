"""The beats of the database as arrays on disk, and who may train on which."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ecg import aami
from ecg.beats import KACHUEE as OF_KACHUEE
from ecg.beats import LONE, WINDOW, Beats
from ecg.context import CONTEXT
from pipeline.params import Smote

Protocol = Literal["inter_patient", "random_split"]
PROTOCOLS: Final[tuple[Protocol, ...]] = get_args(Protocol)

RECORDS: Final = Path("data/mit-bih")
NOISES: Final = Path("data/mit-bih-noise")
NOISE_KINDS: Final = ("bw", "em", "ma")
"""Its records: baseline wander, electrode motion, muscle artefact."""
CHALLENGE: Final = Path("data/challenge-2017")
CONDUCTED_NAMES: Final = Path("pipeline/conducted.txt")
BEATS: Final = Path("data/beats")
CONDUCTED: Final = Path("data/conducted")
RHYTHMS: Final = Path("data/rhythms")
TRAINING: Final = Path("data/training")
FEATURES: Final = Path("data/features")
KACHUEE: Final = Path("data/kachuee")
EMBEDDING: Final = Path("data/embedding")
TRAINED: Final = Path("data/trained")
IMBALANCE: Final = Path("data/imbalance")
ARTEFACTS: Final = Path("data/artefacts")
SCORES: Final = Path("data/scores")
REPORTS: Final = Path("reports")
METRICS: Final = REPORTS / "metrics.json"
OF_CHALLENGE: Final = 0
CONVXGB: Final = "convxgb"
"""The served default; the others are named in params.yaml."""
RHYTHM: Final = "rhythm"
"""The served model of the rhythm."""


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
class Conducted:
    """Beats that are surely of class N; record: (n,) number of the challenge's recording."""

    beats: Beats
    record: NDArray[np.int64]


@dataclass(frozen=True)
class Made:
    """Beats in rhythms that were made up, by their context alone; label: (n,) N or S.

    record: (n,) number of the MIT-BIH record they were made of, else `OF_CHALLENGE`.
    """

    context: NDArray[np.float32]
    label: NDArray[np.int64]
    record: NDArray[np.int64]


@dataclass(frozen=True)
class Labelled:
    """Beats (n), their label and record (n,), as in `Dataset`."""

    beats: Beats
    label: NDArray[np.int64]
    record: NDArray[np.int64]


@dataclass(frozen=True)
class Embedded:
    """What CONVXGB's networks say (n, 5) of beats.

    train: of those that a run trains on, by networks that have not seen their fold; conducted: of
    the challenge's, the mean of these networks; test: of those that the run leaves out.
    """

    train: NDArray[np.float32]
    conducted: NDArray[np.float32]
    test: NDArray[np.float32]


@dataclass(frozen=True)
class Split:
    """Indices of beats: none is in both parts."""

    train: NDArray[np.int64]
    test: NDArray[np.int64]


def save(dataset: Dataset, folder: Path) -> None:
    """Write the arrays, each a .npy file, so that stages map what they need."""
    arrays: dict[str, NDArray[Any]] = {
        "windows": dataset.beats.windows,
        "context": dataset.beats.context,
        "lone": dataset.lone,
        "label": dataset.label,
        "record": dataset.record,
        "sample": dataset.sample,
    }
    _save(arrays, folder)


def load(folder: Path = BEATS) -> Dataset:
    """Map what `save` wrote."""
    windows, context, *others = _load(
        ("windows", "context", "lone", "label", "record", "sample"), folder
    )
    return Dataset(Beats(windows, context), *others)


def save_conducted(conducted: Conducted, folder: Path = CONDUCTED) -> None:
    """Write the arrays, each a .npy file."""
    windows, context = conducted.beats.windows, conducted.beats.context
    _save({"windows": windows, "context": context, "record": conducted.record}, folder)


def load_conducted(folder: Path = CONDUCTED) -> Conducted:
    """Map what `save_conducted` wrote."""
    windows, context, record = _load(("windows", "context", "record"), folder)
    return Conducted(Beats(windows, context), record)


def save_made(made: Made, folder: Path = RHYTHMS) -> None:
    """Write the arrays, each a .npy file."""
    _save({"context": made.context, "label": made.label, "record": made.record}, folder)


def load_made(folder: Path = RHYTHMS) -> Made:
    """Map what `save_made` wrote."""
    return Made(*_load(("context", "label", "record"), folder))


def save_kachuee(made: Labelled, folder: Path = KACHUEE) -> None:
    """Write the arrays, each a .npy file."""
    arrays: dict[str, NDArray[Any]] = {
        "windows": made.beats.windows,
        "label": made.label,
        "record": made.record,
    }
    _save(arrays, folder)


def load_kachuee(folder: Path = KACHUEE) -> Labelled:
    """Map what `save_kachuee` wrote."""
    windows, label, record = _load(("windows", "label", "record"), folder)
    context = np.full((len(windows), len(CONTEXT)), np.nan, np.float32)
    return Labelled(Beats(windows, context, OF_KACHUEE), label, record)


def save_features(features: NDArray[np.float32], view: str, folder: Path = FEATURES) -> None:
    """Write the engineered features of every beat."""
    _save({view: features}, folder)


def load_features(view: str, folder: Path = FEATURES) -> NDArray[np.float32]:
    """Map what `save_features` wrote."""
    (features,) = _load((view,), folder)
    return np.asarray(features)


def save_embedded(embedded: Embedded, folder: Path, view: str) -> None:
    """Write the arrays, each a .npy file."""
    arrays: dict[str, NDArray[Any]] = {
        f"{view}_train": embedded.train,
        f"{view}_conducted": embedded.conducted,
        f"{view}_test": embedded.test,
    }
    _save(arrays, folder)


def load_embedded(folder: Path, view: str) -> Embedded:
    """Map what `save_embedded` wrote."""
    return Embedded(*_load(tuple(f"{view}_{n}" for n in ("train", "conducted", "test")), folder))


def conducted_names(path: Path = CONDUCTED_NAMES) -> list[str]:
    """Return the challenge's recordings that CONVXGB learns from: 450 normal, 450 fibrillating."""
    return path.read_text().split()


def no_beats() -> Beats:
    """Return none."""
    return Beats(np.empty((0, WINDOW, 2), np.float32), np.empty((0, len(CONTEXT)), np.float32))


def lone_beats(dataset: Dataset, rows: NDArray[np.int64], context: NDArray[np.float32]) -> Beats:
    """Return the beats of `rows` as if each had been sent alone, with `context` (n, ...)."""
    windows = np.zeros((len(rows), WINDOW, 2), np.float32)
    windows[..., 0] = dataset.lone[rows]
    return Beats(windows, context, LONE)


def join_beats(parts: list[Beats]) -> Beats:
    """Return the beats of all parts, in order."""
    return Beats(
        np.concatenate([p.windows for p in parts]),
        np.concatenate([p.context for p in parts]),
        parts[0].view,
    )


def crossed(name: str, protocol: str) -> Path:
    """Return where a model's answers to the folds are: proba (n, 5), label, fold (n,)."""
    return TRAINED / name / f"{protocol}.npz"


def test_of(protocol: Protocol, view: str) -> Labelled:
    """Return the test beats of a protocol, in their recordings or as `ecg.kachuee` cuts them."""
    if view == OF_KACHUEE:
        made = load_kachuee()
        rows = inter_patient(made.record).test
        return Labelled(made.beats.take(rows), made.label[rows], made.record[rows])
    beats = load()
    rows = test_rows(protocol)
    label, record = np.asarray(beats.label[rows]), np.asarray(beats.record[rows])
    return Labelled(beats.beats.take(rows), label, record)


def test_rows(protocol: Protocol) -> NDArray[np.int64]:
    """Return the rows of `load` that a protocol tests on."""
    with np.load(TRAINING / f"{protocol}.npz", allow_pickle=False) as split:
        return np.asarray(split["test"])


def split(dataset: Dataset, protocol: Protocol, params: Smote) -> Split:
    """Return the beats that `protocol` trains and tests on."""
    if protocol == "inter_patient":
        return inter_patient(dataset.record)
    return random_split(dataset.label, params.random_split, params.seed)


def inter_patient(record: NDArray[np.int64]) -> Split:
    """Train on DS1, test on DS2; paced records on either side."""
    parts = (aami.DS1 + aami.PACED_TRAIN, aami.DS2 + aami.PACED_TEST)
    return Split(*(np.flatnonzero(np.isin(record, [int(r) for r in part])) for part in parts))


def random_split(label: NDArray[np.int64], shares: list[float], seed: int) -> Split:
    """Split by beat, stratified by class: patients leak from training into testing."""
    rng = np.random.default_rng(seed)
    parts: list[list[NDArray[np.int64]]] = [[], []]
    for value in np.unique(label):
        rows = rng.permutation(np.flatnonzero(label == value))
        ends = np.rint(np.cumsum(shares[:1]) * len(rows)).astype(int)
        for part, chunk in zip(parts, np.split(rows, ends), strict=True):
            part.append(chunk)
    return Split(*(np.sort(np.concatenate(part)) for part in parts))


def _save(arrays: dict[str, NDArray[Any]], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)


def _load(names: tuple[str, ...], folder: Path) -> list[NDArray[Any]]:
    return [np.load(folder / f"{name}.npy", mmap_mode="r") for name in names]
