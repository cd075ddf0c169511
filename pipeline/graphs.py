"""ONNX graphs of what was trained: a beat's inputs -> proba, calibrated."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import onnx
import xgboost
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.compose import add_prefix
from onnxmltools.convert import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType as SklearnFloats
from sklearn.ensemble import RandomForestClassifier
from sklearn.kernel_approximation import Nystroem

from ecg.aami import CLASSES
from ecg.features import input_shapes
from pipeline import convxgb, models, network
from pipeline.calibration import LEAST

_OPSETS: Final = (("", network.ONNX_OPSET), ("ai.onnx.ml", 3))


@dataclass(frozen=True)
class Part:
    """Nodes and their constants, and the value that they end in."""

    nodes: tuple[onnx.NodeProto, ...]
    constants: tuple[onnx.TensorProto, ...]
    result: str

    def then(self, kind: str, *others: str, result: str, **more: Any) -> "Part":
        """Return this and a node on its result and on `others`."""
        node = helper.make_node(kind, [self.result, *others], [result], **more)
        return replace(self, nodes=(*self.nodes, node), result=result)

    def beside(self, *others: "Part") -> "Part":
        """Return this and others, whose result stays this one's."""
        nodes = [n for part in (self, *others) for n in part.nodes]
        constants = [c for part in (self, *others) for c in part.constants]
        return Part(tuple(nodes), tuple(constants), self.result)

    def knowing(self, **constants: NDArray[Any]) -> "Part":
        """Return this with more constants."""
        made = [numpy_helper.from_array(value, name) for name, value in constants.items()]
        return replace(self, constants=(*self.constants, *made))


def of_convxgb(trained: convxgb.Trained) -> onnx.ModelProto:
    """Join windows -> embedding, both forests and the calibration into one graph."""
    forests = trained.forests
    body = network.to_onnx(trained.network).graph
    rows = Part(tuple(body.node), tuple(body.initializer), "embedding")
    rows = rows.then("Concat", "context", result="rows", axis=1)
    shape = _picked(rows, forests.shape, convxgb.SHAPE[forests.view], "shape_")
    rhythm = _picked(rows, forests.rhythm, convxgb.RHYTHM[forests.view], "rhythm_")
    sizes = np.array([1, convxgb.SHAPES - 1], np.int64)
    split = helper.make_node("Split", [shape.result, "sizes"], ["n_or_s", "others"], axis=1)
    both = rows.beside(shape, rhythm).knowing(sizes=sizes)
    both = replace(both, nodes=(*both.nodes, split), result="n_or_s")
    raw = both.then("Mul", rhythm.result, result="n_and_s")
    raw = raw.then("Concat", "others", result="raw", axis=1)
    shapes = input_shapes(forests.view)
    taken = {name: shapes[name] for name in ("windows", "context")}
    return _model(raw, trained.temperature, taken, embeds=True)


def of_model(model: models.Model, view: str) -> onnx.ModelProto:
    """Return the graph of any other model."""
    kind = model.kind
    if isinstance(kind, models.Net):
        body = network.classifier_to_onnx(kind.network).graph
        inputs = tuple(one.name for one in body.input)
        raw = Part(tuple(body.node), tuple(body.initializer), "raw")
        if "context" in inputs:
            known = _scaled(Part((), (), "context"), kind.scaling)
            raw = replace(known.beside(_reading(raw, "context", known.result)), result="raw")
    else:
        inputs = kind.inputs
        raw = _of_table(kind, _rows(inputs), _width(view, inputs))
    shapes = input_shapes(view)
    return _model(raw, model.temperature, {name: shapes[name] for name in inputs})


def of_rows(kind: models.Tabular, width: int, classes: int) -> onnx.ModelProto:
    """Return the graph rows (n, width) -> proba (n, classes), as they are."""
    raw = _of_table(kind, Part((), (), "rows"), width)
    return _model(raw, 1.0, {"rows": (width,)}, classes=classes)


def _rows(inputs: tuple[str, ...]) -> Part:
    """Lay the inputs side by side."""
    flat = [helper.make_node("Flatten", [name], [f"{name}_flat"], axis=1) for name in inputs]
    names = [f"{name}_flat" for name in inputs]
    joined = helper.make_node("Concat", names, ["rows"], axis=1)
    return Part((*flat, joined), (), "rows")


def _width(view: str, inputs: tuple[str, ...]) -> int:
    return sum(int(np.prod(input_shapes(view)[name])) for name in inputs)


def _of_table(kind: models.Tabular, rows: Part, width: int) -> Part:
    if isinstance(kind, models.Trees):
        forest = _forest(kind.booster, rows.result, width, "trees_")
        return replace(rows.beside(forest), result=forest.result)
    if isinstance(kind, models.Cascade):
        first = _forest(kind.abnormal, rows.result, width, "abnormal_")
        which = _forest(kind.which, rows.result, width, "which_")
        both = rows.beside(first, which).knowing(halves=np.array([1, 1], np.int64))
        split = helper.make_node("Split", [first.result, "halves"], ["normal", "other"], axis=1)
        raw = replace(both, nodes=(*both.nodes, split), result="other")
        raw = raw.then("Mul", which.result, result="others")
        join = helper.make_node("Concat", ["normal", "others"], ["raw"], axis=1)
        return replace(raw, nodes=(*raw.nodes, join), result="raw")
    return _of_estimator(kind, _scaled(rows, kind.scaling))


def _scaled(rows: Part, scaling: models.Scaling) -> Part:
    """Standardise: the mean where something is missing, nothing far from it."""
    far = np.float32(models.FARTHEST)
    known = rows.knowing(mean=scaling.mean, scale=scaling.scale, zero=np.zeros(1, np.float32))
    known = known.knowing(least_scaled=np.array(-far), most_scaled=np.array(far))
    deviation = known.then("Sub", "mean", result="deviation").then("Div", "scale", result="scores")
    missing = deviation.then("IsNaN", result="missing")
    filled = missing.then("Where", "zero", "scores", result="filled")
    return filled.then("Clip", "least_scaled", "most_scaled", result="scaled")


def _of_estimator(kind: models.Classical, scaled: Part) -> Part:
    if isinstance(kind.estimator, RandomForestClassifier):
        types = [("rows", SklearnFloats([None, len(kind.scaling.mean)]))]
        options = {id(kind.estimator): {"zipmap": False}}
        opsets = dict(_OPSETS)
        graph = convert_sklearn(
            kind.estimator, initial_types=types, target_opset=opsets, options=options
        )
        forest = _grafted(graph, scaled.result, "forest_")
        return replace(scaled.beside(forest), result=forest.result)
    estimator, kernel = kind.estimator, kind.kernel
    weights = estimator.coef_.T.astype(np.float64)
    # In float64: the landmarks' normalisation is large, and a kernel's last digits would decide.
    rows = scaled.then("Cast", result="precise", to=TensorProto.DOUBLE)
    if kernel is not None:
        rows = _kernel(rows, kernel)
        weights = kernel.normalization_.T.astype(np.float64) @ weights
    known = rows.knowing(weights=weights, intercept=estimator.intercept_.astype(np.float64))
    margin = known.then("MatMul", "weights", result="products").then(
        "Add", "intercept", result="margin"
    )
    proba = margin.then("Softmax", result="precise_raw", axis=1)
    return proba.then("Cast", result="raw", to=TensorProto.FLOAT)


def _kernel(rows: Part, kernel: Nystroem) -> Part:
    """Return exp(-gamma |x - c|^2) of the landmarks c."""
    landmarks = kernel.components_.astype(np.float64)
    known = rows.knowing(
        landmarks=landmarks.T * (2 * kernel.gamma),
        of_landmarks=kernel.gamma * (landmarks**2).sum(axis=1),
        gamma=np.array(kernel.gamma),
        columns=np.array([1], np.int64),
    )
    squares = known.then("Mul", rows.result, result="squares")
    own = squares.then("ReduceSum", "columns", result="squared", keepdims=1)
    sums = own.then("Mul", "gamma", result="own").then("Add", "of_landmarks", result="sums")
    closeness = replace(sums, result=rows.result).then("MatMul", "landmarks", result="closeness")
    return closeness.then("Sub", "sums", result="exponent").then("Exp", result="kernel")


def _picked(rows: Part, booster: xgboost.Booster, names: tuple[str, ...], prefix: str) -> Part:
    """Return a forest on some of the columns of `convxgb.ROWS`."""
    chosen = f"{prefix}columns"
    pick = helper.make_node("Gather", [rows.result, chosen], [f"{prefix}rows"], axis=1)
    forest = _forest(booster, f"{prefix}rows", len(names), prefix)
    columns = numpy_helper.from_array(convxgb.columns(names), chosen)
    return Part((pick, *forest.nodes), (*forest.constants, columns), forest.result)


def _forest(booster: xgboost.Booster, rows: str, width: int, prefix: str) -> Part:
    """Return a forest as nodes from `rows` (n, width) to its probabilities."""
    types = [("rows", FloatTensorType([None, width]))]
    graph = convert_xgboost(booster, initial_types=types, target_opset=_OPSETS[0][1])
    return _grafted(graph, rows, prefix)


def _grafted(model: onnx.ModelProto, rows: str, prefix: str) -> Part:
    graph = add_prefix(model, prefix).graph
    part = Part(tuple(graph.node), tuple(graph.initializer), graph.output[1].name)
    return _reading(part, graph.input[0].name, rows)


def _reading(part: Part, given: str, other: str) -> Part:
    """Let the nodes of a part take `other` for `given`."""
    for node in part.nodes:
        node.input[:] = [other if value == given else value for value in node.input]
    return part


def _model(
    raw: Part,
    temperature: float,
    inputs: dict[str, tuple[int, ...]],
    *,
    classes: int = len(CLASSES),
    embeds: bool = False,
) -> onnx.ModelProto:
    """Calibrate what `raw` ends in, and close the graph over `inputs`, the shape of each."""
    least, one = np.array([LEAST], np.float32), np.array([1], np.int64)
    known = raw.knowing(least=least, sharpness=np.array([1 / temperature], np.float32), axes=one)
    powered = known.then("Max", "least", result="known").then("Pow", "sharpness", result="powered")
    total = powered.then("ReduceSum", "axes", result="total", keepdims=1)
    whole = replace(total, result="powered").then("Div", "total", result="proba")
    outputs = [_tensor("proba", (classes,))]
    if embeds:
        outputs.append(_tensor("embedding", (len(convxgb.EMBEDDING),)))
    nodes = list(whole.nodes)
    kept = {"proba", "embedding"} if embeds else {"proba"}
    constants = _renamed(nodes, list(whole.constants), {*inputs, *kept})
    taken = [_tensor(name, shape) for name, shape in inputs.items()]
    graph = helper.make_graph(nodes, "beatwise", taken, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(*o) for o in _OPSETS])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


def _renamed(
    nodes: list[onnx.NodeProto], constants: list[onnx.TensorProto], kept: set[str]
) -> list[onnx.TensorProto]:
    """Number the nodes' values as they appear: the converter's names differ from run to run."""
    names = {name: name for name in sorted(kept)}
    for node in nodes:
        node.name = ""
        for values in (node.input, node.output):
            values[:] = [value and names.setdefault(value, f"v{len(names)}") for value in values]
    for constant in constants:
        constant.name = names.setdefault(constant.name, f"v{len(names)}")
    return sorted(constants, key=lambda one: one.name)


def _tensor(name: str, shape: tuple[int, ...]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, *shape])
