"""What people usually do next, on the recordings page in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from tests.browsing import fresh_page, no_sideways_scroll
from tests.recordings_page import as_csv, made_up_lead, open_example, open_text


@pytest.fixture
def example(browser: Browser, service_url: str, complaints: list[str]) -> Iterator[Page]:
    with fresh_page(browser, complaints) as page:
        open_example(page, service_url)
        yield page


def asked(page: Page) -> list[str]:
    """Return the addresses of the recordings that are sent from now on."""
    found: list[str] = []
    page.on("request", lambda one: found.append(one.url) if "/v1/records" in one.url else None)
    return found


def test_what_people_usually_do_is_asked_for_by_keyboard_and_names_its_sources(
    example: Page, complaints: list[str]
) -> None:
    sent, lines = asked(example), example.locator("#advice-lines li")
    expect(example.get_by_label("Age in years")).to_be_hidden()
    example.locator("#advice summary").press("Enter")
    expect(example.locator("#advice")).to_contain_text("It is not about you")
    expect(example.locator("#advice")).to_contain_text("Not a medical device")
    assert sent == []
    example.get_by_label("Age in years").press_sequentially("70")
    example.keyboard.press("Enter")
    expect(example.locator("#advice-status")).to_contain_text("age: 65 and older")
    (address,) = sent
    assert "age=70&advice=true" in address
    assert "trace" not in address
    expect(lines.first).to_contain_text("want emergency help")
    expect(lines.get_by_role("heading", name="Many V beats")).to_be_visible()
    for line in lines.all():
        link = line.get_by_role("link").first
        assert (link.get_attribute("href") or "").startswith("https://doi.org/10.")
    assert complaints == []


def test_advice_is_not_printed_and_goes_with_its_recording(example: Page) -> None:
    example.locator("#advice summary").click()
    example.get_by_role("button", name="Show what people usually do").click()
    expect(example.locator("#advice-status")).to_contain_text("age: unknown")
    example.emulate_media(media="print")
    expect(example.locator("#advice-lines")).to_be_hidden()
    example.emulate_media(media="screen")
    open_text(example, "lead.csv", as_csv(made_up_lead(seconds=30)))
    expect(example.locator("#header-facts")).to_contain_text("0:30")
    expect(example.locator("#advice-lines li")).to_have_count(0)
    expect(example.get_by_label("Age in years")).to_be_hidden()


def test_advice_that_cannot_be_had_says_why(example: Page) -> None:
    example.locator("#advice summary").click()
    example.context.set_offline(True)
    example.get_by_role("button", name="Show what people usually do").click()
    expect(example.locator("#advice-problem")).to_contain_text("did not answer")
    example.context.set_offline(False)
    example.get_by_role("button", name="Show what people usually do").click()
    expect(example.locator("#advice-status")).to_contain_text("lines")
    expect(example.locator("#advice-problem")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_advice_is_readable_on_a_narrow_page_in_light_and_dark(example: Page, scheme: str) -> None:
    example.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    example.set_viewport_size({"width": 320, "height": 700})
    example.locator("#advice summary").click()
    example.get_by_role("button", name="Show what people usually do").click()
    expect(example.locator("#advice-status")).to_contain_text("lines")
    assert no_sideways_scroll(example)
    found = Axe().run(example, context="#advice").response["violations"]
    assert [one["id"] for one in found] == []
