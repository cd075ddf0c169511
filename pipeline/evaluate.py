"""Stage `evaluate`: score the artefacts as the service loads them, under named protocols.

`inter_patient` trains on DS1 and tests on DS2 and two paced records; `random_split` splits by
beat, so that patients leak from training into testing: it is here because most projects quote it.
"""

import csv
import json
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg import aami, classifier, scoring
from ecg.aami import CLASSES
from ecg.beats import Beats
from pipeline import dataset, params, pictures, recordings
from pipeline.dataset import Dataset, Protocol

RESAMPLES: Final = 1000
SAME_PATIENT_AS_201: Final = 202
INTERVALS: Final = ("macro_f1_nsv", "j_kappa")


def by_record(
    record: NDArray[np.int64], label: NDArray[np.int64], answer: NDArray[np.int64]
) -> dict[int, NDArray[np.int64]]:
    """Return the (5, 5) confusion matrix of each record."""
    return {
        int(name): scoring.confusion(label[record == name], answer[record == name])
        for name in np.unique(record)
    }


def intervals(matrices: list[NDArray[np.int64]], seed: int = 0) -> dict[str, list[float]]:
    """Return 95 % bootstrap intervals, by record, of the scores that the tables quote."""
    rng = np.random.default_rng(seed)
    stack = np.stack(matrices)
    drawn = [
        scoring.scores(stack[rng.integers(0, len(stack), len(stack))].sum(0))
        for _ in range(RESAMPLES)
    ]
    values = {name: [d[name] for d in drawn] for name in INTERVALS}
    values |= {f"{c}_f1": [d[c]["f1"] for d in drawn] for c in "NSVF"}
    return {name: np.quantile(v, [0.025, 0.975]).tolist() for name, v in values.items()}


def calibration_error(
    proba: NDArray[np.float32], label: NDArray[np.int64], bins: int
) -> tuple[float, list[tuple[float, float, int]]]:
    """Return the expected calibration error of the confidence and its (confidence, right, n).

    Source: Guo et al., ICML 2017.
    """
    confidence, right = proba.max(1), proba.argmax(1) == label
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    rows = [
        (float(confidence[which == b].mean()), float(right[which == b].mean()), int(n))
        for b, n in enumerate(np.bincount(which, minlength=bins))
        if n
    ]
    error = sum(abs(said - found) * n for said, found, n in rows) / len(label)
    return float(error), rows


def main() -> None:
    wanted = params.load("evaluate", params.Evaluate)
    name = params.load("export", params.Export).name
    beats = dataset.load()
    dataset.REPORTS.mkdir(exist_ok=True)
    found: dict[str, Any] = {}
    for protocol in dataset.PROTOCOLS:
        found |= _evaluate(protocol, beats, wanted)
    artefact = dataset.ARTEFACTS / "inter_patient"
    detected = recordings.records(artefact, _names(beats, _test_rows("inter_patient")), wanted.jobs)
    qrs = recordings.qrs(_names(beats), wanted.jobs)
    figures = {"beats": {name: found}, "records": {name: detected}, "qrs": qrs}
    dataset.METRICS.write_text(json.dumps(_rounded(figures), indent=1) + "\n")
    pictures.noise_curve(qrs["with_noise"], dataset.REPORTS / "qrs_with_noise.png")
    pictures.class_distribution(beats.label, dataset.REPORTS / "class_distribution.png")


def _evaluate(protocol: Protocol, beats: Dataset, wanted: params.Evaluate) -> dict[str, Any]:
    served = classifier.load(dataset.ARTEFACTS / protocol)
    test = _test_rows(protocol)
    record, label = np.asarray(beats.record[test]), np.asarray(beats.label[test])
    proba = served.predict(Beats(beats.beats.windows[test], beats.beats.context[test]))
    matrices = by_record(record, label, proba.argmax(1))
    error, reliability = calibration_error(proba, label, wanted.bins)
    _write_records(dataset.REPORTS / f"{protocol}_records.csv", matrices)
    total = np.sum(list(matrices.values()), axis=0)
    pictures.confusion(total, protocol, dataset.REPORTS / f"{protocol}_confusion.png")
    auc = pictures.roc(label, proba, protocol, dataset.REPORTS / f"{protocol}_roc.png")
    pictures.reliability(reliability, protocol, dataset.REPORTS / f"{protocol}_calibration.png")
    whole = {**scoring.scores(total), "calibration_error": error, "roc_auc": auc}
    if protocol == "random_split":
        return {protocol: whole, f"{protocol}_lone_beat": _lone(served, beats, test)}
    whole["interval_95"] = intervals(list(matrices.values()))
    return {
        protocol: whole,
        "inter_patient_without_paced": _without(matrices, [int(r) for r in aami.PACED_TEST]),
        "inter_patient_without_202": _without(matrices, [SAME_PATIENT_AS_201]),
        "inter_patient_lone_beat": _lone(served, beats, test),
    }


def _test_rows(protocol: Protocol) -> NDArray[np.int64]:
    with np.load(dataset.TRAINING / f"{protocol}.npz", allow_pickle=False) as split:
        return np.asarray(split["test"])


def _names(beats: Dataset, rows: NDArray[np.int64] | slice = slice(None)) -> tuple[str, ...]:
    return tuple(str(record) for record in np.unique(beats.record[rows]))


def _without(matrices: dict[int, NDArray[np.int64]], left_out: list[int]) -> dict[str, Any]:
    kept = [m for record, m in matrices.items() if record not in left_out]
    return scoring.scores(np.sum(kept, axis=0)) if kept else {}


def _lone(served: classifier.Classifier, beats: Dataset, test: NDArray[np.int64]) -> dict[str, Any]:
    """Score the test beats as if each had been sent alone: no RR, no typical beat."""
    windows = np.zeros((len(test), *beats.beats.windows.shape[1:]), np.float32)
    windows[..., 0] = beats.lone[test]
    context = np.full((len(test), beats.beats.context.shape[1]), np.nan, np.float32)
    answer = served.predict(Beats(windows, context)).argmax(1)
    return scoring.scores(scoring.confusion(beats.label[test], answer))


def _write_records(path: Path, matrices: dict[int, NDArray[np.int64]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["record", *(f"{a}_as_{b}" for a in CLASSES for b in CLASSES)])
        writer.writerows([record, *m.ravel().tolist()] for record, m in matrices.items())


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
