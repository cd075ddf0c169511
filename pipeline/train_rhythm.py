"""Stage `train-rhythm`: one model of the rhythm, and what it answers to recordings it never saw.

All models share the folds of `generate-rhythm`.
"""

import sys

import numpy as np
from numpy.typing import NDArray

from ecg import rhythm
from pipeline import models, params, recorded
from pipeline.balance import root_weights
from pipeline.recorded import Recorded


def main(name: str) -> None:
    known, wanted = recorded.load(), params.load("rhythm", params.Rhythm)
    folder = recorded.TRAINED / name
    folder.mkdir(parents=True, exist_ok=True)
    spec = params.load_model(name, section="rhythm_models")
    if isinstance(spec, params.NetworkModel):
        raise SystemExit(f"params.yaml: rhythm_models.{name}: a network of beats knows no rhythm")
    proba = np.empty((len(known.label), len(rhythm.RHYTHMS)))
    for fold in range(wanted.folds):
        rows, held_out = rows_of(spec, known, fold), known.fold == fold
        kind = _fit(spec, rows[~held_out], known.label[~held_out], wanted.seed)
        proba[held_out] = kind.of_rows(rows[held_out])
    recorded.keep(folder, known, proba)
    kind = _fit(spec, rows_of(spec, known, None), np.asarray(known.label), wanted.seed)
    models.save(models.Model(kind), folder, "rhythm")


def rows_of(spec: params.TabularModel, known: Recorded, fold: int | None) -> NDArray[np.float32]:
    """Return the rows (n, n_columns) of all recordings where `fold` is left out to be scored."""
    parts = [
        known.features if name == "features" else recorded.embedded(fold) for name in spec.inputs
    ]
    return np.hstack(parts)


def _fit(
    spec: params.TabularModel, rows: NDArray[np.float32], label: NDArray[np.int64], seed: int
) -> models.Tabular:
    weight = root_weights(label) if spec.balance == "weights" else np.ones(len(label))
    return models.fit_rows(spec, rows, label, weight, len(rhythm.RHYTHMS), seed)


if __name__ == "__main__":
    main(sys.argv[1])
