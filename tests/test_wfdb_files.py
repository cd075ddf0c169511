"""WFDB records: parity with the wfdb package, clauses of header(5) and signal(5), bad bytes."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import wfdb

from ecg.aami import RECORDS
from ecg.errors import InputError
from ecg.record import Record
from ecg.wfdb_signals import read_wfdb

BITS = {16: 16, 24: 24, 32: 32, 61: 16, 80: 8, 160: 16, 212: 12}
# wfdb 4.3 with pandas 3.1, as it writes a header.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.drop")
MITBIH = "mit-bih-arrhythmia-database-1.0.0"


def read_folder(folder: Path, name: str) -> Record:
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    return read_wfdb(files, f"{name}.hea")


def from_wfdb(folder: Path, name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    signal = wfdb.rdrecord(str(folder / name)).p_signal
    return np.asarray(signal, np.float32)


def noise(code: int, n: int, leads: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Every value of the format may occur, its missing one does."""
    span = 2 ** (BITS[code] - 1)
    samples = np.random.default_rng(code).integers(-span, span, (n, leads))
    samples[3, 0] = samples[n - 1, leads - 1] = -span
    return samples


def packed(code: int, samples: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> bytes:
    flat = samples.reshape(-1)
    return flat.astype(">i2").tobytes() if code == 61 else (flat + 2**15).astype("<u2").tobytes()


def int16(samples: list[int]) -> bytes:
    return np.array(samples, "<i2").tobytes()


def one_lead(line: str, content: bytes, record: str = "r 1 360") -> Record:
    return read_wfdb({"r.hea": f"{record}\n{line}\n".encode(), "r.dat": content}, "r.hea")


@pytest.mark.parametrize("leads", [1, 3])
@pytest.mark.parametrize("n", [101, 500])
@pytest.mark.parametrize("code", [16, 24, 32, 80, 212])
def test_a_format_reads_as_wfdb_reads_it(tmp_path: Path, code: int, n: int, leads: int) -> None:
    samples = noise(code, n, leads)
    wfdb.wrsamp(
        "r",
        fs=360,
        units=["mV"] * leads,
        sig_name=[f"lead {i}" for i in range(leads)],
        d_signal=samples,
        fmt=[str(code)] * leads,
        adc_gain=[200.0 + i for i in range(leads)],
        baseline=[7 * i for i in range(leads)],
        write_dir=str(tmp_path),
    )
    record = read_folder(tmp_path, "r")
    np.testing.assert_array_equal(record.signal, from_wfdb(tmp_path, "r"))
    assert np.isnan(record.signal[3, 0])
    assert record.leads == tuple(f"lead {i}" for i in range(leads))
    assert (record.fs, record.format, record.found) == (360, f"WFDB {code}", ())


@pytest.mark.parametrize("code", [61, 160])
def test_a_format_that_wfdb_does_not_write_reads_as_it_reads_it(tmp_path: Path, code: int) -> None:
    (tmp_path / "r.dat").write_bytes(packed(code, noise(code, 101, 2)))
    (tmp_path / "r.hea").write_text(f"r 2 250 101\nr.dat {code} 200 16 0\nr.dat {code} 50 16 5\n")
    signal = read_folder(tmp_path, "r").signal
    np.testing.assert_array_equal(signal, from_wfdb(tmp_path, "r"))
    assert np.isnan(signal[3, 0])


def test_signals_of_several_files_and_formats_read_as_wfdb_reads_them(tmp_path: Path) -> None:
    (tmp_path / "a.dat").write_bytes(packed(61, noise(61, 50, 1)))
    (tmp_path / "b.dat").write_bytes(b"12345678" + packed(160, noise(160, 50, 2)))
    lines = ["r 3 250 50", "a.dat 61 100", "b.dat 160+8 200(3)/mV", "b.dat 160+8 300 16 9"]
    (tmp_path / "r.hea").write_text("\n".join(lines))
    record = read_folder(tmp_path, "r")
    np.testing.assert_array_equal(record.signal, from_wfdb(tmp_path, "r"))
    assert record.leads == ("lead 1", "lead 2", "lead 3")
    assert record.format == "WFDB 61, 160"


@pytest.mark.parametrize("skew", [1, 7])
def test_skew_and_samples_per_frame_read_as_wfdb_reads_them(tmp_path: Path, skew: int) -> None:
    (tmp_path / "r.dat").write_bytes(packed(61, noise(61, 60, 4)))
    (tmp_path / "r.hea").write_text(f"r 2 250 50\nr.dat 61x3 100\nr.dat 61:{skew} 100\n")
    record = read_folder(tmp_path, "r")
    # wfdb's own averages are of integers, cut off, and count a missing one as -32768.
    thrice, once = wfdb.rdrecord(str(tmp_path / "r"), smooth_frames=False).e_p_signal
    averages = thrice.reshape(50, 3).mean(axis=1)
    np.testing.assert_allclose(record.signal[:, 0], averages, rtol=1e-6, atol=1e-5)
    np.testing.assert_array_equal(record.signal[:, 1], once.astype(np.float32))
    assert "several samples a frame, averaged: lead 1" in record.found


def test_a_skew_past_the_end_of_the_file_is_missing_samples() -> None:
    record = one_lead("r.dat 16:3 1", np.arange(5, dtype="<i2").tobytes())
    np.testing.assert_array_equal(record.signal[:, 0], [3, 4, np.nan, np.nan, np.nan])


@pytest.mark.parametrize(
    ("unit", "scale"), [("", 1), ("/mV", 1), ("/uV", 1e-3), ("/µV", 1e-3), ("/V", 1e3)]
)
def test_a_unit_becomes_millivolts(unit: str, scale: float) -> None:
    record = one_lead(f"r.dat 16 10{unit}", int16([50]))
    np.testing.assert_allclose(record.signal, [[5 * scale]], rtol=1e-6)
    assert record.unit_known


def test_another_unit_is_said_to_be_unknown() -> None:
    record = one_lead("r.dat 16 10/mmHg 12 0 0 0 0 ABP", int16([50]))
    assert not record.unit_known
    assert record.signal.tolist() == [[5]]
    assert record.found == ("not in volts: the unit of ABP",)


@pytest.mark.parametrize("line", ["r.dat 16", "r.dat 16 0", "r.dat 16 0/mV 12"])
def test_an_absent_gain_is_the_specifications_200_and_said(line: str) -> None:
    record = one_lead(line, int16([100]))
    assert record.signal.tolist() == [[0.5]]
    assert record.found == ("uncalibrated: 200 steps a unit assumed for lead 1",)


@pytest.mark.parametrize(
    ("said", "fs"),
    [("r 1", 250), ("r 1 360/72(-1.5) 2 10:00:00 1/2/2003", 360), ("r 1 128.5", 128.5)],
)
def test_a_record_line_gives_the_frequency(said: str, fs: float) -> None:
    assert one_lead("r.dat 16 200", int16([1, 2]), said).fs == fs


def test_comments_blank_lines_and_crlf_are_read_over() -> None:
    header = b"# made by hand\r\n\r\nr 1 360\r\n# 66 F\r\nr.dat 16 200 12 0 1 3 0 MLII, chest\r\n#x"
    record = read_wfdb({"r.hea": header, "r.dat": int16([1, 2])}, "r.hea")
    assert (record.leads, record.n_samples, record.found) == (("MLII, chest",), 2, ())


def test_a_checksum_that_does_not_match_is_said() -> None:
    record = one_lead("r.dat 16 200 12 0 1 4 0 II", int16([1, 2]))
    assert record.found == ("checksum does not match: II",)


def matlab(kind: int = 30, rows: int = 1, columns: int = 4, imaginary: int = 0) -> bytes:
    words = np.array([kind, rows, columns, imaginary, 4], "<i4").tobytes()
    return words + b"val\0" + np.arange(4, dtype="<i2").tobytes()


def read_matlab(content: bytes, line: str = "r.mat 16+24 1/mV") -> Record:
    return read_wfdb({"r.hea": f"r 1 300 4\n{line}".encode(), "r.mat": content}, "r.hea")


def test_a_matlab_file_is_read_past_its_header() -> None:
    assert read_matlab(matlab()).signal[:, 0].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "content",
    [
        b"MATLAB 5.0 MAT-file, Platform: GLNXA64" + bytes(100),
        matlab(kind=0),
        matlab(rows=2),
        matlab(imaginary=1),
        matlab()[:10],
        b"",
    ],
)
def test_a_matlab_file_that_is_another_is_refused(content: bytes) -> None:
    with pytest.raises(InputError, match="not the MATLAB file"):
        read_matlab(content)


@pytest.fixture(scope="module")
def mitbih(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mitbih")
    with zipfile.ZipFile(archive(f"{MITBIH}.zip")) as opened:
        opened.extractall(folder)
    return folder / MITBIH


def archive(name: str) -> Path:
    path = Path(os.environ.get("BEATWISE_MIRROR", "")) / name
    if "BEATWISE_MIRROR" not in os.environ or not path.is_file():
        pytest.skip(f"BEATWISE_MIRROR names no folder that holds {name}")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("name", RECORDS)
def test_a_record_of_the_database_reads_as_wfdb_reads_it(mitbih: Path, name: str) -> None:
    files = {f"{name}.{end}": (mitbih / f"{name}.{end}").read_bytes() for end in ("hea", "dat")}
    record = read_wfdb(files, f"{name}.hea")
    oracle = wfdb.rdrecord(str(mitbih / name))
    np.testing.assert_array_equal(record.signal, oracle.p_signal.astype(np.float32))
    assert record.leads == tuple(oracle.sig_name)
    assert (record.fs, record.found, record.unit_known) == (360, (), True)


@pytest.mark.slow
def test_records_of_the_2017_challenge_read_as_wfdb_reads_them(tmp_path: Path) -> None:
    with zipfile.ZipFile(archive("training2017.zip")) as opened:
        names = sorted(Path(name).stem for name in opened.namelist() if name.endswith(".mat"))
        names = names[:: len(names) // 19]
        for name in names:
            for end in ("hea", "mat"):
                content = opened.read(f"training2017/{name}.{end}")
                (tmp_path / f"{name}.{end}").write_bytes(content)
    assert len(names) >= 20
    for name in names:
        record = read_folder(tmp_path, name)
        np.testing.assert_array_equal(record.signal, from_wfdb(tmp_path, name))
        assert (record.fs, record.leads, record.found) == (300, ("ECG",), ())
