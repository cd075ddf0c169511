"""The models beside CONVXGB: fit, predict, keep. All see the same beats and know the same of them.

What a model may see is a beat's window, the engineered features of it, and its context in the
recording; `inputs` of params.yaml says which, in order.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np
import xgboost
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from ecg.aami import CLASSES
from ecg.beats import Beats
from ecg.features import INPUTS, engineered
from pipeline import network, params
from pipeline.balance import balanced
from pipeline.boosting import THREADS, boost
from pipeline.calibration import calibrated
from pipeline.folds import Rows

FARTHEST: Final = 10.0
"""Deviations from the mean beyond which a column says nothing more to a linear model."""

Table = NDArray[np.float32]


@dataclass(frozen=True)
class Scaling:
    """mean, scale (n_columns,): of training rows; what is missing becomes the mean."""

    mean: Table
    scale: Table

    def __call__(self, rows: Table) -> Table:
        scaled = np.nan_to_num((rows - self.mean) / self.scale, nan=0.0)
        return np.asarray(np.clip(scaled, -FARTHEST, FARTHEST), np.float32)


@dataclass(frozen=True)
class Trees:
    """XGBoost over the columns of `inputs`."""

    inputs: tuple[str, ...]
    booster: xgboost.Booster

    def of_rows(self, rows: Table) -> NDArray[np.float64]:
        """Return proba (n, n_classes)."""
        return np.asarray(_ask(self.booster, rows))


@dataclass(frozen=True)
class Cascade:
    """Normal or not, then which of S, V, F and Q."""

    inputs: tuple[str, ...]
    abnormal: xgboost.Booster
    which: xgboost.Booster

    def of_rows(self, rows: Table) -> NDArray[np.float64]:
        """Return proba (n, n_classes)."""
        abnormal = _ask(self.abnormal, rows)[:, None]
        return np.hstack([1 - abnormal, abnormal * _ask(self.which, rows)])


@dataclass(frozen=True)
class Classical:
    """An estimator of scikit-learn on standardised columns.

    kernel: what turns them into those of a radial basis function first, None where nothing does.
    """

    inputs: tuple[str, ...]
    scaling: Scaling
    kernel: Nystroem | None
    estimator: LogisticRegression | LinearSVC | RandomForestClassifier

    def of_rows(self, rows: Table) -> NDArray[np.float64]:
        """Return proba (n, n_classes); of a support vector machine, the softmax of its margins."""
        known = self.scaling(rows).astype(np.float64)
        if self.kernel is not None:
            known = self.kernel.transform(known)
        if isinstance(self.estimator, LinearSVC):
            margin = self.estimator.decision_function(known)
            powers = np.exp(margin - margin.max(axis=1, keepdims=True))
            return np.asarray(powers / powers.sum(axis=1, keepdims=True))
        return np.asarray(self.estimator.predict_proba(known))


@dataclass(frozen=True)
class Net:
    """A network of windows and, where the view has one, context; scaling: of the context."""

    network: Any
    scaling: Scaling

    def proba(self, beats: Beats) -> NDArray[np.float64]:
        """Return proba (n, 5)."""
        return network.classify(self.network, self.scaled(beats))

    def scaled(self, beats: Beats) -> Beats:
        """Return beats with their context standardised."""
        return replace(beats, context=self.scaling(beats.context))


Tabular = Trees | Cascade | Classical
Kind = Tabular | Net


@dataclass(frozen=True)
class Model:
    """What was fitted, and the temperature that its probabilities are calibrated by."""

    kind: Kind
    temperature: float = 1.0

    def predict(self, beats: Beats) -> NDArray[np.float64]:
        """Return calibrated proba (n, 5)."""
        return calibrated(answer(self.kind, beats), self.temperature)


def answer(kind: Kind, beats: Beats) -> NDArray[np.float64]:
    """Return proba (n, 5), not calibrated."""
    if isinstance(kind, Net):
        return kind.proba(beats)
    return kind.of_rows(table(beats, kind.inputs))


def table(beats: Beats, inputs: tuple[str, ...], features: Table | None = None) -> Table:
    """Return the columns (n, n_columns) of `inputs`, windows laid flat.

    features: of the first beats, where they are known; those of the others are made.
    """
    columns = {name: INPUTS[name] for name in inputs}
    if features is not None and "features" in columns:
        made = beats.take(np.arange(len(features), len(beats)))
        columns["features"] = lambda _: np.vstack([features, engineered(made)])
    return np.hstack([make(beats).reshape(len(beats), -1) for make in columns.values()])


def fit(spec: params.Model, rows: Rows, balance: params.Balance, seed: int) -> Kind:
    """Fit the kind of model that `spec` is to rows, balanced as it says."""
    if isinstance(spec, params.NetworkModel):
        return _net(spec, rows, balance, seed)
    beats, label, weight = balanced(rows.beats, rows.label, spec.balance, balance)
    seen = table(beats, tuple(spec.inputs), rows.features)
    return fit_rows(spec, seen, label, weight, len(CLASSES), seed)


def fit_rows(
    spec: params.TabularModel,
    rows: Table,
    label: NDArray[np.int64],
    weight: NDArray[np.float64],
    classes: int,
    seed: int,
) -> Tabular:
    """Fit to rows (n, n_columns) of as many classes."""
    inputs = tuple(spec.inputs)
    if not isinstance(spec, params.TreesModel):
        return _classical(spec, inputs, rows, label, weight, seed)
    if not spec.cascade:
        return Trees(inputs, _boost(spec, rows, label, weight, classes, seed))
    rare = label > 0
    first = _boost(spec, rows, rare.astype(np.int64), weight, 2, seed)
    which = _boost(spec, rows[rare], label[rare] - 1, weight[rare], classes - 1, seed)
    return Cascade(inputs, first, which)


def save(model: Model, folder: Path, view: str) -> None:
    """Write what `load` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    stem, kind = f"{folder}/{view}", model.kind
    if isinstance(kind, Trees):
        kind.booster.save_model(f"{stem}.ubj")
    elif isinstance(kind, Cascade):
        kind.abnormal.save_model(f"{stem}_abnormal.ubj")
        kind.which.save_model(f"{stem}_which.ubj")
    elif isinstance(kind, Classical):
        joblib.dump(kind, f"{stem}.joblib")
    else:
        network.save(kind.network, Path(f"{stem}.npz"), **vars(kind.scaling))
    Path(f"{stem}.json").write_text(json.dumps({"temperature": model.temperature}) + "\n")


def load(spec: params.Model, folder: Path, view: str) -> Model:
    """Return the model that training wrote."""
    stem = f"{folder}/{view}"
    temperature = float(json.loads(Path(f"{stem}.json").read_text())["temperature"])
    if isinstance(spec, params.NetworkModel):
        return Model(_read_net(Path(f"{stem}.npz"), spec, view), temperature)
    inputs = tuple(spec.inputs)
    if isinstance(spec, params.TreesModel):
        if not spec.cascade:
            return Model(Trees(inputs, xgboost.Booster(model_file=f"{stem}.ubj")), temperature)
        pair = [xgboost.Booster(model_file=f"{stem}_{n}.ubj") for n in ("abnormal", "which")]
        return Model(Cascade(inputs, *pair), temperature)
    return Model(joblib.load(f"{stem}.joblib"), temperature)


def _net(spec: params.NetworkModel, rows: Rows, balance: params.Balance, seed: int) -> Net:
    rng = np.random.default_rng(seed)
    # A fold of its training rows tells it when to stop; those that are in no fold are kept.
    last = rows.fold.max()
    held_out = (rows.fold == last) if spec.patience else np.zeros(len(rows.label), np.bool_)
    learnt, valid = rows.take(~held_out), rows.take(held_out)
    normal = np.flatnonzero(learnt.label == 0)
    drawn = rng.choice(normal, min(len(normal), spec.normal_beats), replace=False)
    some = learnt.take(np.isin(np.arange(len(learnt.label)), drawn) | (learnt.label != 0))
    beats, label, weight = balanced(some.beats, some.label, spec.balance, balance)
    network.fix_seed(seed)
    net = Net(network.define_classifier(spec, beats.view), _scaling(beats.context))
    known = net.scaled(valid.beats), valid.label
    network.fit_classifier(net.network, (net.scaled(beats), label, weight), known, spec)
    return net


def _read_net(path: Path, spec: params.NetworkModel, view: str) -> Net:
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    scaling = Scaling(arrays.pop("mean"), arrays.pop("scale"))
    net = network.define_classifier(spec, view)
    net.set_weights(list(arrays.values()))
    return Net(net, scaling)


def _scaling(rows: Table) -> Scaling:
    known = ~np.isnan(rows)
    count = np.maximum(known.sum(axis=0), 1)
    filled = np.where(known, rows, 0).astype(np.float64)
    mean = filled.sum(axis=0) / count
    scale = np.sqrt(np.where(known, (filled - mean) ** 2, 0).sum(axis=0) / count)
    return Scaling(mean.astype(np.float32), np.where(scale > 1e-6, scale, 1).astype(np.float32))


def _boost(
    spec: params.TreesModel,
    rows: Table,
    label: NDArray[np.int64],
    weight: NDArray[np.float64],
    classes: int,
    seed: int,
) -> xgboost.Booster:
    several = {"objective": "multi:softprob", "num_class": classes}
    objective = {"objective": "binary:logistic"} if classes == 2 else several
    return boost(rows, label, weight, objective, spec.rounds, spec, seed)


def _ask(booster: xgboost.Booster, rows: Table) -> NDArray[np.float64]:
    return np.asarray(booster.predict(xgboost.DMatrix(rows)), np.float64)


def _classical(
    spec: params.LogisticModel | params.SvmModel | params.ForestModel,
    inputs: tuple[str, ...],
    rows: Table,
    label: NDArray[np.int64],
    weight: NDArray[np.float64],
    seed: int,
) -> Classical:
    scaling = _scaling(rows)
    scaled, kernel = scaling(rows), None
    if isinstance(spec, params.ForestModel):
        estimator: Any = RandomForestClassifier(
            spec.trees, min_samples_leaf=spec.leaf, n_jobs=THREADS, random_state=seed
        )
    elif isinstance(spec, params.SvmModel):
        kernel = Nystroem(gamma=spec.gamma, n_components=spec.components, random_state=seed)
        scaled = kernel.fit_transform(scaled)
        estimator = LinearSVC(C=spec.strength, max_iter=5000, random_state=seed)
    else:
        estimator = LogisticRegression(C=spec.strength, max_iter=2000)
    return Classical(inputs, scaling, kernel, estimator.fit(scaled, label, sample_weight=weight))
