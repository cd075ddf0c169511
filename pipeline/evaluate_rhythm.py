"""Stage `evaluate-rhythm`: the models of the rhythm on folds, the served one on MIT-BIH.

The challenge's score is the mean of the F1 of normal, atrial fibrillation and other rhythms. In
MIT-BIH, marks say where a rhythm begins; none of it takes part in training.
"""

import json
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ecg import aami, rhythm
from ecg.record import Record
from ecg.rhythm import FIBRILLATION, NOISE, RHYTHMS, Rhythm
from pipeline import dataset, params, pictures, recorded
from pipeline.classified import classified
from pipeline.compare import mean_and_spread
from pipeline.dataset import RHYTHM
from pipeline.recorded import NETWORK, TRAINED, Recorded
from pipeline.recordings import each, load

IRREGULAR: Final = ("(AFIB", "(AFL")
"""Marks of MIT-BIH from which the rhythm is atrial fibrillation or flutter, until the next."""
LENGTHS_S: Final = (0.0, 15.0, 29.0, 31.0, 100.0)

Matrix = NDArray[np.int64]


def main() -> None:
    wanted, known = params.load("rhythm", params.Rhythm), recorded.load()
    names = params.model_names(section="rhythm_models")
    found = {name: of_folds(*_answers(name)) for name in (*names, NETWORK)}
    pictures.rhythm_models(found, dataset.REPORTS)
    matrix = np.array(found[RHYTHM]["confusion"])
    pictures.confusion(matrix, "five folds", dataset.REPORTS / "rhythm_confusion.png", RHYTHMS)
    found[RHYTHM] |= {"by_length": _by_length(known), "mit-bih": _outside(wanted.jobs)}
    found["length-alone"] = of_folds(*_length_alone(known))
    dataset.SCORES.mkdir(parents=True, exist_ok=True)
    (dataset.SCORES / "rhythm.json").write_text(json.dumps(found, indent=1) + "\n")


def of_folds(
    proba: NDArray[np.float32], label: NDArray[np.int64], fold: NDArray[np.int64]
) -> dict[str, Any]:
    """Return mean and spread over the folds of what is quoted, and the confusion of all (4, 4)."""
    each = [_of_fold(proba[fold == k], label[fold == k]) for k in np.unique(fold)]
    spread = {name: mean_and_spread([one[name] for one in each]) for name in each[0]}
    return {**spread, "confusion": confusion(label, proba.argmax(axis=1)).tolist()}


def confusion(label: NDArray[np.int64], answer: NDArray[np.int64]) -> Matrix:
    """Return (4, 4) counts, the reference in rows."""
    n = len(RHYTHMS)
    return np.asarray(np.bincount(label * n + answer, minlength=n * n).reshape(n, n))


def f1(matrix: Matrix) -> dict[str, float]:
    """Return F1 of each rhythm, and the challenge's score."""
    right, total = np.diag(matrix), matrix.sum(axis=0) + matrix.sum(axis=1)
    each = 2 * right / np.maximum(total, 1)
    return {
        **{f"{r}_f1": float(v) for r, v in zip(RHYTHMS, each, strict=True)},
        "score": float(each[:3].mean()),
    }


def _answers(name: str) -> tuple[NDArray[Any], ...]:
    with np.load(TRAINED / name / "folds.npz", allow_pickle=False) as file:
        return file["proba"], file["label"], file["fold"]


def _of_fold(proba: NDArray[np.float32], label: NDArray[np.int64]) -> dict[str, float]:
    answer = proba.argmax(axis=1)
    areas = {
        f"{r}_auc": float(roc_auc_score(label == k, proba[:, k])) for k, r in enumerate(RHYTHMS)
    }
    return {"accuracy": float((answer == label).mean()), **f1(confusion(label, answer)), **areas}


def _length_alone(known: Recorded) -> tuple[NDArray[Any], ...]:
    """Return what a model answers that is told how long a recording is, and nothing else."""
    column = np.log(known.seconds)[:, None]
    proba = np.empty((len(column), len(RHYTHMS)), np.float32)
    for k in np.unique(known.fold):
        seen = known.fold != k
        model = make_pipeline(StandardScaler(), LogisticRegression())
        model.fit(column[seen], known.label[seen])
        proba[~seen] = model.predict_proba(column[~seen])
    return proba, known.label, known.fold


def _by_length(known: Recorded) -> dict[str, Any]:
    """Return the served model's score by the length of recordings."""
    proba, label, _ = _answers(RHYTHM)
    group = np.digitize(known.seconds, LENGTHS_S[1:-1])
    return {
        f"{LENGTHS_S[g]:g} to {LENGTHS_S[g + 1]:g} s": {
            "recordings": int((group == g).sum()),
            **f1(confusion(label[group == g], proba[group == g].argmax(axis=1))),
        }
        for g in np.unique(group).tolist()
    }


def _outside(jobs: int) -> dict[str, Any]:
    """Score atrial fibrillation and flutter of MIT-BIH by time, record by record."""
    rows = each(_of_record, aami.RECORDS, jobs, "rhythms")
    by_record = dict(zip(aami.RECORDS, rows, strict=True))
    total = np.sum([list(row.values()) for row in rows], axis=0)
    return {"by_record": by_record, "all": _rates(*total.tolist())}


def _of_record(name: str) -> dict[str, float]:
    """Return seconds of fibrillation found and missed, and of others called so and not."""
    record = load(name)
    lead = record.leads.index("MLII") if "MLII" in record.leads else 0
    answer = rhythm.load(dataset.ARTEFACTS / RHYTHM).classify(
        *classified(record.signal[:, lead], record.fs)
    )
    return seconds_right(answer, _marked(record))


def seconds_right(answer: Rhythm, marked: NDArray[np.bool_]) -> dict[str, float]:
    """Return seconds by reference and answer; marked: (n_seconds,) fibrillation or flutter.

    Seconds of noise are no answer and are counted apart.
    """
    at = np.searchsorted(answer.begin_s, np.arange(len(marked)) + 0.5) - 1
    said = answer.rhythm[at]
    af, known = said == FIBRILLATION, said != NOISE
    return {
        "found": float((marked & af).sum()),
        "missed": float((marked & ~af & known).sum()),
        "false": float((~marked & af).sum()),
        "rest": float((~marked & ~af & known).sum()),
        "noise": float((~known).sum()),
    }


def _marked(record: Record) -> NDArray[np.bool_]:
    marks = record.annotation
    if marks is None:
        raise SystemExit("evaluate-rhythm: a record of MIT-BIH without marks")
    second = np.arange(int(record.duration_s)) + 0.5
    begins = [
        (sample / record.fs, aux.strip("\0 ").startswith(IRREGULAR))
        for sample, aux in zip(marks.sample.tolist(), marks.aux, strict=True)
        if aux.startswith("(")
    ]
    last = np.searchsorted([b for b, _ in begins], second) - 1
    flags = np.array([*(flag for _, flag in begins), False])
    return np.asarray(flags[last] & (last >= 0))


def _rates(
    found: float, missed: float, false: float, rest: float, noise: float
) -> dict[str, float]:
    return {
        "se": found / max(found + missed, 1),
        "sp": rest / max(rest + false, 1),
        "ppv": found / max(found + false, 1),
        "seconds": found + missed + false + rest,
        "noise_seconds": noise,
    }


if __name__ == "__main__":
    main()
