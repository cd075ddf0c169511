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
class Layers:
    """filters: of the convolutions, none for a network without; hidden: units of the head."""

    filters: list[int]
    hidden: int
    dropout: float
    batch: int
    epochs: int
    learning_rate: float
    normal_beats: int


@dataclass(frozen=True)
class Network(Layers):
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
class NetworkModel(Layers):
    """A network of windows, whose head sees the context too.

    units: of the recurrent layer, 0 for a network without; patience: epochs without a gain until
    it stops early, 0 for never.
    """

    views: list[str]
    balance: str
    units: int
    patience: int


TabularModel = TreesModel | LogisticModel | SvmModel | ForestModel
Model = TabularModel | NetworkModel
KINDS: Final[dict[str, type[Model]]] = {
    "trees": TreesModel,
    "logistic": LogisticModel,
    "svm": SvmModel,
    "forest": ForestModel,
    "network": NetworkModel,
}


@dataclass(frozen=True)
class Rhythm:
    """Of the challenge's recordings: folds for all models, and how many processes read them."""

    seed: int
    folds: int
    jobs: int


@dataclass(frozen=True)
class RhythmNetwork:
    """Convolutions over the samples, a recurrent layer over what they find.

    filters, sizes, strides: of the convolutions; units: of the recurrent layer, each way.
    """

    filters: list[int]
    sizes: list[int]
    strides: list[int]
    units: int
    dropout: float
    batch: int
    epochs: int
    learning_rate: float


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


def model_names(path: Path = Path("params.yaml"), section: str = "models") -> list[str]:
    """Return the names of a section of models; CONVXGB and the rhythm's network are in none."""
    return list(yaml.safe_load(path.read_text())[section])


def load_model(name: str, path: Path = Path("params.yaml"), section: str = "models") -> Model:
    """Return one entry of a section of models, whose `kind` is one of `KINDS`; as `load`."""
    known = yaml.safe_load(path.read_text())[section]
    if name not in known:
        raise SystemExit(f"{path}: {section}: '{name}' is not one of {', '.join(known)}")
    where = f"{path}: {section}.{name}"
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
