"""The usual way to serve such a model, measured beside Beatwise: Keras `predict` and XGBoost.

The same beats, the same preprocessing (`ecg.beats.from_cuts`), the same weights where training
left them; default threads, pydantic, a `def` endpoint.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import uvicorn
from fastapi import FastAPI
from numpy.typing import NDArray
from pydantic import BaseModel

from benchmarks.load import HOST
from ecg.aami import CLASSES
from ecg.beats import LONE, RECORDING, Beats, from_cuts
from pipeline import convxgb, network, params

TRAINED: Final = (Path("data/embedding/inter_patient"), Path("data/trained/convxgb/inter_patient"))
STAND_IN: Final = (Path("build/naive"), Path("build/naive"))
VIEWS: Final = (RECORDING, LONE)
_ROWS = 4096


class Given(BaseModel):
    """Beats as /v1/beats takes them."""

    fs: float
    beats: list[list[float]]


class Found(BaseModel):
    """The class of one beat."""

    aami_class: str
    confidence: float
    proba: dict[str, float]


@dataclass(frozen=True)
class Naive:
    """The models of both views as training has them in memory."""

    views: dict[str, convxgb.Trained]

    def predict(self, beats: Beats) -> NDArray[np.float32]:
        """Return proba (n_beats, 5)."""
        return np.asarray(self.views[beats.view].predict(beats)[0], np.float32)


def weights() -> tuple[Path, Path]:
    """Return the folders of networks and of forests: `TRAINED`, or a stand-in of the same size.

    The stand-in knows nothing, and costs as much; it is written where `dvc repro` left no weights.
    """
    if all((TRAINED[1] / f"{view}.json").is_file() for view in VIEWS):
        return TRAINED
    wanted = params.load("train", params.Train)
    for view in VIEWS:
        convxgb.save(STAND_IN[1], _random_forests(view, wanted), {"temperature": 1.0})
        network.save(network.define(wanted.network), STAND_IN[0] / f"{view}.npz")
    return STAND_IN


def load(folders: tuple[Path, Path]) -> Naive:
    """Load the weights in `folders`."""
    wanted = params.load("train", params.Train).network
    return Naive({view: convxgb.load(*folders, view, wanted) for view in VIEWS})


def create_app(naive: Naive) -> FastAPI:
    """Return the service: POST /v1/beats and GET /health/ready."""
    app = FastAPI()

    @app.post("/v1/beats")
    def beats(given: Given) -> list[Found]:
        proba = naive.predict(from_cuts(_cuts(given), given.fs))
        return [_found(row) for row in proba.tolist()]

    @app.get("/health/ready")
    def ready() -> str:
        return "ready"

    return app


def parse(body: bytes) -> list[NDArray[np.float64]]:
    """Return the beats of a body as FastAPI reads it: json, then pydantic."""
    return _cuts(Given.model_validate(json.loads(body)))


def main() -> None:
    """Serve the weights of a folder on a port of this machine."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.naive", description=__doc__)
    parser.add_argument("--weights", type=Path, nargs=2, required=True)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    uvicorn.run(create_app(load(given.weights)), host=HOST, port=given.port)


def _cuts(given: Given) -> list[NDArray[np.float64]]:
    return [np.array(beat) for beat in given.beats]


def _found(row: list[float]) -> Found:
    best = int(np.argmax(row))
    proba = dict(zip(CLASSES, row, strict=True))
    return Found(aami_class=CLASSES[best], confidence=row[best], proba=proba)


def _random_forests(view: str, wanted: params.Train) -> convxgb.Forests:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(_ROWS, len(convxgb.ROWS))).astype(np.float32)
    label = rng.integers(len(CLASSES), size=_ROWS)
    nothing = rows[:0], label[:0]
    return convxgb.fit_forests(view, rows, label, rows[:0], nothing, wanted.trees, 0)


if __name__ == "__main__":
    main()
