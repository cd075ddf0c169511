"""Scores against cases worked by hand; those of tests/ec57 are files, and a new one is found."""

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ecg import aami, scoring
from ecg.aami import CLASSES
from ecg.errors import InputError
from ecg.record import Annotation

MAPS = {"DE_CHAZAL": aami.DE_CHAZAL, "BXB": aami.BXB}
CASES = sorted(file.parent for file in Path(__file__).parent.glob("ec57/*/expected.json"))
ROWS, COLUMNS = (*CLASSES, "O"), (*"nsvfq", "o")


def marks(*lines: tuple[int, str]) -> Annotation:
    return Annotation(np.array([s for s, _ in lines], np.int64), tuple(s for _, s in lines))


def classes(symbols: Sequence[str]) -> NDArray[np.int64]:
    return np.array([CLASSES.index(symbol) for symbol in symbols], np.int64)


# EC57: tests/ec57/<case>/reference.txt and test.txt hold a sample and a letter a line,
# expected.json the matrix by cell (reference in upper case, test in lower) and rates as fractions.


def marks_of(file: Path) -> Annotation:
    lines = [line.split() for line in file.read_text().splitlines()]
    return marks(*((int(sample), symbol) for sample, symbol in lines))


def compared(case: Path, expected: dict[str, Any]) -> scoring.Comparison:
    test = marks_of(case / "test.txt")
    return scoring.compare(
        marks_of(case / "reference.txt"),
        test.sample,
        classes(test.symbol),
        expected["fs"],
        MAPS[expected["classes_map"]],
        expected["start_s"],
    )


def rate(value: int | str | None) -> float | None:
    return None if value is None else float(Fraction(value))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_matrix_is_that_worked_by_hand(case: Path) -> None:
    expected = json.loads((case / "expected.json").read_text())
    matrix = compared(case, expected).matrix
    assert {
        ROWS[i] + COLUMNS[j]: int(matrix[i, j]) for i, j in np.argwhere(matrix).tolist()
    } == expected["matrix"], expected["why"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_figures_are_those_worked_by_hand(case: Path) -> None:
    expected = json.loads((case / "expected.json").read_text())
    for target, figures in scoring.figures(compared(case, expected)).items():
        by_hand = {name: rate(value) for name, value in expected[target].items()}
        assert figures == pytest.approx(by_hand), expected["why"]


def test_the_figures_are_json() -> None:
    empty = scoring.compare(marks(), classes(""), classes(""), 360.0)
    figures = scoring.figures(empty)
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures


def test_matched_beats_make_a_confusion_matrix_that_scores_takes() -> None:
    reference = marks((100, "N"), (200, "V"), (300, "V"), (400, "N"))
    found = scoring.compare(reference, np.array([100, 200, 500]), classes("NNS"), 100.0)
    assert found.confusion.shape == (5, 5)
    assert scoring.scores(found.confusion)["accuracy"] == 0.5


@pytest.mark.parametrize(
    ("sample", "beat_class", "problem"),
    [
        ([100, 200], [0], "2 beats and 1 classes"),
        ([100], [5], "class"),
        ([100], [-1], "class"),
        ([200, 100], [0, 0], "backwards"),
    ],
)
def test_what_are_no_beats_is_refused(
    sample: list[int], beat_class: list[int], problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        scoring.compare(marks((100, "N")), np.array(sample), np.array(beat_class, np.int64), 100.0)


def of_vebs(tp: int, fn: int, fp: int) -> scoring.Comparison:
    matrix = np.zeros((6, 6), np.int64)
    matrix[2, 2], matrix[2, 0], matrix[0, 2] = tp, fn, fp
    return scoring.Comparison(matrix)


def test_gross_weighs_beats_and_average_weighs_records() -> None:
    records = [of_vebs(tp=90, fn=10, fp=0), of_vebs(tp=5, fn=5, fp=5)]
    gross = scoring.figures(scoring.gross(records))["veb"]
    assert (gross["se"], gross["ppv"]) == (95 / 110, 95 / 100)
    assert scoring.average(records)["veb"]["se"] == pytest.approx(0.7)
    assert scoring.average(records)["veb"]["ppv"] == pytest.approx(0.75)


def test_a_record_without_vebs_leaves_the_average_alone() -> None:
    records = [of_vebs(tp=0, fn=0, fp=0), of_vebs(tp=1, fn=1, fp=0)]
    assert scoring.average(records)["veb"]["se"] == 0.5


def test_no_records_have_no_figures() -> None:
    assert scoring.average([])["qrs"] == {"se": None, "ppv": None}
    assert scoring.figures(scoring.gross([]))["qrs"]["se"] is None


# Classes beat by beat


def test_confusion_counts_reference_in_rows() -> None:
    got = scoring.confusion(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]))
    assert got[0, 0] == got[0, 1] == got[1, 1] == got[2, 0] == 1
    assert got.sum() == 4


def test_scores_by_hand() -> None:
    matrix = np.zeros((5, 5), np.int64)
    matrix[0] = [90, 10, 0, 0, 0]
    matrix[1] = [5, 5, 0, 0, 0]
    matrix[2] = [0, 0, 10, 0, 0]
    got = scoring.scores(matrix)
    assert got["accuracy"] == pytest.approx(105 / 120)
    assert got["S"] == {"se": 0.5, "ppv": 5 / 15, "f1": 10 / 25, "n": 10}
    assert got["macro_f1_nsv"] == pytest.approx((180 / 195 + 0.4 + 1) / 3)
    assert got["macro_f1"] == got["macro_f1_nsv"]  # F and Q are absent


def test_perfect_answers_have_a_j_kappa_of_one() -> None:
    assert scoring.j_kappa(np.diag([10, 5, 5, 1, 1])) == pytest.approx(1.0)


def test_j_kappa_by_hand() -> None:
    matrix = np.zeros((5, 5), np.int64)
    matrix[0, 0], matrix[1, 0], matrix[1, 1], matrix[2, 2] = 80, 5, 5, 10
    observed, expected = 0.95, (80 * 85 + 10 * 5 + 10 * 10) / 100**2
    kappa = (observed - expected) / (1 - expected)
    j = 0.5 + 1.0 + 1.0 + 1.0
    assert scoring.j_kappa(matrix) == pytest.approx(kappa / 2 + j / 8)


def test_no_beats_score_nothing_and_do_not_fail() -> None:
    got = scoring.scores(np.zeros((5, 5), np.int64))
    assert got["accuracy"] == 0.0
    assert {got[name]["n"] for name in CLASSES} == {0}
