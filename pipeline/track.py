"""Log every model to MLflow, register those with artefacts, promote one of beats by an alias.

Outside `dvc repro`: it reads what the stages left and writes nothing that they read. MLflow is
where `MLFLOW_TRACKING_URI` says, else in `data/tracking`. Nothing else imports MLflow.
"""

import argparse
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np

from ecg import artefact
from ecg.aami import CLASSES
from ecg.classifier import Classifier
from ecg.context import RR_FIELDS
from ecg.errors import ArtefactError
from ecg.rhythm import RHYTHMS, STRETCH_S, RhythmModel
from pipeline import params, tracked
from pipeline.dataset import CONVXGB, RHYTHM
from pipeline.tracked import Registered, Tracked

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


def track(store: Store, one: Registered) -> str:
    """Log a run and register its model, unless the same was before; return the version."""
    name = REGISTERED + one.name
    known = store.client.search_model_versions(f"name = '{name}' and tag.{DIGEST} = '{one.sha256}'")
    if known:
        print(f"{one.name}: skipped, is {name} version {known[0].version} already")
        return str(known[0].version)
    with _logged(store, one) as run:
        logged = _log_model(store.mlflow, one)
    # Last: a run that was cut short has no version, and is made anew the next time.
    version = store.mlflow.register_model(logged.model_uri, name, tags=_tags(one)).version
    print(f"{one.name}: run {run.info.run_id}, {name} version {version}")
    return str(version)


def track_compared(store: Store, one: Tracked) -> None:
    """Log a run of a model without artefact, unless it has no figures or the same was before."""
    if not one.metrics:
        print(f"{one.name}: skipped, has no figures; `dvc repro` makes them")
        return
    same = f"tags.{DIGEST} = '{one.sha256}' and attributes.status = 'FINISHED'"
    known = store.client.search_runs([store.experiment], same, max_results=1)
    if known:
        print(f"{one.name}: skipped, is run {known[0].info.run_id} already")
        return
    with _logged(store, one) as run:
        print(f"{one.name}: run {run.info.run_id}")


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
    models = _gathered([*names, RHYTHM])
    if wanted.promote not in models:
        raise SystemExit(f"track: {wanted.promote} cannot be promoted: its artefact is missing")
    store = open_store(os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI)
    versions = {name: track(store, one) for name, one in models.items()}
    for one in tracked.compared():
        track_compared(store, one)
    promote(store, wanted.promote, wanted.alias, versions[wanted.promote])


def _gathered(names: list[str]) -> dict[str, Registered]:
    there = [name for name in names if (tracked.MODELS / name / artefact.MANIFEST).is_file()]
    for name in (name for name in names if name not in there):
        print(f"{name}: skipped, {tracked.MODELS / name} is missing; `dvc pull` brings it")
    try:
        return {name: tracked.gather(name) for name in there}
    except ArtefactError as error:
        raise SystemExit(f"track: {error}") from error


@contextmanager
def _logged(store: Store, one: Tracked) -> Iterator[Any]:
    """Open a run and log what every model has."""
    with store.mlflow.start_run(
        experiment_id=store.experiment, run_name=one.name, tags=_tags(one)
    ) as run:
        store.mlflow.log_params(one.params)
        metrics = list(one.metrics.items())
        for start in range(0, len(metrics), _BATCH):
            store.mlflow.log_metrics(dict(metrics[start : start + _BATCH]))
        for plot in one.plots:
            store.mlflow.log_artifact(str(plot), "plots")
        yield run


def _tags(one: Tracked) -> dict[str, str]:
    return {**one.tags, DIGEST: one.sha256}


def _log_model(mlflow: Any, one: Registered) -> Any:
    """Log into the run that is open; return what MLflow says of the model."""
    mlflow.log_artifact(str(one.folders[0] / artefact.MANIFEST))
    return mlflow.pyfunc.log_model(
        name=one.name,
        python_model=str(one.script),
        artifacts={folder.name: str(folder) for folder in one.folders},
        code_paths=["ecg"],
        signature=_signature(one.served),
        input_example=_example(one.served),
        pip_requirements=tracked.pinned(),
    )


def _signature(served: Classifier | RhythmModel) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types.schema import AnyType, Array, ColSpec, Schema

    # As "double" MLflow would refuse whole numbers, which raw samples and most fs are.
    given = [ColSpec(Array(AnyType()), "signal"), ColSpec(AnyType(), "fs")]
    if isinstance(served, RhythmModel):
        answer, proba = "rhythm", [*RHYTHMS]
    else:
        given += [ColSpec(AnyType(), name, required=False) for name in ("r_peak", *RR_FIELDS)]
        answer, proba = "aami_class", [*CLASSES]
    answers = [ColSpec("double", name) for name in ("confidence", *proba)]
    return ModelSignature(Schema(given), Schema([ColSpec("string", answer), *answers]))


def _example(served: Classifier | RhythmModel) -> Any:
    """Return a row: of the golden recording, or the first golden beat with its RR intervals."""
    import pandas as pd

    golden, fs = served.golden, float(served.golden["fs"])
    known = {}
    if isinstance(served, RhythmModel):
        signal = golden["signal"][: round(STRETCH_S * fs)]
    else:
        signal, rr = golden["signal"][0], golden["rr"][0].tolist()
        known = {name: s for name, s in zip(RR_FIELDS, rr, strict=True) if not np.isnan(s)}
        known["r_peak"] = int(golden["r_peak"][0])
    row = {"signal": signal.astype(np.float64).round(6).tolist(), "fs": fs, **known}
    return pd.DataFrame([row])


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
