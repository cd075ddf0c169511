"""Stage `train`: CONVXGB, a network whose embedding feeds XGBoost with the recording's context.

Thongsuwan et al., ConvXGB, Nuclear Engineering and Technology 53(2), 2021: convolutions learn
the features, trees classify. Deviations: the network is trained with a head of its own first. Two
forests share the question: one tells V, F and Q from the rest by shape, the other tells S from N by
rhythm and P wave, so that rhythms that were made up may teach the second without misleading the
first. The trees learn from embeddings by networks that have not seen the beat's fold (stacking,
Wolpert, Neural Networks 5(2), 1992): from embeddings of beats that the network was fitted to, trees
learn who the patient is. Beats of recordings and beats sent alone have networks and trees each.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import xgboost
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from ecg import scoring
from ecg.aami import CLASSES
from ecg.beats import LONE, RECORDING, VIEWS, Beats
from ecg.context import CONTEXT, NEAR, RATIOS
from pipeline import dataset, network, params
from pipeline.dataset import Dataset, Protocol

XGBOOST_THREADS: Final = 2
LIVE_SHARE: Final = 0.3
IN_NONE: Final = -1
"""Fold of rows that every network and forest sees."""
NORMAL, SUPRAVENTRICULAR = CLASSES.index("N"), CLASSES.index("S")

EMBEDDING: Final = tuple(f"embedding_{name}" for name in CLASSES)
ROWS: Final = (*EMBEDDING, *CONTEXT)
"""Columns of what the forests may see."""
SHAPE: Final[dict[str, tuple[str, ...]]] = {
    RECORDING: (*EMBEDDING, *NEAR),
    LONE: (*EMBEDDING, *RATIOS),
}
"""Columns of the forest that tells N or S, V, F and Q apart."""
RHYTHM: Final[dict[str, tuple[str, ...]]] = {RECORDING: CONTEXT, LONE: (*EMBEDDING, *RATIOS)}
"""Columns of the forest that tells S from N."""
SHAPES: Final = len(CLASSES) - 1
LEAST: Final = 1e-6
"""Probability below which nothing more is said."""


@dataclass(frozen=True)
class Rows:
    """Beats (n), their label (n,), and the fold (n,) whose network has not seen them."""

    beats: Beats
    label: NDArray[np.int64]
    fold: NDArray[np.int64]


@dataclass(frozen=True)
class More:
    """What teaches beside the database's beats: SMOTE's, conducted ones, made-up rhythms.

    oversampled: rows for the network; conducted: beats of class N, for the network and, others,
    for the trees; context, label, fold: of made-up rhythms, for the forest of rhythm.
    """

    oversampled: Rows
    for_network: Beats
    for_trees: Beats
    context: NDArray[np.float32]
    label: NDArray[np.int64]
    fold: NDArray[np.int64]


@dataclass(frozen=True)
class Forests:
    """shape: (N or S, V, F, Q); rhythm: S of N and S; columns of `ROWS` that each sees."""

    shape: xgboost.Booster
    rhythm: xgboost.Booster
    view: str

    def predict(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return proba (n, 5) of rows (n, len(ROWS)), not yet calibrated."""
        shape = self.shape.predict(xgboost.DMatrix(rows[:, columns(SHAPE[self.view])]))
        rhythm = self.rhythm.predict(xgboost.DMatrix(rows[:, columns(RHYTHM[self.view])]))
        of_two = shape[:, :1] * np.column_stack([1 - rhythm, rhythm])
        return np.hstack([of_two, shape[:, 1:]]).astype(np.float64)


def main() -> None:
    wanted = params.load("train", params.Train)
    for protocol in dataset.PROTOCOLS:
        for view in VIEWS:
            _train(protocol, view, wanted, wanted.seeds[0], dataset.NETWORKS / protocol)
    for seed in wanted.seeds[1:]:
        _train("inter_patient", RECORDING, wanted, seed, dataset.NETWORKS / f"seed_{seed}")


def columns(names: tuple[str, ...]) -> NDArray[np.int64]:
    """Return where `names` are in `ROWS`."""
    return np.array([ROWS.index(name) for name in names], np.int64)


def tree_rows(embedding: NDArray[np.float32], beats: Beats) -> NDArray[np.float32]:
    """Return (n, len(ROWS)): embedding, then context."""
    return np.hstack([embedding, beats.context])


def calibrated(proba: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Return proba (n, 5) at a temperature (Guo et al., ICML 2017): above 1 they are less sure."""
    powered = np.maximum(proba, LEAST) ** (1 / temperature)
    return np.asarray(powered / powered.sum(axis=1, keepdims=True))


def folds(
    protocol: Protocol,
    record: NDArray[np.int64],
    by_record: list[list[str]],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Return the fold (n,) of each beat: by record, or drawn where patients leak anyway.

    Records that are in no fold get `IN_NONE`.
    """
    if protocol == "random_split":
        return rng.integers(0, len(by_record), len(record))
    number = {int(name): i for i, names in enumerate(by_record) for name in names}
    return np.array([number.get(int(r), IN_NONE) for r in record], np.int64)


def training_rows(
    protocol: Protocol, view: str, wanted: params.Train, seed: int
) -> tuple[Rows, More]:
    """Return what a protocol trains on, as beats of recordings or as beats sent alone."""
    beats = dataset.load()
    rng = np.random.default_rng(seed)
    with np.load(dataset.TRAINING / f"{protocol}.npz", allow_pickle=False) as split:
        train = split["train"]
        oversampled = Beats(split["windows"], split["context"]), split["label"]
    fold = folds(protocol, beats.record[train], wanted.folds, rng)
    label = np.asarray(beats.label[train])
    if view == LONE:
        return Rows(lone(beats, train, rng), label, fold), _nothing_more()
    made = dataset.load_made()
    # Made-up rhythms of MIT-BIH records are no strangers to a random split's test beats.
    kept = made.record == dataset.OF_CHALLENGE if protocol == "random_split" else slice(None)
    conducted = dataset.load_conducted()
    even = conducted.record % 2 == 0
    more = More(
        Rows(*oversampled, np.full(len(oversampled[1]), IN_NONE)),
        conducted.beats.take(np.flatnonzero(even)),
        conducted.beats.take(np.flatnonzero(~even)),
        np.asarray(made.context[kept]),
        np.asarray(made.label[kept]),
        folds("inter_patient", made.record[kept], wanted.folds, rng),
    )
    return Rows(beats.beats.take(train), label, fold), more


def lone(beats: Dataset, rows: NDArray[np.int64], rng: np.random.Generator) -> Beats:
    """Return beats as they look alone: no typical beat, no recording, half without RR."""
    context = np.array(beats.beats.context[rows])
    context[:, len(RATIOS) :] = np.nan
    without = rng.random(len(rows)) < 0.5
    context[without] = np.nan
    # An application that watches live knows no next beat and no mean of the whole record.
    live = ~without & (rng.random(len(rows)) < LIVE_SHARE)
    unknown = [bool({"next", "record_mean"} & set(name.split("/"))) for name in RATIOS]
    context[np.ix_(live, np.flatnonzero(unknown))] = np.nan
    return dataset.lone_beats(beats, rows, context)


def fit_network(
    rows: Rows, conducted: Beats, wanted: params.Train, seed: int
) -> tuple[Any, list[float]]:
    """Fit a network to rows and to beats of class N of other recordings; return its losses too."""
    network.fix_seed(seed)
    net = network.define(wanted.network)
    epochs = _epochs(rows, conducted, wanted.network, np.random.default_rng(seed))
    return net, network.fit(net, epochs, wanted.network)


def fit_forests(
    view: str,
    rows: NDArray[np.float32],
    label: NDArray[np.int64],
    conducted: NDArray[np.float32],
    made: tuple[NDArray[np.float32], NDArray[np.int64]],
    wanted: params.Trees,
    seed: int,
) -> Forests:
    """Fit both forests: rows, conducted (n, len(ROWS)); made: context and label of rhythms."""
    of_conducted = np.full(len(conducted), wanted.conducted_weight)
    shape = np.maximum(label - SUPRAVENTRICULAR, 0)
    by_shape = columns(SHAPE[view])
    of_shape = _fit(
        np.vstack([rows[:, by_shape], conducted[:, by_shape]]),
        np.concatenate([shape, np.zeros(len(conducted), np.int64)]),
        np.concatenate([weights(shape), of_conducted]),
        {"objective": "multi:softprob", "num_class": SHAPES},
        wanted.shape_rounds,
        wanted,
        seed,
    )
    by_rhythm, two = columns(RHYTHM[view]), label <= SUPRAVENTRICULAR
    parts = [rows[two][:, by_rhythm], conducted[:, by_rhythm]]
    labels = [label[two], np.zeros(len(conducted), np.int64)]
    weight = [weights(label[two]), of_conducted]
    if len(made[1]):
        parts.append(made[0])
        labels.append(made[1])
        weight.append(np.full(len(made[1]), wanted.made_weight))
    of_rhythm = _fit(
        np.vstack(parts),
        np.concatenate(labels),
        np.concatenate(weight),
        {"objective": "binary:logistic"},
        wanted.rhythm_rounds,
        wanted,
        seed,
    )
    return Forests(of_shape, of_rhythm, view)


def weights(label: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the weight (n,) of each row: the root of its class's rarity, 1 for the largest."""
    count = np.bincount(label)
    return np.asarray(np.sqrt(count.max() / np.maximum(count, 1))[label])


def _train(protocol: Protocol, view: str, wanted: params.Train, seed: int, folder: Path) -> None:
    rows, more = training_rows(protocol, view, wanted, seed)
    embedding = np.zeros((len(rows.label), len(CLASSES)), np.float32)
    of_conducted = np.zeros((len(more.for_trees), len(CLASSES)), np.float32)
    numbers = sorted({*rows.fold.tolist()} - {IN_NONE})
    for fold in numbers:
        held_out = rows.fold == fold
        net, _ = fit_network(_select(rows, ~held_out), more.for_network, wanted, seed)
        embedding[held_out] = network.embed(net, rows.beats.windows[held_out])
        of_conducted += network.embed(net, more.for_trees.windows) / len(numbers)
        print(f"{folder.name}, {view}: fold {fold}, {held_out.sum()} beats scored", flush=True)
    net, losses = fit_network(_join([rows, more.oversampled]), more.for_network, wanted, seed)
    everywhere = rows.fold == IN_NONE
    embedding[everywhere] = network.embed(net, rows.beats.windows[everywhere])
    seen = tree_rows(embedding, rows.beats)
    conducted = tree_rows(of_conducted, more.for_trees)

    def forests(without: int) -> Forests:
        kept, made = rows.fold != without, more.fold != without
        rhythms = more.context[made], more.label[made]
        known = seen[kept], rows.label[kept]
        return fit_forests(view, *known, conducted, rhythms, wanted.trees, seed)

    proba = np.zeros((len(seen), len(CLASSES)))
    for fold in numbers:
        proba[rows.fold == fold] = forests(fold).predict(seen[rows.fold == fold])
    judged = rows.fold != IN_NONE
    temperature = _temperature(proba[judged], rows.label[judged])
    matrix = scoring.confusion(rows.label[judged], proba[judged].argmax(axis=1))
    found = {"losses": losses, "temperature": temperature, "of_folds": matrix.tolist()}
    save_trained(folder, view, net, forests(len(wanted.folds)), found)


def save_trained(
    folder: Path, view: str, net: Any, forests: Forests, found: dict[str, Any]
) -> None:
    """Write what `load_trained` reads; found: "temperature" and what else training found."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / view
    network.save(net, stem.with_suffix(".npz"))
    forests.shape.save_model(f"{stem}_shape.ubj")
    forests.rhythm.save_model(f"{stem}_rhythm.ubj")
    stem.with_suffix(".json").write_text(json.dumps(found) + "\n")


def load_trained(folder: Path, view: str, wanted: params.Network) -> tuple[Any, Forests, float]:
    """Return the network, the forests and the temperature that training wrote to `folder`."""
    stem = folder / view
    forests = [xgboost.Booster(model_file=f"{stem}_{name}.ubj") for name in ("shape", "rhythm")]
    found = json.loads(stem.with_suffix(".json").read_text())
    net = network.load(stem.with_suffix(".npz"), wanted)
    return net, Forests(forests[0], forests[1], view), float(found["temperature"])


def _temperature(proba: NDArray[np.float64], label: NDArray[np.int64]) -> float:
    """Return the temperature under which unseen patients' labels are the likeliest."""

    def loss(logarithm: float) -> float:
        of_label = calibrated(proba, float(np.exp(logarithm)))[np.arange(len(label)), label]
        return float(-np.log(np.maximum(of_label, 1e-12)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2, 2), method="bounded").x))


def _fit(
    rows: NDArray[np.float32],
    label: NDArray[np.int64],
    weight: NDArray[np.float64],
    objective: dict[str, Any],
    rounds: int,
    wanted: params.Trees,
    seed: int,
) -> xgboost.Booster:
    options = {
        "max_depth": wanted.max_depth,
        "learning_rate": wanted.learning_rate,
        "min_child_weight": wanted.min_child_weight,
        "reg_lambda": wanted.reg_lambda,
        "subsample": wanted.subsample,
        "colsample_bytree": wanted.colsample_bytree,
        "tree_method": "hist",
        "nthread": XGBOOST_THREADS,
        "seed": seed,
    }
    data = xgboost.DMatrix(rows, label, weight=weight, nthread=XGBOOST_THREADS)
    return xgboost.train(options | objective, data, rounds)


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


def varied(windows: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return windows (n, WINDOW, 2) a little moved, stretched about the R peak, scaled, noisy."""
    n, length = windows.shape[:2]
    peak = 0.4 * length
    stretch = np.where(rng.random(n) < 0.5, rng.uniform(0.9, 1.12, n), 1.0)
    moved = np.where(rng.random(n) < 0.5, rng.integers(-2, 3, n), 0)
    source = peak + (np.arange(length) - peak) * stretch[:, None] + moved[:, None]
    low = np.clip(np.floor(source).astype(np.int64), 0, length - 2)
    share = np.clip(source - low, 0, 1)[..., None].astype(np.float32)
    rows = np.arange(n)[:, None]
    out = windows[rows, low] * (1 - share) + windows[rows, low + 1] * share
    out *= rng.uniform(0.85, 1.15, (n, 1, 1)).astype(np.float32)
    noise = rng.standard_normal(out.shape, np.float32)
    out += noise * rng.exponential(0.01, (n, 1, 1)).astype(np.float32)
    # A lone beat's second channel is no difference of zero: it is not there.
    out[~windows[..., 1].any(axis=1), :, 1] = 0
    return np.asarray(out)


def _nothing_more() -> More:
    none, no_label = dataset.no_beats(), np.empty(0, np.int64)
    return More(Rows(none, no_label, no_label), none, none, none.context, no_label, no_label)


def _select(rows: Rows, which: NDArray[np.bool_]) -> Rows:
    beats = rows.beats.take(np.flatnonzero(which))
    return Rows(beats, rows.label[which], rows.fold[which])


def _join(parts: list[Rows]) -> Rows:
    return Rows(
        dataset.join_beats([p.beats for p in parts]),
        np.concatenate([p.label for p in parts]),
        np.concatenate([p.fold for p in parts]),
    )


if __name__ == "__main__":
    main()
