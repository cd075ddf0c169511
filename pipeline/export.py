"""Stage `export`: what was trained -> an artefact that executes no code on load.

One ONNX graph holds the network and the trees. Each artefact is loaded as the service loads it
and compared with the Keras and XGBoost models in memory on every test beat.
"""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import xgboost
from numpy.typing import NDArray
from onnx import TensorProto, helper
from onnxmltools.convert import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

from ecg import classifier
from ecg.aami import CLASSES
from ecg.beats import CONSTANTS, CONTEXT, WINDOW, Beats
from pipeline import dataset, network, params
from pipeline.artefact import PARITY, write_manifest
from pipeline.dataset import Protocol
from pipeline.train import tree_rows

SAMPLES: Final = Path("samples/beats.npz")
# Trees in ONNX compare float32 embeddings that differ in the last bits from Keras's: a row may
# fall on the other side of a split.
SAME_CLASS: Final = 0.9999
_OPSETS: Final = (("", network.ONNX_OPSET), ("ai.onnx.ml", 3))


def merge(body: onnx.ModelProto, trees: onnx.ModelProto) -> onnx.ModelProto:
    """Join windows -> embedding and (embedding, context) -> proba into one graph."""
    rows = trees.graph.input[0].name
    proba = trees.graph.output[1].name
    nodes = [
        *body.graph.node,
        helper.make_node("Concat", ["embedding", "context"], [rows], axis=1),
        *trees.graph.node,
        helper.make_node("Identity", [proba], ["proba"]),
    ]
    initializers = _renamed(nodes, [*body.graph.initializer, *trees.graph.initializer])
    embedding_size = body.graph.output[0].type.tensor_type.shape.dim[1].dim_value
    graph = helper.make_graph(
        nodes,
        "convxgb",
        [_tensor("windows", WINDOW, 2), _tensor("context", len(CONTEXT))],
        [_tensor("proba", len(CLASSES)), _tensor("embedding", embedding_size)],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(*o) for o in _OPSETS])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


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


def _export(protocol: Protocol, wanted: params.Export, trained: params.Train) -> None:
    source, folder = dataset.NETWORKS / protocol, dataset.ARTEFACTS / protocol
    folder.mkdir(parents=True, exist_ok=True)
    net = network.load(source / "network.npz", trained.network)
    booster = xgboost.Booster(model_file=source / "trees.ubj")
    model = merge(network.to_onnx(net), _trees_to_onnx(booster, trained.network.embedding))
    (folder / classifier.MODEL).write_bytes(model.SerializeToString(deterministic=True))
    _write_golden(folder, net, booster)
    write_manifest(folder, _card(protocol, wanted, booster))
    served = classifier.load(folder)
    served.replay()
    found = _check_parity(protocol, served, net, booster)
    (folder / PARITY).write_text(json.dumps(found, indent=1) + "\n")
    print(protocol, found)


def _check_parity(
    protocol: Protocol, served: classifier.Classifier, net: Any, booster: xgboost.Booster
) -> dict[str, float | int]:
    beats = dataset.load().beats
    with np.load(dataset.TRAINING / f"{protocol}.npz", allow_pickle=False) as split:
        test = Beats(beats.windows[split["test"]], beats.context[split["test"]])
    found = parity(served.predict(test), _in_memory(net, booster, test))
    if found["share_same_class"] < SAME_CLASS:
        raise SystemExit(f"export: {protocol}: the artefact is not the trained model: {found}")
    return found


def _in_memory(net: Any, booster: xgboost.Booster, beats: Beats) -> NDArray[np.float32]:
    rows = tree_rows(network.embed(net, beats.windows), beats)
    return np.asarray(booster.predict(xgboost.DMatrix(rows)), np.float32)


def _trees_to_onnx(booster: xgboost.Booster, embedding: int) -> onnx.ModelProto:
    rows = FloatTensorType([None, embedding + len(CONTEXT)])
    return convert_xgboost(booster, initial_types=[("rows", rows)], target_opset=_OPSETS[0][1])


def _write_golden(folder: Path, net: Any, booster: xgboost.Booster) -> None:
    """Write real beats with what the model in memory says of them, not the artefact."""
    with np.load(SAMPLES, allow_pickle=False) as file:
        golden = {name: file[name] for name in ("fs", "signal", "r_peak", "rr")}
    beats = classifier.golden_beats(golden)
    golden["embedding"] = network.embed(net, beats.windows)
    golden["proba"] = _in_memory(net, booster, beats)
    np.savez_compressed(folder / classifier.GOLDEN, **golden)


def _card(protocol: Protocol, wanted: params.Export, booster: xgboost.Booster) -> dict[str, Any]:
    return {
        "protocol": classifier.PROTOCOL,
        "name": wanted.name,
        "version": wanted.version,
        "trained_on": protocol,
        "classes": list(CLASSES),
        "constants": CONSTANTS,
        "trees": booster.num_boosted_rounds() * len(CLASSES),
        "protocols": {},
    }


def _tensor(name: str, *shape: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, *shape])


if __name__ == "__main__":
    main()
