"""WFDB records that are malformed or lie: refused in words, in memory bounded by what was sent."""

import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg.errors import InputError
from ecg.wfdb_signals import FORMATS, read_wfdb

LINE = "r.dat 16 200"
MALFORMED = {
    "empty": ("", "empty"),
    "comments only": ("# nothing\n", "empty"),
    "too long": ("#" * 70_000, "too long"),
    "no lead count": ("r", "how many leads"),
    "zero leads": ("r 0 360 2", "leads out of range"),
    "65 leads": ("r 65 360 2\n" + f"{LINE}\n" * 65, "leads out of range"),
    "negative leads": ("r -1 360", "how many leads"),
    "fewer lines than leads": (f"r 2 360\n{LINE}", "1 signal lines where it says 2"),
    "more lines than leads": (f"r 1 360\n{LINE}\n{LINE}", "2 signal lines where it says 1"),
    "multi-segment": ("r/2 1 360 20\na 10\nb 10", "multi-segment"),
    "variable layout": ("r 1 360\n~ 0 200", "variable-layout"),
    "record path": (f"../r 1 360\n{LINE}", "plain name"),
    "absolute record": (f"/r 1 360\n{LINE}", "plain name"),
    "file path": ("r 1 360\n../r.dat 16 200", "plain name"),
    "absolute file": ("r 1 360\n/etc/passwd 16 200", "plain name"),
    "backslash file": ("r 1 360\n..\\r.dat 16 200", "plain name"),
    "standard input": ("r 1 360\n- 16 200", "plain name"),
    "file not sent": ("r 1 360\nq.dat 16 200", "q.dat is named"),
    "fs NaN": (f"r 1 nan\n{LINE}", "sampling frequency"),
    "fs infinite": (f"r 1 1e400\n{LINE}", "sampling frequency"),
    "fs zero": (f"r 1 0\n{LINE}", "sampling frequency"),
    "fs negative": (f"r 1 -360\n{LINE}", "sampling frequency"),
    "2e9 samples": (f"r 1 360 2000000000\n{LINE}", "500 samples a lead found, 2000000000 claimed"),
    "one sample short": (f"r 1 360 501\n{LINE}", "500 samples a lead found, 501 claimed"),
    "negative samples": (f"r 1 360 -5\n{LINE}", "number of samples"),
    "endless number": (f"r 1 360 {'9' * 5000}\n{LINE}", "number of samples"),
    "offset past the end": ("r 1 360\nr.dat 16+4000000000 200", "no samples"),
    "no format": ("r 1 360\nr.dat", "no format"),
    "format 8": ("r 1 360\nr.dat 8 200", "another format"),
    "format 516": ("r 1 360\nr.dat 516 200", "another format"),
    "zero per frame": ("r 1 360\nr.dat 16x0 200", "samples per frame"),
    "endless frame": ("r 1 360\nr.dat 16x999999 200", "samples per frame"),
    "huge gain": ("r 1 360\nr.dat 16 1e300", "gain"),
    "tiny gain": ("r 1 360\nr.dat 16 1e-300", "gain"),
    "gain NaN": ("r 1 360\nr.dat 16 nan", "gain"),
    "baseline beyond": ("r 1 360\nr.dat 16 200(99999999999)", "gain"),
    "zero of words": ("r 1 360\nr.dat 16 200 12 x", "whole number"),
    "formats mixed": ("r 2 360\nr.dat 16 200\nr.dat 212 200", "different format"),
    "offsets mixed": ("r 2 360\nr.dat 16 200\nr.dat 16+8 200", "different format or offset"),
}


@pytest.mark.parametrize(("header", "problem"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_header_is_refused(header: str, problem: str) -> None:
    files = {"r.hea": header.encode(), "r.dat": bytes(1000)}
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=problem) as caught:
            read_wfdb(files, "r.hea")
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
    assert len(str(caught.value)) < 300


def test_a_header_that_was_not_sent_is_refused() -> None:
    with pytest.raises(InputError, match="header is not among the files"):
        read_wfdb({"r.dat": b"12"}, "../r.hea")


@pytest.mark.parametrize("code", sorted(FORMATS))
def test_memory_is_a_small_multiple_of_the_bytes_given(code: int) -> None:
    content = bytes(6 * 2**20)
    tracemalloc.start()
    try:
        header = f"r 1 360\nr.dat {code}:9999999999 200".encode()
        read_wfdb({"r.hea": header, "r.dat": content}, "r.hea")
        assert tracemalloc.get_traced_memory()[1] < 12 * len(content)
    finally:
        tracemalloc.stop()


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_random_bytes_are_read_or_refused(header: bytes, content: bytes) -> None:
    with suppress(InputError):
        read_wfdb({"r.hea": header, "r.dat": content}, "r.hea")


PIECES = (
    "r 1 2 65 0 360 /1 nan -1 1e9 \n \n r.dat r.mat ~ 16 212 24 80 160 x3 :2 +24 +1 200 200(5)/uV"
    " 0 (9) /V e5 12 # é"
).split(" ")


@given(st.lists(st.sampled_from(PIECES), max_size=30), st.binary(max_size=60), st.booleans())
def test_headers_of_odd_pieces_are_read_or_refused(
    pieces: list[str], content: bytes, close: bool
) -> None:
    header = "r 1 360\nr.dat " + ("" if close else " ").join(pieces)
    files = {"r.hea": header.encode(), "r.dat": content, "r.mat": content}
    with suppress(InputError):
        record = read_wfdb(files, "r.hea")
        assert record.signal.nbytes <= 4 * len(content)
        assert not np.isinf(record.signal).any()
