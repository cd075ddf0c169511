"""The artefact: verified before it is run, and refused by name."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ecg import classifier
from ecg.artefact import GOLDEN, MANIFEST
from ecg.beats import LONE, RECORDING, Beats, from_cuts
from ecg.classifier import Classifier
from ecg.errors import ArtefactError
from tests.conftest import ROOT, made_up_beat, write_golden, write_manifest

FILES = [classifier.MODELS[RECORDING], classifier.MODELS[LONE], GOLDEN]


@pytest.fixture
def artefact(made_up_models: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made_up_models / "convxgb", tmp_path / "convxgb"))


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_is_refused_by_file(artefact: Path, name: str) -> None:
    flip(artefact / name)
    with pytest.raises(ArtefactError, match=name):
        classifier.load(artefact)


@pytest.mark.parametrize("name", [MANIFEST, *FILES])
def test_a_missing_file_is_refused_with_the_command_that_brings_it(
    artefact: Path, name: str
) -> None:
    (artefact / name).unlink()
    with pytest.raises(ArtefactError, match=rf"{name} is missing.*dvc pull"):
        classifier.load(artefact)


@pytest.mark.parametrize(
    "other", [{"protocol": 99}, {"classes": ["N", "V"]}, {"constants": {"fs": 360.0}}]
)
def test_an_artefact_of_other_constants_is_refused(
    artefact: Path, other: dict[str, object]
) -> None:
    write_manifest(artefact, **other)
    with pytest.raises(ArtefactError, match="other preprocessing or classes"):
        classifier.load(artefact)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"protocol": 1}'])
def test_what_is_no_manifest_is_refused(artefact: Path, text: str) -> None:
    (artefact / MANIFEST).write_text(text)
    with pytest.raises(ArtefactError, match="not a manifest"):
        classifier.load(artefact)


def test_a_file_that_is_no_model_is_refused(artefact: Path) -> None:
    (artefact / classifier.MODELS["lone"]).write_bytes(b"not a model")
    write_manifest(artefact)
    with pytest.raises(ArtefactError, match="cannot be loaded"):
        classifier.load(artefact)


def test_golden_beats_that_answer_otherwise_stop_the_replay(artefact: Path) -> None:
    with np.load(artefact / GOLDEN) as file:
        golden = {name: file[name] for name in file.files}
    write_golden(artefact, {**golden, "proba": np.roll(golden["proba"], 1, axis=1)})
    write_manifest(artefact)
    with pytest.raises(ArtefactError, match="golden beats"):
        classifier.load(artefact).replay()


def test_a_batch_answers_as_its_beats_do_alone(model: Classifier) -> None:
    cuts = [np.array(made_up_beat(shift_s=s)) for s in np.linspace(-0.1, 0.3, 1500)]
    together = model.predict(from_cuts(cuts, 125.0))
    apart = np.concatenate([model.predict(from_cuts([cut], 125.0)) for cut in cuts[::300]])
    np.testing.assert_allclose(together[::300], apart, atol=1e-5)
    assert together.shape == (1500, 5)


def test_no_beats_give_no_answers(model: Classifier) -> None:
    nothing = from_cuts([np.array(made_up_beat())], 125.0)
    for view in (RECORDING, LONE):
        empty = Beats(nothing.windows[:0], nothing.context[:0], view)
        assert model.predict(empty).shape == (0, 5)


def test_the_served_artefact_replays_its_golden_beats() -> None:
    model = classifier.load(ROOT / "models" / "convxgb")
    model.replay()
    assert len(model.golden["signal"]) == 82


def test_the_served_artefact_quotes_the_committed_figures() -> None:
    card = classifier.load(ROOT / "models" / "convxgb").card
    metrics = json.loads((ROOT / "reports" / "metrics.json").read_text())
    assert card["protocols"] == metrics["beats"]["convxgb"]
    assert card["trained_on"] == "inter_patient"
