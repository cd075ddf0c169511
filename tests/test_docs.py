"""The documents say what is there: every route, setting and figure."""

import json
import re
from typing import Any

import pytest

from app.main import create_app
from app.settings import Settings, known_keys
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()
API = (ROOT / "docs" / "api.md").read_text()
FIGURES: dict[str, Any] = json.loads((ROOT / "reports" / "metrics.json").read_text())["beats"][
    "convxgb"
]


@pytest.mark.parametrize("key", known_keys())
def test_every_setting_is_documented(key: str) -> None:
    assert f"| `{key}` |" in API


def test_every_route_is_documented() -> None:
    paths = json.loads(create_app(Settings(ROOT / "models")).state.openapi)["paths"]
    assert paths.keys() >= {"/v1/beats", "/predict"}
    for path in paths:
        assert f" {path}`" in API


def test_every_command_of_the_makefile_is_in_the_readme() -> None:
    commands = re.findall(r"^([a-z0-9-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert len(commands) > 10
    for command in {*commands} - {"help", "format", "lock"}:
        assert f"make {command}" in README or f"`{command}`" in README


@pytest.mark.parametrize("protocol", sorted(FIGURES))
def test_the_readme_quotes_the_committed_figures(protocol: str) -> None:
    s = FIGURES[protocol]
    per_class = " | ".join(f"{s[name]['f1']:.3f}" for name in "NSVFQ")
    row = (
        f"| `{protocol}` | {100 * s['accuracy']:.2f} % | {s['macro_f1_nsv']:.3f} "
        f"| {s['macro_f1']:.3f} | {s['j_kappa']:.3f} | {per_class} |"
    )
    assert row in README


def test_the_readme_quotes_the_figures_of_the_rhythm() -> None:
    found = json.loads((ROOT / "reports" / "metrics.json").read_text())["rhythm"]
    names = ("score", "N_f1", "A_f1", "O_f1", "~_f1", "accuracy")
    for name in found.keys() - {"length-alone"}:
        cells = (f"{found[name][n]['mean']:.3f} ± {found[name][n]['spread']:.3f}" for n in names)
        assert f"| `{name}` | {' | '.join(cells)} |" in README
    outside = found["rhythm"]["mit-bih"]["all"]
    rates = [f"{100 * outside[rate]:.1f} %" for rate in ("se", "sp", "ppv")]
    said = f"sensitivity {rates[0]}, specificity {rates[1]}, predictivity {rates[2]}"
    assert said in " ".join(README.split())


def test_the_readme_quotes_the_figures_of_whole_recordings() -> None:
    metrics = json.loads((ROOT / "reports" / "metrics.json").read_text())
    for scored in metrics["records"]["convxgb"]["de_chazal"].values():
        veb = " / ".join(f"{100 * scored['veb'][rate]:.2f}" for rate in ("se", "ppv", "fpr"))
        assert f"| {veb} |" in README
    for kind in metrics["qrs"]["with_noise"].values():
        cells = (f"{100 * at['se']:.1f} / {100 * at['ppv']:.1f}" for at in kind.values())
        assert all(f"| {cell} (" in README for cell in cells)
    as_recorded = metrics["qrs"]["all_30_min"]["as_recorded"]
    rates = [f"{100 * as_recorded[rate]:.2f}" for rate in ("se", "ppv")]
    assert f"Se {rates[0]} %, +P {rates[1]} %" in README


def test_the_readme_quotes_every_model() -> None:
    metrics = json.loads((ROOT / "reports" / "metrics.json").read_text())
    assert len(metrics["beats"]) == 11
    lines = README.partition("## Every model of the field")[2].splitlines()
    for name, protocols in metrics["beats"].items():
        tested = protocols["inter_patient_without_paced"]
        folds = {k: metrics["folds"][name][k]["macro_f1_nsv"] for k in ("records", "beats")}
        row = next(line for line in lines if line.startswith(f"| `{name}` |"))
        assert row.endswith(
            f"| {tested['macro_f1_nsv']:.3f} | {tested['S']['f1']:.3f} | {tested['V']['f1']:.3f} "
            f"| {folds['records']['mean']:.3f} ± {folds['records']['spread']:.3f} "
            f"| {folds['beats']['mean']:.3f} |"
        )


def test_the_example_of_the_readme_is_a_request() -> None:
    example = json.loads((ROOT / "docs" / "example.json").read_text())
    assert "@docs/example.json" in README
    assert len(example["beats"]) == len(example["r_peak"]) == len(example["rr"]) == 1
