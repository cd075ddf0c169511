"""params.yaml as frozen dataclasses: a section a stage, unknown or missing keys refused."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

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
class Trees:
    shape_rounds: int
    rhythm_rounds: int
    max_depth: int
    learning_rate: float
    min_child_weight: float
    reg_lambda: float
    subsample: float
    colsample_bytree: float
    conducted_weight: float
    made_weight: float


@dataclass(frozen=True)
class Train:
    seeds: list[int]
    folds: list[list[str]]
    network: Network
    trees: Trees


@dataclass(frozen=True)
class Export:
    name: str
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
