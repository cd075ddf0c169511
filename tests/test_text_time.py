"""The sampling frequency of a recording written as text: from its times, its header, its sender."""

import numpy as np
import pytest

from ecg.errors import InputError
from ecg.text_files import read_text
from tests.text_rows import N, clock, rows, seconds


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


def test_gap_is_kept_where_the_given_fs_agrees() -> None:
    text = "t,II\n" + rows(lambda k: seconds(k if k < 700 else k + 250))
    assert read_text(text.encode(), fs=250).n_samples == N + 250


@pytest.mark.parametrize("odd", ["x", "", "0"])
def test_odd_time_is_no_reason_to_refuse_where_fs_is_given(odd: str) -> None:
    text = "time,II\n" + rows(lambda k: odd if k == 700 else seconds(k))
    record = read_text(text.encode(), fs=250)
    assert record.n_samples == N
    assert "column 1 tells no time; it is not used" in record.found


def test_odd_time_among_the_first_is_named() -> None:
    text = "time,II\n" + rows(lambda k: "x" if k == 3 else seconds(k))
    with pytest.raises(InputError, match="row 5, column 1"):
        read_text(text.encode())


@pytest.mark.parametrize("name", ["time (s)", "time"])
@pytest.mark.parametrize("exponent", [-320, 305])
def test_times_beyond_any_clock_are_refused(name: str, exponent: int) -> None:
    text = f"{name},II\n" + rows(lambda k: f"{k}e{exponent}")
    with pytest.raises(InputError, match=r"^fs: "):
        read_text(text.encode())


def test_time_of_day_that_its_reader_does_not_know_is_named() -> None:
    text = "time,II\n" + rows(lambda k: clock(k) if k != 900 else "12:60:x")
    with pytest.raises(InputError, match="no time in row 902, column 1"):
        read_text(text.encode())


def test_gap_beyond_any_number_stays_small() -> None:
    text = "t,II\n" + rows(lambda k: "1e308" if k == N - 1 else seconds(k))
    assert read_text(text.encode()).n_samples == N
