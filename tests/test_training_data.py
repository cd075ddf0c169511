"""What networks learn from: splits that leak nothing, oversampling."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ecg import aami
from ecg.beats import WINDOW, Beats
from ecg.context import CONTEXT
from pipeline import balance, dataset, folds, params, smote
from tests.conftest import ROOT

SMOTE = dataclasses.replace(
    params.load("smote", params.Smote, ROOT / "params.yaml"), minority_share=0.1
)


def test_the_halves_are_disjoint_and_complete() -> None:
    parts = [set(aami.DS1), set(aami.DS2), set(aami.PACED_TRAIN), set(aami.PACED_TEST)]
    assert sum(map(len, parts)) == len(set().union(*parts)) == 48
    assert len(aami.DS1) == len(aami.DS2) == 22


def test_no_record_is_on_two_sides_of_the_inter_patient_split() -> None:
    record = np.repeat([int(r) for r in aami.RECORDS], 3)
    split = dataset.inter_patient(record)
    sides = [set(record[rows].tolist()) for rows in (split.train, split.test)]
    assert sum(map(len, sides)) == len(set().union(*sides)) == 48
    assert sides[1] == {int(r) for r in aami.DS2 + aami.PACED_TEST}


def test_folds_hold_every_training_record_once() -> None:
    wanted = params.load("train", params.Train, ROOT / "params.yaml")
    named = [name for fold in wanted.folds for name in fold]
    assert sorted(named) == sorted(aami.DS1)
    rng = np.random.default_rng(0)
    record = np.array([207, 201, 207, 118])
    found = folds.folds("inter_patient", record, wanted.folds, rng)
    assert found[0] == found[2]
    assert len(set(found.tolist())) == 3
    paced = folds.folds("inter_patient", np.array([102]), wanted.folds, rng)
    assert paced.tolist() == [folds.IN_NONE]


def test_varied_beats_keep_their_r_peak_and_their_missing_channel() -> None:
    windows = np.zeros((200, WINDOW, 2), np.float32)
    windows[:, 60:69, 0] = np.hanning(9)
    windows[:100, 60:69, 1] = np.hanning(9)
    out = balance.varied(windows, np.random.default_rng(0))
    assert np.abs(out[..., 0].argmax(axis=1) - 64).max() <= 3
    assert not out[100:, :, 1].any()
    assert out[:100, :, 1].any(axis=1).all()
    assert out.dtype == np.float32


def test_the_random_split_keeps_the_share_of_each_class() -> None:
    label = np.repeat([0, 1, 2], [1000, 200, 50])
    split = dataset.random_split(label, [0.8, 0.2], 42)
    assert np.bincount(label[split.train]).tolist() == [800, 160, 40]
    assert np.bincount(label[split.test]).tolist() == [200, 40, 10]
    every = np.concatenate([split.train, split.test])
    assert sorted(every.tolist()) == list(range(len(label)))


def marked_beats(label: NDArray[np.int64], mark: NDArray[np.int64]) -> Beats:
    """Beats whose window is one on the axis of their mark: interpolation shows its parents."""
    rng = np.random.default_rng(0)
    windows = np.zeros((len(label), WINDOW, 2), np.float32)
    windows[np.arange(len(label)), mark, 0] = 1
    return Beats(windows, rng.uniform(0.5, 1, (len(label), len(CONTEXT))).astype(np.float32))


@pytest.mark.parametrize("protocol", dataset.PROTOCOLS)
def test_no_test_beat_reaches_training(
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
    mark[split.test] = 1
    beats = marked_beats(label, mark)
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(dataset, "BEATS", tmp_path / "beats")
    monkeypatch.setattr(dataset, "TRAINING", tmp_path / "training")
    dataset.save(
        dataset.Dataset(beats, sources.lone, label, record, sources.sample), tmp_path / "beats"
    )
    monkeypatch.setattr(dataset, "load", lambda: _load(tmp_path / "beats"))
    monkeypatch.setattr(params, "load", lambda *_: SMOTE)
    smote.main()
    with np.load(tmp_path / "training" / f"{protocol}.npz") as made:
        assert len(made["label"]) > 50, "nothing was oversampled: the test would prove nothing"
        assert np.all(made["windows"][:, 0, 0] == 1)
        assert not made["windows"][:, 1].any()
        assert not set(made["train"]) & set(made["test"])


_load = dataset.load


def test_oversampled_beats_lie_between_real_ones_of_their_class() -> None:
    label = np.repeat([0, 1], [400, 20])
    beats = marked_beats(label, label * 5)
    beats.context[label == 1, 0] = 0.5
    made, made_label = smote.oversample(beats, label, SMOTE)
    assert set(made_label.tolist()) == {1}
    assert len(made) == round(0.1 * 400) - 20
    np.testing.assert_allclose(made.context[:, 0], 0.5, rtol=1e-6)
    assert np.all(made.windows[:, 5, 0] == 1)


def test_a_share_of_zero_oversamples_nothing() -> None:
    label = np.repeat([0, 1], [400, 20])
    none = dataclasses.replace(SMOTE, minority_share=0.0)
    made, made_label = smote.oversample(marked_beats(label, label), label, none)
    assert len(made) == len(made_label) == 0
    assert made.context.shape == (0, len(CONTEXT))
