"""Several models: chosen by name in API and page, and compared on a page of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from ecg.beats import KACHUEE
from tests.asking import check_problem, request
from tests.browsing import fresh_page, no_sideways_scroll
from tests.conftest import running, write_made_up_artefact, write_manifest
from tests.test_records import FS, answer, sent, signal, table  # noqa: F401  (fixtures)

ROWS = 30


def figures(rank: int) -> dict[str, Any]:
    """What a card says: the higher the rank, the better the model."""
    value = {"mean": 0.5 + rank / 10, "spread": 0.01}
    of_fold = {f"{c}_{m}": value for c in "NSVF" for m in ("f1", "auc")} | {"accuracy": value}
    by_class = {c: {"f1": 0.4 + rank / 10} for c in "NSVFQ"}
    tested = {
        "accuracy": 0.4 + rank / 10,
        "interval_95": {"S_f1": [0.1, 0.9]},
        "roc_auc": dict.fromkeys("NSVF", 0.9),
        **by_class,
    }
    return {
        "folds": {"records": of_fold, "beats": of_fold},
        "protocols": {"inter_patient_without_paced": tested},
    }


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service of three models, one of which answers 187-sample beats alone."""
    folder: Path = tmp_path_factory.mktemp("several")
    for rank, name in enumerate(("convxgb", "cascade", "kachuee187")):
        views = (KACHUEE,) if name == "kachuee187" else ("recording", "lone")
        write_made_up_artefact(folder / name, views)
        write_manifest(folder / name, **figures(rank))
    with running(folder) as (address, _):
        yield address


@pytest.fixture
def page(browser: Browser, several: str, complaints: list[str]) -> Iterator[Page]:
    with fresh_page(browser, complaints) as page:
        page.goto(f"{several}/models")
        expect(page.locator("#charts section")).to_have_count(8)
        yield page


@pytest.fixture(scope="module")
def public_rows() -> str:
    """A CSV as the public ones are: 187 samples in 0..1 and a label."""
    rng = np.random.default_rng(0)
    t = np.arange(187) / 125
    lines = []
    for i in range(ROWS):
        row = np.exp(-((t / 0.02) ** 2)) + 0.3 * np.exp(-(((t - 0.3) / 0.05) ** 2))
        row = np.clip(row + rng.normal(0, 0.01, 187), 0, None)
        lines.append(",".join(f"{x:.4f}" for x in row / row.max()) + f",{i % 5}")
    return "\n".join(lines) + "\n"


def test_beats_are_answered_by_the_model_asked_for(several: str) -> None:
    with httpx.Client(base_url=several) as client:
        for name in ("convxgb", "cascade", "kachuee187"):
            found = client.post("/v1/beats", json=request(model=name)).json()
            assert found["model"]["name"] == name
            beat = found["beats"][0]
            assert beat["abnormal"] == pytest.approx(1 - beat["proba"]["N"], abs=2e-6)


def test_public_rows_are_answered_by_their_own_model_unless_another_is_named(
    several: str, public_rows: str
) -> None:
    files = sent(mitbih_test_csv=public_rows.encode())
    with httpx.Client(base_url=several) as client:
        own = answer(client, files, explain="true", proba="true")
        assert own["model"]["name"] == "kachuee187"
        assert own["explanations"]["from_s"] == 0
        assert len(own["explanations"]["window"][0]) == 18
        assert answer(client, files, model="cascade")["model"]["name"] == "cascade"


def test_a_model_of_single_beats_refuses_recordings_and_says_why(
    several: str,
    table: bytes,  # noqa: F811
) -> None:
    with httpx.Client(base_url=several) as client:
        assert answer(client, sent(own_csv=table), fs=FS)["model"]["name"] == "convxgb"
        response = client.post(
            "/v1/records", files=sent(own_csv=table), params={"model": "kachuee187"}
        )
        problem = check_problem(response, 422)
    assert problem["errors"][0]["field"] == "model"
    assert "187 samples" in problem["errors"][0]["problem"]


def test_an_unknown_model_is_refused_before_the_files_are_read(several: str) -> None:
    response = httpx.post(
        f"{several}/v1/records", files=sent(own_csv=b"nonsense"), params={"model": "oracle"}
    )
    problem = check_problem(response, 422)
    assert "cascade, convxgb, kachuee187" in problem["errors"][0]["accepted"]


def test_bars_stand_side_by_side_best_first(page: Page, complaints: list[str]) -> None:
    chart = page.locator("#charts section").first
    assert chart.locator(".bar-name").all_inner_texts() == ["kachuee187", "cascade", "convxgb"]
    widths = [float(w.removesuffix("%")) for w in bar_widths(chart)]
    assert widths == sorted(widths, reverse=True)
    page.get_by_label("Order").select_option("name")
    assert chart.locator(".bar-name").all_inner_texts() == ["cascade", "convxgb", "kachuee187"]
    page.get_by_label("Protocol").select_option("records")
    expect(chart.locator(".num").first).to_have_text("0.600 ± 0.010")
    page.get_by_label("Protocol").select_option("beats")
    expect(page.locator("#protocol-note")).to_contain_text("both sides")
    expect(page.locator("#figures tbody tr")).to_have_count(3)
    expect(page.locator("#rhythm")).to_be_hidden()
    assert complaints == []


def bar_widths(chart: Any) -> list[str]:
    return [str(fill.evaluate("node => node.style.width")) for fill in chart.locator(".fill").all()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_models_is_accessible_and_fits_a_phone(page: Page, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    assert Axe().run(page).response["violations"] == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert no_sideways_scroll(page)


def test_the_beats_page_switches_models(page: Page, several: str, public_rows: str) -> None:
    page.goto(f"{several}/beats")
    for name in ("cascade", "kachuee187"):
        page.get_by_label("Model").select_option(name)
        page.get_by_role("tab", name="Paste CSV").click()
        page.get_by_label("Beats as CSV").fill(public_rows)
        page.get_by_label("Sampling rate").fill("125")
        page.get_by_role("button", name="Classify").click()
        expect(page.locator("#facts")).to_contain_text(f"model {name}")
        expect(page.locator("#confusion")).to_contain_text("%")


def test_the_recordings_page_says_who_answered_and_how_often_it_was_right(
    page: Page, several: str, public_rows: str, tmp_path: Path
) -> None:
    page.goto(several)
    csv = tmp_path / "random_beats.csv"
    csv.write_text(public_rows)
    page.locator("#files").set_input_files(csv)
    expect(page.locator("#header-facts")).to_contain_text("kachuee187")
    expect(page.locator("#agreement-words")).to_contain_text("%")
    page.locator("#opening > summary").click()
    page.locator("#settings > summary").click()
    page.locator("#model").select_option("cascade")
    page.get_by_role("button", name="Read the files again").click()
    expect(page.locator("#header-facts")).to_contain_text("cascade")
