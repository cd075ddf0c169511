"""Stage `embed-rhythm`: the network of the rhythm, and what it says of recordings it never saw.

Trees see the embedding of a recording by a network without its fold: where another fold is scored,
by one without either, so that nothing of a scored recording is in what scores it.
"""

from itertools import combinations
from pathlib import Path
from typing import Final

import joblib
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ecg import rhythm
from ecg.filters import FS
from pipeline import network, params, recorded
from pipeline.recorded import NETWORK, Recorded

_STRETCH: Final = round(rhythm.STRETCH_S * FS)


def main() -> None:
    known, wanted = recorded.load(), params.load("rhythm", params.Rhythm)
    folder = recorded.TRAINED / NETWORK
    folder.mkdir(parents=True, exist_ok=True)
    folds = range(wanted.folds)
    left_out: list[tuple[int, ...]] = [(), *((k,) for k in folds), *combinations(folds, 2)]
    jobs = joblib.Parallel(n_jobs=wanted.jobs, return_as="generator")(
        joblib.delayed(_without)(some, folder) for some in left_out
    )
    bar = tqdm(jobs, "embed-rhythm", total=len(left_out), unit="network", disable=None)
    found = dict(zip(left_out, bar, strict=True))
    alone = sum(found[k,] for k in folds)
    every = {"all": alone}
    for fold in folds:
        seen = sum(found[pair] for pair in left_out if len(pair) == 2 and fold in pair)
        every[f"without_{fold}"] = np.where(known.fold[:, None] == fold, alone, seen)
    np.savez(folder / "embedding.npz", allow_pickle=False, **every)
    powers = np.exp(alone - alone.max(axis=1, keepdims=True))
    recorded.keep(folder, known, powers / powers.sum(axis=1, keepdims=True))


def _without(left_out: tuple[int, ...], folder: Path) -> NDArray[np.float32]:
    """Fit a network without these folds; return its embedding (n, 4) of them, 0 of all others.

    Nothing left out: it is the one that is served, and written to `folder`.
    """
    network.one_thread()
    known, seed = recorded.load(), params.load("rhythm", params.Rhythm).seed
    spec = params.load("rhythm_network", params.RhythmNetwork)
    unseen = np.isin(known.fold, left_out)
    parts = _network(known, ~unseen, spec, seed)
    found = np.zeros((len(unseen), len(rhythm.RHYTHMS)), np.float32)
    if left_out:
        found[unseen] = embedding_of(parts, known, np.flatnonzero(unseen))
    else:
        network.save_rhythm(parts, folder)
    return found


def define(spec: params.RhythmNetwork) -> network.RhythmParts:
    """Return the network for the stretches of `ecg.rhythm`, not fitted."""
    return network.define_rhythm(spec, (rhythm.TOGETHER, rhythm.SEGMENT), len(rhythm.RHYTHMS))


def _network(
    known: Recorded, seen: NDArray[np.bool_], spec: params.RhythmNetwork, seed: int
) -> network.RhythmParts:
    """Fit a network to the recordings where `seen` (n,), another stretch of each in every epoch."""
    rng = np.random.default_rng(seed)
    network.fix_seed(seed)
    parts = define(spec)
    rows = np.flatnonzero(seen)
    epochs = (
        (np.stack([_drawn(known, i, rng) for i in rows.tolist()]), known.label[rows])
        for _ in range(spec.epochs)
    )
    of_class = np.bincount(known.label[rows], minlength=len(rhythm.RHYTHMS))
    weight = np.sqrt(len(rows) / len(of_class) / np.maximum(of_class, 1))
    network.fit_rhythm(parts, epochs, weight, spec)
    return parts


def _drawn(known: Recorded, i: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a stretch (TOGETHER, SEGMENT) of a recording from anywhere in it, a little varied."""
    signal = recorded.signal_of(known, i)
    start = rng.integers(0, max(len(signal) - _STRETCH, 0) + 1)
    drawn = (
        np.roll(signal, -rng.integers(len(signal))) if len(signal) < _STRETCH else signal[start:]
    )
    drawn = np.resize(drawn, _STRETCH) * np.float32(np.exp(rng.normal(0, 0.1)))
    return drawn.reshape(rhythm.TOGETHER, rhythm.SEGMENT)


def embedding_of(
    parts: network.RhythmParts, known: Recorded, rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the embedding (n, 4) of recordings as the service makes it."""
    cut = [rhythm.segments(recorded.signal_of(known, i)) for i in rows.tolist()]
    which = [one[rhythm.stretches(len(one))] for one in cut]
    found = network.embed_rhythm(parts, np.concatenate(which))
    ends = np.cumsum([len(one) for one in which])
    return np.stack([part.mean(axis=0) for part in np.split(found, ends[:-1])])


if __name__ == "__main__":
    main()
