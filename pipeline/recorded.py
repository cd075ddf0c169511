"""The challenge's recordings as arrays on disk, told and cut for models of the rhythm."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

RECORDED: Final = Path("data/rhythm")
TRAINED: Final = Path("data/trained-rhythm")
NETWORK: Final = "crnn"


@dataclass(frozen=True)
class Recorded:
    """Recordings (n,) in the order of their names.

    label: index in `rhythm.RHYTHMS`; fold: the same for all models; features: (n, len(FEATURES));
    signal: (n_samples,) at `FS` in typical QRS amplitudes, of recording i from first[i] to
    first[i + 1]; conducted: CONVXGB has learnt from its beats.
    """

    name: NDArray[np.str_]
    label: NDArray[np.int64]
    fold: NDArray[np.int64]
    seconds: NDArray[np.float64]
    features: NDArray[np.float32]
    first: NDArray[np.int64]
    signal: NDArray[np.float16]
    conducted: NDArray[np.bool_]


def save(recorded: Recorded, folder: Path = RECORDED) -> None:
    """Write the arrays, each a .npy file, so that stages map what they need."""
    folder.mkdir(parents=True, exist_ok=True)
    for field in fields(recorded):
        np.save(folder / f"{field.name}.npy", getattr(recorded, field.name), allow_pickle=False)


def load(folder: Path = RECORDED) -> Recorded:
    """Map what `save` wrote."""
    names = [field.name for field in fields(Recorded)]
    return Recorded(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in names))


def signal_of(known: Recorded, i: int) -> NDArray[np.float32]:
    """Return the signal (n_samples,) of recording i."""
    return np.asarray(known.signal[known.first[i] : known.first[i + 1]], np.float32)


def embedded(fold: int | None, folder: Path = TRAINED / NETWORK) -> NDArray[np.float32]:
    """Return the network's embedding (n, 4) of all recordings, by networks without `fold`."""
    with np.load(folder / "embedding.npz", allow_pickle=False) as file:
        return np.asarray(file["all" if fold is None else f"without_{fold}"])


def keep(folder: Path, known: Recorded, proba: NDArray[np.float64]) -> None:
    """Write proba (n, 4) of all recordings by models that have not seen their fold."""
    answers = proba.astype(np.float32)
    np.savez_compressed(folder / "folds.npz", label=known.label, fold=known.fold, proba=answers)
