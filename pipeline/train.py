"""Stage `train`: CONVXGB, a network whose embedding feeds XGBoost with the RR context.

Thongsuwan et al., ConvXGB, Nuclear Engineering and Technology 53(2), 2021: convolutions learn
the features, trees classify. Deviation: the trees also see the RR context, and the network is
trained with a head of its own first.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xgboost
from numpy.typing import NDArray

from ecg.aami import CLASSES
from ecg.beats import CONTEXT, Beats
from pipeline import dataset, network, params
from pipeline.dataset import Dataset, Protocol

XGBOOST_THREADS = 2


@dataclass(frozen=True)
class Rows:
    """What is fitted to: windows (n, WINDOW, 2), context (n, n_context), label (n,)."""

    beats: Beats
    label: NDArray[np.int64]


def training_rows(protocol: Protocol, lone_share: float, seed: int) -> tuple[Rows, Rows]:
    """Return the training rows of a protocol (real, oversampled, lone) and its validation rows."""
    beats = dataset.load()
    rng = np.random.default_rng(seed)
    with np.load(dataset.TRAINING / f"{protocol}.npz", allow_pickle=False) as split:
        real = _take(beats, split["train"])
        made = Rows(Beats(split["windows"], split["context"]), split["label"])
        alone = _lone(beats, split["train"], lone_share, rng)
        validation = _join(
            [_take(beats, split["validation"]), _lone(beats, split["validation"], lone_share, rng)]
        )
    return _join([real, made, alone]), validation


def fit_trees(
    training: tuple[NDArray[np.float32], NDArray[np.int64]],
    validation: tuple[NDArray[np.float32], NDArray[np.int64]],
    wanted: params.Trees,
    seed: int,
) -> xgboost.Booster:
    """Fit trees to (embedding and context, label); the best round by validation loss is kept."""
    sets = [xgboost.DMatrix(x, y, nthread=XGBOOST_THREADS) for x, y in (training, validation)]
    booster = xgboost.train(
        {
            "objective": "multi:softprob",
            "num_class": len(CLASSES),
            "eval_metric": "mlogloss",
            "max_depth": wanted.max_depth,
            "learning_rate": wanted.learning_rate,
            "min_child_weight": wanted.min_child_weight,
            "subsample": wanted.subsample,
            "colsample_bytree": wanted.colsample_bytree,
            "tree_method": "hist",
            "nthread": XGBOOST_THREADS,
            "seed": seed,
        },
        sets[0],
        wanted.rounds,
        evals=[(sets[1], "validation")],
        early_stopping_rounds=wanted.patience,
        verbose_eval=50,
    )
    return booster[: booster.best_iteration + 1]


def tree_rows(embedding: NDArray[np.float32], beats: Beats) -> NDArray[np.float32]:
    """Return what the trees take: embedding, then context."""
    return np.hstack([embedding, beats.context])


def main() -> None:
    wanted = params.load("train", params.Train)
    for protocol in dataset.PROTOCOLS:
        _train(protocol, wanted, dataset.NETWORKS / protocol)


def _train(protocol: Protocol, wanted: params.Train, folder: Path) -> None:
    training, validation = training_rows(protocol, wanted.lone_share, wanted.seed)
    print(f"{protocol}: {len(training.label)} rows, {len(validation.label)} to stop on", flush=True)
    network.fix_seed(wanted.seed)
    net = network.define(wanted.network)
    history = network.fit(
        net,
        (training.beats.windows, training.label),
        (validation.beats.windows, validation.label),
        wanted.network,
    )
    rows = [
        (tree_rows(network.embed(net, part.beats.windows), part.beats), part.label)
        for part in (training, validation)
    ]
    booster = fit_trees(rows[0], rows[1], wanted.trees, wanted.seed)
    folder.mkdir(parents=True, exist_ok=True)
    network.save(net, folder / "network.npz")
    booster.save_model(folder / "trees.ubj")
    (folder / "history.json").write_text(json.dumps(history, indent=1) + "\n")


def _take(beats: Dataset, rows: NDArray[np.int64]) -> Rows:
    return Rows(Beats(beats.beats.windows[rows], beats.beats.context[rows]), beats.label[rows])


def _lone(beats: Dataset, rows: NDArray[np.int64], share: float, rng: np.random.Generator) -> Rows:
    """Return a share of the beats as they look alone: no typical beat, half without RR."""
    some = np.sort(rng.choice(rows, round(share * len(rows)), replace=False))
    windows = np.zeros((len(some), *beats.beats.windows.shape[1:]), np.float32)
    windows[..., 0] = beats.lone[some]
    context = np.array(beats.beats.context[some])
    context[:, -2:] = np.nan
    without = rng.random(len(some)) < 0.5
    context[without] = np.nan
    # An application that watches live knows no next beat and no mean of the whole record.
    live = ~without & (rng.random(len(some)) < 0.3)
    _forget(context, live, {"next_s", "record_mean_s"})
    return Rows(Beats(windows, context), beats.label[some])


def _forget(context: NDArray[np.float32], rows: NDArray[np.bool_], names: set[str]) -> None:
    stems = {name.removesuffix("_s") for name in names}
    for column, name in enumerate(CONTEXT):
        if stems & set(name.removesuffix("_s").split("/")):
            context[rows, column] = np.nan


def _join(parts: list[Rows]) -> Rows:
    return Rows(
        Beats(
            np.concatenate([p.beats.windows for p in parts]),
            np.concatenate([p.beats.context for p in parts]),
        ),
        np.concatenate([p.label for p in parts]),
    )


if __name__ == "__main__":
    main()
