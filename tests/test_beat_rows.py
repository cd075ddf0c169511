"""The public heartbeat CSV."""

import numpy as np
import pytest

from ecg.beat_rows import is_beat_rows, read_beat_rows
from ecg.errors import InputError
from ecg.text_files import read_text
from tests.text_rows import rows, seconds


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


@pytest.mark.parametrize(("mark", "quote"), [("\ufeff", ""), ("", '"'), ("", "'")])
def test_byte_order_mark_and_quotes_do_not_matter(mark: str, quote: str) -> None:
    plain = beat_text(True)
    quoted = "\n".join(
        ",".join(f"{quote}{cell}{quote}" for cell in line.split(",")) for line in plain.split("\n")
    )
    content = (mark + quoted).encode()
    np.testing.assert_array_equal(read_beat_rows(content).cuts, read_beat_rows(plain.encode()).cuts)
