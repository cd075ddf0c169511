"""Stage `export`: what was trained of one model -> an artefact that executes no code on load.

An ONNX graph a view holds all of it, the calibration too. Each artefact is loaded as the service
loads it and compared with the Keras, XGBoost or scikit-learn model in memory on every test beat.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray

from ecg import artefact, classifier
from ecg.aami import CLASSES
from ecg.beats import CONSTANTS, LONE, RECORDING, Beats
from pipeline import convxgb, dataset, folds, graphs, models, params
from pipeline.artefact import PARITY, write_manifest
from pipeline.dataset import CONVXGB, Protocol
from pipeline.parity import SAME_CLASS, parity

SAMPLES: Final = Path("samples/beats.npz")
Answer = tuple[NDArray[np.float64], NDArray[np.float32]]


@dataclass(frozen=True)
class Trained:
    """One view of a model in memory: its answers, proba (n, 5) and embedding, and its graph."""

    predict: Callable[[Beats], Answer]
    graph: Callable[[], onnx.ModelProto]


def main(name: str) -> None:
    version = params.load("export", params.Export).version
    if name != CONVXGB:
        _export(name, "inter_patient", version, _model_views(name))
        return
    wanted = params.load("train", params.Train)
    for protocol in dataset.PROTOCOLS:
        views = {view: _of_convxgb(protocol, view, wanted) for view in (RECORDING, LONE)}
        _export(name, protocol, version, views)
    for seed in wanted.seeds[1:]:
        run = f"seed_{seed}"
        folder = dataset.ARTEFACTS / name / run
        _write_graph(_of_convxgb(run, RECORDING, wanted), folder, RECORDING)


def _of_convxgb(run: str, view: str, wanted: params.Train) -> Trained:
    networks, forests = dataset.EMBEDDING / run, dataset.TRAINED / CONVXGB / run
    trained = convxgb.load(networks, forests, view, wanted.network)
    return Trained(trained.predict, lambda: graphs.of_convxgb(trained))


def _model_views(name: str) -> dict[str, Trained]:
    spec = params.load_model(name)
    folder = dataset.TRAINED / name / "inter_patient"
    return {view: _of_model(models.load(spec, folder, view), view) for view in spec.views}


def _of_model(model: models.Model, view: str) -> Trained:
    def predict(beats: Beats) -> Answer:
        return model.predict(beats), np.empty((len(beats), 0), np.float32)

    return Trained(predict, lambda: graphs.of_model(model, view))


def _export(name: str, protocol: Protocol, version: str, views: dict[str, Trained]) -> None:
    folder = dataset.ARTEFACTS / name / protocol
    for view, one in views.items():
        _write_graph(one, folder, view)
    _write_golden(folder, views)
    card = {
        "protocol": artefact.PROTOCOL,
        "name": name,
        "version": version,
        "trained_on": protocol,
        "classes": list(CLASSES),
        "constants": CONSTANTS,
        "protocols": {},
    }
    write_manifest(folder, card)
    served = classifier.load(folder)
    served.replay()
    found = {view: _check_parity(protocol, served, view, one) for view, one in views.items()}
    (folder / PARITY).write_text(json.dumps(found, indent=1) + "\n")
    print(name, protocol, found)


def _write_graph(trained: Trained, folder: Path, view: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / classifier.MODELS[view]
    path.write_bytes(trained.graph().SerializeToString(deterministic=True))


def _check_parity(
    protocol: Protocol, served: classifier.Classifier, view: str, trained: Trained
) -> dict[str, float | int]:
    test = test_beats(protocol, view)
    found = parity(served.predict(test), trained.predict(test)[0].astype(np.float32))
    if found["share_same_class"] < SAME_CLASS:
        raise SystemExit(f"export: {protocol}: the {view} graph is not what was trained: {found}")
    return found


def test_beats(protocol: Protocol, view: str) -> Beats:
    """Return the test beats of a protocol as a view has them."""
    if view == LONE:
        rows = dataset.test_rows(protocol)
        return folds.lone(dataset.load(), rows, np.random.default_rng(0))
    return dataset.test_of(protocol, view).beats


def _write_golden(folder: Path, views: dict[str, Trained]) -> None:
    """Write real beats with what the models in memory say of them, not the artefact."""
    with np.load(SAMPLES, allow_pickle=False) as file:
        golden = {name: file[name] for name in classifier.GOLDEN_INPUT}
    for view, one in views.items():
        proba, embedding = one.predict(classifier.golden_beats(golden, view))
        prefix = classifier.GOLDEN_PREFIX[view]
        golden |= {f"{prefix}proba": proba.astype(np.float32), f"{prefix}embedding": embedding}
    np.savez_compressed(folder / artefact.GOLDEN, **golden)


if __name__ == "__main__":
    main(sys.argv[1])
