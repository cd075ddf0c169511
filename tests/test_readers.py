"""What a user uploads, told by its content."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest
from edfio import Edf, EdfSignal
from hypothesis import given
from hypothesis import strategies as st

from ecg.errors import InputError
from ecg.readers import MAX_FILES, read, unpack

CSV = (
    "time,II (mV)\n" + "".join(f"{k / 250},{np.sin(k / 20):.3f}\n" for k in range(1000))
).encode()
WAVE = np.arange(1000, dtype="<i2") % 100
HEA = b"r 2 250 500\nr.dat 16 200 16 0 0 0 0 I\nr.dat 16 200 16 0 0 0 0 II\n"


def edf() -> bytes:
    out = io.BytesIO()
    Edf([EdfSignal(np.sin(np.arange(2500) / 20), 250, label="ECG", physical_dimension="mV")]).write(
        out
    )
    return out.getvalue()


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


KINDS = {"CSV": {"a": CSV}, "EDF": {"a": edf()}, "WFDB 16": {"r.hea": HEA, "r.dat": WAVE.tobytes()}}


@pytest.mark.parametrize("kind", KINDS)
def test_format_is_told_by_content(kind: str) -> None:
    record = read(KINDS[kind])
    assert (record.format, record.fs) == (kind, 250.0)


@pytest.mark.parametrize("kind", KINDS)
def test_zip_is_read_as_its_files(kind: str) -> None:
    inside = {f"folder/{name}": content for name, content in KINDS[kind].items()}
    extra = {"__MACOSX/folder/._r.dat": b"x", "folder/.DS_Store": b"y"}
    record = read({"upload": zipped(inside | extra)})
    np.testing.assert_array_equal(record.signal, read(KINDS[kind]).signal)


@pytest.mark.parametrize("name", ["a.hea", "a.edf", "a.zip", "a.dat", "../../etc/passwd", ""])
def test_name_alone_decides_nothing(name: str) -> None:
    assert read({name: CSV}).format == "CSV"
    assert read({name: edf()}).format == "EDF"
    assert read({name: zipped({"x": CSV})}).format == "CSV"


def test_fs_given_is_not_silently_ignored() -> None:
    assert "the file says 250 Hz; the fs given is not used" in read({"a": edf()}, fs=500).found


@pytest.mark.parametrize("fs", [0.0, -250.0, 50.0, float("nan"), float("inf")])
def test_fs_given_out_of_range_is_refused(fs: float) -> None:
    with pytest.raises(InputError, match=r"^fs: "):
        read({"a": b"II\n" + b"1\n" * 1000}, fs=fs)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "empty"),
        ({"a": b""}, "empty"),
        ({"a.csv": CSV, "b.csv": CSV}, "2 files that are not one recording"),
        ({"a.hea": HEA, "b.hea": HEA, "r.dat": b""}, "2 WFDB headers"),
        ({"x/a": CSV, "y/a": CSV}, "one name"),
        ({"r.dat": WAVE.tobytes()}, "not in a format known"),
        ({"a": CSV[: CSV.index(b"\n", 300)]}, "lasts"),
        ({"a": b"time,II\n" + b"".join(b"%d.0,1\n" % k for k in range(900))}, "^fs: "),
    ],
)
def test_what_is_no_recording_is_refused(files: dict[str, bytes], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(files)


def patched(content: bytes, old: bytes, new: bytes) -> bytes:
    assert old in content
    return content.replace(old, new)


def encrypted() -> bytes:
    content = bytearray(zipped({"a": CSV}))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def claims(size: int) -> bytes:
    content = bytearray(zipped({"a": CSV}))
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = size.to_bytes(4, "little")
    return bytes(content)


def nameless() -> bytes:
    content = bytearray(zipped({"a": b"x"}))
    at = content.index(b"PK\x01\x02") + 28
    content[at : at + 4] = b"\0\0\1\0"
    return bytes(content)


ATTACKS = {
    "without a name": nameless(),
    "climbs": zipped({"../a": CSV}),
    "climbs inside": zipped({"x/../../a": CSV}),
    "climbs backwards": zipped({"..\\a": CSV}),
    "absolute": zipped({"/etc/a": CSV}),
    "drive": zipped({"C:/a": CSV}),
    "one name twice": zipped({"x/a": CSV, "y/a": CSV}),
    "zip in a zip": zipped({"a.zip": zipped({"a": CSV})}),
    "bomb": zipped({"a": b"\0" * (64 << 20)}),
    "bomb of many": zipped({f"{k}": b"\0" * (1 << 20) for k in range(40)}),
    "many files": zipped({f"{k}": b"" for k in range(MAX_FILES + 1)}),
    "empty": zipped({}),
    "only folders": zipped({"x/": b""}),
    "encrypted": encrypted(),
    "claims 4 GB": claims(0xFFFFFFF0),
    "claims too much": claims(len(CSV) + 1),
    "claims too little": claims(1000),
    "wrong checksum": patched(zipped({"a": CSV}, zipfile.ZIP_STORED), b"0.1", b"0.2"),
    "bzip2": zipped({"a": CSV}, zipfile.ZIP_BZIP2),
    "cut off": zipped({"a": CSV})[:-30],
    "magic only": b"PK\x03\x04",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_zip_attack_is_refused_in_bounds(attack: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=r"^files: "):
            read({"a.zip": ATTACKS[attack]})
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


def test_unpack_gives_base_names() -> None:
    assert unpack(zipped({"x/y/a.csv": CSV})) == {"a.csv": CSV}


@given(st.binary(max_size=2000), st.sampled_from([b"", b"PK\x03\x04", b"0       ", b"\xffBIOSEMI"]))
def test_random_bytes_raise_nothing_but_input_errors(tail: bytes, magic: bytes) -> None:
    with pytest.raises(InputError):
        read({"r.hea": magic + tail})


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6), st.booleans())
def test_random_zips_raise_nothing_but_input_errors(
    changes: list[tuple[int, int]], stored: bool
) -> None:
    content = bytearray(
        zipped({"a": CSV[:250]}, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)
    )
    for at, byte in changes:
        content[at % len(content)] = byte
    with pytest.raises(InputError):
        read({"a": bytes(content)})
