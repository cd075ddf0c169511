"""Recordings and heartbeats written as text."""

import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg.errors import InputError
from ecg.record import Record
from ecg.text_files import is_beat_rows, read_beat_rows, read_text

N = 1500
WAVE = np.round(np.sin(np.arange(N) / 20), 4)
APPLE = (
    'Name,A B\nDate of Birth,"Jan 1, 1980"\nClassification,Sinus Rhythm\n'
    "Recorded Date,2020-01-01 12:00:00 +0100\nSymptoms,\nSoftware Version,1.90\n"
    'Device,"Watch6,2"\nSample Rate,512 hertz\n\n\nLead,Lead I\nUnit,µV\n\n'
)


def rows(time_of: Callable[[int], str] | None, *, separator: str = ",", comma: bool = False) -> str:
    lines = []
    for k, value in enumerate(WAVE):
        cells = ([time_of(k)] if time_of else []) + [f"{value:.4f}"]
        lines.append(separator.join(c.replace(".", ",") if comma else c for c in cells))
    return "\n".join(lines) + "\n"


def seconds(k: int) -> str:
    return f"{k / 250:.3f}"


def iso(k: int) -> str:
    return str(np.datetime64("2020-01-01T23:59:58.000") + 4 * k)


def clock(k: int) -> str:
    return str(np.datetime64("2020-01-01T23:59:58.000") + 4 * k)[11:]


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


def test_no_sampling_frequency_asks_for_fs() -> None:
    with pytest.raises(InputError, match=r"^fs: .*fs, the sampling frequency"):
        read_text(b"ECG\n" + rows(None).encode())


def test_row_numbers_are_no_time() -> None:
    text = ("'sample #','MLII'\n" + rows(str)).encode()
    with pytest.raises(InputError, match=r"^fs: "):
        read_text(text)
    assert read_text(text, fs=360).leads == ("MLII",)


def test_a_lead_that_rises_at_first_is_no_time() -> None:
    ramp = "time,II\n" + "".join(f"{k / 250},{k / 100}\n" for k in range(600))
    assert read_text(ramp.encode()).leads == ("II",)


def test_given_fs_wins_and_the_difference_is_said() -> None:
    record = read_text(rows(seconds).encode(), fs=500)
    assert record.fs == 500
    assert "column 1 says 250 Hz; it is not used" in record.found


def test_times_rounded_to_milliseconds_still_give_360_hz() -> None:
    record = read_text(("time_ms,II\n" + rows(lambda k: str(round(k / 0.36)))).encode())
    assert record.fs == 360
    assert any("vary" in line for line in record.found)


def test_gap_is_noted_and_filled_with_missing_samples() -> None:
    text = "t,II\n" + rows(lambda k: seconds(k if k < 700 else k + 250))
    record = read_text(text.encode())
    assert record.n_samples == N + 250
    assert np.isnan(record.signal[700:950]).all()
    assert "1 gaps in time, 1.0 s together" in record.found


def test_gap_of_a_century_stays_small() -> None:
    text = "t,II\n" + rows(lambda k: seconds(k if k < 700 else k + 10**12))
    assert read_text(text.encode()).n_samples == N


def test_missing_cells_are_nan() -> None:
    lines = ("time,I,II\n" + rows(lambda k: seconds(k) + ",0.5")).split("\n")
    lines[900], lines[901], lines[902] = "3.596,,NA", "3.600,-,0.5", "3.604,0.5,"
    record = read_text("\n".join(lines).encode())
    assert "4 cells are missing" in record.found
    assert np.isnan(record.signal).sum() == 4


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


def beat_text(labels: bool, n: int = 30) -> str:
    cuts = np.random.default_rng(0).random((n, 187)).round(4)
    tail = [f",{float(k % 5)}" if labels else "" for k in range(n)]
    return "".join(",".join(map(str, c)) + t + "\n" for c, t in zip(cuts, tail, strict=True))


@pytest.mark.parametrize("labels", [True, False])
def test_heartbeat_rows(labels: bool) -> None:
    content = beat_text(labels).encode()
    rows_ = read_beat_rows(content)
    assert is_beat_rows(content)
    assert (rows_.cuts.shape, rows_.fs) == ((30, 187), 125.0)
    assert rows_.cuts.dtype == np.float32
    assert (rows_.label is None) is not labels
    if rows_.label is not None:
        assert rows_.label.tolist() == [k % 5 for k in range(30)]


def test_heartbeat_rows_are_no_recording() -> None:
    with pytest.raises(InputError, match="single heartbeats"):
        read_text(beat_text(True).encode())


@pytest.mark.parametrize("bad", ["7.0", "nan", "0.5"])
def test_odd_heartbeat_label_is_refused(bad: str) -> None:
    text = beat_text(True) + ",".join(["0.5"] * 187) + f",{bad}\n"
    with pytest.raises(InputError, match="column 188"):
        read_beat_rows(text.encode())


def test_a_recording_is_not_heartbeats() -> None:
    assert not is_beat_rows(rows(seconds).encode())
    with pytest.raises(InputError):
        read_beat_rows(rows(seconds).encode())


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
