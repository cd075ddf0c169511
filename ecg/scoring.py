"""Scores: of classes beat by beat, and of an annotation against a reference as EC57 has them.

Sources: ANSI/AAMI EC57:1998 and its reference implementation, the WFDB tools `bxb` and `sumstats`
(bxb.c as of 10 August 2010, sumstats.c as of 7 November 2001, G. B. Moody).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg import matching
from ecg.aami import CLASSES, DE_CHAZAL, symbol_to_class
from ecg.errors import InputError
from ecg.record import Annotation

NO_BEAT: Final = len(CLASSES)
"""The pseudo-label O of EC57: the other side of a missed beat, and of an extra detection."""

# By target: its class, and the reference classes whose beats may be called so at no cost.
_ECTOPIC: Final = {"veb": ("V", "FQ"), "sveb": ("S", "Q")}
_RATES: Final = {"qrs": ("se", "ppv"), "veb": ("se", "ppv", "fpr"), "sveb": ("se", "ppv", "fpr")}

Figures = dict[str, dict[str, int | float | None]]
"""By target (qrs, veb, sveb): counts and rates from 0 to 1, None where nothing is divided by."""


@dataclass(frozen=True)
class Comparison:
    """matrix (6, 6): beats by N S V F Q O, reference in rows and test in columns.

    Column O holds missed beats, row O extra detections. Source: EC57 Table 3, as bxb(1) prints.
    """

    matrix: NDArray[np.int64]

    @property
    def confusion(self) -> NDArray[np.int64]:
        """(5, 5): matched beats alone, as `scores` takes them."""
        return self.matrix[:NO_BEAT, :NO_BEAT]


def compare(
    reference: Annotation,
    test_sample: NDArray[np.int64],
    test_class: NDArray[np.int64],
    fs: float,
    classes_map: dict[str, str] = DE_CHAZAL,
    start_s: float = 0.0,
) -> Comparison:
    """Compare detected beats (n,) at `fs` Hz and their classes (n,) with a reference.

    Marks that `classes_map` does not name are no beats. Left out are beats before `start_s`, which
    EC57 wants at `matching.LEARNING_S`, and ventricular flutter that the reference marks: its
    beats there and detections there that match none outside. A pair goes by its reference beat.
    Raises InputError for beats that are not in order or not of one class each.
    Source: bxb.c. Deviations: `bxb` tells beats missed in a shutdown (X) from others (O), and adds
    them up in every figure; here no shutdown is read. It drops an extra detection within the
    window of the start where the next one fits the first beat better; here it is extra, and a
    detection of an earlier beat never is. It knows of two segments of flutter at a time; here all
    count.
    """
    _one_class_each(test_sample, test_class)
    sample, beat_class = _beats(reference, classes_map)
    found = matching.match(sample, test_sample, fs)
    flutter = matching.ventricular_flutter(reference)
    counted = sample >= start_s * fs
    test_counted = (test_sample >= start_s * fs) & ~matching.inside(test_sample, flutter)
    one, other = found.pairs[counted[found.pairs[:, 0]]].T
    missed, extra = found.missed[counted[found.missed]], found.extra[test_counted[found.extra]]
    return Comparison(
        confusion(
            np.r_[beat_class[one], beat_class[missed], np.full(len(extra), NO_BEAT)],
            np.r_[test_class[other], np.full(len(missed), NO_BEAT), test_class[extra]],
            NO_BEAT + 1,
        )
    )


def figures(comparison: Comparison) -> Figures:
    """Return what EC57 reports: se and ppv of QRS; se, ppv and fpr of VEB and of SVEB.

    F and Q called V are no false VEBs, nor Q called S false SVEBs, nor are they true negatives;
    Q called V or S costs nothing, V or S called F or Q is missed. fpr is fp / (tn + fp); extra
    detections of another class are among the true negatives.
    Source: print_results of bxb.c. Deviation: it prints no fpr of SVEB; here by analogy.
    """
    matrix = comparison.matrix
    qrs = {
        "tp": int(comparison.confusion.sum()),
        "fn": int(matrix[:NO_BEAT, NO_BEAT].sum()),
        "fp": int(matrix[NO_BEAT].sum()),
    }
    counts = {"qrs": qrs} | {t: _ectopic(matrix, *of) for t, of in _ECTOPIC.items()}
    return {target: {**c, **_rates(target, c)} for target, c in counts.items()}


def gross(comparisons: Sequence[Comparison]) -> Comparison:
    """Return all records as one: every beat weighs the same (EC57:1998, 3.5.2 and 3.5.3).

    Deviation: `sumstats` drops F called S from the gross ppv of SVEB, `bxb` counts it in each
    record's; here both count it.
    """
    empty = np.zeros((NO_BEAT + 1, NO_BEAT + 1), np.int64)
    return Comparison(sum((c.matrix for c in comparisons), start=empty))


def average(comparisons: Sequence[Comparison]) -> dict[str, dict[str, float | None]]:
    """Return the rates of `figures` with every record weighing the same (EC57:1998, 3.5.2, 3.5.3).

    A record is left out of a rate that it does not define, as in `sumstats`.
    """
    each = [figures(c) for c in comparisons]
    return {
        target: {rate: _mean([f[target][rate] for f in each]) for rate in rates}
        for target, rates in _RATES.items()
    }


def confusion(
    reference: NDArray[np.int64], answer: NDArray[np.int64], n: int = len(CLASSES)
) -> NDArray[np.int64]:
    """Count beats (m,), (m,) of class indices as (n, n): reference in rows, answer in columns."""
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


def _one_class_each(sample: NDArray[np.int64], beat_class: NDArray[np.int64]) -> None:
    if sample.shape != beat_class.shape:
        raise InputError(
            "test", f"has {len(sample)} beats and {len(beat_class)} classes", "one class a beat"
        )
    if ((beat_class < 0) | (beat_class >= NO_BEAT)).any():
        raise InputError("test", "has a class that is none", f"0 to {NO_BEAT - 1}")


def _beats(
    annotation: Annotation, classes_map: dict[str, str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    index = symbol_to_class(classes_map)
    beat_class = np.array([index.get(s, NO_BEAT) for s in annotation.symbol], np.int64)
    flutter = matching.ventricular_flutter(annotation)
    kept = (beat_class < NO_BEAT) & ~matching.inside(annotation.sample, flutter)
    return annotation.sample[kept], beat_class[kept]


def _ectopic(matrix: NDArray[np.int64], name: str, spared: str) -> dict[str, int]:
    own = CLASSES.index(name)
    tp = matrix[own, own]
    others = np.delete(matrix, own, axis=0)
    judged = [i for i in range(NO_BEAT + 1) if i != own and i not in map(CLASSES.index, spared)]
    return {
        "tp": int(tp),
        "fn": int(matrix[own].sum() - tp),
        "fp": int(matrix[judged, own].sum()),
        "tn": int(np.delete(others, [own, NO_BEAT], axis=1).sum()),
    }


def _rates(target: str, counts: dict[str, int]) -> dict[str, float | None]:
    tp, fn, fp, tn = (counts.get(name, 0) for name in ("tp", "fn", "fp", "tn"))
    rates = {"se": (tp, tp + fn), "ppv": (tp, tp + fp), "fpr": (fp, tn + fp)}
    return {
        name: rates[name][0] / rates[name][1] if rates[name][1] else None for name in _RATES[target]
    }


def _mean(values: list[int | float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known else None
