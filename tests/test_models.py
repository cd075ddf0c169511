"""Every kind of model: fitted, kept, exported, and answering the same as its library."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ecg.beats import KACHUEE, LONE, RECORDING, SHAPES, Beats
from ecg.classifier import open_graph
from ecg.context import CONTEXT
from pipeline import graphs, models, params, train
from pipeline.folds import Rows
from tests.conftest import ROOT

PARAMS = ROOT / "params.yaml"
NAMES = params.model_names(PARAMS)
BALANCE = params.load("balance", params.Balance, PARAMS)


def rows_of(view: str, n: int = 400) -> Rows:
    """Beats whose class is in their shape and in one column of their context."""
    rng = np.random.default_rng(3)
    label = rng.choice(5, n, p=[0.5, 0.2, 0.1, 0.1, 0.1])
    windows = rng.normal(0, 0.05, (n, *SHAPES[view])).astype(np.float32)
    for k in range(8):
        windows[np.arange(n), 20 + 24 * label + k, 0] += 1
    context = rng.normal(0, 1, (n, len(CONTEXT))).astype(np.float32)
    context[:, 0] += 3 * (label == 1)
    context[rng.random(context.shape) < 0.05] = np.nan
    context[:, 50] = np.nan
    if view == KACHUEE:
        context[:] = np.nan
    return Rows(Beats(windows, context, view), label.astype(np.int64), np.arange(n) % 5)


def quick(name: str) -> params.Model:
    """The model of params.yaml, small enough for a test."""
    spec = params.load_model(name, PARAMS)
    if isinstance(spec, params.TreesModel):
        return replace(spec, rounds=20, min_child_weight=1.0)
    if isinstance(spec, params.NetworkModel):
        # On so few beats a validation loss says little: stop late.
        patience = 8 if spec.patience else 0
        return replace(spec, epochs=12 if patience else 6, dropout=0.0, batch=8, patience=patience)
    if isinstance(spec, params.SvmModel):
        return replace(spec, components=100)
    return replace(spec, trees=30, leaf=1) if isinstance(spec, params.ForestModel) else spec


def accuracy(proba: NDArray[np.floating], label: NDArray[np.int64]) -> float:
    return float((proba.argmax(axis=1) == label).mean())


@pytest.mark.parametrize("name", NAMES)
def test_a_model_learns_is_kept_and_answers_the_same_as_a_graph(name: str, tmp_path: Path) -> None:
    spec = quick(name)
    view = spec.views[0]
    rows = rows_of(view, 1000)
    model = models.Model(models.fit(spec, rows, BALANCE, 1), temperature=1.3)
    proba = model.predict(rows.beats)
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-5)
    assert accuracy(proba, rows.label) > 0.8

    models.save(model, tmp_path, view)
    kept = models.load(spec, tmp_path, view).predict(rows.beats)
    np.testing.assert_allclose(kept, proba, atol=1e-6)

    content = graphs.of_model(model, view).SerializeToString()
    served, embedding = open_graph(content, name, view).run(rows.beats)
    assert (served.argmax(axis=1) == proba.argmax(axis=1)).mean() >= 0.9975
    assert (np.abs(served - proba).max(axis=1) < 1e-4).mean() > 0.99
    assert embedding.shape == (len(rows.label), 0)


def test_every_model_of_the_field_is_there() -> None:
    assert {"xgb-signal-features", "xgb-features", "cnn-mlp", "cnn-lstm", "lstm", "cascade"} < {
        *NAMES
    }
    assert {"logistic-regression", "svm", "random-forest", "kachuee187"} < {*NAMES}
    views = {name: params.load_model(name, PARAMS).views for name in NAMES}
    assert views.pop("kachuee187") == [KACHUEE]
    assert all(some == [RECORDING, LONE] for some in views.values())


def test_the_cascade_says_abnormal_alone() -> None:
    rows = rows_of(RECORDING)
    kind = models.fit(quick("cascade"), rows, BALANCE, 1)
    assert isinstance(kind, models.Cascade)
    abnormal = 1 - models.answer(kind, rows.beats)[:, 0]
    assert accuracy(np.column_stack([1 - abnormal, abnormal]), np.minimum(rows.label, 1)) > 0.9


def test_a_beat_is_scored_by_a_model_that_has_not_seen_its_fold() -> None:
    rows = rows_of(RECORDING, 200)
    # One column tells the fold apart: a model that has seen it would know its labels.
    rng = np.random.default_rng(0)
    label = rng.integers(0, 5, 200)
    context = np.full((200, len(CONTEXT)), np.nan, np.float32)
    context[:, 0] = np.arange(200)
    blind = Rows(Beats(rows.beats.windows * 0, context), label, rows.fold)
    proba = train.cross_validate(quick("xgb-features"), blind, BALANCE, 1)
    assert accuracy(proba, label) < 0.45


def test_each_fold_is_calibrated_by_the_others() -> None:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 5, 1000)
    right = rng.random(1000) < 0.6
    proba = np.full((1000, 5), 0.0025)
    proba[np.arange(1000), np.where(right, label, (label + 1) % 5)] = 0.99
    found = train.cross_calibrated(proba, label, np.arange(1000) % 2)
    assert found.max(axis=1).mean() == pytest.approx(0.6, abs=0.05)


def test_a_kind_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("models: {odd: {kind: oracle, views: [lone]}}\n")
    with pytest.raises(SystemExit, match=r"odd.kind.*oracle.*trees"):
        params.load_model("odd", tmp_path / "params.yaml")
    with pytest.raises(SystemExit, match=r"even.*odd"):
        params.load_model("even", tmp_path / "params.yaml")
