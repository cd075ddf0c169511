"""Log every model to MLflow, register each as one that calls `ecg`, promote one by an alias.

Outside `dvc repro`: it reads what the stages left and writes nothing that they read. MLflow is
where `MLFLOW_TRACKING_URI` says, else in `data/tracking`. Nothing else imports MLflow.
"""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np

from ecg import classifier
from ecg.aami import CLASSES
from ecg.classifier import Classifier
from ecg.context import RR_FIELDS
from ecg.errors import ArtefactError
from pipeline import params, tracked
from pipeline.dataset import CONVXGB
from pipeline.tracked import Tracked

DEFAULT_URI: Final = "sqlite:///data/tracking/mlflow.db"
EXPERIMENT: Final = "beatwise"
REGISTERED: Final = "beatwise-"
"""How the names of registered models begin."""
ALIAS: Final = "champion"
DIGEST: Final = "tracked_sha256"
"""The tag by which what was tracked before is known again."""
SILENT: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
_BATCH: Final = 1000
"""Metrics that MLflow takes at once."""


@dataclass(frozen=True)
class Store:
    """MLflow, its client, and the identity of the experiment."""

    mlflow: Any
    client: Any
    experiment: str


def open_store(uri: str) -> Store:
    """Open the experiment, made where it is new; raises SystemExit where MLflow is missing."""
    # MLflow decides on its telemetry as it is imported.
    os.environ.update(SILENT)
    try:
        import mlflow
    except ModuleNotFoundError:
        raise SystemExit(f"track: {sys.executable} has no MLflow; run `make track`") from None
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    mlflow.set_tracking_uri(uri)
    client, artefacts = mlflow.MlflowClient(), _beside(uri)
    known = client.get_experiment_by_name(EXPERIMENT)
    experiment = (
        client.create_experiment(EXPERIMENT, artifact_location=artefacts)
        if known is None
        else known.experiment_id
    )
    return Store(mlflow, client, experiment)


def track(store: Store, one: Tracked) -> str:
    """Log a run and register its model, unless the same was before; return the version."""
    name = REGISTERED + one.name
    known = store.client.search_model_versions(f"name = '{name}' and tag.{DIGEST} = '{one.sha256}'")
    if known:
        print(f"{one.name}: skipped, is {name} version {known[0].version} already")
        return str(known[0].version)
    tags = {**one.tags, DIGEST: one.sha256}
    with store.mlflow.start_run(
        experiment_id=store.experiment, run_name=one.name, tags=tags
    ) as run:
        logged = _log(store.mlflow, one)
    # Last: a run that was cut short has no version, and is made anew the next time.
    version = store.mlflow.register_model(logged.model_uri, name, tags=tags).version
    print(f"{one.name}: run {run.info.run_id}, {name} version {version}")
    return str(version)


def promote(store: Store, name: str, alias: str, version: str) -> None:
    """Let the alias name one version of one model; it is taken from any other model."""
    for other in store.client.search_registered_models(f"name LIKE '{REGISTERED}%'"):
        if alias in other.aliases and other.name != REGISTERED + name:
            store.client.delete_registered_model_alias(other.name, alias)
            print(f"{alias} taken from {other.name}")
    store.client.set_registered_model_alias(REGISTERED + name, alias, version)
    print(f"models:/{REGISTERED}{name}@{alias} is version {version}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; raises SystemExit with what is wrong."""
    names = [CONVXGB, *params.model_names()]
    parser = argparse.ArgumentParser(prog="python -m pipeline.track", description=__doc__)
    parser.add_argument("--promote", default=CONVXGB, choices=names, help="default: %(default)s")
    parser.add_argument("--alias", default=ALIAS, help="default: %(default)s")
    wanted = parser.parse_args(arguments)
    models = _gathered(names)
    if wanted.promote not in models:
        raise SystemExit(f"track: {wanted.promote} cannot be promoted: its artefact is missing")
    store = open_store(os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI)
    versions = {name: track(store, one) for name, one in models.items()}
    promote(store, wanted.promote, wanted.alias, versions[wanted.promote])


def _gathered(names: list[str]) -> dict[str, Tracked]:
    there = [name for name in names if (tracked.MODELS / name / classifier.MANIFEST).is_file()]
    for name in (name for name in names if name not in there):
        print(f"{name}: skipped, {tracked.MODELS / name} is missing; `dvc pull` brings it")
    try:
        return {name: tracked.gather(name) for name in there}
    except ArtefactError as error:
        raise SystemExit(f"track: {error}") from error


def _log(mlflow: Any, one: Tracked) -> Any:
    """Log into the run that is open; return what MLflow says of the model."""
    mlflow.log_params(one.params)
    metrics = list(one.metrics.items())
    for start in range(0, len(metrics), _BATCH):
        mlflow.log_metrics(dict(metrics[start : start + _BATCH]))
    for plot in one.plots:
        mlflow.log_artifact(str(plot), "plots")
    mlflow.log_artifact(str(one.folder / classifier.MANIFEST))
    return mlflow.pyfunc.log_model(
        name=one.name,
        python_model=str(tracked.SCRIPT),
        artifacts={"artefact": str(one.folder)},
        code_paths=["ecg"],
        signature=_signature(),
        input_example=_example(one.served),
        pip_requirements=tracked.pinned(),
    )


def _signature() -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types.schema import AnyType, Array, ColSpec, Schema

    # As "double" MLflow would refuse whole numbers, which raw samples and most fs are.
    known = [ColSpec(AnyType(), name, required=False) for name in ("r_peak", *RR_FIELDS)]
    given = [ColSpec(Array(AnyType()), "signal"), ColSpec(AnyType(), "fs"), *known]
    answers = [ColSpec("double", name) for name in ("confidence", *CLASSES)]
    return ModelSignature(Schema(given), Schema([ColSpec("string", "aami_class"), *answers]))


def _example(served: Classifier) -> Any:
    """Return the first golden beat as a row, with the RR intervals that are known of it."""
    import pandas as pd

    golden = served.golden
    rr = dict(zip(RR_FIELDS, golden["rr"][0].tolist(), strict=True))
    row = {
        "signal": golden["signal"][0].astype(np.float64).round(6).tolist(),
        "fs": float(golden["fs"]),
        "r_peak": int(golden["r_peak"][0]),
    }
    return pd.DataFrame([{**row, **{k: v for k, v in rr.items() if not np.isnan(v)}}])


def _beside(uri: str) -> str | None:
    """Return where artefacts go: beside a SQLite file, whose folder is made, else MLflow's own."""
    parts = urlsplit(uri)
    if parts.scheme != "sqlite":
        return None
    folder = Path(parts.path[1:]).absolute().parent
    folder.mkdir(parents=True, exist_ok=True)
    return (folder / "artifacts").as_uri()


if __name__ == "__main__":
    main()
