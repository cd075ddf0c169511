"""Beat matching: worked by hand, and against wfdb's own comparison on whole records."""

import os
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ecg.detector import find_r_peaks
from ecg.errors import InputError
from ecg.matching import inside, match, ventricular_flutter
from ecg.record import Annotation
from ecg.scoring import compare, figures

ARCHIVE = "mit-bih-arrhythmia-database-1.0.0.zip"
# Without 207, which alone has ventricular flutter: wfdb does not know of it.
RECORDS = ("100", "105", "108", "119", "201", "203", "208", "210", "222", "228")


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


@pytest.mark.parametrize(
    ("test", "expected"), [(115, [[0, 0]]), (116, []), (85, [[0, 0]]), (84, [])]
)
def test_the_window_is_150_ms_with_its_edge(test: int, expected: list[list[int]]) -> None:
    assert pairs(at(100), at(test)) == expected


@pytest.mark.parametrize("fs", range(100, 2001, 20))
def test_the_edge_is_within_at_every_rate_that_has_one(fs: int) -> None:
    assert len(match(at(1000), at(1000 + 3 * fs // 20), float(fs)).pairs) == 1


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


def test_of_two_as_near_the_later_wins() -> None:
    assert pairs(at(100), at(90, 110)) == [[0, 1]]
    assert pairs(at(90, 110), at(100)) == [[1, 0]]


@pytest.mark.parametrize("swapped", [False, True])
def test_a_nearer_neighbour_with_a_partner_of_its_own_takes_none_away(swapped: bool) -> None:
    # 110 is nearer to 114 than to 100, but 114 has 115, and 100 would stay alone.
    sides = (at(100, 114), at(110, 115))
    assert pairs(*(reversed(sides) if swapped else sides)) == [[0, 0], [1, 1]]


def test_missed_and_extra_are_all_that_is_not_paired() -> None:
    found = match(at(100, 200, 300), at(100, 250, 300, 400), 100.0)
    assert found.missed.tolist() == [1]
    assert found.extra.tolist() == [1, 3]


def test_nothing_matches_nothing() -> None:
    assert match(at(), at(), 100.0).pairs.shape == (0, 2)
    assert match(at(1, 2), at(), 100.0).missed.tolist() == [0, 1]
    assert match(at(), at(1, 2), 100.0).extra.tolist() == [0, 1]


@pytest.mark.parametrize("sides", [(at(2, 1), at(1)), (at(1), at(2, 1))])
def test_beats_that_run_backwards_are_refused(
    sides: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> None:
    with pytest.raises(InputError, match="backwards"):
        match(*sides, 100.0)


def test_flutter_lasts_from_bracket_to_bracket() -> None:
    marks = Annotation(at(10, 20, 25, 30, 40), tuple("N[!]N"))
    assert ventricular_flutter(marks).tolist() == [[20, 30]]
    assert ventricular_flutter(Annotation(at(10), ("N",))).shape == (0, 2)


def test_flutter_that_nothing_ends_lasts_to_the_end() -> None:
    (segment,) = ventricular_flutter(Annotation(at(10, 20, 30), tuple("[NN")))
    assert inside(at(9, 10, 2**53), segment[None]).tolist() == [False, True, True]


def test_a_segment_holds_its_edges() -> None:
    segments = np.array([[10, 20], [40, 50], [50, 60]])
    assert inside(at(10, 20, 40, 50, 60), segments).all()
    assert not inside(at(0, 9, 21, 39, 61), segments).any()


def test_no_segment_holds_nothing() -> None:
    assert not inside(at(0, 1), np.empty((0, 2), np.int64)).any()


def test_a_million_marks_take_seconds() -> None:
    beats = np.arange(0, 10_000_000, 10)
    reference = Annotation(beats, tuple("[N]N" * (len(beats) // 4)))
    start = time.perf_counter()
    compare(reference, beats, np.zeros_like(beats), 360.0)
    assert time.perf_counter() - start < 10.0


# wfdb's comparison


def mit_bih(name: str, folder: Path) -> tuple[NDArray[np.float64], Annotation]:
    """Return the first lead in mV and the annotation of a record."""
    archive_path = Path(os.environ.get("BEATWISE_MIRROR", ""), ARCHIVE)
    if not archive_path.is_file():
        pytest.skip("BEATWISE_MIRROR does not name a folder with the MIT-BIH archive")
    import wfdb

    with zipfile.ZipFile(archive_path) as archive:
        for ending in ("hea", "dat", "atr"):
            (member,) = [m for m in archive.namelist() if m.endswith(f"/{name}.{ending}")]
            (folder / f"{name}.{ending}").write_bytes(archive.read(member))
    signal = wfdb.rdrecord(str(folder / name)).p_signal[:, 0].astype(np.float64)
    marks = wfdb.rdann(str(folder / name), "atr")
    return signal, Annotation(marks.sample.astype(np.int64), tuple(marks.symbol))


def by_wfdb(reference: Annotation, test: NDArray[np.int64]) -> tuple[int, int, int]:
    """Return tp, fn and fp at 360 Hz.

    wfdb leaves it to the caller to drop marks that are no beats, and its window is without its
    edge, so that 55 samples there are our 54.
    """
    from wfdb.processing import compare_annotations

    is_beat = [symbol not in '+~|x"[]!' for symbol in reference.symbol]
    found = compare_annotations(reference.sample[is_beat], test, 55)
    return found.tp, found.fn, found.fp


def by_us(reference: Annotation, test: NDArray[np.int64]) -> tuple[float | None, ...]:
    qrs = figures(compare(reference, test, np.zeros_like(test), 360.0))["qrs"]
    return qrs["tp"], qrs["fn"], qrs["fp"]


def disturbed(reference: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return the beats as a poor detector has them: moved, one in ten lost, as many made up."""
    rng = np.random.default_rng(seed)
    moved = reference + rng.normal(0, 15, len(reference)).astype(np.int64)
    kept = moved[rng.random(len(moved)) > 0.1]
    made_up = rng.integers(0, reference[-1], len(reference) // 10)
    return np.unique(np.clip(np.concatenate([kept, made_up]), 0, None)).astype(np.int64)


@pytest.mark.parametrize("name", RECORDS)
def test_found_beats_score_as_wfdb_scores_them(name: str, tmp_path: Path) -> None:
    signal, reference = mit_bih(name, tmp_path)
    test = find_r_peaks(signal, 360.0).sample
    assert by_us(reference, test) == by_wfdb(reference, test)


@pytest.mark.parametrize("name", RECORDS)
def test_disturbed_beats_score_as_wfdb_scores_them(name: str, tmp_path: Path) -> None:
    _, reference = mit_bih(name, tmp_path)
    test = disturbed(reference.sample, int(name))
    assert by_us(reference, test) == by_wfdb(reference, test)
