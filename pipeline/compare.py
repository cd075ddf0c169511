"""All models side by side: folds of DS1 under both protocols, test patients, and their groups."""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import log_loss, precision_recall_fscore_support, roc_auc_score

from ecg import aami, scoring
from ecg.aami import CLASSES
from pipeline.dataset import RECORDS

RESAMPLES: Final = 1000
PATIENT: Final = re.compile(r"^# ?(\d+) ([MF]) ", re.MULTILINE)
"""Age and sex in the header of a record of MIT-BIH."""
AGES: Final = {50: "under 50", 65: "50 to 64", 75: "65 to 74", 200: "75 and older"}
"""Groups of age, each by the age at which it ends."""

Matrix = NDArray[np.int64]
Scores = dict[str, Any]


def of_folds(
    proba: NDArray[np.float32], label: NDArray[np.int64], fold: NDArray[np.int64]
) -> Scores:
    """Return mean and spread over the folds of what is quoted, and the confusion of all.

    proba: (n, 5), label, fold: (n,). A class that a fold has not is no part of its ROC AUC.
    """
    each = [_of_fold(proba[fold == k], label[fold == k]) for k in np.unique(fold)]
    names = list(dict.fromkeys(name for one in each for name in one))
    values = {name: [one[name] for one in each if name in one] for name in names}
    spread = {name: mean_and_spread(v) for name, v in values.items()}
    matrix = scoring.confusion(label, proba.argmax(axis=1))
    return {**spread, "pooled": scoring.scores(matrix), "confusion": matrix.tolist()}


def mean_and_spread(values: list[float]) -> dict[str, float]:
    """Return the mean and the standard deviation of values, 0 of one alone."""
    deviation = np.std(values, ddof=min(1, len(values) - 1))
    return {"mean": float(np.mean(values)), "spread": float(deviation)}


def areas(label: NDArray[np.int64], proba: NDArray[np.float32]) -> dict[str, float]:
    """Return the area under the ROC curve of each class against the rest, where both are there."""
    there = [i for i in range(len(CLASSES)) if 0 < (label == i).sum() < len(label)]
    return {CLASSES[i]: float(roc_auc_score(label == i, proba[:, i])) for i in there}


def by_record(
    record: NDArray[np.int64], label: NDArray[np.int64], answer: NDArray[np.int64], classes: int = 5
) -> dict[int, Matrix]:
    """Return the (5, 5) confusion matrix of each record, or (2, 2) of normal and not."""
    return {
        int(name): scoring.confusion(label[record == name], answer[record == name], classes)
        for name in np.unique(record)
    }


def intervals(
    matrices: list[Matrix], score: Callable[[Matrix], dict[str, float]], seed: int = 0
) -> dict[str, list[float]]:
    """Return 95 % bootstrap intervals, by record, of what `score` says of their sum."""
    rng = np.random.default_rng(seed)
    stack = np.stack(matrices)
    drawn = [score(stack[rng.integers(0, len(stack), len(stack))].sum(0)) for _ in range(RESAMPLES)]
    return {
        name: np.quantile([one[name] for one in drawn], [0.025, 0.975]).tolist()
        for name in drawn[0]
    }


def five_classes(matrix: Matrix) -> dict[str, float]:
    """Return what the tables quote of a (5, 5) matrix."""
    found = scoring.scores(matrix)
    quoted = {name: found[name] for name in ("macro_f1_nsv", "j_kappa")}
    return quoted | {f"{c}_f1": found[c]["f1"] for c in "NSVF"}


def normal_or_not(matrix: Matrix) -> dict[str, float]:
    """Return accuracy, and sensitivity, predictivity and F1 of beats that are not normal.

    matrix: (2, 2), normal first.
    """
    (_, false), (missed, found) = matrix.tolist()
    return {
        "accuracy": float(np.trace(matrix) / max(matrix.sum(), 1)),
        "se": found / max(found + missed, 1),
        "ppv": found / max(found + false, 1),
        "f1": 2 * found / max(2 * found + missed + false, 1),
    }


def by_patient(five: dict[int, Matrix], two: dict[int, Matrix]) -> Scores:
    """Score DS2 by sex and age, from the records' headers, both ways, with intervals.

    five, two: (5, 5) and (2, 2) matrices of each record.
    """
    groups: dict[str, list[int]] = {}
    for record in five:
        found = PATIENT.search((RECORDS / f"{record}.hea").read_text())
        if str(record) not in aami.DS2 or found is None:
            continue
        age = next(name for end, name in AGES.items() if int(found[1]) < end)
        for name in ({"M": "men", "F": "women"}[found[2]], age):
            groups.setdefault(name, []).append(record)
    return {name: _of_group(some, five, two) for name, some in sorted(groups.items())}


def _of_group(some: Iterable[int], five: dict[int, Matrix], two: dict[int, Matrix]) -> Scores:
    of_five, of_two = [five[r] for r in some], [two[r] for r in some]
    binary = np.sum(of_two, axis=0)
    return {
        "records": len(of_five),
        **scoring.scores(np.sum(of_five, axis=0)),
        "interval_95": intervals(of_five, five_classes),
        "normal_or_not": {
            "normal": int(binary[0].sum()),
            "not_normal": int(binary[1].sum()),
            **normal_or_not(binary),
            "interval_95": intervals(of_two, normal_or_not),
        },
    }


def _of_fold(proba: NDArray[np.float32], label: NDArray[np.int64]) -> dict[str, float]:
    answer = proba.argmax(axis=1)
    found = {"accuracy": float((answer == label).mean())}
    for average in ("weighted", "macro"):
        values = precision_recall_fscore_support(
            label, answer, average=average, zero_division=0, labels=np.unique(label)
        )
        for name, value in zip(("precision", "recall", "f1"), values, strict=False):
            found[f"{name}_{average}"] = float(value)
    # What float32 rounded off would make them no probabilities to scikit-learn.
    whole = proba / proba.sum(axis=1, keepdims=True, dtype=np.float64)
    found["log_loss"] = float(log_loss(label, whole, labels=range(len(CLASSES))))
    matrix = scoring.scores(scoring.confusion(label, answer))
    found |= {name: matrix[name] for name in ("macro_f1_nsv", "j_kappa")}
    found |= {f"{c}_f1": matrix[c]["f1"] for c in CLASSES if matrix[c]["n"]}
    return found | {f"{c}_auc": area for c, area in areas(label, proba).items()}
