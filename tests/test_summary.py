"""The figures of a recording, worked out by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from ecg.aami import CLASSES
from ecg.summary import ectopy, heart_rate, variability


def rr(*seconds: float | None) -> NDArray[np.float64]:
    return np.array([np.nan if s is None else s for s in seconds])


def counted(letters: str, broken: tuple[int, ...] = ()) -> dict[str, int]:
    """Count V beats of a text; `broken`: beats that do not follow the one before them."""
    classes = np.array([CLASSES.index(letter) for letter in letters])
    linked = np.ones(len(letters), np.bool_)
    linked[[0, *broken]] = False
    return ectopy(classes == CLASSES.index("V"), linked, classes == 0)


@pytest.mark.parametrize(
    ("letters", "couplets", "runs", "longest", "bigeminy"),
    [
        ("NNNN", 0, 0, 0, 0),
        ("NVN", 0, 0, 0, 0),
        ("NVVN", 1, 0, 0, 0),
        ("NVVVN", 0, 1, 3, 0),
        ("VVNVVVVNVV", 2, 1, 4, 0),
        ("NVNVN", 0, 0, 0, 0),
        ("NVNVNV", 0, 0, 0, 1),
        ("NNVNVNVNVN", 0, 0, 0, 1),
        ("NVNVNVNNVNVNV", 0, 0, 0, 2),
        ("SVSVSV", 0, 0, 0, 0),
        ("V", 0, 0, 0, 0),
    ],
)
def test_ectopy_is_counted(
    letters: str, couplets: int, runs: int, longest: int, bigeminy: int
) -> None:
    expected = {
        **{"couplets": couplets, "runs": runs, "longest_run": longest, "bigeminy": bigeminy}
    }
    assert counted(letters) == expected


def test_a_gap_ends_runs_and_bigeminy() -> None:
    assert counted("NVVVN", broken=(3,))["runs"] == 0
    assert counted("NVVVN", broken=(3,))["couplets"] == 1
    assert counted("NVNVNV", broken=(3,))["bigeminy"] == 0
    assert counted("NVNVNV", broken=(4,))["bigeminy"] == 0


def test_the_heart_rate_of_even_beats() -> None:
    assert heart_rate(rr(None, *[0.8] * 20)) == {"mean": 75.0, "min": 75.0, "max": 75.0}


def test_the_extremes_of_the_heart_rate_are_means_of_eight() -> None:
    found = heart_rate(rr(None, *[1.0] * 10, *[0.5] * 10))
    assert (found["min"], found["max"]) == (60.0, 120.0)
    assert found["mean"] == 80.0
    # One short interval among long ones is no heart rate of 300.
    assert heart_rate(rr(None, *[1.0] * 10, 0.2, *[1.0] * 10))["max"] == pytest.approx(66.7)


def test_no_interval_has_no_heart_rate() -> None:
    assert heart_rate(rr(None)) == {"mean": None, "min": None, "max": None}
    assert heart_rate(rr()) == {"mean": None, "min": None, "max": None}


def test_variability_of_normal_beats() -> None:
    seconds = rr(None, 0.8, 0.9, 0.8, 0.9)
    found = variability(seconds, np.ones(5, np.bool_))
    assert found["intervals"] == 4
    assert found["rmssd_ms"] == 100.0
    assert found["pnn50_percent"] == 100.0
    assert found["sdnn_ms"] == pytest.approx(57.7)


def test_intervals_beside_an_ectopic_beat_are_not_normal_to_normal() -> None:
    seconds = rr(None, 0.8, 0.5, 1.1, 0.8)
    found = variability(seconds, np.array([True, True, False, True, True]))
    assert found["intervals"] == 2
    assert found["sdnn_ms"] == 0.0
    assert found["rmssd_ms"] is None


def test_missing_intervals_and_impossible_ones_are_left_out() -> None:
    seconds = rr(None, 0.8, None, 0.8, 2.5, 0.1, 0.8)
    assert variability(seconds, np.ones(7, np.bool_))["intervals"] == 3
