"""Stage `export-rhythm`: the network and the trees of the rhythm -> an artefact like the others.

It is compared with the models in memory on every recording of the challenge.
"""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecg import artefact, rhythm
from ecg.rhythm_features import FEATURES, features
from pipeline import dataset, graphs, models, network, params, recorded
from pipeline.artefact import PARITY, write_manifest
from pipeline.classified import classified
from pipeline.dataset import RHYTHM
from pipeline.embed_rhythm import define, embedding_of
from pipeline.parity import SAME_CLASS, parity
from pipeline.recorded import NETWORK, TRAINED

SAMPLES: Final = Path("samples/beats.npz")


def main() -> None:
    folder = dataset.ARTEFACTS / RHYTHM
    folder.mkdir(parents=True, exist_ok=True)
    spec = params.load_model(RHYTHM, section="rhythm_models")
    trees = models.load(spec, TRAINED / RHYTHM, RHYTHM).kind
    if isinstance(trees, models.Net):
        raise SystemExit(f"params.yaml: rhythm_models.{RHYTHM}: a network of beats knows no rhythm")
    of_network = params.load("rhythm_network", params.RhythmNetwork)
    parts = define(of_network)
    network.load_rhythm(parts, TRAINED / NETWORK)
    width, classes = len(FEATURES) + len(rhythm.RHYTHMS), len(rhythm.RHYTHMS)
    made = (*network.rhythm_to_onnx(parts), graphs.of_rows(trees, width, classes))
    for name, graph in zip(rhythm.GRAPHS, made, strict=True):
        (folder / name).write_bytes(graph.SerializeToString(deterministic=True))
    _write_golden(folder, parts, trees)
    write_manifest(folder, _card())
    rhythm.load(folder).replay()
    found = _parity(rhythm.load(folder), parts, trees)
    if found["share_same_class"] < SAME_CLASS:
        raise SystemExit(f"export: {RHYTHM} is not what was trained: {found}")
    (folder / PARITY).write_text(json.dumps({RHYTHM: found}, indent=1) + "\n")
    print(RHYTHM, found)


def _card() -> dict[str, Any]:
    return {
        "protocol": artefact.PROTOCOL,
        "name": RHYTHM,
        "version": params.load("export", params.Export).version,
        "trained_on": "challenge-2017",
        "classes": list(rhythm.RHYTHMS),
        "constants": rhythm.RHYTHM_CONSTANTS,
        "protocols": {},
    }


def _write_golden(folder: Path, parts: network.RhythmParts, trees: models.Tabular) -> None:
    """Write a real recording with what the models in memory say of it, not the artefact."""
    with np.load(SAMPLES, allow_pickle=False) as file:
        signal, fs = file["recording"], file["fs"]
    found, beat_proba = classified(signal.astype(np.float64), float(fs))
    _, spans = rhythm.plan(len(signal) / float(fs))
    cut = rhythm.segments(rhythm.scaled(found.ready))
    steps = network.embed_rhythm(parts, cut[rhythm.stretches(len(cut))])
    rows = np.hstack([features(found, beat_proba, *spans), rhythm.averaged(steps, *spans)])
    golden = {"fs": fs, "signal": signal, "beat_proba": beat_proba}
    proba = trees.of_rows(rows.astype(np.float32)).astype(np.float32)
    np.savez_compressed(folder / artefact.GOLDEN, **golden, proba=proba)


def _parity(
    served: rhythm.RhythmModel, parts: network.RhythmParts, trees: models.Tabular
) -> dict[str, float | int]:
    known = recorded.load()
    every = np.arange(len(known.label))
    in_memory = trees.of_rows(np.hstack([known.features, embedding_of(parts, known, every)]))
    embedded = [
        served.embed(rhythm.segments(recorded.signal_of(known, i))).mean(axis=0)
        for i in every.tolist()
    ]
    answer = served.answer(np.asarray(known.features), np.stack(embedded))
    return parity(answer, in_memory.astype(np.float32))


if __name__ == "__main__":
    main()
