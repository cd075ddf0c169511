"""Stage `train`: one model of params.yaml, and what it answers to beats that it has not seen."""

import sys
from collections.abc import Iterator
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.aami import CLASSES
from ecg.beats import KACHUEE, LONE
from pipeline import convxgb, dataset, folds, models, params
from pipeline.calibration import calibrated, temperature_of
from pipeline.dataset import CONVXGB, Dataset
from pipeline.folds import CROSS, IN_NONE, OUTSIDE, Cross, Rows, Run

_OF_LONE: Final = 2
"""Folds that tell how sure a model of lone beats may be."""

Judged = tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]


def main(name: str) -> None:
    if name == CONVXGB:
        _train_convxgb(params.load("train", params.Train))
    else:
        _train(name)


def cross_validate(
    spec: params.Model, rows: Rows, balance: params.Balance, seed: int, n: int | None = None
) -> NDArray[np.float64]:
    """Return proba (n_rows, 5) by models that have not seen the row's fold.

    n: folds that are scored, all for None; NaN beyond.
    """
    proba = np.full((len(rows.label), len(CLASSES)), np.nan)
    for held_out, found in islice(by_fold(spec, rows, balance, seed), n):
        proba[held_out] = found
    return proba


def by_fold(
    spec: params.Model, rows: Rows, balance: params.Balance, seed: int
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.float64]]]:
    """Yield each fold as a mask (n_rows,), and proba (n, 5) of its rows by a model without it."""
    for fold in sorted({*rows.fold.tolist()} - {IN_NONE}):
        held_out = rows.fold == fold
        kind = models.fit(spec, rows.take(~held_out), balance, seed)
        yield held_out, models.answer(kind, rows.beats.take(np.flatnonzero(held_out)))


def judged(rows: Rows, proba: NDArray[np.float64]) -> Judged:
    """Calibrate proba (n_rows, 5) by models that have not seen the rows' fold.

    Return it of the rows that are in one, with their label and fold.
    """
    kept = rows.fold != IN_NONE
    label, fold = rows.label[kept], rows.fold[kept]
    return cross_calibrated(proba[kept], label, fold).astype(np.float32), label, fold


def cross_calibrated(
    proba: NDArray[np.float64], label: NDArray[np.int64], fold: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Calibrate each fold's proba (n, 5) by the temperature of the others."""
    found = proba.copy()
    for one in np.unique(fold):
        here = fold == one
        found[here] = calibrated(proba[here], temperature_of(proba[~here], label[~here]))
    return found


def rows_of(view: str, protocol: Cross, wanted: params.Train) -> Rows:
    """Return the beats of DS1 and of the paced training records, with the folds of `protocol`."""
    beats = dataset.load()
    if view == KACHUEE:
        of_kachuee = dataset.load_kachuee()
        record, label = of_kachuee.record, of_kachuee.label
    else:
        record, label = beats.record, beats.label
    fold = folds.cross_folds(protocol, record, label, beats, wanted.compared_folds)
    inside = np.flatnonzero(fold != OUTSIDE)
    known = np.asarray(label[inside]), fold[inside]
    if view == KACHUEE:
        return Rows(of_kachuee.beats.take(inside), *known)
    features = dataset.load_features(view)[inside]
    if view == LONE:
        rng = np.random.default_rng(wanted.seeds[0])
        return Rows(folds.lone(beats, inside, rng), *known, features)
    return Rows(beats.beats.take(inside), *known, features)


def _train(name: str) -> None:
    spec, balance = params.load_model(name), params.load("balance", params.Balance)
    wanted = params.load("train", params.Train)
    seed = wanted.seeds[0]
    for view in spec.views:
        rows = rows_of(view, "records", wanted)
        proba = cross_validate(spec, rows, balance, seed, _OF_LONE if view == LONE else None)
        scored = ~np.isnan(proba[:, 0])
        temperature = temperature_of(proba[scored], rows.label[scored])
        print(f"{name}, {view}: folds of records are scored", flush=True)
        if view != LONE:
            _keep(name, "records", rows, proba)
            by_beat = rows_of(view, "beats", wanted)
            _keep(name, "beats", by_beat, cross_validate(spec, by_beat, balance, seed))
            print(f"{name}, {view}: folds of beats are scored", flush=True)
        kind = models.fit(spec, rows, balance, seed)
        folder = dataset.TRAINED / name / "inter_patient"
        models.save(models.Model(kind, temperature), folder, view)


def _keep(name: str, protocol: Cross, rows: Rows, proba: NDArray[np.float64]) -> None:
    """Write proba (n, 5) of rows by models that have not seen their fold, calibrated."""
    found, label, fold = judged(rows, proba)
    path = dataset.crossed(name, protocol)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, proba=found, label=label, fold=fold)


def _train_convxgb(wanted: params.Train) -> None:
    beats = dataset.load()
    every = folds.runs(wanted, beats)
    for run in every:
        if run.fold is None:
            _fit_convxgb(run, beats, wanted)
    for protocol in CROSS:
        parts = [left_out(run, beats, wanted) for run in every if run.protocol == protocol]
        rows = folds.join([rows for _, rows in parts])
        _keep(CONVXGB, protocol, rows, np.concatenate([proba for proba, _ in parts]))
        print(f"{CONVXGB}: folds of {protocol} are scored", flush=True)


def _fit_convxgb(run: Run, beats: Dataset, wanted: params.Train) -> None:
    rows, more, _ = folds.training_rows(run, beats, wanted)
    embedded = dataset.load_embedded(dataset.EMBEDDING / run.name, run.view)
    trees = wanted.trees
    forests, temperature, matrix = convxgb.fit(run.view, rows, more, embedded, trees, run.seed)
    found = {"temperature": temperature, "of_folds": matrix.tolist()}
    convxgb.save(dataset.TRAINED / CONVXGB / run.name, forests, found)
    print(f"{CONVXGB}: {run.name}, {run.view}", flush=True)


def left_out(run: Run, beats: Dataset, wanted: params.Train) -> tuple[NDArray[np.float64], Rows]:
    """Return proba (n, 5) of the rows that a run leaves out, not yet calibrated."""
    rows, more, others = folds.training_rows(run, beats, wanted)
    embedded = dataset.load_embedded(dataset.EMBEDDING / run.name, run.view)
    trees = wanted.trees
    forests = convxgb.fit_without(None, run.view, rows, more, embedded, trees, run.seed)
    return forests.predict(convxgb.tree_rows(embedded.test, others.beats)), others


if __name__ == "__main__":
    main(sys.argv[1])
