"""The rhythm on the pages, in a real Chromium."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, Route, expect

from ecg.artefact import MANIFEST
from ecg.rhythm import RHYTHMS
from tests.browsing import fresh_page, no_sideways_scroll
from tests.conftest import running
from tests.made_up_rhythm import FS, irregular, signal_of, steady, write_made_up_rhythm
from tests.recordings_page import as_csv, open_text, pixels, settle, wait_until_open

FOLDS = {
    **{f"{r}_f1": {"mean": 0.9 - i / 10, "spread": 0.02} for i, r in enumerate(RHYTHMS)},
    **{f"{r}_auc": {"mean": 0.95, "spread": 0.01} for r in RHYTHMS},
    "score": {"mean": 0.8, "spread": 0.015},
    "accuracy": {"mean": 0.81, "spread": 0.012},
}
OUTSIDE = {"se": 0.9, "sp": 0.95, "ppv": 0.7, "seconds": 36000.0, "noise_seconds": 600.0}


@pytest.fixture(scope="module")
def address(made_up_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("with_rhythm")
    shutil.copytree(made_up_models / "convxgb", folder / "convxgb")
    write_made_up_rhythm(folder / "rhythm")
    manifest = folder / "rhythm" / MANIFEST
    card = json.loads(manifest.read_text())
    figures = {"folds": {"recordings": FOLDS}, "protocols": {"mit-bih": OUTSIDE}}
    manifest.write_text(json.dumps({**card, **figures}))
    with running(folder) as (found, _):
        yield found


@pytest.fixture
def page(browser: Browser, address: str, complaints: list[str]) -> Iterator[Page]:
    with fresh_page(browser, complaints) as opened:
        opened.goto(address)
        yield opened


def open_rhythms(page: Page, *seconds: float) -> None:
    """Open a recording that is steady for so long, then irregular, and so on."""
    kinds = [(steady, irregular)[i % 2](one) for i, one in enumerate(seconds)]
    open_text(page, "rec.csv", as_csv(signal_of(np.concatenate(kinds)), FS))
    wait_until_open(page)


def test_a_long_recording_shows_burden_episodes_and_a_lane(
    page: Page, complaints: list[str]
) -> None:
    open_rhythms(page, 100, 100)
    figures = page.locator(".figure-group", has=page.get_by_role("heading", name="Rhythm"))
    expect(figures).to_contain_text("AF episodes1")
    figures.get_by_role("button").click()
    settle(page)
    moment = float(page.locator("#window").get_attribute("aria-valuenow") or 0)
    assert 80 <= moment <= 120
    assert page.locator("#overview").evaluate("canvas => canvas.clientHeight") == 91
    assert "rhythm" in (page.locator("#overview").get_attribute("aria-label") or "")
    expect(page.locator("#shown-rhythm")).to_contain_text("atrial fibrillation")
    assert "atrial fibrillation" in (page.locator("#paper").get_attribute("aria-label") or "")
    assert complaints == []


def test_a_short_recording_shows_its_one_rhythm(page: Page, complaints: list[str]) -> None:
    open_rhythms(page, 0, 30)
    figures = page.locator(".figure-group", has=page.get_by_role("heading", name="Rhythm"))
    expect(figures).to_contain_text("atrial fibrillation")
    assert complaints == []


def test_the_lane_has_ink_of_no_class(page: Page) -> None:
    open_rhythms(page, 100, 100)
    lane = pixels(page, "#overview")[79:90, -100:]
    ink = page.evaluate("getComputedStyle(document.body).getPropertyValue('--trace')")
    assert lane[5, 50].tolist() == [int(ink[i : i + 2], 16) for i in (1, 3, 5)]


def test_the_report_says_the_rhythm_and_who_told_it_on_one_page(page: Page, tmp_path: Path) -> None:
    open_rhythms(page, 100, 100)
    page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", (tmp_path / "report.pdf").read_bytes())) == 1
    page.emulate_media(media="print")
    for words in ("AF burden", "Rhythm: normal", "Model rhythm 0.1.0"):
        expect(page.locator("#report")).to_contain_text(words)


def test_figures_of_variability_say_that_fibrillation_counts(page: Page) -> None:
    variability = page.locator(
        ".figure-group", has=page.get_by_role("heading", name="Heart rate variability")
    )
    open_rhythms(page, 30)
    expect(variability).not_to_contain_text("atrial fibrillation")
    open_rhythms(page, 0, 30)
    expect(variability).to_contain_text("atrial fibrillation")


@pytest.mark.parametrize("path", ["/", "/beats"])
def test_the_model_of_the_rhythm_is_not_one_to_choose(page: Page, address: str, path: str) -> None:
    page.goto(f"{address}{path}")
    expect(page.locator("#model option")).to_have_count(2)
    values = page.locator("#model option").evaluate_all("all => all.map(one => one.value)")
    assert values == ["", "convxgb"]
    expect(page.locator("#model-field")).to_be_hidden()


def test_the_page_of_models_has_a_section_of_the_rhythm(
    page: Page, address: str, complaints: list[str]
) -> None:
    page.goto(f"{address}/models")
    section = page.locator("#rhythm")
    expect(section).to_contain_text("PhysioNet/CinC Challenge 2017")
    first = section.locator(".bars").first
    assert first.locator(".bar-name").all_inner_texts() == [
        "N normal",
        "A atrial fibrillation",
        "O another rhythm",
        "~ too noisy to say",
    ]
    assert first.locator(".num").all_inner_texts()[:2] == ["0.900 ± 0.020", "0.800 ± 0.020"]
    for words in ("0.800 ± 0.015", "0.810 ± 0.012", "90.0 %", "95.0 %", "10.0 h, 10 min"):
        expect(section).to_contain_text(words)
    expect(page.locator("#figures tbody tr")).to_have_count(1)
    expect(page.locator("#figures")).not_to_contain_text("rhythm")
    assert complaints == []


def test_a_card_without_figures_has_no_section(page: Page, address: str) -> None:
    def without(route: Route) -> None:
        models = route.fetch().json()["models"]
        route.fulfill(json={"models": [{**m, "folds": {}, "protocols": {}} for m in models]})

    page.route("**/v1/models", without)
    page.goto(f"{address}/models")
    expect(page.locator("#charts section")).to_have_count(8)
    expect(page.locator("#rhythm")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/models"])
def test_the_rhythm_is_accessible_and_fits_a_phone(
    page: Page, address: str, scheme: Any, path: str
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{address}{path}")
    if path == "/":
        open_rhythms(page, 100, 100)
    else:
        expect(page.locator("#rhythm")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert no_sideways_scroll(page)
