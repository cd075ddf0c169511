"""CONVXGB: a network whose embedding feeds XGBoost with the recording's context.

Thongsuwan et al., ConvXGB, Nuclear Engineering and Technology 53(2), 2021: convolutions learn
the features, trees classify. Deviations: the network is trained with a head of its own first. Two
forests share the question: one tells V, F and Q from the rest by shape, the other tells S from N by
rhythm and P wave, so that rhythms that were made up may teach the second without misleading the
first. The trees learn from embeddings by networks that have not seen the beat's fold (stacking,
Wolpert, Neural Networks 5(2), 1992): from embeddings of beats that the network was fitted to, trees
learn who the patient is. Beats of recordings and beats sent alone have networks and trees each.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import xgboost
from numpy.typing import NDArray

from ecg import scoring
from ecg.aami import CLASSES
from ecg.beats import LONE, RECORDING, Beats
from ecg.context import CONTEXT, NEAR, RATIOS
from pipeline import network, params
from pipeline.balance import root_weights
from pipeline.boosting import boost
from pipeline.calibration import calibrated, temperature_of
from pipeline.dataset import Embedded
from pipeline.folds import IN_NONE, More, Rows

SUPRAVENTRICULAR: Final = CLASSES.index("S")

EMBEDDING: Final = tuple(f"embedding_{name}" for name in CLASSES)
ROWS: Final = (*EMBEDDING, *CONTEXT)
"""Columns of what the forests may see."""
SHAPE: Final[dict[str, tuple[str, ...]]] = {
    RECORDING: (*EMBEDDING, *NEAR),
    LONE: (*EMBEDDING, *RATIOS),
}
"""Columns of the forest that tells N or S, V, F and Q apart."""
RHYTHM: Final[dict[str, tuple[str, ...]]] = {RECORDING: CONTEXT, LONE: (*EMBEDDING, *RATIOS)}
"""Columns of the forest that tells S from N."""
SHAPES: Final = len(CLASSES) - 1


@dataclass(frozen=True)
class Forests:
    """shape: (N or S, V, F, Q); rhythm: S of N and S; columns of `ROWS` that each sees."""

    shape: xgboost.Booster
    rhythm: xgboost.Booster
    view: str

    def predict(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return proba (n, 5) of rows (n, len(ROWS)), not yet calibrated."""
        shape = self.shape.predict(xgboost.DMatrix(rows[:, columns(SHAPE[self.view])]))
        rhythm = self.rhythm.predict(xgboost.DMatrix(rows[:, columns(RHYTHM[self.view])]))
        of_two = shape[:, :1] * np.column_stack([1 - rhythm, rhythm])
        return np.hstack([of_two, shape[:, 1:]]).astype(np.float64)


@dataclass(frozen=True)
class Trained:
    """One view as training left it."""

    network: Any
    forests: Forests
    temperature: float

    def predict(self, beats: Beats) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Return proba (n, 5) and embedding (n, 5) of beats, by Keras and XGBoost."""
        embedding = network.embed(self.network, beats.windows)
        return self.of_embedding(embedding, beats), embedding

    def of_embedding(self, embedding: NDArray[np.float32], beats: Beats) -> NDArray[np.float64]:
        """Return proba (n, 5) of beats whose embedding (n, 5) is known."""
        return calibrated(self.forests.predict(tree_rows(embedding, beats)), self.temperature)


def columns(names: tuple[str, ...]) -> NDArray[np.int64]:
    """Return where `names` are in `ROWS`."""
    return np.array([ROWS.index(name) for name in names], np.int64)


def tree_rows(embedding: NDArray[np.float32], beats: Beats) -> NDArray[np.float32]:
    """Return (n, len(ROWS)): embedding, then context."""
    return np.hstack([embedding, beats.context])


def fit(
    view: str, rows: Rows, more: More, embedded: Embedded, wanted: params.Trees, seed: int
) -> tuple[Forests, float, NDArray[np.int64]]:
    """Fit the forests to embedded rows; return them, their temperature and the folds' matrix."""
    seen = tree_rows(embedded.train, rows.beats)
    proba = np.zeros((len(seen), len(CLASSES)))
    for fold in sorted({*rows.fold.tolist()} - {IN_NONE}):
        left_out = rows.fold == fold
        forests = fit_without(fold, view, rows, more, embedded, wanted, seed)
        proba[left_out] = forests.predict(seen[left_out])
    judged = rows.fold != IN_NONE
    matrix = scoring.confusion(rows.label[judged], proba[judged].argmax(axis=1))
    temperature = temperature_of(proba[judged], rows.label[judged])
    return fit_without(None, view, rows, more, embedded, wanted, seed), temperature, matrix


def fit_without(
    fold: int | None,
    view: str,
    rows: Rows,
    more: More,
    embedded: Embedded,
    wanted: params.Trees,
    seed: int,
) -> Forests:
    """Fit the forests to embedded rows that are not in `fold`; to all of them for None."""
    kept, made = rows.fold != fold, more.fold != fold
    seen = tree_rows(embedded.train, rows.beats)[kept]
    conducted = tree_rows(embedded.conducted, more.for_trees)
    rhythms = more.context[made], more.label[made]
    return fit_forests(view, seen, rows.label[kept], conducted, rhythms, wanted, seed)


def fit_forests(
    view: str,
    rows: NDArray[np.float32],
    label: NDArray[np.int64],
    conducted: NDArray[np.float32],
    made: tuple[NDArray[np.float32], NDArray[np.int64]],
    wanted: params.Trees,
    seed: int,
) -> Forests:
    """Fit both forests: rows, conducted (n, len(ROWS)); made: context and label of rhythms."""
    of_conducted = np.full(len(conducted), wanted.conducted_weight)
    shape = np.maximum(label - SUPRAVENTRICULAR, 0)
    by_shape = columns(SHAPE[view])
    of_shape = boost(
        np.vstack([rows[:, by_shape], conducted[:, by_shape]]),
        np.concatenate([shape, np.zeros(len(conducted), np.int64)]),
        np.concatenate([root_weights(shape), of_conducted]),
        {"objective": "multi:softprob", "num_class": SHAPES},
        wanted.shape_rounds,
        wanted,
        seed,
    )
    by_rhythm, two = columns(RHYTHM[view]), label <= SUPRAVENTRICULAR
    parts = [rows[two][:, by_rhythm], conducted[:, by_rhythm]]
    labels = [label[two], np.zeros(len(conducted), np.int64)]
    weight = [root_weights(label[two]), of_conducted]
    if len(made[1]):
        parts.append(made[0])
        labels.append(made[1])
        weight.append(np.full(len(made[1]), wanted.made_weight))
    of_rhythm = boost(
        np.vstack(parts),
        np.concatenate(labels),
        np.concatenate(weight),
        {"objective": "binary:logistic"},
        wanted.rhythm_rounds,
        wanted,
        seed,
    )
    return Forests(of_shape, of_rhythm, view)


def save(folder: Path, forests: Forests, found: dict[str, Any]) -> None:
    """Write what `load` reads; found: "temperature" and what else training found."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / forests.view
    forests.shape.save_model(f"{stem}_shape.ubj")
    forests.rhythm.save_model(f"{stem}_rhythm.ubj")
    stem.with_suffix(".json").write_text(json.dumps(found) + "\n")


def load(networks: Path, folder: Path, view: str, wanted: params.Network) -> Trained:
    """Return the network in `networks`, and the forests and the temperature in `folder`."""
    stem = folder / view
    forests = [xgboost.Booster(model_file=f"{stem}_{name}.ubj") for name in ("shape", "rhythm")]
    found = json.loads(stem.with_suffix(".json").read_text())
    net = network.load(networks / f"{view}.npz", wanted)
    return Trained(net, Forests(forests[0], forests[1], view), float(found["temperature"]))
