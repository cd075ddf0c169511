"""Stage `embed`: CONVXGB's networks, and what they say of the beats that its trees learn from."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from ecg.aami import CLASSES
from ecg.beats import Beats
from pipeline import dataset, network, params
from pipeline.balance import varied
from pipeline.dataset import Embedded
from pipeline.folds import IN_NONE, More, Rows, join, runs, training_rows

NORMAL: Final = CLASSES.index("N")


def main() -> None:
    wanted = params.load("train", params.Train)
    beats = dataset.load()
    for run in runs(wanted, beats):
        rows, more, test = training_rows(run, beats, wanted)
        title = f"{run.name}, {run.view}"
        found, net = embedded(rows, more, test.beats, wanted, run.seed, title)
        folder = dataset.EMBEDDING / run.name
        dataset.save_embedded(found, folder, run.view)
        network.save(net, folder / f"{run.view}.npz")


def embedded(
    rows: Rows, more: More, test: Beats, wanted: params.Train, seed: int, title: str
) -> tuple[Embedded, Any]:
    """Embed rows by networks that have not seen their fold, and others by one that saw all rows."""
    embedding = np.zeros((len(rows.label), len(CLASSES)), np.float32)
    of_conducted = np.zeros((len(more.for_trees), len(CLASSES)), np.float32)
    numbers = sorted({*rows.fold.tolist()} - {IN_NONE})
    for fold in numbers:
        held_out = rows.fold == fold
        net = fit_network(rows.take(~held_out), more.for_network, wanted, seed)
        embedding[held_out] = network.embed(net, rows.beats.windows[held_out])
        of_conducted += network.embed(net, more.for_trees.windows) / len(numbers)
        print(f"{title}: fold {fold}, {held_out.sum()} beats embedded", flush=True)
    net = fit_network(join([rows, more.oversampled]), more.for_network, wanted, seed)
    everywhere = rows.fold == IN_NONE
    embedding[everywhere] = network.embed(net, rows.beats.windows[everywhere])
    return Embedded(embedding, of_conducted, network.embed(net, test.windows)), net


def fit_network(rows: Rows, conducted: Beats, wanted: params.Train, seed: int) -> Any:
    """Fit a network to rows and to beats of class N of other recordings."""
    network.fix_seed(seed)
    net = network.define(wanted.network)
    network.fit(
        net, _epochs(rows, conducted, wanted.network, np.random.default_rng(seed)), wanted.network
    )
    return net


def _epochs(
    rows: Rows, conducted: Beats, wanted: params.Network, rng: np.random.Generator
) -> Iterator[network.Epoch]:
    """Yield the windows and labels of each epoch: minorities whole, N drawn, all varied."""
    normal = np.flatnonzero(rows.label == NORMAL)
    others = np.flatnonzero(rows.label != NORMAL)
    others = np.repeat(others, np.array(wanted.repeats)[rows.label[others]])
    for _ in range(wanted.epochs):
        drawn = rng.choice(normal, min(len(normal), wanted.normal_beats), replace=False)
        more = rng.choice(len(conducted), min(len(conducted), wanted.conducted_beats), False)
        chosen = np.concatenate([drawn, others])
        windows = np.concatenate([rows.beats.windows[chosen], conducted.windows[np.sort(more)]])
        label = np.concatenate([rows.label[chosen], np.full(len(more), NORMAL)])
        order = rng.permutation(len(label))
        yield varied(windows[order], rng), label[order]


if __name__ == "__main__":
    main()
