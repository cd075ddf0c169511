"""Stage `imbalance`: what one way to treat rare classes does to each class, on folds of DS1."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline import compare, params, train
from pipeline.dataset import IMBALANCE
from pipeline.folds import CROSS


def main(method: str) -> None:
    name = params.load("imbalance", params.Imbalance).model
    wanted = params.load("train", params.Train)
    spec = replace(params.load_model(name), balance=method)
    balance = params.load("balance", params.Balance)
    found: dict[str, Any] = {}
    for protocol in CROSS:
        rows = train.rows_of(spec.views[0], protocol, wanted)
        proba = train.cross_validate(spec, rows, balance, wanted.seeds[0])
        found[protocol] = compare.of_folds(*train.judged(rows, proba))
        print(f"{name}, {method}: folds of {protocol} are scored", flush=True)
    write(found, IMBALANCE / f"{method}.json")


def write(found: dict[str, Any], path: Path) -> None:
    """Write figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
