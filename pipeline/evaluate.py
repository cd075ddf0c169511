"""Stage `evaluate`: score the artefacts as the service loads them, under named protocols.

`inter_patient` trains on DS1 and tests on DS2 and two paced records; `random_split` splits by
beat, so that patients leak from training into testing: it is here because most projects quote it.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg import aami, classifier, scoring
from ecg.beats import RECORDING
from pipeline import conditions, counts, dataset, params, pictures, recordings
from pipeline.dataset import Dataset, Protocol

RESAMPLES: Final = 1000
SAME_PATIENT_AS_201: Final = 202
INTERVALS: Final = ("macro_f1_nsv", "j_kappa")
PATIENT: Final = re.compile(r"^# ?(\d+) ([MF]) ", re.MULTILINE)
"""Age and sex in the header of a record of MIT-BIH."""
AGES: Final = {50: "under 50", 65: "50 to 64", 75: "65 to 74", 200: "75 and older"}
"""Groups of age, each by the age at which it ends."""
MOSTLY_ECTOPIC: Final = 232
"""The record that three quarters of the S beats of DS2 belong to."""
ABSTAIN: Final = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


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
    names = _names(beats, _test_rows("inter_patient"))
    ds2 = tuple(name for name in names if name in aami.DS2)
    of_model = {
        "beats": found,
        "seeds": _seeds(beats),
        "folds_of_ds1": _folds(),
        "by_patient": _by_patient(),
        "conditions": conditions.scored(artefact, ds2, wanted.jobs),
        "in_noise": conditions.noise_curve(artefact, ds2, wanted.jobs),
        "records": recordings.records(artefact, names, wanted.jobs),
    }
    qrs = recordings.qrs(_names(beats), wanted.jobs)
    figures = {section: {name: value} for section, value in of_model.items()} | {"qrs": qrs}
    pictures.classes_in_noise(of_model["in_noise"], dataset.REPORTS / "classes_in_noise.png")
    dataset.METRICS.write_text(json.dumps(_rounded(figures), indent=1) + "\n")
    pictures.noise_curve(qrs["with_noise"], dataset.REPORTS / "qrs_with_noise.png")
    pictures.class_distribution(beats.label, dataset.REPORTS / "class_distribution.png")


def _evaluate(protocol: Protocol, beats: Dataset, wanted: params.Evaluate) -> dict[str, Any]:
    served = classifier.load(dataset.ARTEFACTS / protocol)
    test = _test_rows(protocol)
    record, label = np.asarray(beats.record[test]), np.asarray(beats.label[test])
    proba = served.predict(beats.beats.take(test))
    matrices = by_record(record, label, proba.argmax(1))
    error, reliability = calibration_error(proba, label, wanted.bins)
    counts.write(_records_csv(protocol), {str(r): m for r, m in matrices.items()})
    total = np.sum(list(matrices.values()), axis=0)
    if protocol == "inter_patient":
        named = {str(name): matrix for name, matrix in matrices.items()}
        pictures.by_record(named, dataset.REPORTS / "inter_patient_by_record.png")
    pictures.confusion(total, protocol, dataset.REPORTS / f"{protocol}_confusion.png")
    auc = pictures.roc(label, proba, protocol, dataset.REPORTS / f"{protocol}_roc.png")
    pictures.reliability(reliability, protocol, dataset.REPORTS / f"{protocol}_calibration.png")
    whole = {**scoring.scores(total), "calibration_error": error, "roc_auc": auc}
    if protocol == "random_split":
        return {protocol: whole, f"{protocol}_lone_beat": _lone(served, beats, test)}
    whole["interval_95"] = intervals(list(matrices.values()))
    in_ds2 = np.isin(record, [int(r) for r in aami.DS2])
    return {
        protocol: whole,
        "inter_patient_without_paced": _of_ds2(proba[in_ds2], label[in_ds2], matrices, wanted),
        "inter_patient_without_202": _without(matrices, [SAME_PATIENT_AS_201]),
        "inter_patient_without_232": _without(matrices, [MOSTLY_ECTOPIC]),
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


def _of_ds2(
    proba: NDArray[np.float32],
    label: NDArray[np.int64],
    matrices: dict[int, NDArray[np.int64]],
    wanted: params.Evaluate,
) -> dict[str, Any]:
    """Score the half without paced records, which most papers quote, and how sure answers are."""
    paced = [int(r) for r in aami.PACED_TEST]
    found = _without(matrices, paced)
    if not found:
        return {}
    confidence, right = proba.max(axis=1), proba.argmax(axis=1) == label
    kept = [confidence >= least for least in ABSTAIN]
    found["interval_95"] = intervals([m for r, m in matrices.items() if r not in paced])
    found["calibration_error"] = calibration_error(proba, label, wanted.bins)[0]
    found["abstain_below"] = {
        f"{least:g}": {"coverage": float(k.mean()), "accuracy": float(right[k].mean())}
        for least, k in zip(ABSTAIN, kept, strict=True)
        if k.any()
    }
    pictures.abstention(confidence, right, dataset.REPORTS / "inter_patient_abstention.png")
    return found


def _by_patient() -> dict[str, Any]:
    """Score DS2 by sex and age, from the records' headers; n records each say how little it is."""
    groups: dict[str, list[NDArray[np.int64]]] = {}
    for record, matrix in counts.read(_records_csv("inter_patient")).items():
        found = PATIENT.search((dataset.RECORDS / f"{record}.hea").read_text())
        if record not in aami.DS2 or found is None:
            continue
        age = next(name for end, name in AGES.items() if int(found[1]) < end)
        for name in ({"M": "men", "F": "women"}[found[2]], age):
            groups.setdefault(name, []).append(matrix)
    return {
        name: {"records": len(some), **scoring.scores(np.sum(some, axis=0))}
        for name, some in sorted(groups.items())
    }


def _seeds(beats: Dataset) -> dict[str, Any]:
    """Score the graphs of all seeds on DS2: values, mean and spread of what the tables quote."""
    test = np.flatnonzero(np.isin(beats.record, [int(r) for r in aami.DS2]))
    some, label = beats.beats.take(test), np.asarray(beats.label[test])
    folders = [dataset.ARTEFACTS / "inter_patient", *sorted(dataset.ARTEFACTS.glob("seed_*"))]
    values: dict[str, list[float]] = {}
    for folder in folders:
        path = folder / classifier.MODELS[RECORDING]
        graph = classifier.open_session(path.read_bytes(), str(path))
        found = scoring.scores(
            scoring.confusion(label, classifier.run(graph, some)[0].argmax(axis=1))
        )
        quoted = {name: found[name] for name in ("accuracy", *INTERVALS)}
        quoted |= {f"{c}_f1": found[c]["f1"] for c in "NSVF"}
        for name, value in quoted.items():
            values.setdefault(name, []).append(value)
    return {
        name: {"mean": float(np.mean(v)), "spread": float(np.std(v, ddof=min(1, len(v) - 1)))}
        | {"values": v}
        for name, v in values.items()
    }


def _folds() -> dict[str, Any]:
    """Return what training found on DS1, each record scored by a model that never saw it."""
    found = {}
    for path in sorted((dataset.NETWORKS / "inter_patient").glob("*.json")):
        matrix = json.loads(path.read_text())["of_folds"]
        found[path.stem] = scoring.scores(np.array(matrix))
    return found


def _lone(served: classifier.Classifier, beats: Dataset, test: NDArray[np.int64]) -> dict[str, Any]:
    """Score the test beats as if each had been sent alone: no RR, no typical beat."""
    context = np.full((len(test), beats.beats.context.shape[1]), np.nan, np.float32)
    answer = served.predict(dataset.lone_beats(beats, test, context)).argmax(1)
    return scoring.scores(scoring.confusion(beats.label[test], answer))


def _records_csv(protocol: Protocol) -> Path:
    return dataset.REPORTS / f"{protocol}_records.csv"


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
