"""An artefact `rhythm` of a few weights that learnt nothing, and recordings with a rhythm."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ecg import rhythm
from ecg.artefact import GOLDEN, MANIFEST, PROTOCOL
from ecg.locate import locate
from ecg.rhythm_features import FEATURES
from tests.conftest import made_up_beat

FS = 125.0
STEPS = 5
WIDTH = len(FEATURES) + len(rhythm.RHYTHMS)


def signal_of(rr: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a lead (n_samples,) in mV whose beats follow each other at `rr` (n,) seconds."""
    beat = np.array(made_up_beat())
    at = np.rint(np.cumsum(rr) * FS).astype(np.int64)
    out = np.zeros(at[-1] + len(beat) + 64)
    for centre in at:
        out[centre : centre + len(beat)] += beat
    noise = np.random.default_rng(1).normal(0, 0.01, len(out))
    return np.asarray(out + noise)


def steady(seconds: float) -> NDArray[np.float64]:
    """Return intervals of a rhythm as regular as a clock."""
    return np.full(round(seconds / 0.8), 0.8)


def irregular(seconds: float) -> NDArray[np.float64]:
    """Return intervals without any order."""
    return np.random.default_rng(3).uniform(0.4, 1.1, round(seconds / 0.75))


def write_made_up_rhythm(folder: Path) -> None:
    """Write an artefact that loads, and whose golden recording replays."""
    folder.mkdir(parents=True)
    for name, graph in zip(rhythm.GRAPHS, _graphs(), strict=True):
        onnx.save(graph, str(folder / name))
    signal = signal_of(np.concatenate([steady(40), irregular(40)])).astype(np.float32)
    n_beats = len(locate(signal.astype(np.float64), FS).sample)
    golden: dict[str, Any] = {"fs": FS, "signal": signal}
    golden["beat_proba"] = np.full((n_beats, 5), 0.2, np.float32)
    golden["proba"] = np.zeros((1, 4), np.float32)
    _write(folder, golden)
    found = locate(signal.astype(np.float64), FS)
    golden["proba"] = rhythm.load(folder).classify(found, golden["beat_proba"]).proba
    _write(folder, golden)


def _write(folder: Path, golden: dict[str, Any]) -> None:
    with (folder / GOLDEN).open("wb") as file:
        np.savez(file, **golden)
    files = (*rhythm.GRAPHS, GOLDEN)
    card = {
        "protocol": PROTOCOL,
        "name": folder.name,
        "version": "0.1.0",
        "classes": list(rhythm.RHYTHMS),
        "constants": rhythm.RHYTHM_CONSTANTS,
        "files": {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in files},
        "protocols": {},
    }
    (folder / MANIFEST).write_text(json.dumps(card))


def _graphs() -> tuple[onnx.ModelProto, ...]:
    """Return graphs that say fibrillation where successive intervals differ much."""
    shape = numpy_helper.from_array(np.array([0, STEPS, -1], np.int64), "shape")
    reshape = helper.make_node("Reshape", ["segments", "shape"], ["steps"])
    of_segments = _graph([reshape], ("segments", [rhythm.SEGMENT]), "steps", [shape])
    ones = numpy_helper.from_array(np.full((4,), 0.01, np.float32), "ones")
    axes = numpy_helper.from_array(np.array([1, 2], np.int64), "axes")
    of_stretches = _graph(
        [
            helper.make_node("ReduceMean", ["steps"], ["mean"], axes=[1, 2], keepdims=0),
            helper.make_node("Unsqueeze", ["mean", "one"], ["column"]),
            helper.make_node("Mul", ["column", "ones"], ["embedding"]),
        ],
        ("steps", [rhythm.TOGETHER * STEPS, rhythm.SEGMENT // STEPS]),
        "embedding",
        [ones, axes, numpy_helper.from_array(np.array([1], np.int64), "one")],
    )
    weights = np.zeros((WIDTH, 4), np.float32)
    weights[FEATURES.index("rr_change_mean")] = [-10, 20, 0, -10]
    of_rows = _graph(
        [
            helper.make_node("IsNaN", ["rows"], ["missing"]),
            helper.make_node("Where", ["missing", "zero", "rows"], ["known"]),
            helper.make_node("MatMul", ["known", "weights"], ["products"]),
            helper.make_node("Add", ["products", "bias"], ["score"]),
            helper.make_node("Softmax", ["score"], ["proba"], axis=1),
        ],
        ("rows", [WIDTH]),
        "proba",
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array([2, 0, 0, 0], np.float32), "bias"),
            numpy_helper.from_array(np.zeros(1, np.float32), "zero"),
        ],
    )
    return of_segments, of_stretches, of_rows


def _graph(
    nodes: list[onnx.NodeProto],
    given: tuple[str, list[int]],
    result: str,
    constants: list[onnx.TensorProto],
) -> onnx.ModelProto:
    taken = helper.make_tensor_value_info(given[0], TensorProto.FLOAT, ["n", *given[1]])
    made = helper.make_tensor_value_info(result, TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "made_up", [taken], [made], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
