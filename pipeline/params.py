"""params.yaml as frozen dataclasses: a section a stage, unknown or missing keys refused."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

import yaml

T = TypeVar("T")


@dataclass(frozen=True)
class Generate:
    records: list[str]
    seed: int
    jobs: int


@dataclass(frozen=True)
class Smote:
    seed: int
    random_split: list[float]
    minority_share: float
    neighbours: int


@dataclass(frozen=True)
class Network:
    filters: list[int]
    hidden: int
    dropout: float
    batch: int
    epochs: int
    learning_rate: float
    normal_beats: int
    conducted_beats: int
    repeats: list[int]


@dataclass(frozen=True)
class Boosting:
    """What XGBoost calls these; the number of rounds is each model's own."""

    max_depth: int
    learning_rate: float
    min_child_weight: float
    reg_lambda: float
    subsample: float
    colsample_bytree: float


@dataclass(frozen=True)
class Trees(Boosting):
    shape_rounds: int
    rhythm_rounds: int
    conducted_weight: float
    made_weight: float


@dataclass(frozen=True)
class Train:
    """folds: that CONVXGB's trees are stacked on; compared_folds: how many all models share."""

    seeds: list[int]
    folds: list[list[str]]
    compared_folds: int
    network: Network
    trees: Trees


@dataclass(frozen=True)
class Balance:
    """Of `pipeline.balance`: each minority class is raised to `share` of the largest."""

    seed: int
    share: float
    neighbours: int
    components: int


@dataclass(frozen=True)
class Imbalance:
    """The model on which ways to treat rare classes are compared."""

    model: str


@dataclass(frozen=True)
class TreesModel(Boosting):
    """XGBoost on the columns of `inputs`: windows, features, context.

    cascade: one booster tells normal beats from others, a second one which of the others.
    """

    views: list[str]
    inputs: list[str]
    balance: str
    cascade: bool
    rounds: int


@dataclass(frozen=True)
class LogisticModel:
    """Logistic regression; strength: the inverse of the penalty's."""

    views: list[str]
    inputs: list[str]
    balance: str
    strength: float


@dataclass(frozen=True)
class SvmModel:
    """A support vector machine with a radial basis function on `components` landmarks."""

    views: list[str]
    inputs: list[str]
    balance: str
    strength: float
    components: int
    gamma: float


@dataclass(frozen=True)
class ForestModel:
    """A random forest; leaf: fewest beats of one."""

    views: list[str]
    inputs: list[str]
    balance: str
    trees: int
    leaf: int


@dataclass(frozen=True)
class NetworkModel:
    """A network of windows, whose head sees the context too.

    filters: of the convolutions, none for a network without; units: of the recurrent layer, 0 for
    a network without; patience: epochs without a gain until it stops early, 0 for never.
    """

    views: list[str]
    balance: str
    filters: list[int]
    units: int
    hidden: int
    dropout: float
    batch: int
    epochs: int
    learning_rate: float
    normal_beats: int
    patience: int


Model = TreesModel | LogisticModel | SvmModel | ForestModel | NetworkModel
KINDS: Final[dict[str, type[Model]]] = {
    "trees": TreesModel,
    "logistic": LogisticModel,
    "svm": SvmModel,
    "forest": ForestModel,
    "network": NetworkModel,
}


@dataclass(frozen=True)
class Export:
    version: str


@dataclass(frozen=True)
class Evaluate:
    bins: int
    jobs: int


def load(section: str, schema: type[T], path: Path = Path("params.yaml")) -> T:
    """Return one section of params.yaml as `schema`.

    Raises SystemExit naming the key that is unknown, missing or of another type.
    """
    document = yaml.safe_load(path.read_text())
    if section not in document:
        raise SystemExit(f"{path}: the section '{section}' is missing")
    return build(schema, document[section], f"{path}: {section}")


def model_names(path: Path = Path("params.yaml")) -> list[str]:
    """Return the names of the models beside CONVXGB."""
    return list(yaml.safe_load(path.read_text())["models"])


def load_model(name: str, path: Path = Path("params.yaml")) -> Model:
    """Return one entry of the section `models`, whose `kind` is one of `KINDS`; as `load`."""
    known = yaml.safe_load(path.read_text())["models"]
    if name not in known:
        raise SystemExit(f"{path}: models: '{name}' is not one of {', '.join(known)}")
    where = f"{path}: models.{name}"
    values = dict(known[name])
    kind = values.pop("kind", None)
    if kind not in KINDS:
        raise SystemExit(f"{where}.kind: is {kind!r}, wants one of {', '.join(KINDS)}")
    return build(KINDS[kind], values, where)


def build(schema: type[T], values: Mapping[str, Any], where: str) -> T:
    """Return `values` as the frozen dataclass `schema`, checking keys and types at any depth."""
    types = get_type_hints(schema)
    known = [field.name for field in fields(schema)]  # type: ignore[arg-type]
    for key in values:
        if key not in known:
            raise SystemExit(f"{where}: unknown key '{key}'; known: {', '.join(known)}")
    missing = [key for key in known if key not in values]
    if missing:
        raise SystemExit(f"{where}: missing {', '.join(missing)}")
    return schema(**{key: _value(types[key], values[key], f"{where}.{key}") for key in known})


def _value(wanted: Any, value: Any, where: str) -> Any:
    if is_dataclass(wanted):
        return build(wanted, value, where)  # type: ignore[arg-type]
    if get_origin(wanted) is list:
        items = value if isinstance(value, list) else [value]
        return [_value(get_args(wanted)[0], item, where) for item in items]
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise SystemExit(f"{where}: is {value!r}, wants {wanted}")
    return value
