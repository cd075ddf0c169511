"""The recordings page in a real Chromium: open, step, correct, take away."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import wfdb
from playwright.sync_api import Browser, Page, expect

from tests.browsing import fresh_page
from tests.recordings_page import (
    CLASSES,
    as_csv,
    made_up_lead,
    open_example,
    open_text,
    pixels,
    settle,
    unzipped,
    wait_until_open,
)


@pytest.fixture
def page(browser: Browser, service_url: str, complaints: list[str]) -> Iterator[Page]:
    with fresh_page(browser, complaints) as page:
        page.goto(service_url)
        yield page


@pytest.fixture
def example(page: Page, service_url: str) -> Page:
    open_example(page, service_url)
    return page


def to_first_v(page: Page) -> int:
    """Select the first V beat by the keyboard; return its number, from 1."""
    page.locator(".count[data-filter=V]").click()
    page.locator("#paper").press("n")
    expect(page.locator("#beat-name")).to_contain_text("ventricular")
    return selected(page)


def selected(page: Page) -> int:
    words = page.locator("#beat-name").inner_text()
    found = re.match(r"Beat ([\d,]+)", words)
    assert found is not None, words
    return int(found[1].replace(",", ""))


def saved(page: Page, button: str) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return Path(download.value.path()).read_bytes()


def saved_rows(page: Page) -> list[dict[str, str]]:
    text = saved(page, "Save beats as CSV").decode()
    return list(csv.DictReader(io.StringIO(text)))


def number(text: str) -> int:
    return int(text.replace(",", ""))


def test_the_example_opens_with_its_facts(example: Page) -> None:
    facts = example.locator("#header-facts")
    for fact in ("mitdb-208", "360 Hz", "MLII", "5:00", "mV", "convxgb"):
        expect(facts).to_contain_text(fact)


def test_the_pages_lead_to_each_other(page: Page) -> None:
    page.get_by_role("link", name="Beats", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Beats cut from an ECG")
    page.get_by_role("link", name="Recordings").click()
    expect(page.get_by_role("button", name="Open the example")).to_be_visible()


def test_a_wfdb_pair_opens_and_its_beats_are_counted(page: Page, tmp_path: Path) -> None:
    page.locator("#files").set_input_files(unzipped(tmp_path))
    wait_until_open(page)
    counts = [page.locator(f".count[data-filter={c}] .number").inner_text() for c in CLASSES]
    total = page.locator(".count[data-filter=all] .number").inner_text()
    assert sum(map(number, counts)) == number(total) > 400


def test_a_csv_opens_and_says_how_it_was_read(page: Page) -> None:
    open_text(page, "lead.csv", as_csv(made_up_lead()))
    wait_until_open(page)
    expect(page.locator("#header-facts")).to_contain_text("250 Hz")
    page.get_by_text("How the file was read").click()
    expect(page.locator("#found")).to_contain_text("250 Hz")


def test_the_limits_are_said_before(page: Page) -> None:
    expect(page.locator("#limits")).to_contain_text(re.compile(r"Up to \d+ MB, 64 files"))


def test_a_file_without_fs_leads_to_that_field_and_opens_with_it(page: Page) -> None:
    open_text(page, "lead.csv", as_csv(made_up_lead(), fs=None))
    field = page.get_by_label("Sampling frequency, Hz")
    expect(field).to_be_focused()
    expect(page.get_by_role("alert").first).to_contain_text("Sampling frequency")
    page.keyboard.type("250")
    page.get_by_role("button", name="Read the files again").click()
    wait_until_open(page)
    expect(page.locator("#header-facts")).to_contain_text("0:20")


def test_what_is_no_ecg_is_refused_with_what_is_accepted(page: Page) -> None:
    open_text(page, "letter.txt", "Dear Sir or Madam,\nthis is a letter.\n")
    expect(page.get_by_role("alert").first).to_contain_text("Accepted:")
    expect(page.locator("#workbench")).to_be_hidden()


def test_an_upload_can_be_cancelled(page: Page, tmp_path: Path) -> None:
    session = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 2000}
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", slow)
    page.locator("#files").set_input_files(unzipped(tmp_path))
    expect(page.locator("#status")).to_contain_text("Uploading")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#status")).to_have_text("Cancelled.")
    expect(page.get_by_role("button", name="Open the example")).to_be_enabled()


def test_a_service_that_is_gone_is_said_in_words(page: Page) -> None:
    page.context.set_offline(True)
    open_text(page, "lead.csv", as_csv(made_up_lead()))
    expect(page.get_by_role("alert").first).to_contain_text("did not answer")


def test_n_and_p_step_through_beats_that_are_not_n(example: Page) -> None:
    paper = example.locator("#paper")
    seen = []
    for key in "nnnp":
        paper.press(key)
        settle(example)
        seen.append(selected(example))
    assert seen[0] < seen[1] < seen[2]
    assert seen[3] == seen[1]
    expect(example.locator("#beat-name b")).not_to_have_text("N")


def test_a_beat_that_is_not_n_says_what_its_answer_leans_on(example: Page) -> None:
    example.locator("#paper").press("n")
    expect(example.locator("#why")).to_be_visible()
    expect(example.locator(".why-cell")).to_have_count(16)
    expect(example.locator("#why-words")).to_contain_text(
        re.compile("the answer loses|No single part")
    )


def test_a_filter_lists_and_steps_through_its_class_only(example: Page) -> None:
    count = number(example.locator(".count[data-filter=V] .number").inner_text())
    example.locator(".count[data-filter=V]").click()
    expect(example.locator("#listed-note")).to_have_text(f"{count} beats listed.")
    example.locator("#paper").press("n")
    expect(example.locator("#beat-name")).to_contain_text("V ventricular")


def test_selecting_a_row_brings_its_beat_onto_the_paper(example: Page) -> None:
    example.get_by_role("button", name="Next page").click()
    expect(example.locator("#beat-name")).to_contain_text("Beat 51 ")
    label = example.locator("#paper").get_attribute("aria-label") or ""
    start, end = re.findall(r"0:(\d\d\.\d\d)", label)
    at = re.search(r"at 0:(\d\d\.\d\d)", example.locator("#beat-name").inner_text())
    assert at is not None
    assert float(start) < float(at[1]) < float(end)


def test_selecting_on_the_paper_selects_the_row(example: Page) -> None:
    example.locator("#paper").press("n")
    settle(example)
    row = example.locator("#beats tr[aria-selected=true]")
    assert number(row.locator("td").first.inner_text()) == selected(example)
    expect(row).to_be_visible()


def test_a_corrected_label_is_in_the_atr_with_the_models_answer(
    example: Page, tmp_path: Path
) -> None:
    beat = to_first_v(example)
    example.locator("#paper").press("Shift+S")
    expect(example.locator("#reviewed")).to_contain_text("1 beat reviewed")
    (tmp_path / "out.atr").write_bytes(saved(example, "Save labels as .atr"))
    marks = wfdb.rdann(str(tmp_path / "out"), "atr")
    rows = saved_rows(example)
    assert marks.sample.tolist() == [int(row["sample"]) for row in rows]
    assert marks.symbol == [row["aami_class"] for row in rows]
    assert marks.symbol[beat - 1] == "S"
    notes = [i for i, note in enumerate(marks.aux_note) if note]
    assert notes == [beat - 1]
    assert marks.aux_note[beat - 1].rstrip("\0") == "reviewed; model: V"


def test_the_csv_keeps_the_model_apart_from_the_reader(example: Page) -> None:
    beat = to_first_v(example)
    example.get_by_role("button", name="Label N, normal").click()
    settle(example)
    rows = saved_rows(example)
    changed = rows[beat - 1]
    assert (changed["aami_class"], changed["model_class"], changed["reviewed"]) == (
        "N",
        "V",
        "true",
    )
    assert {row["reviewed"] for row in rows if row is not changed} == {"false"}


def test_undo_and_redo_a_label(example: Page) -> None:
    to_first_v(example)
    name, paper = example.locator("#beat-name b"), example.locator("#paper")
    paper.press("Shift+F")
    expect(name).to_have_text("F")
    paper.press("Control+z")
    expect(name).to_have_text("V")
    expect(example.locator("#reviewed")).to_be_empty()
    paper.press("Control+y")
    expect(name).to_have_text("F")


def test_small_letters_never_change_a_label(example: Page) -> None:
    to_first_v(example)
    for key in "svfq":
        example.locator("#paper").press(key)
    settle(example)
    expect(example.locator("#reviewed")).to_be_empty()


def test_every_interval_after_a_missing_stretch_is_a_gap(page: Page) -> None:
    lead = made_up_lead(seconds=30)
    lead[10 * 250 : 14 * 250] = np.nan
    open_text(page, "lead.csv", as_csv(lead))
    wait_until_open(page)
    rows = saved_rows(page)
    first_after = next(row for row in rows if float(row["time_s"]) > 14)
    assert first_after["rr_s"] == ""


def test_reference_marks_in_the_file_are_compared(page: Page, tmp_path: Path) -> None:
    files = unzipped(tmp_path)
    peaks = np.array([343, 552, 748, 944, 1130])
    wfdb.wrann("mitdb-208", "atr", peaks, ["N"] * 5, fs=360, write_dir=str(tmp_path))
    page.locator("#files").set_input_files([*files, tmp_path / "mitdb-208.atr"])
    wait_until_open(page)
    expect(page.locator("#agreement-list")).to_contain_text("5 found, 0 missed")
    cells = page.locator("#agreement-table td").all_inner_texts()
    assert sum(map(number, cells)) == 5


def test_an_inverted_lead_is_said_and_shown_upright(page: Page) -> None:
    open_text(page, "lead.csv", as_csv(-made_up_lead(seconds=30)))
    wait_until_open(page)
    toggle = page.get_by_label("Show it upright")
    expect(toggle).to_be_checked()
    upright = pixels(page)
    toggle.uncheck()
    settle(page)
    assert (pixels(page) != upright).any()


def test_separate_beats_are_counted_and_listed_without_paper(page: Page) -> None:
    rows = [made_up_lead(fs=125, seconds=2)[30:217] + i / 1000 for i in range(6)]
    scaled = [(row - row.min()) / np.ptp(row) for row in rows]
    lines = [",".join(f"{x:.6f}" for x in row) + f",{i % 2}.0" for i, row in enumerate(scaled)]
    open_text(page, "beats.csv", "\n".join(lines))
    expect(page.locator("#listed-note")).to_have_text("6 beats listed.")
    expect(page.locator("#paper")).to_be_hidden()
    cells = page.locator("#agreement-table td").all_inner_texts()
    assert sum(map(number, cells)) == 6


def test_the_page_raises_no_errors_and_breaks_no_policy(
    example: Page, complaints: list[str]
) -> None:
    to_first_v(example)
    example.emulate_media(color_scheme="dark")
    saved(example, "Save beats as CSV")
    example.pdf()
    assert complaints == []
