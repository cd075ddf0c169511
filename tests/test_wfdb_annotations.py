"""WFDB annotations: parity with the wfdb package, clauses of annot(5), round trips, bad bytes."""

import os
import time
import tracemalloc
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import wfdb
from hypothesis import given
from hypothesis import strategies as st

from ecg.aami import RECORDS
from ecg.errors import InputError
from ecg.record import Annotation
from ecg.wfdb_annotations import (
    CODES,
    MAX_ANNOTATION_BYTES,
    SYMBOLS,
    read_annotations,
    write_annotations,
)

MITBIH = "mit-bih-arrhythmia-database-1.0.0"
END = b"\0\0"


def word(step: int, code: int) -> bytes:
    return (code << 10 | step).to_bytes(2, "little")


def annotation(samples: list[int], symbols: str, aux: tuple[str, ...] = ()) -> Annotation:
    return Annotation(np.array(samples, np.int64), tuple(symbols), aux)


def same_as_wfdb(read: Annotation, path: Path) -> None:
    oracle = wfdb.rdann(str(path.with_suffix("")), path.suffix[1:])
    np.testing.assert_array_equal(read.sample, oracle.sample)
    assert read.symbol == tuple(oracle.symbol)
    assert read.aux == tuple(aux.rstrip("\0") for aux in oracle.aux_note)


def test_the_letters_are_those_of_wfdb() -> None:
    theirs = {label.label_store: label.symbol for label in wfdb.io.annotation.ann_labels}
    theirs.pop(0)
    ours = {code: symbol for symbol, code in CODES.items() if not symbol.startswith("[1")}
    assert {code: s for code, s in ours.items() if len(s) == 1} == theirs
    assert len(set(SYMBOLS)) == len(SYMBOLS)


def test_marks_are_a_difference_and_a_letter() -> None:
    read = read_annotations(word(5, 1) + word(1023, 5) + word(0, 28) + END)
    assert read.sample.tolist() == [5, 1028, 1028]
    assert read.symbol == ("N", "V", "+")
    assert read.aux == ("", "", "")


def test_a_skip_adds_32_bits_with_the_high_half_first() -> None:
    skip = word(0, 59) + bytes([0x02, 0x00, 0x01, 0x00])
    assert read_annotations(skip + word(7, 1) + END).sample.tolist() == [0x20001 + 7]


def test_numbers_subtypes_and_channels_are_read_over() -> None:
    extra = word(1, 60) + word(2, 61) + word(3, 62)
    read = read_annotations(word(5, 1) + extra + word(5, 5) + END)
    assert (read.sample.tolist(), read.symbol) == ([5, 10], ("N", "V"))


def test_an_aux_string_of_odd_length_is_padded() -> None:
    read = read_annotations(word(5, 28) + word(3, 63) + b"(N\0\0" + word(5, 1) + END)
    assert (read.aux, read.symbol) == (("(N", ""), ("+", "N"))


def test_what_stands_after_the_end_mark_is_not_read() -> None:
    assert read_annotations(word(5, 1) + END + b"rubbish").symbol == ("N",)


def test_a_file_without_marks_is_empty() -> None:
    read = read_annotations(END)
    assert (read.sample.tolist(), read.symbol, read.aux) == ([], (), ())


def test_a_file_of_wfdb_with_definitions_reads_as_wfdb_reads_it(tmp_path: Path) -> None:
    wfdb.wrann(
        "r",
        "atr",
        sample=np.array([0, 3, 5000, 5000, 70_000]),
        symbol=["N", "V", "+", "z", '"'],
        aux_note=["", "", "(AFIB", "", "noisy from here"],
        fs=360,
        custom_labels=[(42, "z", "zigzag")],
        write_dir=str(tmp_path),
    )
    read = read_annotations((tmp_path / "r.atr").read_bytes())
    assert read.symbol == ("N", "V", "+", "z", '"')
    same_as_wfdb(read, tmp_path / "r.atr")


def test_a_file_that_counts_at_another_frequency_is_put_into_the_records() -> None:
    text = b"## time resolution: 1000"
    content = word(0, 22) + word(len(text), 63) + text + word(500, 1) + END
    assert read_annotations(content, fs=250).sample.tolist() == [125]
    assert read_annotations(content, fs=1000).sample.tolist() == [500]
    assert read_annotations(content).sample.tolist() == [500]


@pytest.mark.parametrize(
    "written",
    [
        annotation([1], "N"),
        annotation([1, 1, 1024, 2048, 3072], "NV+~|"),
        annotation([5, 2**31 + 5, 2**34], "N/Q"),
        annotation([0, 9], "+N", ("(VFL", "even")),
        annotation([9, 10], '"N', ("x" * 255, "µ")),
        annotation([10 * i for i in range(1, 37)], "".join(s for s in CODES if len(s) == 1)[:36]),
    ],
)
def test_wfdb_reads_what_is_written(tmp_path: Path, written: Annotation) -> None:
    path = tmp_path / "r.atr"
    path.write_bytes(write_annotations(written))
    same_as_wfdb(
        Annotation(written.sample, written.symbol, written.aux or ("",) * len(written.symbol)), path
    )


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**33),
            st.sampled_from(sorted(CODES)),
            st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=255),
        ),
        max_size=20,
    )
)
def test_what_is_written_is_read_back(marks: list[tuple[int, str, str]]) -> None:
    sample = np.cumsum([1, *(step for step, _, _ in marks)], dtype=np.int64)[1:]
    symbol = tuple(mark[1] for mark in marks)
    aux = tuple(mark[2] for mark in marks)
    read = read_annotations(write_annotations(Annotation(sample, symbol, aux)))
    np.testing.assert_array_equal(read.sample, sample)
    assert (read.symbol, read.aux) == (symbol, aux)


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (annotation([5, 4], "NN"), "do not rise"),
        (annotation([-1], "N"), "do not rise"),
        (annotation([5], "é"), "letter"),
        (annotation([5], "NN"), "different length"),
        (annotation([5], "N", ("x" * 256,)), "too long an aux"),
        (annotation([5], "N", ("→",)), "beyond Latin-1"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(written: Annotation, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        write_annotations(written)


MALFORMED = {
    "nothing": (b"", "end mark"),
    "one byte": (b"\1", "end mark"),
    "no end": (word(5, 1), "end mark"),
    "skip cut": (word(5, 1) + word(0, 59) + b"\1", "end mark"),
    "aux cut": (word(5, 1) + word(255, 63) + b"(N", "end mark"),
    "aux before any mark": (word(2, 63) + b"ab" + END, "belongs to a mark"),
    "negative time": (word(0, 59) + b"\xff\xff\xfe\xff" + word(1, 1) + END, "backwards"),
    "backwards": (
        word(9, 1) + word(0, 59) + b"\xff\xff\xfe\xff" + word(1, 1) + END,
        "backwards",
    ),
    "too many": (word(1, 1) * 101 + END, "too many"),
    "too long": (bytes(MAX_ANNOTATION_BYTES + 1), "too long"),
    "a text": (b"# a comment of a header, not of an annotator\n", "annotation file"),
}


@pytest.mark.parametrize(("content", "problem"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_file_is_refused(content: bytes, problem: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=problem):
            read_annotations(content, 100)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_a_resolution_that_sends_marks_beyond_any_recording_is_refused() -> None:
    text = b"## time resolution: 0.000001"
    content = word(0, 22) + word(len(text), 63) + text
    content += (word(0, 59) + b"\xff\x7f\xff\xff") * 9 + word(1, 1) + END
    with pytest.raises(InputError, match="beyond any recording"):
        read_annotations(content, fs=1000)


def seconds_to_read(after_the_mark: bytes) -> float:
    content = word(1, 1) + after_the_mark * 500_000 + END
    start = time.process_time()
    read_annotations(content)
    return time.process_time() - start


def test_an_aux_string_takes_no_longer_than_other_words() -> None:
    assert seconds_to_read(word(0, 63)) < 4 * seconds_to_read(word(0, 60))


@given(st.binary(max_size=400))
def test_random_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(InputError):
        read = read_annotations(content + END, fs=360)
        assert len(read.sample) == len(read.symbol) == len(read.aux) <= len(content)
        assert (np.diff(read.sample) >= 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", RECORDS)
def test_marks_of_the_database_read_and_write_as_in_wfdb(tmp_path: Path, name: str) -> None:
    archive = Path(os.environ.get("BEATWISE_MIRROR", "")) / f"{MITBIH}.zip"
    if "BEATWISE_MIRROR" not in os.environ or not archive.is_file():
        pytest.skip(f"BEATWISE_MIRROR names no folder that holds {archive.name}")
    with zipfile.ZipFile(archive) as opened:
        content = opened.read(f"{MITBIH}/{name}.atr")
    for ending, written in {"atr": content, "our": b""}.items():
        path = tmp_path / f"r.{ending}"
        path.write_bytes(written or write_annotations(read_annotations(content)))
        same_as_wfdb(read_annotations(content), path)
