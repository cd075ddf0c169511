"""Stage `export`: what was trained -> an artefact that executes no code on load.

An ONNX graph a view holds its network, both forests and the calibration. Each artefact is loaded as
the service loads it and compared with the Keras and XGBoost models in memory on every test beat.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import xgboost
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.compose import add_prefix
from onnxmltools.convert import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

from ecg import classifier
from ecg.aami import CLASSES
from ecg.beats import CONSTANTS, LONE, RECORDING, VIEWS, WINDOW, Beats
from ecg.context import CONTEXT
from pipeline import dataset, network, params, train
from pipeline.artefact import PARITY, write_manifest
from pipeline.dataset import Protocol

SAMPLES: Final = Path("samples/beats.npz")
# Trees in ONNX compare float32 embeddings that differ in the last bits from Keras's: a row may
# fall on the other side of a split.
SAME_CLASS: Final = 0.9999
_OPSETS: Final = (("", network.ONNX_OPSET), ("ai.onnx.ml", 3))


@dataclass(frozen=True)
class Trained:
    """What training left of one view."""

    network: Any
    forests: train.Forests
    temperature: float

    def predict(self, beats: Beats) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Return proba (n, 5) and embedding (n, 5) of beats, by Keras and XGBoost."""
        embedding = network.embed(self.network, beats.windows)
        proba = self.forests.predict(train.tree_rows(embedding, beats))
        return train.calibrated(proba, self.temperature), embedding


def merge(body: onnx.ModelProto, trained: Trained) -> onnx.ModelProto:
    """Join windows -> embedding, both forests and the calibration into one graph."""
    forests = trained.forests
    shape = _forest(forests.shape, train.SHAPE[forests.view], "shape_")
    rhythm = _forest(forests.rhythm, train.RHYTHM[forests.view], "rhythm_")
    nodes = [
        *body.graph.node,
        helper.make_node("Concat", ["embedding", "context"], ["rows"], axis=1),
        *shape.nodes,
        *rhythm.nodes,
        helper.make_node("Split", [shape.proba, "sizes"], ["n_or_s", "others"], axis=1),
        helper.make_node("Mul", ["n_or_s", rhythm.proba], ["n_and_s"]),
        helper.make_node("Concat", ["n_and_s", "others"], ["raw"], axis=1),
        helper.make_node("Max", ["raw", "least"], ["known"]),
        helper.make_node("Pow", ["known", "sharpness"], ["powered"]),
        helper.make_node("ReduceSum", ["powered", "axes"], ["total"], keepdims=1),
        helper.make_node("Div", ["powered", "total"], ["proba"]),
    ]
    constants = {
        "sizes": np.array([1, train.SHAPES - 1], np.int64),
        "least": np.array([train.LEAST], np.float32),
        "sharpness": np.array([1 / trained.temperature], np.float32),
        "axes": np.array([1], np.int64),
    }
    own = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    parts = [*body.graph.initializer, *shape.initializers, *rhythm.initializers, *own]
    graph = helper.make_graph(
        nodes,
        "convxgb",
        [_tensor("windows", WINDOW, 2), _tensor("context", len(CONTEXT))],
        [_tensor("proba", len(CLASSES)), _tensor("embedding", len(train.EMBEDDING))],
        _renamed(nodes, parts),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(*o) for o in _OPSETS])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


@dataclass(frozen=True)
class _Forest:
    nodes: list[onnx.NodeProto]
    initializers: list[onnx.TensorProto]
    proba: str


def _forest(booster: xgboost.Booster, names: tuple[str, ...], prefix: str) -> _Forest:
    """Return a forest as nodes from its columns of `rows` to its probabilities."""
    types = [("rows", FloatTensorType([None, len(names)]))]
    found = add_prefix(
        convert_xgboost(booster, initial_types=types, target_opset=_OPSETS[0][1]), prefix
    ).graph
    chosen = numpy_helper.from_array(train.columns(names), f"{prefix}columns")
    pick = helper.make_node("Gather", ["rows", chosen.name], [found.input[0].name], axis=1)
    return _Forest([pick, *found.node], [*found.initializer, chosen], found.output[1].name)


def _renamed(
    nodes: list[onnx.NodeProto], initializers: list[onnx.TensorProto]
) -> list[onnx.TensorProto]:
    """Number the nodes' values as they appear: the converter's names differ from run to run."""
    names = {name: name for name in ("windows", "context", "embedding", "proba")}
    for node in nodes:
        node.name = ""
        for values in (node.input, node.output):
            values[:] = [names.setdefault(value, f"v{len(names)}") for value in values]
    for initializer in initializers:
        initializer.name = names.setdefault(initializer.name, f"v{len(names)}")
    return sorted(initializers, key=lambda one: one.name)


def parity(served: NDArray[np.float32], in_memory: NDArray[np.float32]) -> dict[str, float | int]:
    """Compare proba (n, 5) of the artefact with those of the model in memory."""
    same = served.argmax(1) == in_memory.argmax(1)
    difference = np.abs(served - in_memory).max(axis=1)
    return {
        "beats": len(same),
        "other_class": int((~same).sum()),
        "share_same_class": float(same.mean()),
        "share_within_1e-5": float((difference < 1e-5).mean()),
        "largest_difference": round(float(difference.max()), 6),
    }


def main() -> None:
    wanted = params.load("export", params.Export)
    trained = params.load("train", params.Train)
    for protocol in dataset.PROTOCOLS:
        _export(protocol, wanted, trained)
    for seed in trained.seeds[1:]:
        source = dataset.NETWORKS / f"seed_{seed}"
        _write_graph(_load(source, RECORDING, trained), dataset.ARTEFACTS / source.name)


def _export(protocol: Protocol, wanted: params.Export, parameters: params.Train) -> None:
    source, folder = dataset.NETWORKS / protocol, dataset.ARTEFACTS / protocol
    trained = {view: _load(source, view, parameters) for view in VIEWS}
    for one in trained.values():
        _write_graph(one, folder)
    _write_golden(folder, trained)
    write_manifest(folder, _card(protocol, wanted, trained))
    served = classifier.load(folder)
    served.replay()
    found = {view: _check_parity(protocol, served, view, one) for view, one in trained.items()}
    (folder / PARITY).write_text(json.dumps(found, indent=1) + "\n")
    print(protocol, found)


def _load(folder: Path, view: str, parameters: params.Train) -> Trained:
    return Trained(*train.load_trained(folder, view, parameters.network))


def _write_graph(trained: Trained, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    model = merge(network.to_onnx(trained.network), trained)
    path = folder / classifier.MODELS[trained.forests.view]
    path.write_bytes(model.SerializeToString(deterministic=True))


def _check_parity(
    protocol: Protocol, served: classifier.Classifier, view: str, trained: Trained
) -> dict[str, float | int]:
    beats = dataset.load()
    with np.load(dataset.TRAINING / f"{protocol}.npz", allow_pickle=False) as split:
        rows = split["test"]
    test = beats.beats.take(rows)
    if view == LONE:
        test = train.lone(beats, rows, np.random.default_rng(0))
    found = parity(served.predict(test), trained.predict(test)[0].astype(np.float32))
    if found["share_same_class"] < SAME_CLASS:
        raise SystemExit(f"export: {protocol}: the {view} graph is not what was trained: {found}")
    return found


def _write_golden(folder: Path, trained: dict[str, Trained]) -> None:
    """Write real beats with what the models in memory say of them, not the artefact."""
    with np.load(SAMPLES, allow_pickle=False) as file:
        golden = {name: file[name] for name in classifier.GOLDEN_INPUT}
    for prefix, beats in classifier.golden_beats(golden).items():
        proba, embedding = trained[beats.view].predict(beats)
        golden[f"{prefix}proba"] = proba.astype(np.float32)
        golden[f"{prefix}embedding"] = embedding
    np.savez_compressed(folder / classifier.GOLDEN, **golden)


def _card(protocol: Protocol, wanted: params.Export, trained: dict[str, Trained]) -> dict[str, Any]:
    forests = trained[RECORDING].forests
    shape, rhythm = forests.shape.num_boosted_rounds(), forests.rhythm.num_boosted_rounds()
    return {
        "protocol": classifier.PROTOCOL,
        "name": wanted.name,
        "version": wanted.version,
        "trained_on": protocol,
        "classes": list(CLASSES),
        "constants": CONSTANTS,
        "trees": shape * train.SHAPES + rhythm,
        "protocols": {},
    }


def _tensor(name: str, *shape: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, *shape])


if __name__ == "__main__":
    main()
