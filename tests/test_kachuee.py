"""The public files' own cut: from the R peak on, scaled, filled up with zeros."""

import numpy as np
import pytest
from numpy.typing import NDArray

from ecg import kachuee
from ecg.beats import KACHUEE, KACHUEE_SAMPLES
from ecg.errors import InputError
from pipeline.dataset import Labelled, no_beats
from pipeline.kachuee import COUNTS, check_counts
from tests.test_detector import made

FS = 360.0


@pytest.fixture(scope="module")
def signal() -> NDArray[np.float64]:
    return made(FS, 30.0).signal


@pytest.fixture(scope="module")
def r_peaks() -> NDArray[np.int64]:
    return made(FS, 30.0).beats


def test_beats_start_at_the_r_peak_are_scaled_and_end_in_zeros(
    signal: NDArray[np.float64], r_peaks: NDArray[np.int64]
) -> None:
    beats = kachuee.from_record(signal, FS, r_peaks)
    assert beats.view == KACHUEE
    assert beats.windows.shape == (len(r_peaks), KACHUEE_SAMPLES, 1)
    own = beats.windows[1:-2, :, 0]
    assert own.min() == 0
    assert own.max() == 1
    assert own[:, :2].max(axis=1).min() > 0.8
    length = np.rint(kachuee.PERIODS * kachuee.periods(r_peaks / FS) * 125)[1:-2]
    for beat, n in zip(own, length.astype(int), strict=True):
        assert not beat[n + 1 :].any()
        assert (beat[: n - 1] > 0).mean() > 0.9


def test_scale_and_offset_of_the_signal_do_not_matter(
    signal: NDArray[np.float64], r_peaks: NDArray[np.int64]
) -> None:
    one = kachuee.from_record(signal, FS, r_peaks).windows
    other = kachuee.from_record(20 * signal - 3, FS, r_peaks).windows
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_cut_of_a_recording_is_the_beat_of_the_recording(
    signal: NDArray[np.float64], r_peaks: NDArray[np.int64]
) -> None:
    # As if recorded at 125 Hz: both are made of the same samples.
    whole = kachuee.from_record(signal, 125.0, r_peaks).windows[5, :, 0]
    start = int(r_peaks[5]) - 20
    alone = kachuee.from_cuts([signal[start : start + 20 + KACHUEE_SAMPLES]], 125.0, [20])
    np.testing.assert_array_equal(alone.windows[0, :, 0], whole)


def test_a_row_of_the_public_files_is_taken_as_it_is() -> None:
    row = np.r_[np.linspace(1, 0, 100), np.zeros(87)]
    beats = kachuee.from_cuts([row], 125.0)
    np.testing.assert_allclose(beats.windows[0, :, 0], row, atol=1e-6)


def test_the_period_is_the_median_of_ten_seconds() -> None:
    times = np.r_[np.arange(0, 10, 1.0), np.arange(10, 20, 0.5)]
    found = kachuee.periods(times)
    assert set(found[:10]) == {1.0}
    assert set(found[10:]) == {0.5}
    assert kachuee.periods(np.array([3.0])).tolist() == [1.0]


def test_a_cut_that_ends_at_its_r_peak_is_refused_by_number() -> None:
    cut = np.sin(np.arange(100) / 9)
    with pytest.raises(InputError, match=r"beats\[1\]"):
        kachuee.from_cuts([cut, cut], 125.0, [0, 90])


def test_other_counts_than_the_public_ones_are_refused() -> None:
    label = np.repeat(np.arange(5), list(COUNTS.values()))
    check_counts(Labelled(no_beats(), label, label))
    with pytest.raises(SystemExit, match="published"):
        check_counts(Labelled(no_beats(), label[1:], label[1:]))
