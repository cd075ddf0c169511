"""Stage `smote`: split each protocol, then oversample its training part, and only that."""

from pathlib import Path

import numpy as np
from imblearn.over_sampling import SMOTE
from numpy.typing import NDArray

from ecg.beats import WINDOW, Beats
from pipeline import dataset, params


def oversample(
    beats: Beats, label: NDArray[np.int64], wanted: params.Smote
) -> tuple[Beats, NDArray[np.int64]]:
    """Return interpolated beats and their labels (Chawla et al., JAIR 16, 2002); no real ones.

    Interpolates windows and context. Beats with a missing context take no part.
    """
    rows = _to_rows(beats)
    complete = np.isfinite(rows).all(axis=1)
    rows, known = rows[complete], label[complete]
    targets = _targets(known, wanted)
    if not targets:
        return _from_rows(rows[:0]), known[:0]
    sampler = SMOTE(
        sampling_strategy=targets, k_neighbors=wanted.neighbours, random_state=wanted.seed
    )
    all_rows, all_labels = sampler.fit_resample(rows, known)
    return _from_rows(all_rows[len(rows) :]), np.asarray(all_labels[len(rows) :], np.int64)


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


def _to_rows(beats: Beats) -> NDArray[np.float32]:
    return np.hstack([beats.windows.reshape(len(beats), -1), beats.context])


def _from_rows(rows: NDArray[np.float32]) -> Beats:
    return Beats(rows[:, : 2 * WINDOW].reshape(-1, WINDOW, 2), rows[:, 2 * WINDOW :])


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
