"""Beat matching: worked by hand, and against wfdb's own comparison on whole records."""

import math
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ecg import aami
from ecg.matching import (
    Counts,
    average,
    count,
    gross,
    match,
    scores,
    ventricular_flutter,
)
from ecg.record import Annotation

ARCHIVE = "mit-bih-arrhythmia-database-1.0.0.zip"


def at(*samples: int) -> NDArray[np.int64]:
    return np.array(samples, np.int64)


def pairs(reference: NDArray[np.int64], test: NDArray[np.int64]) -> list[list[int]]:
    # At 100 Hz the window is 15 samples.
    found: list[list[int]] = match(reference, test, 100.0).pairs.tolist()
    return found


def test_equal_beats_are_pairs() -> None:
    found = match(at(100, 200), at(100, 200), 100.0)
    assert found.pairs.tolist() == [[0, 0], [1, 1]]
    assert found.missed.tolist() == []
    assert found.extra.tolist() == []


@pytest.mark.parametrize(("test", "expected"), [(115, [[0, 0]]), (116, []), (85, [[0, 0]])])
def test_the_window_is_150_ms_with_its_edge(test: int, expected: list[list[int]]) -> None:
    assert pairs(at(100), at(test)) == expected


def test_the_window_is_in_seconds() -> None:
    assert len(match(at(1000), at(1150), 1000.0).pairs) == 1
    assert len(match(at(1000), at(1150), 360.0).pairs) == 0
    assert len(match(at(1000), at(1150), 1000.0, window_s=0.1).pairs) == 0


def test_a_beat_found_twice_is_one_pair_and_one_extra() -> None:
    found = match(at(100), at(95, 102), 100.0)
    assert found.pairs.tolist() == [[0, 1]]
    assert found.extra.tolist() == [0]


def test_two_beats_found_once_are_one_pair_and_one_miss() -> None:
    found = match(at(100, 112), at(110), 100.0)
    assert found.pairs.tolist() == [[1, 0]]
    assert found.missed.tolist() == [0]


def test_the_nearer_of_two_detections_wins_when_it_comes_first() -> None:
    found = match(at(100), at(98, 110), 100.0)
    assert found.pairs.tolist() == [[0, 0]]
    assert found.extra.tolist() == [1]


def test_a_nearer_neighbour_with_a_partner_of_its_own_takes_none_away() -> None:
    # 110 is nearer to 114 than to 100, but 114 has 115, and 100 would stay alone.
    assert pairs(at(100, 114), at(110, 115)) == [[0, 0], [1, 1]]


def test_missed_and_extra_are_all_that_is_not_paired() -> None:
    found = match(at(100, 200, 300), at(100, 250, 300, 400), 100.0)
    assert found.missed.tolist() == [1]
    assert found.extra.tolist() == [1, 3]


def test_nothing_matches_nothing() -> None:
    assert match(at(), at(), 100.0).pairs.shape == (0, 2)
    assert match(at(1, 2), at(), 100.0).missed.tolist() == [0, 1]
    assert match(at(), at(1, 2), 100.0).extra.tolist() == [0, 1]


def test_scores_of_a_hand_worked_record() -> None:
    counted = count(at(100, 200, 300, 400), at(100, 203, 250, 300), 100.0)
    assert counted == Counts(tp=3, fn=1, fp=1)
    assert (scores(counted).se, scores(counted).ppv) == (0.75, 0.75)


def test_gross_weighs_beats_and_average_weighs_records() -> None:
    records = [Counts(tp=90, fn=10, fp=0), Counts(tp=5, fn=5, fp=5)]
    assert gross(records).se == pytest.approx(95 / 110)
    assert gross(records).ppv == pytest.approx(95 / 100)
    assert average(records).se == pytest.approx(0.7)
    assert average(records).ppv == pytest.approx(0.75)


def test_a_record_without_beats_has_no_score_and_leaves_the_average_alone() -> None:
    empty = Counts(tp=0, fn=0, fp=0)
    assert math.isnan(scores(empty).se)
    assert average([empty, Counts(tp=1, fn=1, fp=0)]).se == 0.5
    assert math.isnan(average([]).ppv)


def test_the_learning_period_is_left_out_with_its_errors() -> None:
    reference, test = at(100, 200, 300, 400), at(150, 300, 350, 400)
    assert count(reference, test, 1.0, start_s=300.0) == Counts(tp=2, fn=0, fp=1)


def test_a_pair_across_the_start_costs_nothing() -> None:
    assert count(at(299, 400), at(305, 400), 100.0, start_s=3.0) == Counts(tp=1, fn=0, fp=0)


def test_errors_inside_excluded_segments_do_not_count() -> None:
    excluded = np.array([[150, 350]], np.int64)
    counted = count(at(100, 200, 400), at(100, 250, 300, 450), 100.0, excluded=excluded)
    assert counted == Counts(tp=1, fn=1, fp=1)


def test_flutter_lasts_from_bracket_to_bracket() -> None:
    marks = Annotation(at(10, 20, 25, 30, 40, 50), tuple("N[!]N["))
    assert ventricular_flutter(marks, 100).tolist() == [[20, 30], [50, 99]]
    assert ventricular_flutter(Annotation(at(10), ("N",)), 100).shape == (0, 2)


@pytest.mark.parametrize("name", ["100", "105", "108", "203", "208", "222"])
def test_pairs_are_those_of_wfdb(name: str, tmp_path: Path) -> None:
    archive_path = Path(os.environ.get("BEATWISE_MIRROR", ""), ARCHIVE)
    if not archive_path.is_file():
        pytest.skip("BEATWISE_MIRROR does not name a folder with the MIT-BIH archive")
    import wfdb
    from wfdb.processing import compare_annotations

    with zipfile.ZipFile(archive_path) as archive:
        (member,) = [m for m in archive.namelist() if m.endswith(f"/{name}.atr")]
        (tmp_path / f"{name}.atr").write_bytes(archive.read(member))
    marks = wfdb.rdann(str(tmp_path / name), "atr")
    beats = aami.symbol_to_class()
    reference = marks.sample[[s in beats for s in marks.symbol]].astype(np.int64)
    test = disturbed(reference, int(name))
    # wfdb's window is without its edge.
    theirs = compare_annotations(reference, test, round(0.15 * 360) + 1)
    ours = match(reference, test, 360.0)
    assert (len(ours.pairs), len(ours.missed), len(ours.extra)) == (
        theirs.tp,
        theirs.fn,
        theirs.fp,
    )


def disturbed(reference: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return the beats as a poor detector has them: moved, one in ten lost, as many made up."""
    rng = np.random.default_rng(seed)
    moved = reference + rng.normal(0, 15, len(reference)).astype(np.int64)
    kept = moved[rng.random(len(moved)) > 0.1]
    made_up = rng.integers(0, reference[-1], len(reference) // 10)
    return np.unique(np.clip(np.concatenate([kept, made_up]), 0, None)).astype(np.int64)
