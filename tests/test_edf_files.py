"""EDF, EDF+ and BDF, with edfio writing what is read."""

import io

import numpy as np
import pytest
from edfio import Bdf, BdfSignal, Edf, EdfAnnotation, EdfSignal
from hypothesis import given
from hypothesis import strategies as st

from ecg.edf_files import is_edf, read_edf_bytes
from ecg.errors import InputError

WAVE = np.sin(np.arange(2560) / 20)


def signal(label: str = "ECG", unit: str = "mV", fs: float = 256, scale: float = 1) -> EdfSignal:
    data = scale * np.resize(WAVE, int(10 * fs))
    return EdfSignal(data, fs, label=label, physical_dimension=unit)


def written(*signals: EdfSignal, annotated: bool = False) -> bytes:
    out = io.BytesIO()
    Edf(list(signals), annotations=[EdfAnnotation(1, None, "x")] if annotated else None).write(out)
    return out.getvalue()


def bdf() -> bytes:
    out = io.BytesIO()
    data = BdfSignal(1000 * WAVE, 256, label="ECG", physical_dimension="uV")
    Bdf([data], annotations=[EdfAnnotation(1, None, "x")]).write(out)
    return out.getvalue()


def patched(at: int, field: bytes, content: bytes | None = None) -> bytes:
    content = written(signal()) if content is None else content
    return content[:at] + field + content[at + len(field) :]


@pytest.mark.parametrize(
    ("unit", "scale"), [("mV", 1.0), ("uV", 1e3), ("V", 1e-3), ("nV", 1e6), ("MV", 1.0)]
)
def test_edf_is_read_in_millivolts(unit: str, scale: float) -> None:
    record = read_edf_bytes(written(signal(unit=unit, scale=scale)))
    assert (record.format, record.fs, record.leads) == ("EDF", 256.0, ("ECG",))
    np.testing.assert_allclose(record.signal[:, 0], WAVE, atol=1e-4)


def test_micro_sign_in_latin_1() -> None:
    content = patched(256 + 96, b"\xb5V      ", written(signal(scale=1e3)))
    np.testing.assert_allclose(read_edf_bytes(content).signal[:, 0], WAVE, atol=1e-3)


def test_edf_plus_annotations_are_said_not_read() -> None:
    record = read_edf_bytes(written(signal(), annotated=True))
    assert record.format == "EDF+"
    assert record.found == ("annotations are not read",)


def test_bdf_is_read_with_24_bits() -> None:
    record = read_edf_bytes(bdf())
    assert record.format == "BDF+"
    np.testing.assert_allclose(record.signal[:, 0], WAVE, atol=1e-6)


def test_ecg_leads_are_chosen_by_label() -> None:
    others = [signal("EEG Fpz-Cz", "uV"), signal("SpO2", "%", 1), signal("X1", "mV")]
    record = read_edf_bytes(written(others[0], signal("II"), others[1], signal("V5"), others[2]))
    assert record.leads == ("II", "V5")
    assert record.found == ("3 signals that are not ECG at 256 Hz are not read",)


def test_ecg_leads_are_chosen_by_voltage_where_no_label_helps() -> None:
    content = written(signal("Channel 1"), signal("EMG chin"), signal("Temp", "degC"))
    assert read_edf_bytes(content).leads == ("Channel 1",)


def test_leads_of_another_fs_are_left_out() -> None:
    assert read_edf_bytes(written(signal("I"), signal("II", fs=128))).leads == ("I",)


def test_unit_not_said() -> None:
    assert not read_edf_bytes(written(signal(unit=""))).unit_known


def test_no_ecg_is_refused() -> None:
    with pytest.raises(InputError, match="no ECG lead"):
        read_edf_bytes(written(signal("EEG Cz"), signal("SpO2", "%")))


def test_discontinuous_is_refused() -> None:
    with pytest.raises(InputError, match="discontinuous"):
        read_edf_bytes(patched(192, b"EDF+D", written(signal(), annotated=True)))


def test_unknown_number_of_records_is_counted() -> None:
    record = read_edf_bytes(patched(236, b"-1      ") + b"\0")
    assert record.n_samples == 2560


def test_bytes_after_the_last_record_are_left_out() -> None:
    record = read_edf_bytes(written(signal()) + b"\0" * 600)
    assert record.n_samples == 2560
    assert record.found == ("600 bytes after the last record are not read",)


LIES = {
    "records": (236, b"2000000 "),
    "no records": (236, b"0       "),
    "negative records": (236, b"-2      "),
    "records in words": (236, b"many    "),
    "signals": (252, b"9999"),
    "no signals": (252, b"0   "),
    "one signal more": (252, b"2   "),
    "header size": (184, b"99999999"),
    "duration": (244, b"0       "),
    "duration not a number": (244, b"nan     "),
    "duration infinite": (244, b"1e999   "),
    "samples": (256 + 216, b"99999999"),
    "no samples": (256 + 216, b"0       "),
    "negative samples": (256 + 216, b"-1      "),
    "digital range": (256 + 120, b"1       1       "),
    "physical range": (256 + 104, b"1       1       "),
    "physical infinite": (256 + 104, b"1e999   "),
}


@pytest.mark.parametrize("lie", LIES)
def test_lying_header_is_refused(lie: str) -> None:
    with pytest.raises(InputError):
        read_edf_bytes(patched(*LIES[lie]))


@pytest.mark.parametrize("length", [0, 8, 255, 256, 511, 512, 1000, 5000])
def test_truncated_file_is_refused(length: int) -> None:
    with pytest.raises(InputError):
        read_edf_bytes(written(signal())[:length])


SOUND = (written(signal(), signal("V1")), written(signal(), annotated=True), bdf())


@given(
    st.sampled_from(SOUND),
    st.lists(
        st.tuples(st.integers(0, 1023), st.sampled_from(b"0123456789 -.eE\xff\0")), max_size=8
    ),
    st.integers(0, 20000),
)
def test_random_headers_raise_nothing_but_input_errors(
    content: bytes, changes: list[tuple[int, int]], length: int
) -> None:
    data = bytearray(content)
    for at, byte in changes:
        data[at] = byte
    for attempt in (bytes(data), bytes(data[:length])):
        try:
            assert read_edf_bytes(attempt).signal.nbytes <= 8 * len(attempt)
        except InputError:
            assert len(attempt) >= 0


def test_is_edf() -> None:
    assert [is_edf(content) for content in (SOUND[0], SOUND[2], b"0,1,2", b"")] == [
        True,
        True,
        False,
        False,
    ]
