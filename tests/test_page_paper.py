"""The paper of the recordings page: true to scale, by mouse, by keyboard, narrow and printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from tests.browsing import fresh_page, no_sideways_scroll
from tests.recordings_page import (
    LANE_PX,
    MM_PX,
    as_csv,
    dark,
    made_up_lead,
    open_example,
    open_text,
    pixels,
    pulse_box,
    settle,
    unzipped,
    wait_until_open,
)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with fresh_page(browser, []) as page:
        yield page


@pytest.fixture
def example(page: Page, service_url: str) -> Page:
    open_example(page, service_url)
    return page


def shown(page: Page) -> tuple[float, float]:
    """Return the stretch on the paper, in seconds."""
    settle(page)
    words = page.locator("#shown").inner_text()
    found = re.findall(r"(\d+):(\d+\.\d+)", words)
    assert len(found) == 2, words
    start, end = (60 * int(minutes) + float(seconds) for minutes, seconds in found)
    return start, end


def drag_on_paper(page: Page, across_mm: float, down_mm: float = 0) -> None:
    box = page.locator("#paper").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + across_mm * MM_PX, y + down_mm * MM_PX, steps=4)
    page.mouse.up()
    settle(page)


@pytest.mark.parametrize(
    ("speed", "gain", "width_mm", "height_mm"),
    [("25", "10", 5, 10), ("50", "10", 10, 10), ("25", "5", 5, 5), ("25", "20", 5, 20)],
)
def test_the_calibration_pulse_measures_its_millimetres(
    example: Page, speed: str, gain: str, width_mm: float, height_mm: float
) -> None:
    example.get_by_label("Speed").select_option(speed)
    example.get_by_label("Gain", exact=True).select_option(gain)
    settle(example)
    assert pulse_box(example) == pytest.approx((width_mm, height_mm), abs=0.5)


def test_two_device_pixels_a_css_pixel_draw_the_same_millimetres(
    browser: Browser, service_url: str
) -> None:
    with fresh_page(browser, [], device_scale_factor=2) as page:
        open_example(page, service_url)
        assert page.evaluate("document.querySelector('#paper').width") > 2000
        assert pulse_box(page, ratio=2) == pytest.approx((5, 10), abs=0.4)


def test_a_millivolt_of_the_trace_is_ten_millimetres(page: Page, service_url: str) -> None:
    lead = np.zeros(250 * 20)
    lead[np.arange(len(lead)) % 250 >= 125] = 1.0
    page.goto(service_url)
    open_text(page, "square.csv", as_csv(lead))
    wait_until_open(page)
    ink = dark(pixels(page))[LANE_PX + 20 : -24, 80:]
    levels = np.flatnonzero(ink.sum(axis=1) > ink.shape[1] / 4)
    assert (levels[-1] - levels[0]) / MM_PX == pytest.approx(10, abs=0.5)


def test_a_resize_shows_more_or_less_but_never_changes_the_scale(example: Page) -> None:
    start, end = shown(example)
    before = pulse_box(example)
    example.set_viewport_size({"width": 700, "height": 500})
    narrow = shown(example)
    assert narrow[1] - narrow[0] < end - start
    assert pulse_box(example) == before


def test_zoom_changes_the_scale_and_zero_restores_it(example: Page) -> None:
    paper = example.locator("#paper")
    paper.press("+")
    settle(example)
    assert pulse_box(example)[1] == pytest.approx(15, abs=0.5)
    paper.press("0")
    settle(example)
    assert pulse_box(example)[1] == pytest.approx(10, abs=0.5)


def test_a_spike_of_one_sample_shows_at_the_smallest_scale(page: Page, service_url: str) -> None:
    lead = made_up_lead()
    lead[700] = 4.0
    page.goto(service_url)
    open_text(page, "lead.csv", as_csv(lead))
    wait_until_open(page)
    for _ in range(3):
        page.locator("#paper").press("-")
    settle(page)
    ink = dark(pixels(page))[LANE_PX + 20 : -24, 40:]
    rows = np.flatnonzero(ink.any(axis=1))
    assert (rows[-1] - rows[0]) / (MM_PX / 4) == pytest.approx(40, abs=3)


def test_missing_samples_are_a_gap_in_the_trace(page: Page, service_url: str) -> None:
    lead = made_up_lead()
    lead[500:750] = np.nan
    page.goto(service_url)
    open_text(page, "lead.csv", as_csv(lead))
    wait_until_open(page)
    ink = dark(pixels(page))[LANE_PX + 24 : -24]
    first = round(10 * MM_PX + 2.1 * 25 * MM_PX)
    assert not ink[:, first : first + round(0.8 * 25 * MM_PX)].any()
    assert ink[:, first - round(0.5 * 25 * MM_PX) : first - round(0.2 * 25 * MM_PX)].any()


def test_unusable_signal_is_marked_with_its_reason(page: Page, service_url: str) -> None:
    lead = made_up_lead(seconds=40)
    lead[250 * 10 : 250 * 30] = np.nan
    page.goto(service_url)
    open_text(page, "lead.csv", as_csv(lead))
    wait_until_open(page)
    page.locator("#paper").press("PageDown")
    settle(page)
    expect(page.locator("#shown-quality")).to_contain_text("unusable")


def test_arrow_keys_home_and_end_pan_the_paper(example: Page) -> None:
    paper = example.locator("#paper")
    assert shown(example)[0] == 0
    paper.press("ArrowRight")
    moved = shown(example)[0]
    assert 0 < moved < 5
    paper.press("End")
    assert shown(example)[1] == pytest.approx(300, abs=0.02)
    paper.press("Home")
    assert shown(example)[0] == 0


def test_dragging_the_paper_pans_by_its_own_scale(example: Page) -> None:
    drag_on_paper(example, across_mm=-50)
    assert shown(example)[0] == pytest.approx(2, abs=0.05)


def test_the_window_of_the_overview_is_a_slider(example: Page) -> None:
    slider = example.get_by_role("slider")
    slider.press("End")
    assert shown(example)[1] == pytest.approx(300, abs=0.02)
    expect(slider).to_have_attribute("aria-valuetext", re.compile("to 5:00 of 5:00"))


def test_pressing_on_the_overview_goes_there(example: Page) -> None:
    box = example.locator("#overview").bounding_box()
    assert box is not None
    example.mouse.click(box["x"] + 22 + (box["width"] - 22) / 2, box["y"] + 40)
    assert np.mean(shown(example)) == pytest.approx(150, abs=1)


def test_the_caliper_measures_what_is_dragged(example: Page) -> None:
    example.get_by_role("button", name="Caliper").click()
    drag_on_paper(example, across_mm=10, down_mm=5)
    expect(example.locator("#measured")).to_contain_text(
        re.compile(r"0\.(40|39)\d s · 15\d bpm · 0\.(50|49|51) mV")
    )


def test_the_caliper_works_by_keyboard(example: Page) -> None:
    paper = example.locator("#paper")
    paper.press("c")
    for key in ["ArrowRight", "ArrowRight", "ArrowUp", "ArrowUp"]:
        paper.press(key)
    expect(example.locator("#measured")).to_contain_text("1.040 s · 58 bpm · 1.10 mV")
    paper.press("Escape")
    expect(example.locator("#measured")).to_be_hidden()


def test_the_address_names_the_moment(example: Page) -> None:
    example.get_by_role("slider").press("End")
    expect(example).to_have_url(re.compile(r"#t=29\d\.\d$"))


def test_a_link_opens_at_its_moment(page: Page, service_url: str) -> None:
    open_example(page, f"{service_url}/#t=123.4")
    start, end = shown(page)
    assert (start + end) / 2 == pytest.approx(123.4, abs=0.02)
    expect(page.locator("#beat-name")).to_contain_text("2:03.")


def test_a_link_waits_for_its_recording(page: Page, service_url: str) -> None:
    page.goto(f"{service_url}/#t=123.4")
    expect(page.locator("#moment-hint")).to_contain_text("2:03.4")


def test_the_keyboard_alone_opens_steps_and_corrects(page: Page, service_url: str) -> None:
    page.goto(service_url)
    page.get_by_role("button", name="Open the example").press("Enter")
    wait_until_open(page)
    expect(page.locator("#paper")).to_be_focused()
    page.keyboard.press("n")
    page.keyboard.press("Shift+Q")
    expect(page.locator("#beat-name")).to_contain_text("Q")
    expect(page.locator("#reviewed")).to_contain_text("1 beat reviewed")


def test_correcting_in_the_table_leaves_the_keyboard_there(example: Page) -> None:
    example.locator(".count[data-filter=V]").click()
    rows = example.locator("#beats tbody tr")
    rows.first.click()
    example.keyboard.press("Shift+N")
    settle(example)
    assert example.evaluate("document.activeElement.closest('#beats') !== null")


def test_nothing_scrolls_sideways_at_320_pixels(page: Page, service_url: str) -> None:
    page.set_viewport_size({"width": 320, "height": 256})
    open_example(page, service_url)
    page.locator("#paper").press("n")
    settle(page)
    assert no_sideways_scroll(page)
    assert pulse_box(page) == pytest.approx((5, 10), abs=0.5)


def test_one_page_is_printed_with_strips_at_true_millimetres(example: Page, tmp_path: Path) -> None:
    example.locator("#paper").press("n")
    example.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    printed = (tmp_path / "report.pdf").read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    assert example.evaluate("document.querySelector('#report canvas').style.width") == "180mm"


def test_the_printed_report_has_facts_figures_and_notice(example: Page) -> None:
    example.emulate_media(media="print")
    example.evaluate("dispatchEvent(new Event('beforeprint'))")
    report = example.locator("#report")
    for words in ("mitdb-208", "360 Hz", "SDNN", "Couplets", "convxgb"):
        expect(report).to_contain_text(words)
    expect(report.get_by_text("Research and education, not a medical device.")).to_be_visible()
    expect(example.locator("#workbench")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("opened", [False, True])
def test_axe_finds_no_violations(
    browser: Browser, service_url: str, tmp_path: Path, scheme: str, opened: bool
) -> None:
    with fresh_page(browser, [], color_scheme=scheme) as page:
        page.goto(service_url)
        if opened:
            page.locator("#files").set_input_files(unzipped(tmp_path))
            wait_until_open(page)
            page.locator("#paper").press("n")
            page.locator("#paper").press("Shift+S")
            settle(page)
        found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []


def test_the_page_says_that_it_is_no_medical_device(example: Page) -> None:
    notice = example.get_by_text("Research and education, not a medical device.").first
    expect(notice).to_be_visible()
