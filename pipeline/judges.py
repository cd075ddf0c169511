"""What `pipeline.tune` searches of each model, and how a candidate is judged: on folds inside DS1.

The folds are those of `pipeline.folds` by record: a patient is in one. DS2 is never read.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg import scoring
from pipeline import dataset, folds, params, train
from pipeline.dataset import CONVXGB, Dataset
from pipeline.folds import Run
from pipeline.spaces import SPACES
from pipeline.study import Judge, Task, Values

SCORE: Final = "macro_f1_nsv"
_STAGES: Final = {
    "beats": "generate",
    "conducted": "generate",
    "rhythms": "generate",
    "features": "features",
    "kachuee": "kachuee",
    "embedding": "embed",
}
"""The stage that makes each folder of `data`."""


def task(name: str) -> Task:
    """Return the search for a model of params.yaml, or for CONVXGB's trees.

    Raises SystemExit where there is no such model or its data is missing, and says what brings it.
    """
    try:
        return _of_convxgb() if name == CONVXGB else _of_model(name)
    except FileNotFoundError as error:
        path = Path(error.filename)
        stage = _STAGES.get(path.parts[1] if len(path.parts) > 1 else "")
        if stage is None:
            raise
        raise SystemExit(f"{path} is missing: `dvc repro {stage}` brings it") from error


def _of_model(name: str) -> Task:
    spec, balance = params.load_model(name), params.load("balance", params.Balance)
    wanted = params.load("train", params.Train)
    seed = wanted.seeds[0]
    # The first view is the one that is compared; the others share its parameters.
    rows = train.rows_of(spec.views[0], "records", wanted)

    def judge(values: Values) -> Iterator[float]:
        for held_out, proba in train.by_fold(replace(spec, **values), rows, balance, seed):
            yield _score(proba, rows.label[held_out])

    arrays = (rows.beats.windows, rows.beats.context, rows.features, rows.label, rows.fold)
    others = {"section balance": asdict(balance), "views": rows.beats.view}
    return _task(name, ("models", name), spec, seed, others, arrays, judge)


def _of_convxgb() -> Task:
    wanted, beats = params.load("train", params.Train), dataset.load()
    runs = [run for run in folds.runs(wanted, beats) if run.protocol == "records"]

    def judge(values: Values) -> Iterator[float]:
        other = replace(wanted, trees=replace(wanted.trees, **values))
        for run in runs:
            # Read anew: five runs at once would be windows of a gigabyte.
            proba, rows = train.left_out(run, beats, other)
            yield _score(proba, rows.label)

    arrays = (array for run in runs for array in _seen_by(run, beats, wanted))
    where, seed = ("train", "trees"), wanted.seeds[0]
    return _task(CONVXGB, where, wanted.trees, seed, {}, arrays, judge)


def _seen_by(run: Run, beats: Dataset, wanted: params.Train) -> Iterator[NDArray[Any]]:
    """Yield what decides what a run of CONVXGB scores."""
    rows, more, left_out = folds.training_rows(run, beats, wanted)
    yield from vars(dataset.load_embedded(dataset.EMBEDDING / run.name, run.view)).values()
    yield from (rows.beats.context, rows.label, left_out.beats.context, left_out.label)
    yield from (more.for_trees.context, more.context, more.label)


def _task(
    name: str,
    where: tuple[str, ...],
    spec: params.Model | params.Trees,
    seed: int,
    others: dict[str, Any],
    arrays: Iterable[NDArray[Any] | None],
    judge: Judge,
) -> Task:
    space, values = SPACES[type(spec)], asdict(spec)
    current = {field: values.pop(field) for field in space}
    ranges = {field: asdict(among) for field, among in space.items()}
    shared = {**values, **others, "seed": seed, "ranges": ranges, "data": _digest(arrays)}
    made_for = {what: json.dumps(value) for what, value in shared.items()}
    return Task(name, where, space, current, made_for, judge, seed)


def _score(proba: NDArray[np.float64], label: NDArray[np.int64]) -> float:
    return float(scoring.scores(scoring.confusion(label, proba.argmax(axis=1)))[SCORE])


def _digest(arrays: Iterable[NDArray[Any] | None]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        if array is not None:
            digest.update(f"{array.dtype}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
