"""The page of lone beats, used in a real Chromium the way a reader uses it."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsing import fresh_page, no_sideways_scroll

FS = 360
CLASSES = "NSVFQ"


@pytest.fixture
def page(browser: Browser, service_url: str, complaints: list[str]) -> Iterator[Page]:
    with fresh_page(browser, complaints) as page:
        page.goto(f"{service_url}/beats")
        expect(page.locator(".sample").first).to_be_visible()
        yield page


def beat(wobble: float = 0.0, n: int = 360) -> list[float]:
    """A heartbeat-like line in mV: P, QRS and T as Gaussian bumps, no two beats the same."""
    waves = [(-0.16, 0.025, 0.15), (0.0, 0.011, 1.2 + wobble), (0.28, 0.05, 0.3)]
    times = [(i - n // 2) / FS for i in range(n)]
    return [sum(a * math.exp(-(((t - at) / s) ** 2) / 2) for at, s, a in waves) for t in times]


def rows(labels: str, separator: str = ",") -> list[str]:
    lines = []
    for i, label in enumerate(labels):
        numbers = [f"{x:.4f}" for x in beat(i / 50)]
        lines.append(separator.join([*numbers, label]))
    return lines


def paste(page: Page, text: str) -> None:
    page.get_by_role("tab", name="Paste CSV").click()
    page.get_by_label("Beats as CSV").fill(text)


def classify(page: Page) -> None:
    page.get_by_role("button", name="Classify").click()
    expect(page.locator("#status")).to_contain_text("Done")


def paste_and_classify(page: Page, labels: str) -> None:
    paste(page, "\n".join(rows(labels)))
    expect(page.locator("#found")).to_contain_text("Found")
    classify(page)


def selected(page: Page) -> str:
    return page.locator("#beats tr[aria-selected=true] td").first.inner_text()


def test_each_sample_shows_a_class_and_five_bars(page: Page) -> None:
    for sample in page.locator(".sample").all():
        sample.click()
        expect(page.locator("#status")).to_contain_text("Done: 1 beat")
        assert page.locator("#beats tbody b").inner_text() in CLASSES
        expect(page.locator("#bars li")).to_have_count(5)
        assert all("%" in text for text in page.locator("#bars .num").all_inner_texts())
        expect(page.get_by_role("button", name="Classify")).to_be_enabled()


def test_a_beat_says_what_its_answer_leans_on(page: Page) -> None:
    page.locator(".sample").first.click()
    expect(page.locator("#status")).to_contain_text("Done: 1 beat")
    expect(page.locator("#why-words")).to_contain_text(
        re.compile("the answer loses|No single part")
    )
    expect(page.locator(".why-cell")).to_have_count(16)
    shares = page.locator(".why-cell").evaluate_all(
        "cells => cells.map((c) => Number(c.style.getPropertyValue('--share')))"
    )
    assert all(0 <= share <= 1 for share in shares)
    assert max(shares) > 0


def test_all_samples_are_listed_with_the_model_that_answered(page: Page) -> None:
    classify(page)
    expect(page.locator("#beats tbody tr")).to_have_count(page.locator(".sample").count())
    expect(page.locator("#facts")).to_contain_text("SHA-256")


def test_the_trace_is_drawn_on_paper(page: Page) -> None:
    classify(page)
    colours = page.evaluate(
        """() => { const c = document.querySelector('#trace');
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        const seen = new Set();
        for (let i = 0; i < d.length; i += 4) seen.add((d[i] << 16) + (d[i+1] << 8) + d[i+2]);
        return seen.size; }"""
    )
    assert colours > 4
    words = re.compile(r"Trace of the beat: \d+\.\d\d s long")
    expect(page.locator("#trace")).to_have_attribute("aria-label", words)


def test_pasted_labels_give_counts_and_a_confusion_table(page: Page) -> None:
    paste_and_classify(page, "NNNSVFQ")
    expect(page.locator("#found")).to_contain_text("7 beats of 360 samples, label in the last")
    expect(page.locator("#agreement")).to_contain_text("of 7 labelled beats")
    cells = page.locator(".confusion td").all_inner_texts()
    assert sum(int(cell) for cell in cells) == 7
    by_class = [page.locator(f".count[data-filter={c}] .number").inner_text() for c in CLASSES]
    assert sum(int(count) for count in by_class) == 7


def test_a_class_button_lists_only_its_beats(page: Page) -> None:
    paste_and_classify(page, "NNNSVFQ")
    button = page.locator(".count:not([disabled]):not([data-filter=all])").first
    button.click()
    count = int(button.locator(".number").inner_text())
    expect(page.locator("#beats tbody tr")).to_have_count(count)


@pytest.mark.parametrize("separator", [",", ";", "\t", " "])
def test_every_usual_separator_is_read(page: Page, separator: str) -> None:
    paste(page, "\n".join(rows("NV", separator)))
    expect(page.locator("#found")).to_contain_text("2 beats of 360 samples, label in the last")


def test_header_row_and_first_column_labels_are_found(page: Page) -> None:
    header = "class," + ",".join(f"s{i}" for i in range(360))
    lines = [f"{label}," + ",".join(map(str, beat(0.1))) for label in "NV"]
    paste(page, "\n".join([header, *lines]))
    expect(page.locator("#found")).to_contain_text("label in the first column")
    expect(page.locator("#found")).to_contain_text("header row left out")


def test_known_188_column_rows_are_read_as_labelled_and_without_unit(page: Page) -> None:
    signal = [abs(x) / 2 for x in beat(n=187)]
    line = ",".join(f"{x / max(signal):.6f}" for x in signal) + ",2.0"
    paste(page, line)
    expect(page.locator("#found")).to_contain_text("1 beat of 187 samples, label in the last")
    expect(page.get_by_label("Unit of the numbers")).to_have_value("unknown")
    classify(page)
    expect(page.locator("#trace-note")).to_contain_text("unit is unknown")
    expect(page.locator(".confusion tbody th")).to_have_text(re.compile("V"))


def test_a_bad_number_is_named_by_row_and_column(page: Page) -> None:
    lines = rows("NN")
    cells = lines[1].split(",")
    cells[6] = "12x"
    paste(page, "\n".join([lines[0], ",".join(cells)]))
    page.get_by_role("button", name="Classify").click()
    expect(page.get_by_role("alert")).to_contain_text("Row 2, column 7: “12x” is not a number.")


def test_a_beat_that_is_too_short_is_named(page: Page) -> None:
    paste(page, "0.1,0.2,0.3")
    page.get_by_role("button", name="Classify").click()
    expect(page.get_by_role("alert")).to_contain_text("Row 1 has 3 samples, 0.01 s at 360 Hz")


def test_a_sampling_rate_out_of_range_is_refused(page: Page) -> None:
    paste(page, rows("N")[0])
    page.get_by_label("Sampling rate, Hz").fill("50")
    page.get_by_role("button", name="Classify").click()
    expect(page.get_by_role("alert")).to_contain_text("100 to 2000 Hz")


def test_what_the_service_refuses_is_said_about_the_readers_row(page: Page) -> None:
    paste(page, "\n".join([rows("N")[0], ",".join(["0.5"] * 360 + ["N"])]))
    page.get_by_role("button", name="Classify").click()
    expect(page.get_by_role("alert")).to_contain_text("Row 2")
    expect(page.locator("#results")).to_be_hidden()


def test_a_chosen_file_is_read(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "beats.csv"
    path.write_text("\n".join(rows("NSV")), encoding="utf-8")
    page.get_by_role("tab", name="CSV file").click()
    page.get_by_label("CSV file, one beat a row").set_input_files(path)
    expect(page.locator("#found")).to_contain_text("3 beats of 360 samples")
    classify(page)
    expect(page.locator("#beats tbody tr")).to_have_count(3)


def test_arrow_keys_move_the_selection_and_the_drawing(page: Page) -> None:
    paste_and_classify(page, "N" * 60)
    page.locator("#beats tr[aria-selected=true]").focus()
    for key, beat_number in [("ArrowDown", "2"), ("ArrowUp", "1"), ("End", "60"), ("Home", "1")]:
        page.keyboard.press(key)
        assert selected(page) == beat_number
        expect(page.locator("#beat-title")).to_contain_text(f"Beat {beat_number}:")


def test_keyboard_alone_reaches_a_result(page: Page) -> None:
    page.get_by_role("tab", name="Sample beats").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.insert_text(rows("V")[0])
    expect(page.get_by_role("button", name="Classify 1 beat")).to_be_enabled()
    page.get_by_role("button", name="Classify 1 beat").press("Enter")
    expect(page.locator("#results-title")).to_be_focused()


def test_nothing_scrolls_sideways_at_320_pixels(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 256})
    assert no_sideways_scroll(page)
    paste_and_classify(page, "NNSVFQ")
    assert no_sideways_scroll(page)


def test_results_are_saved_as_csv_and_json(page: Page) -> None:
    paste_and_classify(page, "NV")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download result as CSV").click()
    text = saved.value.path().read_text(encoding="utf-8")
    lines = list(csv.DictReader(text.splitlines()))
    assert [line["label"] for line in lines] == ["N", "V"]
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download result as JSON").click()
    result = json.loads(saved.value.path().read_text(encoding="utf-8"))
    assert [b["aami_class"] for b in result["beats"]] == [line["aami_class"] for line in lines]


def test_missing_samples_leave_the_other_ways_open(browser: Browser, service_url: str) -> None:
    page = browser.new_page()
    page.route("**/static/samples.json", lambda route: route.fulfill(status=404, body="{}"))
    page.goto(f"{service_url}/beats")
    expect(page.locator("#samples-note")).to_contain_text("not there")
    paste_and_classify(page, "N")
    page.close()


def test_an_unreachable_service_is_said_in_words(page: Page) -> None:
    page.route("**/v1/beats", lambda route: route.abort())
    page.get_by_role("button", name="Classify").click()
    expect(page.get_by_role("alert")).to_contain_text("The service did not answer")


def test_every_control_has_a_name(page: Page) -> None:
    paste_and_classify(page, "NV")
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, textarea, a, canvas[role]')]
        .filter(n => !(n.getAttribute('aria-label') || n.textContent.trim() || n.labels?.length))
        .map(n => n.outerHTML.slice(0, 80))"""
    )
    assert nameless == []
    assert page.locator("html").get_attribute("lang") == "en"
    expect(page.get_by_role("heading", level=1)).to_have_count(1)


def test_the_page_says_that_it_is_no_medical_device(page: Page) -> None:
    notice = page.get_by_text("Research and education, not a medical device.").first
    expect(notice).to_be_visible()


def test_the_page_raises_no_errors_and_breaks_no_policy(page: Page, complaints: list[str]) -> None:
    classify(page)
    paste_and_classify(page, "NSVFQ")
    page.emulate_media(color_scheme="dark")
    with page.expect_download():
        page.get_by_role("button", name="Download result as JSON").click()
    assert complaints == []
