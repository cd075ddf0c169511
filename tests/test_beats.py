"""The one preprocessing: what must not change an answer does not change a beat."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from ecg import beats, context, filters
from ecg.errors import InputError

FS = 360.0
PEAKS = np.arange(1, 30) * 288 + 100


def recording(fs: float = FS, seconds: float = 25.0) -> NDArray[np.float64]:
    """An ECG of 75 beats a minute: P, QRS and T waves at known places, in mV."""
    t = np.arange(round(seconds * fs)) / fs
    out = np.zeros_like(t)
    for r in PEAKS / FS:
        for at, width, height in ((-0.16, 0.02, 0.15), (0, 0.012, 1.2), (0.25, 0.04, 0.3)):
            out += height * np.exp(-(((t - r - at) / width) ** 2))
    return out


def test_every_beat_of_a_regular_recording_is_the_typical_one() -> None:
    made = beats.from_record(recording(), FS, PEAKS)
    # The first and last lie within reach of the filter's ends.
    assert np.abs(made.windows[2:-2, :, 1]).max() < 0.05
    assert made.windows[5, :, 0].argmax() == beats.BEFORE


@pytest.mark.parametrize("factor", [0.001, 0.2, 5.0, 1000.0])
def test_the_unit_does_not_matter(factor: float) -> None:
    made = beats.from_record(recording(), FS, PEAKS)
    other = beats.from_record(recording() * factor, FS, PEAKS)
    np.testing.assert_allclose(other.windows, made.windows, atol=1e-5)
    np.testing.assert_allclose(other.context, made.context, atol=1e-3)


@pytest.mark.parametrize("offset", [-5.0, 100.0])
def test_a_constant_offset_does_not_matter(offset: float) -> None:
    made = beats.from_record(recording(), FS, PEAKS)
    other = beats.from_record(recording() + offset, FS, PEAKS)
    np.testing.assert_allclose(other.windows, made.windows, atol=1e-4)


@pytest.mark.parametrize("fs", [128.0, 200.0, 250.0, 257.0, 500.0, 1000.0, 2000.0])
def test_the_sampling_frequency_does_not_matter(fs: float) -> None:
    made = beats.from_record(recording(), FS, PEAKS)
    other = beats.from_record(recording(fs), fs, np.rint(PEAKS * fs / FS).astype(np.int64))
    # A peak lands within half a canonical sample of where it was: the steep QRS shows it.
    assert np.abs(other.windows[3:-3] - made.windows[3:-3]).mean() < 0.02


def test_slow_baseline_wander_is_removed() -> None:
    t = np.arange(len(recording())) / FS
    wander = 1.5 * np.sin(2 * np.pi * 0.1 * t)
    made = beats.from_record(recording(), FS, PEAKS)
    other = beats.from_record(recording() + wander, FS, PEAKS)
    assert np.abs(other.windows[4:-4, :, 0] - made.windows[4:-4, :, 0]).max() < 0.1


def test_mains_hum_is_removed() -> None:
    t = np.arange(len(recording())) / FS
    made = beats.from_record(recording(), FS, PEAKS)
    other = beats.from_record(recording() + 0.3 * np.sin(2 * np.pi * 60 * t), FS, PEAKS)
    assert np.abs(other.windows[..., 0] - made.windows[..., 0]).max() < 0.03


@pytest.mark.parametrize("off_s", [-0.05, -0.02, 0.03, 0.05])
def test_marks_beside_the_r_peak_mark_the_same_beat(off_s: float) -> None:
    made = beats.from_record(recording(), FS, PEAKS)
    other = beats.from_record(recording(), FS, PEAKS + round(off_s * FS))
    np.testing.assert_allclose(other.windows, made.windows, atol=0.02)
    np.testing.assert_allclose(other.context, made.context, atol=0.05)


def test_two_marks_on_one_qrs_are_two_beats_in_order() -> None:
    marks = np.sort(np.r_[PEAKS, PEAKS[10] + 5])
    made = beats.from_record(recording(), FS, marks)
    assert len(made) == len(marks)
    assert not np.isinf(made.context).any()


def test_no_r_peaks_give_no_beats() -> None:
    assert len(beats.from_record(recording(), FS, np.empty(0, np.int64))) == 0


def test_one_r_peak_gives_one_beat_without_intervals() -> None:
    made = beats.from_record(recording(), FS, PEAKS[5:6])
    assert np.isnan(made.context[0, : len(context.RATIOS)]).all()
    assert np.isfinite(made.windows).all()


def test_a_flat_stretch_gives_finite_windows() -> None:
    signal = recording()
    signal[2000:5000] = 0.0
    assert np.isfinite(beats.from_record(signal, FS, PEAKS).windows).all()


def test_a_lone_beat_looks_like_itself_in_its_recording() -> None:
    signal, peak = recording(), int(PEAKS[10])
    inside = beats.from_record(signal, FS, PEAKS).windows[10, :, 0]
    alone = beats.from_cuts([signal[peak - 216 : peak + 324]], FS, [216]).windows[0, :, 0]
    assert np.corrcoef(inside, alone)[0, 1] > 0.98


def test_the_r_peak_of_a_lone_beat_is_found() -> None:
    signal, peak = recording(), int(PEAKS[10])
    cut = signal[peak - 150 : peak + 130]
    found = beats.from_cuts([cut, -cut], FS).windows
    given = beats.from_cuts([cut, -cut], FS, [150, 150]).windows
    np.testing.assert_allclose(found, given, atol=0.15)


def test_beats_of_mixed_lengths_keep_their_order() -> None:
    signal, peak = recording(), int(PEAKS[10])
    lengths = (187, 400, 187, 250)
    cuts = [signal[peak - 93 : peak - 93 + n] * (i + 1) for i, n in enumerate(lengths)]
    together = beats.from_cuts(cuts, FS, [93] * 4).windows
    apart = [beats.from_cuts([cut], FS, [93]).windows[0] for cut in cuts]
    np.testing.assert_allclose(together, np.stack(apart), atol=1e-6)


@pytest.mark.parametrize(
    ("cut", "peak", "field"),
    [
        (np.zeros(187), 93, "beats[0]"),
        (np.full(187, 1e8), 93, "beats[0]"),
        (np.full(187, np.nan), 93, "beats[0]"),
        (np.r_[np.zeros(186), 1e10], 93, "beats[0]"),
        (np.ones(50), None, "beats[0]"),
        (np.ones(3601), None, "beats[0]"),
        (np.empty(0), None, "beats[0]"),
        (np.arange(187.0), 187, "r_peak[0]"),
        (np.arange(187.0), -1, "r_peak[0]"),
    ],
)
def test_what_cannot_be_a_beat_is_refused_by_name(
    cut: NDArray[np.float64], peak: int | None, field: str
) -> None:
    with pytest.raises(InputError) as refused:
        beats.from_cuts([cut], FS, [peak])
    assert refused.value.field == field
    assert refused.value.accepted


def test_a_refused_beat_is_named_by_its_place() -> None:
    good = recording()[300:487]
    with pytest.raises(InputError, match=r"beats\[2\]"):
        beats.from_cuts([good, good, np.zeros(187), good], FS)


@pytest.mark.parametrize("fs", [100.0, 125.0, 333.3, 360.0, 512.0, 2000.0])
def test_resampling_keeps_a_sine(fs: float) -> None:
    t = np.arange(round(4 * fs)) / fs
    got = filters.resample(np.sin(2 * np.pi * 5 * t), fs)
    expected = np.sin(2 * np.pi * 5 * np.arange(len(got)) * fs / filters.effective_fs(fs) / fs)
    np.testing.assert_allclose(got[60:-60], expected[60:-60], atol=0.01)


def test_the_filters_are_scipys_without_the_repeated_design() -> None:
    signal = np.random.default_rng(0).normal(size=(3, 1000))
    low = butter(4, filters.NOISE_HZ, fs=filters.FS, output="sos")
    high = butter(2, filters.BASELINE_HZ, "highpass", fs=filters.FS, output="sos")
    np.testing.assert_allclose(filters.remove_noise(signal), sosfiltfilt(low, signal), atol=1e-9)
    expected = sosfiltfilt(high, signal, padlen=500)
    np.testing.assert_allclose(filters.remove_baseline(signal), expected, atol=1e-9)
