"""Who learns from what: the runs of every model, the rows of each and their folds.

Beside the two protocols that are quoted, every model is validated on folds inside DS1:
`records` keeps each patient in one fold, `beats` is stratified by beat, so that patients leak.
"""

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from ecg import aami
from ecg.beats import LONE, RECORDING, Beats
from ecg.context import RATIOS
from pipeline import dataset, params
from pipeline.dataset import Dataset, Made, Protocol

Cross = Literal["records", "beats"]
CROSS: Final[tuple[Cross, ...]] = get_args(Cross)
LIVE_SHARE: Final = 0.3
IN_NONE: Final = -1
"""Fold of rows that everything sees, and that nothing is scored on: paced records, DS1 has none."""
OUTSIDE: Final = -2
"""Fold of rows that take no part."""
_SEED: Final = 42


@dataclass(frozen=True)
class Rows:
    """Beats (n), their label (n,), and the fold (n,) whose model has not seen them.

    features: (n, len(FEATURES)) where they are known.
    """

    beats: Beats
    label: NDArray[np.int64]
    fold: NDArray[np.int64]
    features: NDArray[np.float32] | None = None

    def take(self, which: NDArray[np.bool_]) -> "Rows":
        """Return the rows where `which` (n,)."""
        beats = self.beats.take(np.flatnonzero(which))
        features = None if self.features is None else np.asarray(self.features[which])
        return Rows(beats, self.label[which], self.fold[which], features)


@dataclass(frozen=True)
class More:
    """What teaches CONVXGB beside the database's beats: SMOTE's, conducted, made-up rhythms.

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
class Run:
    """One training: what it trains on, as beats of which view, with which seed.

    fold: of `CROSS`, left out to be scored; None where a protocol's own test part is.
    """

    name: str
    protocol: Protocol | Cross
    view: str
    seed: int
    fold: int | None = None

    @property
    def leaks(self) -> bool:
        """Whether patients are on both sides."""
        return self.protocol in ("random_split", "beats")


def runs(wanted: params.Train, beats: Dataset) -> list[Run]:
    """Return all trainings of CONVXGB: both protocols and views, more seeds, folds of DS1."""
    first, views = wanted.seeds[0], (RECORDING, LONE)
    by_record = folds_of_records(beats, wanted.compared_folds)
    n = {"records": len({*by_record.values()}), "beats": wanted.compared_folds}
    return [
        *(Run(p, p, view, first) for p in dataset.PROTOCOLS for view in views),
        *(Run(f"seed_{seed}", "inter_patient", RECORDING, seed) for seed in wanted.seeds[1:]),
        *(Run(f"{c}_{k}", c, RECORDING, first, k) for c in CROSS for k in range(n[c])),
    ]


def folds_of_records(beats: Dataset, folds: int) -> dict[int, int]:
    """Return the fold of each record of DS1, alike in classes; other records are in none."""
    inside = np.flatnonzero(np.isin(beats.record, [int(r) for r in aami.DS1]))
    record, label = np.asarray(beats.record[inside]), np.asarray(beats.label[inside])
    n = min(folds, len(np.unique(record)))
    split = StratifiedGroupKFold(n, shuffle=True, random_state=_SEED).split(label, label, record)
    return {int(r): k for k, (_, test) in enumerate(split) for r in np.unique(record[test])}


def cross_folds(
    protocol: Cross,
    record: NDArray[np.int64],
    label: NDArray[np.int64],
    beats: Dataset,
    n: int,
) -> NDArray[np.int64]:
    """Return the fold (n,) of beats of DS1; of paced training records `IN_NONE`, else `OUTSIDE`."""
    found = np.full(len(record), OUTSIDE)
    found[np.isin(record, [int(r) for r in aami.PACED_TRAIN])] = IN_NONE
    if protocol == "records":
        of_record = folds_of_records(beats, n)
        for name, fold in of_record.items():
            found[record == name] = fold
        return found
    inside = np.flatnonzero(np.isin(record, [int(r) for r in aami.DS1]))
    split = StratifiedKFold(n, shuffle=True, random_state=_SEED).split(inside, label[inside])
    for fold, (_, test) in enumerate(split):
        found[inside[test]] = fold
    return found


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


def training_rows(run: Run, beats: Dataset, wanted: params.Train) -> tuple[Rows, More, Rows]:
    """Return what a run of CONVXGB trains on, and the rows that it leaves out to be scored."""
    rng = np.random.default_rng(run.seed)
    train, fold, test = _split(run, beats, wanted, rng)
    label = np.asarray(beats.label[train])
    if run.view == LONE:
        more = nothing_more()
        return Rows(lone(beats, train, rng), label, fold), more, more.oversampled
    made, of_made = _rhythms(run, beats, wanted, rng)
    conducted = dataset.load_conducted()
    even = conducted.record % 2 == 0
    more = More(
        _oversampled(run),
        conducted.beats.take(np.flatnonzero(even)),
        conducted.beats.take(np.flatnonzero(~even)),
        np.asarray(made.context),
        np.asarray(made.label),
        of_made,
    )
    left_out = Rows(
        beats.beats.take(test), np.asarray(beats.label[test]), np.full(len(test), run.fold or 0)
    )
    return Rows(beats.beats.take(train), label, fold), more, left_out


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


def nothing_more() -> More:
    """Return what teaches a run that learns from the database's beats alone."""
    none, no_label = dataset.no_beats(), np.empty(0, np.int64)
    return More(Rows(none, no_label, no_label), none, none, none.context, no_label, no_label)


def join(parts: list[Rows]) -> Rows:
    """Return the rows of all parts, in order."""
    return Rows(
        dataset.join_beats([p.beats for p in parts]),
        np.concatenate([p.label for p in parts]),
        np.concatenate([p.fold for p in parts]),
    )


def _split(
    run: Run, beats: Dataset, wanted: params.Train, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows to train on, their folds, and the rows to be scored."""
    if run.protocol == "records" or run.protocol == "beats":
        n = wanted.compared_folds
        outer = cross_folds(run.protocol, beats.record, beats.label, beats, n)
        train = np.flatnonzero((outer != OUTSIDE) & (outer != run.fold))
        return train, outer[train], np.flatnonzero(outer == run.fold)
    with np.load(dataset.TRAINING / f"{run.protocol}.npz", allow_pickle=False) as split:
        train = split["train"]
    return train, folds(run.protocol, beats.record[train], wanted.folds, rng), train[:0]


def _oversampled(run: Run) -> Rows:
    # What SMOTE made of a whole half would carry beats that are left out.
    if run.protocol in CROSS:
        return nothing_more().oversampled
    with np.load(dataset.TRAINING / f"{run.protocol}.npz", allow_pickle=False) as split:
        made, label = Beats(split["windows"], split["context"]), split["label"]
    return Rows(made, label, np.full(len(label), IN_NONE))


def _rhythms(
    run: Run, beats: Dataset, wanted: params.Train, rng: np.random.Generator
) -> tuple[Made, NDArray[np.int64]]:
    """Return the made-up rhythms that a run may learn from, and the fold of each."""
    made = dataset.load_made()
    if run.protocol == "records":
        number = folds_of_records(beats, wanted.compared_folds)
        fold = np.array([number.get(int(r), IN_NONE) for r in made.record], np.int64)
        kept = fold != run.fold
        return Made(made.context[kept], made.label[kept], made.record[kept]), fold[kept]
    if run.leaks:
        # Made-up rhythms of MIT-BIH records are no strangers to the beats that are scored.
        kept = made.record == dataset.OF_CHALLENGE
        made = Made(made.context[kept], made.label[kept], made.record[kept])
    return made, folds("inter_patient", made.record, wanted.folds, rng)
