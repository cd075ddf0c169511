"""What `pipeline.tune` may change: ranges by the fields of `pipeline.params` that they fill.

Fields that are not here stay as params.yaml has them: `inputs`, `cascade`, `filters` and `units`
are what tells models apart, `balance` is compared by `pipeline.imbalance`.
"""

from dataclasses import dataclass
from typing import Any, Final

from pipeline import params


@dataclass(frozen=True)
class Range:
    """From low to high, both included, whole numbers where both are.

    log: 1 to 10 is drawn from as often as 10 to 100.
    """

    low: float
    high: float
    log: bool = False

    @property
    def whole(self) -> bool:
        """Whether there is nothing between 1 and 2."""
        return isinstance(self.low, int) and isinstance(self.high, int)


Space = dict[str, Range]

_BOOSTED: Final[Space] = {
    "max_depth": Range(2, 8),
    "learning_rate": Range(0.02, 0.3, log=True),
    "min_child_weight": Range(1.0, 100.0, log=True),
    "reg_lambda": Range(0.1, 30.0, log=True),
    "subsample": Range(0.4, 1.0),
    "colsample_bytree": Range(0.1, 1.0),
}

SPACES: Final[dict[type[Any], Space]] = {
    params.Trees: {
        "shape_rounds": Range(50, 600, log=True),
        "rhythm_rounds": Range(50, 600, log=True),
        **_BOOSTED,
        "conducted_weight": Range(0.1, 2.0, log=True),
        "made_weight": Range(0.05, 1.0, log=True),
    },
    params.TreesModel: {"rounds": Range(50, 600, log=True), **_BOOSTED},
    params.LogisticModel: {"strength": Range(0.00001, 10.0, log=True)},
    params.SvmModel: {
        "strength": Range(0.001, 10.0, log=True),
        "components": Range(100, 1000, log=True),
        "gamma": Range(0.0001, 0.03, log=True),
    },
    params.ForestModel: {"trees": Range(50, 300), "leaf": Range(1, 200, log=True)},
    params.NetworkModel: {
        "hidden": Range(8, 128, log=True),
        "dropout": Range(0.0, 0.6),
        "batch": Range(64, 1024, log=True),
        "epochs": Range(3, 30, log=True),
        "learning_rate": Range(0.0002, 0.01, log=True),
    },
}
"""By the section's dataclass."""
