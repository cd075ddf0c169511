"""What the tests of the recordings page share: files to open, and ways to read the paper."""

from __future__ import annotations

import base64
import re
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import FilePayload, Page, expect

from tests.conftest import ROOT

EXAMPLE = ROOT / "web" / "example" / "mitdb-208.zip"
MM_PX = 96 / 25.4
CLASSES = "NSVFQ"
LANE_PX = 34
"""Height of the lane of marks above the paper."""

Pixels = NDArray[np.int16]


def unzipped(folder: Path) -> list[Path]:
    """Unpack the example into `folder`: a WFDB header and its signal."""
    with zipfile.ZipFile(EXAMPLE) as archive:
        archive.extractall(folder)
    return sorted(folder.iterdir())


def made_up_lead(fs: float = 250.0, seconds: float = 20.0) -> NDArray[np.float64]:
    """Beats in mV, 75 a minute, P, QRS and T as bumps."""
    t = np.arange(round(seconds * fs)) / fs
    lead = np.zeros(len(t))
    for at in np.arange(0.5, seconds, 0.8):
        for shift, width, height in [(-0.16, 0.025, 0.15), (0.0, 0.011, 1.2), (0.28, 0.05, 0.3)]:
            lead += height * np.exp(-(((t - at - shift) / width) ** 2) / 2)
    noise = np.random.default_rng(7).normal(0, 0.01, len(t))
    return np.asarray((lead + noise).round(4))


def as_csv(lead: NDArray[np.float64], fs: float | None = 250.0) -> str:
    """One column of mV, and one of seconds where `fs` is given; a missing sample is empty."""
    numbers = ["" if np.isnan(x) else f"{x:.4f}" for x in lead]
    if fs is None:
        return "\n".join(["ecg_mV", *numbers])
    rows = [f"{i / fs:.3f},{x}" for i, x in enumerate(numbers)]
    return "\n".join(["time_s,ecg_mV", *rows])


def open_text(page: Page, name: str, text: str) -> None:
    """Choose a text file as if it lay on a disk."""
    content: FilePayload = {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
    page.locator("#files").set_input_files(content)


def open_example(page: Page, address: str) -> None:
    """Open the page and the recording that ships with it."""
    page.goto(address)
    page.get_by_role("button", name="Open the example").click()
    wait_until_open(page)


def wait_until_open(page: Page) -> None:
    """Wait until a recording is on the paper."""
    expect(page.locator("#header-facts")).to_be_visible()
    expect(page.locator("#paper")).to_have_attribute("data-px-per-mm", re.compile(r"\d"))
    settle(page)


def settle(page: Page) -> None:
    """Wait until what was asked for is drawn."""
    page.evaluate("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")


_RAW = """selector => {
  const canvas = document.querySelector(selector);
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const parts = [];
  for (let i = 0; i < data.length; i += 32768)
    parts.push(String.fromCharCode(...data.subarray(i, i + 32768)));
  return [canvas.width, canvas.height, btoa(parts.join(""))];
}"""


def pixels(page: Page, selector: str = "#paper") -> Pixels:
    """Return what is drawn on a canvas: (height, width, 3), 0 to 255, in device pixels."""
    width, height, raw = page.evaluate(_RAW, selector)
    image = np.frombuffer(base64.b64decode(raw), np.uint8)
    return image.reshape(height, width, 4)[:, :, :3].astype(np.int16)


def dark(image: Pixels) -> NDArray[np.bool_]:
    """True where the ink of the trace is: darker than any line of the paper."""
    return np.asarray(image.max(axis=2) < 110)


def pulse_box(page: Page, ratio: int = 1) -> tuple[float, float]:
    """Return width and height of the calibration pulse in mm, as measured on the drawn pixels."""
    width = page.evaluate("document.querySelector('#paper').width")
    ink = dark(pixels(page))[LANE_PX * ratio :, : width // 4]
    # The pulse stands in the first centimetre and a half, left of the line where the trace starts.
    columns = np.flatnonzero(ink.sum(axis=0) > 5 * ratio)
    rising, falling = columns[0], columns[np.flatnonzero(np.diff(columns) > 2)[0] + 1]
    rows = np.flatnonzero(ink[:, rising])
    return (falling - rising) / ratio / MM_PX, (rows[-1] - rows[0]) / ratio / MM_PX
