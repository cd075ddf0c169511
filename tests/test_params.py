"""The parameters of the stages: known, complete, of their kind."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline import params
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("section", "schema"),
    [
        ("generate", params.Generate),
        ("smote", params.Smote),
        ("train", params.Train),
        ("balance", params.Balance),
        ("imbalance", params.Imbalance),
        ("export", params.Export),
        ("evaluate", params.Evaluate),
    ],
)
def test_params_yaml_is_read(section: str, schema: type[Any]) -> None:
    assert isinstance(params.load(section, schema, ROOT / "params.yaml"), schema)


def test_params_yaml_has_no_section_that_no_stage_reads() -> None:
    sections = yaml.safe_load((ROOT / "params.yaml").read_text())
    of_beats = {"generate", "smote", "train", "balance", "imbalance", "models", "evaluate"}
    of_rhythm = {"rhythm", "rhythm_network", "rhythm_models"}
    assert set(sections) == of_beats | of_rhythm | {"export"}


@pytest.mark.parametrize("name", params.model_names(ROOT / "params.yaml"))
def test_every_model_of_params_yaml_is_of_a_kind(name: str) -> None:
    found = params.load_model(name, ROOT / "params.yaml")
    assert type(found) in params.KINDS.values()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("export: {version: b, colour: c}", "unknown key 'colour'; known: version"),
        ("export: {}", "missing version"),
        ("export: {version: 1}", "export.version: is 1"),
        ("export: {version: [b]}", "export.version: is"),
        ("other: {}", "the section 'export' is missing"),
    ],
)
def test_parameters_that_cannot_be_meant_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(SystemExit, match=said):
        params.load("export", params.Export, path)


def test_a_list_may_be_given_as_its_one_item() -> None:
    got = params.build(params.Generate, {"records": "all", "seed": 1, "jobs": 2}, "params.yaml")
    assert got.records == ["all"]


@pytest.mark.parametrize("records", [[100], 100, [["100"]]])
def test_a_list_of_another_kind_is_refused(records: object) -> None:
    values = {"records": records, "seed": 1, "jobs": 2}
    with pytest.raises(SystemExit, match=r"generate\.records: is"):
        params.build(params.Generate, values, "generate")
