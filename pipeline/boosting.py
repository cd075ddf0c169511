"""XGBoost as every model here fits it."""

from dataclasses import fields
from typing import Any, Final

import numpy as np
import xgboost
from numpy.typing import NDArray

from pipeline import params

THREADS: Final = 2
_OPTIONS: Final = tuple(field.name for field in fields(params.Boosting))
"""What params.yaml says of trees, by XGBoost's own names."""


def boost(
    rows: NDArray[np.float32],
    label: NDArray[np.int64],
    weight: NDArray[np.float64],
    objective: dict[str, Any],
    rounds: int,
    wanted: params.Boosting,
    seed: int,
) -> xgboost.Booster:
    """Fit to rows (n, n_columns), labels and weights (n,)."""
    fixed = {"tree_method": "hist", "nthread": THREADS, "seed": seed}
    options = {name: getattr(wanted, name) for name in _OPTIONS} | fixed | objective
    data = xgboost.DMatrix(rows, label, weight=weight, nthread=THREADS)
    return xgboost.train(options, data, rounds)
