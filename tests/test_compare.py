"""Figures of all models: what is computed, by hand, and the report that is made of it."""

import json

import numpy as np
import pytest

from pipeline import compare, dataset, folds, models_report
from tests.conftest import ROOT


def test_figures_of_folds_by_hand() -> None:
    label = np.array([0, 0, 1, 2, 0, 0, 1, 2])
    answer = np.array([0, 0, 1, 2, 0, 1, 1, 0])
    proba = np.full((8, 5), 0.01, np.float32)
    proba[np.arange(8), answer] = 0.96
    found = compare.of_folds(proba, label, np.repeat([0, 1], 4))
    assert found["accuracy"] == {
        "mean": pytest.approx(0.75),
        "spread": pytest.approx(0.3536, abs=1e-3),
    }
    assert found["V_f1"]["mean"] == pytest.approx(0.5)
    assert found["recall_weighted"]["mean"] == pytest.approx(0.75)
    assert found["log_loss"]["mean"] == pytest.approx(
        (-np.log(0.96) + np.log(0.96) / -2 * 1 - np.log(0.01) / 2) / 2, abs=1e-3
    )
    assert np.array(found["confusion"]).sum() == 8
    assert "F_f1" not in found
    assert "F_auc" not in found


def test_normal_or_not_by_hand() -> None:
    found = compare.normal_or_not(np.array([[90, 10], [5, 15]]))
    assert found["accuracy"] == pytest.approx(105 / 120)
    assert found["se"] == pytest.approx(0.75)
    assert found["ppv"] == pytest.approx(0.6)
    assert found["f1"] == pytest.approx(2 / 3)


def test_folds_by_record_part_patients_and_folds_by_beat_do_not() -> None:
    record = np.repeat([101, 106, 108, 109, 112, 114, 201, 203, 205, 207, 102, 100], 20)
    label = np.tile([0] * 15 + [1, 1, 1, 2, 2], 12)
    windows = np.empty((len(record), 0), np.float32)
    beats = dataset.Dataset(dataset.no_beats(), windows, label, record, label)
    by_record = folds.cross_folds("records", record, label, beats, 5)
    assert (by_record[record == 100] == folds.OUTSIDE).all()
    assert (by_record[record == 102] == folds.IN_NONE).all()
    for name in np.unique(record):
        assert len({*by_record[record == name].tolist()}) == 1
    assert {*by_record[np.isin(record, [101, 207])].tolist()} <= set(range(5))
    by_beat = folds.cross_folds("beats", record, label, beats, 5)
    assert {*by_beat[record == 101].tolist()} == set(range(5))
    assert (by_beat[record == 100] == folds.OUTSIDE).all()


def test_the_report_of_models_is_rendered_from_the_committed_figures() -> None:
    metrics = json.loads((ROOT / "reports" / "metrics.json").read_text())
    assert (ROOT / models_report.REPORT).read_text() == models_report.render(metrics)
