"""Scores of beat classification: from a confusion matrix to what the tables print."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecg.aami import CLASSES


def confusion(reference: NDArray[np.int64], answer: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count beats (n,), (n,) of class indices as (5, 5): reference in rows, answer in columns."""
    n = len(CLASSES)
    return np.bincount(reference * n + answer, minlength=n * n).reshape(n, n).astype(np.int64)


def scores(matrix: NDArray[np.int64]) -> dict[str, Any]:
    """Return accuracy, macro F1, j-kappa and per class se, ppv, f1, n of a confusion matrix.

    macro_f1 is the mean over the classes that the reference has; macro_f1_nsv over N, S and V.
    """
    by_class = {name: _class_scores(matrix, i) for i, name in enumerate(CLASSES)}
    present = [c["f1"] for c in by_class.values() if c["n"]]
    return {
        "accuracy": _share(np.trace(matrix), matrix.sum()),
        "macro_f1": float(np.mean(present)) if present else 0.0,
        "macro_f1_nsv": float(np.mean([by_class[c]["f1"] for c in "NSV"])),
        "j_kappa": j_kappa(matrix),
        **by_class,
    }


def j_kappa(matrix: NDArray[np.int64]) -> float:
    """Return half of Cohen's kappa plus half of the j index over 4.

    j is se + ppv of S plus se + ppv of V. Source: Mar et al., IEEE TBME 58(8), 2011. Over all
    five classes here; the authors leave Q out.
    """
    total = matrix.sum()
    if total == 0:
        return 0.0
    observed = np.trace(matrix) / total
    expected = float(matrix.sum(0) @ matrix.sum(1)) / float(total) ** 2
    kappa = (observed - expected) / (1 - expected) if expected < 1 else 0.0
    two = [_class_scores(matrix, CLASSES.index(c)) for c in "SV"]
    j_index = sum(c["se"] + c["ppv"] for c in two)
    return float(kappa / 2 + j_index / 8)


def _class_scores(matrix: NDArray[np.int64], i: int) -> dict[str, Any]:
    hit, n, said = matrix[i, i], matrix[i].sum(), matrix[:, i].sum()
    return {
        "se": _share(hit, n),
        "ppv": _share(hit, said),
        "f1": _share(2 * hit, n + said),
        "n": int(n),
    }


def _share(part: Any, whole: Any) -> float:
    return float(part) / float(whole) if whole else 0.0
