"""Stage `smote`: split each protocol, then oversample its training part, and only that."""

from pathlib import Path

import numpy as np
from imblearn.over_sampling import SMOTE
from numpy.typing import NDArray

from ecg.beats import Beats
from pipeline import dataset, params


def oversample(
    beats: Beats, label: NDArray[np.int64], wanted: params.Smote
) -> tuple[Beats, NDArray[np.int64]]:
    """Return interpolated beats and their labels (Chawla et al., JAIR 16, 2002); no real ones.

    Interpolates windows and context. Beats that lack what others know of theirs take no part.
    """
    rows = to_rows(beats)
    columns = ~np.isnan(rows).all(axis=0)
    complete = np.isfinite(rows[:, columns]).all(axis=1)
    known = label[complete]
    targets = _targets(known, wanted)
    if not targets:
        return from_rows(rows[:0], beats), known[:0]
    sampler = SMOTE(
        sampling_strategy=targets, k_neighbors=wanted.neighbours, random_state=wanted.seed
    )
    every, labels = sampler.fit_resample(rows[complete][:, columns], known)
    made = np.full((len(labels) - len(known), rows.shape[1]), np.nan, np.float32)
    made[:, columns] = every[len(known) :]
    return from_rows(made, beats), np.asarray(labels[len(known) :], np.int64)


def to_rows(beats: Beats) -> NDArray[np.float32]:
    """Return (n, n_columns) the windows of beats, then their context."""
    return np.hstack([beats.windows.reshape(len(beats), -1), beats.context])


def from_rows(rows: NDArray[np.float32], like: Beats) -> Beats:
    """Return what `to_rows` was given, of beats `like` those."""
    shape = like.windows.shape[1:]
    n = int(np.prod(shape))
    return Beats(rows[:, :n].reshape(-1, *shape), rows[:, n:], like.view)


def main() -> None:
    wanted = params.load("smote", params.Smote)
    beats = dataset.load()
    for protocol in dataset.PROTOCOLS:
        parts = dataset.split(beats, protocol, wanted)
        training = Beats(beats.beats.windows[parts.train], beats.beats.context[parts.train])
        made, label = oversample(training, beats.label[parts.train], wanted)
        _save(dataset.TRAINING / f"{protocol}.npz", parts, made, label)


def _targets(label: NDArray[np.int64], wanted: params.Smote) -> dict[int, int]:
    counts = np.bincount(label)
    goal = int(wanted.minority_share * counts.max(initial=0))
    return {value: goal for value, n in enumerate(counts.tolist()) if wanted.neighbours < n < goal}


def _save(path: Path, parts: dataset.Split, made: Beats, label: NDArray[np.int64]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        train=parts.train,
        test=parts.test,
        windows=made.windows,
        context=made.context,
        label=label,
    )


if __name__ == "__main__":
    main()
