"""What networks learn from: splits that leak nothing, oversampling."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ecg import aami
from ecg.beats import CONTEXT, WINDOW, Beats, context
from pipeline import dataset, params, smote
from tests.conftest import ROOT

SMOTE = params.load("smote", params.Smote, ROOT / "params.yaml")


def test_the_halves_are_disjoint_and_complete() -> None:
    parts = [set(aami.DS1), set(aami.DS2), set(aami.PACED_TRAIN), set(aami.PACED_TEST)]
    assert sum(map(len, parts)) == len(set().union(*parts)) == 48
    assert len(aami.DS1) == len(aami.DS2) == 22


def test_no_record_is_on_two_sides_of_the_inter_patient_split() -> None:
    record = np.repeat([int(r) for r in aami.RECORDS], 3)
    split = dataset.inter_patient(record, SMOTE.validation_records)
    sides = [set(record[rows].tolist()) for rows in (split.train, split.validation, split.test)]
    assert sum(map(len, sides)) == len(set().union(*sides))
    assert set().union(*sides) == {int(r) for r in aami.RECORDS}
    assert sides[2] == {int(r) for r in aami.DS2 + aami.PACED_TEST}


def test_a_validation_record_of_the_test_half_is_refused() -> None:
    with pytest.raises(SystemExit, match="'100'"):
        dataset.inter_patient(np.array([100]), ["100"])


def test_the_random_split_keeps_the_share_of_each_class() -> None:
    label = np.repeat([0, 1, 2], [1000, 200, 50])
    split = dataset.random_split(label, [0.8, 0.1, 0.1], 42)
    assert np.bincount(label[split.train]).tolist() == [800, 160, 40]
    assert np.bincount(label[split.test]).tolist() == [100, 20, 5]
    every = np.concatenate([split.train, split.validation, split.test])
    assert sorted(every.tolist()) == list(range(len(label)))


def marked_beats(label: NDArray[np.int64], mark: NDArray[np.int64]) -> Beats:
    """Beats whose window is one on the axis of their mark: interpolation shows its parents."""
    rng = np.random.default_rng(0)
    windows = np.zeros((len(label), WINDOW, 2), np.float32)
    windows[np.arange(len(label)), mark, 0] = 1
    rr = rng.uniform(0.6, 1.2, (len(label), 4))
    return Beats(windows, context(rr, rng.uniform(0.5, 1, (len(label), 2))))


@pytest.mark.parametrize("protocol", dataset.PROTOCOLS)
def test_no_test_or_validation_beat_reaches_training(
    protocol: dataset.Protocol, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(1)
    record = np.repeat([int(r) for r in aami.RECORDS], 60)
    label = rng.choice(3, len(record), p=[0.9, 0.06, 0.04])
    sources = dataset.Dataset(
        marked_beats(label, np.zeros(len(record), np.int64)),
        np.zeros((len(record), WINDOW), np.float32),
        label,
        record,
        np.arange(len(record)),
    )
    split = dataset.split(sources, protocol, SMOTE)
    mark = np.zeros(len(record), np.int64)
    mark[split.validation], mark[split.test] = 1, 2
    beats = marked_beats(label, mark)
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(dataset, "BEATS", tmp_path / "beats")
    monkeypatch.setattr(dataset, "TRAINING", tmp_path / "training")
    dataset.save(
        dataset.Dataset(beats, sources.lone, label, record, sources.sample), tmp_path / "beats"
    )
    monkeypatch.setattr(dataset, "load", lambda: _load(tmp_path / "beats"))
    smote.main()
    with np.load(tmp_path / "training" / f"{protocol}.npz") as made:
        assert len(made["label"]) > 50, "nothing was oversampled: the test would prove nothing"
        assert np.all(made["windows"][:, 0, 0] == 1)
        assert not made["windows"][:, 1:3].any()
        assert not set(made["train"]) & (set(made["test"]) | set(made["validation"]))


_load = dataset.load


def test_oversampled_beats_lie_between_real_ones_of_their_class() -> None:
    label = np.repeat([0, 1], [400, 20])
    rng = np.random.default_rng(3)
    beats = marked_beats(label, label * 5)
    rr = np.where(label[:, None] == 1, 0.5, 1.0) + rng.uniform(0, 0.01, (len(label), 4))
    beats = Beats(beats.windows, context(rr, np.ones((len(label), 2))))
    made, made_label = smote.oversample(beats, label, SMOTE)
    assert set(made_label.tolist()) == {1}
    assert len(made) == round(0.1 * 400) - 20
    assert np.all((made.context[:, :4] >= 0.5) & (made.context[:, :4] <= 0.511))
    np.testing.assert_allclose(
        made.context[:, 4], made.context[:, 0] / made.context[:, 1], rtol=1e-5
    )


def test_a_share_of_zero_oversamples_nothing() -> None:
    label = np.repeat([0, 1], [400, 20])
    none = params.Smote(**{**SMOTE.__dict__, "minority_share": 0.0})
    made, made_label = smote.oversample(marked_beats(label, label), label, none)
    assert len(made) == len(made_label) == 0
    assert made.context.shape == (0, len(CONTEXT))
