"""Stage `evaluate`: score the artefacts as the service loads them, under named protocols.

`inter_patient` trains on DS1 and tests on DS2 and two paced records; `random_split` splits by
beat, so that patients leak from training into testing: it is here because most projects quote it.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg import aami, classifier, scoring
from ecg.beats import LONE, RECORDING
from pipeline import balance, compare, conditions, counts, dataset, params, pictures, recordings
from pipeline.dataset import CONVXGB, Dataset, Labelled, Protocol, crossed
from pipeline.folds import CROSS

SAME_PATIENT_AS_201: Final = 202
MOSTLY_ECTOPIC: Final = 232
"""The record that three quarters of the S beats of DS2 belong to."""
ABSTAIN: Final = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


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


@dataclass(frozen=True)
class Answered:
    """An artefact, the test beats of its protocol, proba (n, 5), and (5, 5) by record."""

    served: classifier.Classifier
    test: Labelled
    proba: NDArray[np.float32]
    matrices: dict[int, NDArray[np.int64]]


def main() -> None:
    wanted = params.load("evaluate", params.Evaluate)
    beats = dataset.load()
    dataset.REPORTS.mkdir(exist_ok=True)
    names = [CONVXGB, *params.model_names()]
    artefacts = {name: dataset.ARTEFACTS / name / "inter_patient" for name in names}
    found: dict[str, Any] = {"beats": {}, "folds": {name: _folds(name) for name in names}}
    found["by_patient"] = {}
    for name, folder in artefacts.items():
        one = _answered(folder, "inter_patient")
        found["beats"][name] = _inter_patient(one, beats, wanted)
        found["by_patient"][name] = _by_patient(one)
        if name == CONVXGB:
            found["beats"][name] |= _convxgb(one, beats, wanted)
    found["seeds"] = {CONVXGB: _seeds(beats)}
    found["folds_of_ds1"] = {CONVXGB: _stacked_folds()}
    tested = _names(beats, dataset.test_rows("inter_patient"))
    ds2 = tuple(name for name in tested if name in aami.DS2)
    found["conditions"] = conditions.scored(artefacts, ds2, wanted.jobs)
    found["in_noise"] = conditions.noise_curve(artefacts, ds2, wanted.jobs)
    found["records"] = {CONVXGB: recordings.records(artefacts[CONVXGB], tested, wanted.jobs)}
    found["qrs"] = recordings.qrs(_names(beats), wanted.jobs)
    found["imbalance"] = _imbalance()
    dataset.SCORES.mkdir(parents=True, exist_ok=True)
    (dataset.SCORES / "beats.json").write_text(json.dumps(found, indent=1) + "\n")
    pictures.classes_in_noise(found["in_noise"][CONVXGB], dataset.REPORTS / "classes_in_noise.png")
    pictures.noise_curve(found["qrs"]["with_noise"], dataset.REPORTS / "qrs_with_noise.png")
    pictures.class_distribution(beats.label, dataset.REPORTS / "class_distribution.png")
    pictures.of_models(found["folds"], dataset.REPORTS)
    pictures.shifts(found["conditions"], found["in_noise"], dataset.REPORTS / "models_shift.png")


def _answered(folder: Path, protocol: Protocol) -> Answered:
    served = classifier.load(folder)
    test = dataset.test_of(protocol, conditions.view_of(served))
    proba = served.predict(test.beats)
    return Answered(
        served, test, proba, compare.by_record(test.record, test.label, proba.argmax(axis=1))
    )


def _inter_patient(one: Answered, beats: Dataset, wanted: params.Evaluate) -> dict[str, Any]:
    """Score a model on patients that it has not seen, whole and without some of them."""
    found = {
        "inter_patient": _whole(one, wanted)
        | {"interval_95": compare.intervals([*one.matrices.values()], compare.five_classes)},
        "inter_patient_without_paced": _of_ds2(one, wanted),
        "inter_patient_without_202": _without(one.matrices, [SAME_PATIENT_AS_201]),
        "inter_patient_without_232": _without(one.matrices, [MOSTLY_ECTOPIC]),
    }
    if LONE in one.served.graphs:
        rows = dataset.test_rows("inter_patient")
        found["inter_patient_lone_beat"] = _lone(one.served, beats, rows)
    return found


def _convxgb(unseen: Answered, beats: Dataset, wanted: params.Evaluate) -> dict[str, Any]:
    """Draw CONVXGB under both protocols, and score it under the one that leaks."""
    leaks = _answered(dataset.ARTEFACTS / CONVXGB / "random_split", "random_split")
    _draw(unseen, "inter_patient", wanted)
    _draw(leaks, "random_split", wanted)
    named = {str(name): matrix for name, matrix in unseen.matrices.items()}
    pictures.by_record(named, dataset.REPORTS / "inter_patient_by_record.png")
    in_ds2 = np.isin(unseen.test.record, [int(r) for r in aami.DS2])
    confidence = unseen.proba.max(axis=1)[in_ds2]
    right = (unseen.proba.argmax(axis=1) == unseen.test.label)[in_ds2]
    pictures.abstention(confidence, right, dataset.REPORTS / "inter_patient_abstention.png")
    rows = dataset.test_rows("random_split")
    return {
        "random_split": _whole(leaks, wanted),
        "random_split_lone_beat": _lone(leaks.served, beats, rows),
    }


def _draw(one: Answered, protocol: Protocol, wanted: params.Evaluate) -> None:
    stem, label = f"{dataset.REPORTS}/{protocol}", one.test.label
    counts.write(_records_csv(protocol), {str(r): m for r, m in one.matrices.items()})
    total = np.sum(list(one.matrices.values()), axis=0)
    pictures.confusion(total, f"CONVXGB, {protocol}", Path(f"{stem}_confusion.png"))
    pictures.roc(label, one.proba, protocol, Path(f"{stem}_roc.png"))
    bars = calibration_error(one.proba, label, wanted.bins)[1]
    pictures.reliability(bars, protocol, Path(f"{stem}_calibration.png"))


def _whole(one: Answered, wanted: params.Evaluate) -> dict[str, Any]:
    return {
        **scoring.scores(np.sum(list(one.matrices.values()), axis=0)),
        "calibration_error": calibration_error(one.proba, one.test.label, wanted.bins)[0],
        "roc_auc": compare.areas(one.test.label, one.proba),
    }


def _names(beats: Dataset, rows: NDArray[np.int64] | slice = slice(None)) -> tuple[str, ...]:
    return tuple(str(record) for record in np.unique(beats.record[rows]))


def _without(matrices: dict[int, NDArray[np.int64]], left_out: list[int]) -> dict[str, Any]:
    kept = [m for record, m in matrices.items() if record not in left_out]
    return scoring.scores(np.sum(kept, axis=0)) if kept else {}


def _of_ds2(one: Answered, wanted: params.Evaluate) -> dict[str, Any]:
    """Score the half without paced records, which most papers quote, and how sure answers are."""
    paced = [int(r) for r in aami.PACED_TEST]
    found = _without(one.matrices, paced)
    if not found:
        return {}
    kept = ~np.isin(one.test.record, paced)
    some, label = one.proba[kept], one.test.label[kept]
    of_ds2 = [m for r, m in one.matrices.items() if r not in paced]
    found["interval_95"] = compare.intervals(of_ds2, compare.five_classes)
    found["calibration_error"] = calibration_error(some, label, wanted.bins)[0]
    found["roc_auc"] = compare.areas(label, some)
    found["abstain_below"] = _abstaining(some.max(axis=1), some.argmax(axis=1) == label)
    return found


def _abstaining(confidence: NDArray[np.float32], right: NDArray[np.bool_]) -> dict[str, Any]:
    kept = [confidence >= least for least in ABSTAIN]
    return {
        f"{least:g}": {"coverage": float(k.mean()), "accuracy": float(right[k].mean())}
        for least, k in zip(ABSTAIN, kept, strict=True)
        if k.any()
    }


def _by_patient(one: Answered) -> dict[str, Any]:
    """Score DS2 by age and sex, as five classes and as normal or not."""
    odd = (one.proba[:, 0] < 0.5).astype(np.int64)
    of_two = (one.test.label > 0).astype(np.int64)
    two = compare.by_record(one.test.record, of_two, odd, classes=2)
    return compare.by_patient(one.matrices, two)


def _folds(name: str) -> dict[str, Any]:
    """Return the figures of a model on the folds of DS1, by record and, leaking, by beat."""
    found: dict[str, Any] = {}
    for protocol in CROSS:
        with np.load(crossed(name, protocol), allow_pickle=False) as file:
            found[protocol] = compare.of_folds(file["proba"], file["label"], file["fold"])
    return found


def _seeds(beats: Dataset) -> dict[str, Any]:
    """Score the graphs of all seeds on DS2: values, mean and spread of what the tables quote."""
    test = np.flatnonzero(np.isin(beats.record, [int(r) for r in aami.DS2]))
    some, label = beats.beats.take(test), np.asarray(beats.label[test])
    ours = dataset.ARTEFACTS / CONVXGB
    folders = [ours / "inter_patient", *sorted(ours.glob("seed_*"))]
    values: dict[str, list[float]] = {}
    for folder in folders:
        path = folder / classifier.MODELS[RECORDING]
        graph = classifier.open_graph(path.read_bytes(), str(path), RECORDING)
        matrix = scoring.confusion(label, graph.run(some)[0].argmax(axis=1))
        quoted = {"accuracy": scoring.scores(matrix)["accuracy"], **compare.five_classes(matrix)}
        for name, value in quoted.items():
            values.setdefault(name, []).append(value)
    return {name: {**compare.mean_and_spread(v), "values": v} for name, v in values.items()}


def _imbalance() -> dict[str, Any]:
    """Return what the ways to treat rare classes do, by model and way."""
    model = params.load("imbalance", params.Imbalance).model
    paths = [dataset.IMBALANCE / f"{method}.json" for method in balance.METHODS]
    return {model: {p.stem: json.loads(p.read_text()) for p in paths if p.is_file()}}


def _stacked_folds() -> dict[str, Any]:
    """Return what training found on DS1, each record scored by a model that never saw it."""
    found = {}
    for path in sorted((dataset.TRAINED / CONVXGB / "inter_patient").glob("*.json")):
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


if __name__ == "__main__":
    main()
