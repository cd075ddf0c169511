"""The one call: what goes in at any rate, unit and polarity comes out as the same beats."""

from base64 import b64decode
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from ecg import exports
from ecg.analysis import Analysis, analyse
from ecg.classifier import Classifier
from ecg.errors import InputError
from ecg.record import Annotation, Record, choose_lead
from tests.test_detector import made

FS = 250.0


def recording(fs: float = FS, **other: object) -> Record:
    signal = made(fs, 60.0).signal.astype(np.float32)[:, None]
    return replace(Record(signal, fs, ("II",), "made up"), **other)  # type: ignore[arg-type]


def with_signal(change: NDArray[np.float32]) -> Record:
    return recording(signal=change)


def same_beats(one: Analysis, other: Analysis) -> bool:
    a, b = one.sample / one.record.fs, other.sample / other.record.fs
    return len(a) == len(b) and float(np.abs(a - b).max()) < 0.02


@pytest.fixture(scope="module")
def expected(model: Classifier) -> Analysis:
    return analyse(recording(), model)


def test_every_beat_of_a_clean_recording_is_found_and_classified(expected: Analysis) -> None:
    assert len(expected.sample) == len(made(FS, 60.0).beats)
    assert np.isfinite(expected.proba).all()
    assert (expected.aami_class == expected.proba.argmax(axis=1)).all()


@pytest.mark.parametrize("factor", [0.001, 1000.0, -1.0])
def test_scale_and_polarity_change_no_class(
    model: Classifier, expected: Analysis, factor: float
) -> None:
    found = analyse(with_signal(recording().signal * np.float32(factor)), model)
    assert same_beats(found, expected)
    np.testing.assert_allclose(found.proba, expected.proba, atol=0.02)
    assert found.inverted == (factor < 0)


@pytest.mark.parametrize("fs", [125.0, 128.0, 360.0, 1000.0])
def test_the_rate_changes_no_beat(model: Classifier, expected: Analysis, fs: float) -> None:
    found = analyse(recording(fs), model)
    assert same_beats(found, expected)
    assert float(np.abs(found.proba - expected.proba).mean()) < 0.02


def test_intervals_across_missing_samples_are_missing(
    model: Classifier, expected: Analysis
) -> None:
    signal = recording().signal.copy()
    signal[round(20 * FS) : round(25 * FS)] = np.nan
    found = analyse(with_signal(signal), model)
    after = int(np.searchsorted(found.sample, 25 * FS))
    assert np.isnan(found.rr[0])
    assert np.isnan(found.rr[after])
    assert np.nanmax(found.rr) < 1.2
    # Far from the gap all is as without it.
    assert found.sample[:10].tolist() == expected.sample[:10].tolist()
    assert (found.aami_class[:10] == expected.aami_class[:10]).all()


def test_beats_in_noise_are_q_and_not_guessed(model: Classifier) -> None:
    signal = recording().signal.copy()
    noise = np.random.default_rng(1).standard_normal((round(20 * FS), 1))
    signal[round(20 * FS) : round(40 * FS)] += noise.astype(np.float32)
    found = analyse(with_signal(signal), model)
    unusable = ~found.quality.usable
    assert unusable.sum() > 10
    assert (found.aami_class[unusable] == 4).all()
    assert np.isnan(found.proba[unusable]).all()
    assert np.isnan(found.rr[unusable]).all()
    answer = exports.to_columns(found)
    row = int(np.flatnonzero(unusable)[0])
    assert answer["beats"]["aami_class"][row] == "Q"
    assert answer["beats"]["confidence"][row] is None
    assert answer["beats"]["reason"][row]
    assert answer["summary"]["unusable_beats"] == unusable.sum()
    assert answer["summary"]["analysable_percent"] < 80


@pytest.mark.parametrize("level", [0.0, 3.2, np.nan])
def test_a_recording_without_a_beat_is_answered(model: Classifier, level: float) -> None:
    found = analyse(with_signal(np.full_like(recording().signal, level)), model)
    answer = exports.to_columns(found, proba=True, trace=True)
    assert answer["beats"]["sample"] == []
    assert answer["summary"]["heart_rate"]["mean"] is None
    assert answer["summary"]["analysable_percent"] == 0
    assert exports.to_csv(found).count("\n") == 1
    assert exports.to_atr(found)


def test_a_lead_is_chosen_by_name(model: Classifier) -> None:
    signal = np.hstack([np.zeros_like(recording().signal), recording().signal])
    record = recording(signal=signal, leads=("V1", "V5"))
    assert len(analyse(record, model).sample) == 0
    assert len(analyse(record, model, "v5").sample) > 60
    assert choose_lead(replace(record, leads=("ECG V1", "Lead_II"))) == 1
    assert choose_lead(replace(record, leads=("ECG V1", "EKG aVR")), "avr") == 1
    assert choose_lead(replace(record, leads=("ECG", "ECG 2"))) == 0
    with pytest.raises(InputError, match="V1, V5"):
        analyse(record, model, "aVR")


def test_progress_is_told(model: Classifier) -> None:
    told: list[str] = []
    analyse(recording(), model, progress=lambda step, share: told.append(f"{step} {share:.0%}"))
    assert told[0] == "finding beats 0%"
    assert told[-1] == "classifying beats 100%"


def test_annotations_of_the_file_are_compared(model: Classifier, expected: Analysis) -> None:
    n = len(expected.sample)
    reference = Annotation(expected.sample[1:], ("N",) * (n - 2) + ("V",), ("",) * (n - 1))
    found = exports.to_columns(analyse(recording(annotation=reference), model))["agreement"]
    assert (found["qrs"]["tp"], found["qrs"]["fn"], found["qrs"]["fp"]) == (n - 1, 0, 1)
    assert sum(map(sum, found["confusion"])) == n - 1
    assert sum(found["confusion"][0]) == n - 2


def test_rhythm_marks_alone_are_no_reference(model: Classifier) -> None:
    marks = Annotation(np.array([10]), ("+",), ("(N",))
    assert exports.to_columns(analyse(recording(annotation=marks), model))["agreement"] is None


def test_the_trace_is_the_lead_as_the_file_has_it(model: Classifier) -> None:
    signal = recording().signal.copy()
    signal[1000:1010] = np.nan
    trace = exports.to_trace(analyse(with_signal(signal), model))
    counts = np.frombuffer(b64decode(trace["data"]), "<i2")
    assert trace["fs"] == FS
    assert (counts[1000:1010] == trace["missing"]).all()
    known = np.isfinite(signal[:, 0])
    np.testing.assert_allclose(counts[known] * trace["mv_per_unit"], signal[known, 0], atol=6e-4)


def test_a_fast_trace_is_thinned_to_what_a_screen_shows(model: Classifier) -> None:
    trace = exports.to_trace(analyse(recording(1000.0), model))
    assert trace["fs"] == 500.0
    assert len(b64decode(trace["data"])) == 2 * 60 * 500
