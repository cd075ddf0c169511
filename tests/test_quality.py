"""Signal quality: what clean, noisy and broken stretches are called."""

import numpy as np
import pytest
from numpy.typing import NDArray

from ecg.locate import Located, locate
from ecg.quality import GOOD, MISSING, MOVEMENT, MUSCLE, REASONS, SHAPE, UNUSABLE
from tests.test_detector import made

FS = 360.0
SECONDS = 60.0


@pytest.fixture(scope="module")
def clean() -> NDArray[np.float64]:
    return made(FS, SECONDS).signal


def noisy(signal: NDArray[np.float64], from_s: float, to_s: float, size: float) -> Located:
    rng = np.random.default_rng(3)
    part = slice(round(from_s * FS), round(to_s * FS))
    changed = signal.copy()
    changed[part] += size * rng.standard_normal(part.stop - part.start)
    return locate(changed, FS)


def test_a_clean_recording_is_good_throughout(clean: NDArray[np.float64]) -> None:
    found = locate(clean, FS)
    assert len(found.sample) > 60
    assert (found.quality.level == GOOD).all()
    assert (found.windows.level == GOOD).all()


def test_noise_makes_its_own_stretch_unusable_and_no_other(clean: NDArray[np.float64]) -> None:
    found = noisy(clean, 20, 40, size=1.0)
    time = found.sample / FS
    inside, outside = (time > 23) & (time < 37), (time < 15) | (time > 45)
    assert (found.quality.level[inside] == UNUSABLE).mean() > 0.9
    assert (found.quality.level[outside] == GOOD).all()
    assert found.windows.level.tolist() == [0, 0, 2, 2, 0, 0]


def test_each_unusable_beat_has_a_reason(clean: NDArray[np.float64]) -> None:
    found = noisy(clean, 20, 40, size=1.0)
    reasons = found.quality.reason[found.quality.level == UNUSABLE]
    assert set(reasons.tolist()) <= {MUSCLE, SHAPE, MOVEMENT}
    assert (found.quality.reason[found.quality.level == GOOD] == 0).all()
    assert all(REASONS[reason] for reason in reasons)


@pytest.mark.parametrize("factor", [-1.0, 0.001, 1000.0])
def test_scale_and_polarity_change_no_level(clean: NDArray[np.float64], factor: float) -> None:
    expected = noisy(clean, 20, 40, size=0.5)
    found = noisy(clean * factor, 20, 40, size=0.5 * factor)
    assert found.windows.level.tolist() == expected.windows.level.tolist()


def test_a_beat_beside_missing_samples_is_unusable(clean: NDArray[np.float64]) -> None:
    broken = clean.copy()
    broken[round(20 * FS) : round(24 * FS)] = np.nan
    found = locate(broken, FS)
    near = np.abs(found.sample / FS - 22) < 2.2
    assert (found.quality.reason[near] == MISSING).all()
    assert not ((found.sample > 20 * FS) & (found.sample < 24 * FS)).any()


def test_a_window_of_mostly_missing_samples_is_unusable(clean: NDArray[np.float64]) -> None:
    broken = clean.copy()
    broken[round(20 * FS) : round(29 * FS)] = np.nan
    found = locate(broken, FS)
    assert found.windows.level[2] == UNUSABLE
    assert found.windows.reason[2] == MISSING


def test_a_pause_is_no_noise() -> None:
    whole = made(FS, SECONDS)
    silent = whole.signal.copy()
    # The beats of ten seconds taken out, the wander and the noise left in.
    quiet = made(FS, SECONDS, heights=dict.fromkeys(range(200), 0.0)).signal
    part = slice(round(22 * FS), round(32 * FS))
    silent[part] = quiet[part]
    assert (locate(silent, FS).windows.level == GOOD).all()


def test_a_run_of_wide_beats_is_not_called_movement(clean: NDArray[np.float64]) -> None:
    at = np.arange(len(clean)) / FS
    run = clean.copy()
    part = (at > 25) & (at < 31)
    run[part] = 0
    for beat in np.arange(25.3, 31, 0.4):
        run += 1.6 * np.exp(-0.5 * ((at - beat) / 0.05) ** 2) * part
        run -= 0.9 * np.exp(-0.5 * ((at - beat - 0.17) / 0.06) ** 2) * part
    found = locate(run, FS)
    inside = (found.sample / FS > 26) & (found.sample / FS < 30)
    assert inside.sum() >= 9
    assert (found.quality.level[inside] < UNUSABLE).all()
    assert MOVEMENT not in found.quality.reason[inside]


def test_one_beat_and_no_beat_are_judged() -> None:
    short = made(FS, 2.0).signal[: round(1.2 * FS)]
    assert len(locate(short, FS).quality.level) <= 2
    assert len(locate(np.zeros(round(20 * FS)), FS).quality.level) == 0


def test_a_loose_electrode_is_no_pause() -> None:
    one = made(FS, SECONDS)
    signal = one.signal.copy()
    at = np.arange(len(signal)) / FS
    begin, end = one.beat_s[30] + 0.4, one.beat_s[34] - 0.3
    part = (at >= begin) & (at < end)
    signal[part] = 3.0 * np.exp(-(at[part] - begin) / 0.8)
    found = locate(signal, FS)
    inside = (found.sample / FS > begin) & (found.sample / FS < end)
    assert np.nanmax(found.ready.rr[~inside, 0]) < 1.5
    assert found.analysable < 0.97


def test_a_pause_is_an_interval() -> None:
    heights = dict.fromkeys(range(30, 33), 0.0)
    found = locate(made(FS, SECONDS, heights=heights).signal, FS)
    assert 2.5 < np.nanmax(found.ready.rr[:, 0]) < 4
    assert found.analysable == 1
