"""Scores against cases worked by hand."""

import numpy as np
import pytest

from ecg import scoring
from ecg.aami import CLASSES


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
