"""Shifts of the data that models are scored under: what each does to a lead."""

import numpy as np
import pytest
from numpy.typing import NDArray

from ecg.beats import KACHUEE, RECORDING
from ecg.record import Record
from pipeline import conditions
from tests.test_detector import made

FS = 360.0


@pytest.fixture(scope="module")
def record() -> Record:
    signal = made(FS, 60.0).signal
    return Record(
        signal=np.stack([signal, 2 * signal], axis=1).astype(np.float32),
        fs=FS,
        leads=("MLII", "V1"),
        format="made up",
    )


@pytest.fixture(scope="module")
def r_peaks() -> NDArray[np.int64]:
    return made(FS, 60.0).beats


def test_every_condition_gives_every_beat_to_every_view(
    record: Record, r_peaks: NDArray[np.int64]
) -> None:
    for changed in conditions.CONDITIONS.values():
        lead = changed(record, 0, r_peaks)
        assert np.isfinite(lead.signal).all()
        for view in (RECORDING, KACHUEE):
            beats = lead.beats(view)
            assert (beats.view, len(beats)) == (view, len(r_peaks))
            assert np.isfinite(beats.windows).all()


def test_the_other_lead_and_the_lead_upside_down(
    record: Record, r_peaks: NDArray[np.int64]
) -> None:
    lead = record.signal[:, 0].astype(np.float64)
    np.testing.assert_array_equal(conditions.inverted(record, 0, r_peaks).signal, -lead)
    other = conditions.second_lead(record, 0, r_peaks).signal
    np.testing.assert_allclose(other, 2 * lead, rtol=1e-5)


def test_gain_drifts_from_half_to_twice(record: Record, r_peaks: NDArray[np.int64]) -> None:
    lead = record.signal[:, 0].astype(np.float64)
    found = conditions.gain(record, 0, r_peaks).signal
    large = np.abs(lead) > 0.1
    ratio = found[large] / lead[large]
    assert 0.5 <= ratio.min() <= ratio.max() <= 2
    assert ratio.max() > 1.9


def test_a_lower_rate_keeps_r_peaks_on_their_peaks(
    record: Record, r_peaks: NDArray[np.int64]
) -> None:
    lead = conditions.low_fs(record, 0, r_peaks)
    assert lead.fs == 125
    assert len(lead.signal) == pytest.approx(60 * 125, abs=1)
    np.testing.assert_allclose(lead.r_peaks / 125, r_peaks / FS, atol=0.005)


def test_a_tenth_of_the_time_is_lost(record: Record, r_peaks: NDArray[np.int64]) -> None:
    lead = record.signal[:, 0].astype(np.float64)
    lost = conditions.lost(record, 0, r_peaks).signal != lead
    assert 0.05 < lost.mean() < 0.15


def test_marks_move_by_no_more_than_the_jitter(record: Record, r_peaks: NDArray[np.int64]) -> None:
    moved = conditions.jittered(record, 0, r_peaks).r_peaks
    assert (np.diff(moved) > 0).all()
    assert 0 < np.abs(moved - r_peaks).max() <= conditions.JITTER_S * FS
