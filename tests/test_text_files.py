"""Recordings written as text: their layouts, units, leads and what is wrong with them."""

import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg.errors import InputError
from ecg.record import Record
from ecg.text_files import read_text
from tests.text_rows import WAVE, N, clock, iso, rows, seconds

APPLE = (
    'Name,A B\nDate of Birth,"Jan 1, 1980"\nClassification,Sinus Rhythm\n'
    "Recorded Date,2020-01-01 12:00:00 +0100\nSymptoms,\nSoftware Version,1.90\n"
    'Device,"Watch6,2"\nSample Rate,512 hertz\n\n\nLead,Lead I\nUnit,µV\n\n'
)


LAYOUTS = {
    "comma": ("time,ECG\n" + rows(seconds), ("ECG",)),
    "semicolon, decimal comma": ("Zeit;EKG\n" + rows(seconds, separator=";", comma=True), ("EKG",)),
    "tab": ("time\tMLII\n" + rows(seconds, separator="\t"), ("MLII",)),
    "bar": ("time|MLII\n" + rows(seconds, separator="|"), ("MLII",)),
    "spaces, decimal comma": (rows(seconds, separator="   ", comma=True), ("lead 1",)),
    "no header": (rows(seconds), ("lead 1",)),
    "header in a comment": ("# a file\n# time,V1\n" + rows(seconds), ("V1",)),
    "milliseconds": ("time_ms,II\n" + rows(lambda k: str(4 * k)), ("II",)),
    "microseconds": ("t (µs),II\n" + rows(lambda k: str(4000 * k)), ("II",)),
    "nanoseconds": ("stamp [ns],II\n" + rows(lambda k: str(10**18 + 4000000 * k)), ("II",)),
    "date and time": ("date,II\n" + rows(iso), ("II",)),
    "date and time with zone": ("date,II\n" + rows(lambda k: iso(k) + "Z"), ("II",)),
    "clock over midnight": ("time,II\n" + rows(clock), ("II",)),
    "units in a row": ("time,II\n(s),(mV)\n" + rows(seconds), ("II",)),
    "quotes": ("'time','II'\n" + rows(lambda k: f"'{seconds(k)}'"), ("II",)),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layout_gives_the_same_recording(name: str) -> None:
    text, leads = LAYOUTS[name]
    record = read_text(text.encode())
    assert (record.fs, record.leads) == (250.0, leads)
    np.testing.assert_allclose(record.signal[:, 0], WAVE, atol=1e-6)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encoding_and_newlines_do_not_matter(encoding: str, newline: str) -> None:
    text = LAYOUTS["comma"][0].replace("\n", newline)
    record = read_text(text.encode(encoding))
    assert record.signal.shape == (N, 1)
    assert record.leads == ("ECG",)


@pytest.mark.parametrize(
    ("header", "given", "scale", "known"),
    [
        ("ECG (mV)", None, 1.0, True),
        ("ECG [uV]", None, 1e-3, True),
        ("ECG_µV", None, 1e-3, True),
        ("ECG [V]", None, 1e3, True),
        ("ECG [ADC]", None, 1.0, False),
        ("ECG", None, 1.0, False),
        ("ECG", "uV", 1e-3, True),
        ("ECG (mV)", "V", 1e3, True),
        ("ECG (mV)", "adc", 1.0, False),
    ],
)
def test_unit(header: str, given: str | None, scale: float, known: bool) -> None:
    record = read_text(f"time,{header}\n{rows(seconds)}".encode(), unit=given)
    assert record.unit_known is known
    assert record.leads == ("ECG",)
    np.testing.assert_allclose(record.signal[:, 0], WAVE * scale, rtol=1e-5)


def test_latin_1_micro_sign() -> None:
    assert read_text(f"time,ECG [µV]\n{rows(seconds)}".encode("latin-1")).unit_known


def test_unknown_unit_is_refused() -> None:
    with pytest.raises(InputError, match=r"^unit: "):
        read_text(rows(seconds).encode(), unit="furlong")


def test_what_was_found_is_said() -> None:
    text = "time_ms;ECG [mV];label\n" + "".join(f"{4 * k};{v};N\n" for k, v in enumerate(WAVE))
    assert read_text(text.encode()).found == (
        "semicolons separate 3 columns",
        "column 1 is time in ms: 250 Hz",
        "samples in mV",
        "not a lead, not read: column 3",
    )


def test_missing_cells_are_nan() -> None:
    lines = ("time,I,II\n" + rows(lambda k: seconds(k) + ",0.5")).split("\n")
    lines[900], lines[901], lines[902] = "3.596,,NA", "3.600,-,0.5", "3.604,0.5,"
    record = read_text("\n".join(lines).encode())
    assert "4 cells are missing" in record.found
    assert np.isnan(record.signal).sum() == 4


@pytest.mark.parametrize("word", ["", "-", "NULL", "none", "N/A", "NaN"])
def test_missing_is_said_in_many_ways(word: str) -> None:
    text = "time,II\n" + rows(seconds) + f"{seconds(N)},{word}\n{seconds(N + 1)},1\n"
    record = read_text(text.encode())
    assert np.isnan(record.signal[N, 0])
    assert "1 cells are missing" in record.found


@pytest.mark.parametrize("tail", ["   \n", ",\n,\n", "\n\n", "''\n,''\n", "# end\n"])
def test_rows_without_a_value_at_the_end_are_left_out(tail: str) -> None:
    assert read_text(("time,II\n" + rows(seconds) + tail).encode()).signal.shape == (N, 1)


def test_lines_of_quotes_hold_no_rows() -> None:
    content = "II\n" + rows(None) + 10 * ("'" * 60_000 + "\n")
    assert read_text(content.encode(), fs=250).signal.shape == (N, 1)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("3.596,abc", "row 901, column 2"),
        ("3.596", "fewer columns in row 901"),
        ("x,1", "row 901, column 1"),
    ],
)
def test_bad_cell_is_named(bad: str, said: str) -> None:
    lines = ("time,II\n" + rows(seconds)).split("\n")
    lines[900] = bad
    with pytest.raises(InputError, match=said):
        read_text("\n".join(lines).encode())


def test_bad_cell_far_down_is_named() -> None:
    text = "time,II\n\n# made up\n" + 60 * rows(seconds) + "0.004,abc\n"
    with pytest.raises(InputError, match=f"row {60 * N + 4}, column 2"):
        read_text(text.encode())


@pytest.mark.parametrize("comma", [False, True])
def test_apple_watch(comma: bool) -> None:
    record = read_text(
        (APPLE + rows(None, comma=comma).replace("-", "−" if comma else "-")).encode()
    )
    assert (record.format, record.fs, record.leads) == ("Apple Watch", 512.0, ("Lead I",))
    np.testing.assert_allclose(record.signal[:, 0], WAVE / 1000, atol=1e-9)


def test_polar() -> None:
    text = "Phone timestamp;sensor timestamp [ns];timestamp [ms];ecg [uV]\n" + "".join(
        f"2021-03-01T10:00:{k // 73 * 73 / 130:06.3f};{59 * 10**16 + k * 10**9 // 130};"
        f"{k * 1000 / 130:.6f};{1000 * v:.0f}\n"
        for k, v in enumerate(WAVE)
    )
    record = read_text(text.encode())
    assert (record.format, record.fs, record.leads) == ("Polar text", 130.0, ("ecg",))
    np.testing.assert_allclose(record.signal[:, 0], WAVE, atol=1e-3)


def test_one_long_line_is_one_lead() -> None:
    record = read_text(",".join(map(str, WAVE)).encode(), fs=250)
    np.testing.assert_allclose(record.signal[:, 0], WAVE, atol=1e-6)


def half_an_hour() -> bytes:
    values = np.random.default_rng(0).normal(size=(650_000, 2))
    lines = (f"{k / 360:.4f},{a:.4f},{b:.4f}\n" for k, (a, b) in enumerate(values))
    return ("time,MLII,V5\n" + "".join(lines)).encode()


def test_half_an_hour_is_read_within_seconds() -> None:
    content = half_an_hour()
    start = time.perf_counter()
    assert read_text(content).fs == 360
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    "content",
    [b"1\n" * 500_000, b"a,b\n" + b"1,2\n" * 300 + b",,\n" * 300_000, b"1" * 3_000_000],
)
def test_memory_is_bounded_by_the_bytes_given(content: bytes) -> None:
    tracemalloc.start()
    try:
        outcome(content, fs=360)
        assert tracemalloc.get_traced_memory()[1] < 12 * len(content)
    finally:
        tracemalloc.stop()


def outcome(content: bytes, fs: float | None = None) -> Record | None:
    try:
        return read_text(content, fs=fs)
    except InputError:
        return None


@given(st.binary(max_size=3000))
def test_random_bytes_raise_nothing_but_input_errors(content: bytes) -> None:
    outcome(content)
    outcome(content, fs=250)


CELL = st.sampled_from(
    "0 1 -1.5 2,5 nan inf 1e999 : 1:2 2020-01-01T00:00:00 x µV ' \" # [ms] hz".split()
)
SEPARATOR = st.sampled_from([",", ";", "\t", " ", "|", "", "\n", "\n\n"])


@given(st.lists(st.tuples(CELL, SEPARATOR), max_size=60), st.integers(1, 40))
def test_random_tables_raise_nothing_but_input_errors(
    cells: list[tuple[str, str]], times: int
) -> None:
    text = "".join(cell + separator for cell, separator in cells) * times
    outcome(text.encode())
    outcome(text.encode(), fs=250)
