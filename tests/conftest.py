"""Fixtures: a service in a process of its own, on the real artefact or on a made-up one."""

import hashlib
import json
import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio.from_thread
import httpx
import numpy as np
import onnx
import pytest
from fastapi import FastAPI
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from playwright.sync_api import Browser

from ecg.aami import CLASSES
from ecg.artefact import GOLDEN, MANIFEST, PROTOCOL
from ecg.beats import CONSTANTS, LONE, RECORDING, SHAPES
from ecg.classifier import (
    GOLDEN_PREFIX,
    MODELS,
    Classifier,
    golden_beats,
    load,
)
from ecg.context import CONTEXT, RATIOS
from tests.browsing import chromium

ROOT = Path(__file__).parent.parent
START_S = 60


@contextmanager
def running(models: Path | str, **settings: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run `python -m app` on a free port; give its address and its process."""
    # `make test` pins no settings, but a developer's shell may.
    environ = {k: v for k, v in os.environ.items() if not k.startswith("BEATWISE_")}
    environ |= {"BEATWISE_MODELS": str(models), **settings}
    command = [sys.executable, "-m", "app", "--port", "0"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield _address(process), process
        finally:
            process.kill()


def _address(process: subprocess.Popen[str]) -> str:
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_drain, args=(process, lines), daemon=True).start()
    said = lines.get(timeout=START_S)
    found = re.search(r"http://\S+?(?=/ )", said)
    if found is None:
        pytest.fail(f"the service did not start: {said}")
    _wait_until_live(found.group(0))
    return found.group(0)


def _drain(process: subprocess.Popen[str], lines: "queue.Queue[str]") -> None:
    if process.stdout is not None:
        for line in process.stdout:
            lines.put(line)


def _wait_until_live(address: str) -> None:
    with httpx.Client(transport=httpx.HTTPTransport(retries=6)) as client:
        client.get(f"{address}/health/live", timeout=START_S)


@contextmanager
def inside(app: FastAPI) -> Iterator[Callable[..., httpx.Response]]:
    """Start `app` in this process; give a function like `httpx.request`."""
    with anyio.from_thread.start_blocking_portal() as portal:
        lifespan = app.router.lifespan_context(app)
        with portal.wrap_async_context_manager(lifespan):

            async def ask(
                method: str, path: str, sent: object = None, headers: Any = None, **body: Any
            ) -> httpx.Response:
                transport = httpx.ASGITransport(app)
                async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
                    return await client.request(method, path, json=sent, headers=headers, **body)

            yield lambda *args, **more: portal.call(partial(ask, *args, **more))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium without a window."""
    with chromium() as opened:
        yield opened


@pytest.fixture
def complaints() -> list[str]:
    """Console errors, uncaught exceptions and CSP violations of the page under test."""
    return []


@pytest.fixture(scope="session")
def service_url() -> Iterator[str]:
    """The address of a service that runs the artefact of this repository."""
    if not (ROOT / "models" / "convxgb" / MANIFEST).is_file():
        pytest.fail("models/convxgb is missing: `dvc pull -r bundled models/convxgb` brings it")
    with running(ROOT / "models") as (address, _):
        yield address


@pytest.fixture(scope="session")
def service(made_up_models: Path) -> Iterator[str]:
    """The address of a service that runs the made-up artefact."""
    with running(made_up_models) as (address, _):
        yield address


@pytest.fixture(scope="session")
def client(service: str) -> Iterator[httpx.Client]:
    """A client of the service that runs the made-up artefact."""
    with httpx.Client(base_url=service, timeout=60) as opened:
        yield opened


@pytest.fixture(scope="session")
def made_up_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with an artefact `convxgb` of a few weights, which learnt nothing."""
    models = tmp_path_factory.mktemp("models")
    write_made_up_artefact(models / "convxgb")
    return models


@pytest.fixture(scope="session")
def model(made_up_models: Path) -> Classifier:
    """The made-up artefact, loaded."""
    return load(made_up_models / "convxgb")


def write_made_up_artefact(folder: Path, views: tuple[str, ...] = (RECORDING, LONE)) -> None:
    """Write an artefact of some views that loads, and whose golden beats replay."""
    folder.mkdir(parents=True)
    for view in views:
        onnx.save(_made_up_network(*SHAPES[view]), str(folder / MODELS[view]))
    golden = _golden_input()
    prefixes = {view: GOLDEN_PREFIX[view] for view in views}
    for prefix in prefixes.values():
        golden |= {f"{prefix}proba": np.zeros((4, 5)), f"{prefix}embedding": np.zeros((4, 8))}
    write_golden(folder, golden)
    write_manifest(folder)
    made_up = load(folder)
    for view, prefix in prefixes.items():
        found = made_up.run(golden_beats(golden, view))
        golden[f"{prefix}proba"], golden[f"{prefix}embedding"] = found
    write_golden(folder, golden)
    write_manifest(folder)


def write_golden(folder: Path, golden: dict[str, Any]) -> None:
    """Write golden.npz."""
    with (folder / GOLDEN).open("wb") as file:
        np.savez(file, **golden)


def write_manifest(folder: Path, **other: object) -> None:
    """Write the manifest of the files that lie in `folder`."""
    files = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in (*MODELS.values(), GOLDEN)
        if (folder / name).is_file()
    }
    card = {
        "protocol": PROTOCOL,
        "name": folder.name,
        "version": "0.1.0",
        "classes": list(CLASSES),
        "constants": CONSTANTS,
        "files": files,
        "protocols": {"inter_patient": {"macro_f1_nsv": 0.5}},
        **other,
    }
    (folder / MANIFEST).write_text(json.dumps(card))


def hashes_of(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of the manifest of each model in `folder`, by name."""
    manifests = folder.glob(f"*/{MANIFEST}")
    return {m.parent.name: hashlib.sha256(m.read_bytes()).hexdigest() for m in manifests}


def made_up_beat(fs: float = 125.0, seconds: float = 1.28, shift_s: float = 0.0) -> list[float]:
    """A QRS and a T wave, in mV; the R peak at two fifths."""
    t = np.arange(round(seconds * fs)) / fs - 0.4 * seconds - shift_s
    wave: NDArray[np.float64] = np.exp(-((t / 0.012) ** 2)) + 0.3 * np.exp(
        -(((t - 0.25) / 0.05) ** 2)
    )
    return [float(x) for x in wave.round(4)]


def _golden_input() -> dict[str, Any]:
    beats = [made_up_beat(shift_s=shift) for shift in (-0.1, 0.0, 0.1, 0.2)]
    return {
        "signal": np.array(beats, np.float32),
        "fs": np.float64(125.0),
        "r_peak": np.array([51, 64, 76, 89]),
        "rr": np.array([[0.8, 0.8, 0.8, 0.8]] * 3 + [[np.nan] * 4]),
        "recording": np.tile(beats[1], 5).astype(np.float32),
        "recording_r_peak": 64 + len(beats[1]) * np.arange(5),
    }


def _made_up_network(length: int, channels: int) -> onnx.ModelProto:
    generator = np.random.default_rng(7)
    weights = {
        "to_embedding": generator.normal(0, 0.1, (length * channels, 8)).astype(np.float32),
        "to_score": generator.normal(0, 0.5, (8, len(CLASSES))).astype(np.float32),
        "of_context": _of_ratios(generator),
        "missing": np.zeros(1, np.float32),
    }
    nodes = [
        helper.make_node("Flatten", ["windows"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "to_embedding"], ["raw"]),
        helper.make_node("Tanh", ["raw"], ["embedding"]),
        helper.make_node("IsNaN", ["context"], ["is_missing"]),
        helper.make_node("Where", ["is_missing", "missing", "context"], ["known"]),
        helper.make_node("MatMul", ["embedding", "to_score"], ["score"]),
        helper.make_node("MatMul", ["known", "of_context"], ["shift"]),
        helper.make_node("Add", ["score", "shift"], ["sum"]),
        helper.make_node("Softmax", ["sum"], ["proba"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "made_up",
        [_tensor("windows", [length, channels]), _tensor("context", [len(CONTEXT)])],
        [_tensor("proba", [len(CLASSES)]), _tensor("embedding", [8])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _of_ratios(generator: np.random.Generator) -> NDArray[np.float32]:
    weights = np.zeros((len(CONTEXT), len(CLASSES)), np.float32)
    weights[: len(RATIOS)] = generator.normal(0, 0.1, (len(RATIOS), len(CLASSES)))
    return weights


def _tensor(name: str, shape: list[int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape])
