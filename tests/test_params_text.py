"""A change of params.yaml: the lines that are meant and no others."""

import difflib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline import params, params_text
from pipeline.spaces import SPACES
from tests.conftest import ROOT

TEXT = (ROOT / "params.yaml").read_bytes().decode()


@pytest.mark.parametrize("name", ["svm", "cnn-mlp", "cnn-lstm", "kachuee187"])
def test_a_change_of_a_model_changes_nothing_else(name: str, tmp_path: Path) -> None:
    spec: Any = params.load_model(name, ROOT / "params.yaml")
    values = {
        field: among.low if getattr(spec, field) != among.low else among.high
        for field, among in SPACES[type(spec)].items()
    }
    text = params_text.changed(TEXT, ("models", name), values)
    path = tmp_path / "params.yaml"
    path.write_bytes(text.encode())
    assert params.load_model(name, path) == replace(spec, **values)
    before, after = yaml.safe_load(TEXT), yaml.safe_load(text)
    before["models"][name] |= values
    assert after == before
    diff = difflib.ndiff(TEXT.splitlines(), text.splitlines())
    gone = {line[2:].split(":")[0].strip() for line in diff if line.startswith("- ")}
    assert gone <= values.keys()


MERGED = """\
models:
  one: &one   # the first
    rate: 0.5  # of it
    depth: 3
  two:
    <<: *one
    depth: 4
    inputs:
      - a

  # the last
  three:
    <<: *one"""


def test_a_change_keeps_every_other_byte() -> None:
    text = params_text.changed(MERGED, ("models", "one"), {"rate": 0.25, "depth": 3})
    expected = MERGED.replace("    rate: 0.5  # of it\n", "    rate: 0.25  # of it\n")
    assert text == f"{expected}\n    rate: 0.5\n".replace(
        "      - a\n", "      - a\n    rate: 0.5\n"
    )
    assert params_text.changed(MERGED, ("models", "one"), {"rate": 0.5, "depth": 3.0}) == MERGED


def test_an_inherited_value_gets_a_line_of_its_own() -> None:
    text = params_text.changed(MERGED, ("models", "two"), {"rate": 0.00001, "depth": 4})
    assert text == MERGED.replace("      - a\n", "      - a\n    rate: 1.0e-05\n")
    text = params_text.changed(MERGED, ("models", "three"), {"depth": 9})
    assert text == f"{MERGED}\n    depth: 9\n"


def test_models_that_inherit_keep_what_they_had() -> None:
    text = params_text.changed(MERGED, ("models", "one"), {"depth": 9})
    assert text == MERGED.replace("depth: 3\n", "depth: 9\n") + "\n    depth: 3\n"


def test_line_ends_stay() -> None:
    text = MERGED.replace("\n", "\r\n")
    found = params_text.changed(text, ("models", "two"), {"rate": 2.0})
    assert found == text.replace("      - a\r\n", "      - a\r\n    rate: 2.0\r\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("models: {a: {x: 1}, b: {y: 1}}", "not in lines"),
        ("models:\n  b: &b\n    x: 1\n  a: *b\n", "an alias"),
        ("models:\n  a:\n    x: &x 1\n    y: *x\n", "an anchor"),
        ("models:\n  b:\n    y: &y 1\n  a:\n    x: *y\n", "an alias"),
        ("models:\n  b:\n    x: 1\n", "not there"),
    ],
)
def test_what_no_line_can_change_is_left_to_hands(text: str, said: str) -> None:
    with pytest.raises(SystemExit, match=rf"models\.a.*{said}.*by hand"):
        params_text.changed(text, ("models", "a"), {"x": 2})
