"""Rhythms that are made up: beats stay real, intervals are the ones asked for."""

import numpy as np
import pytest
from numpy.typing import NDArray

from ecg import beats
from ecg.aami import CLASSES
from ecg.context import CONTEXT
from ecg.filters import FS, resample
from pipeline import rhythms
from tests.test_detector import made

N, S = CLASSES.index("N"), CLASSES.index("S")
WITHOUT_ECTOPIC = rhythms.KINDS[:4]
WITH_ECTOPIC = rhythms.KINDS[4:]

Source = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]


@pytest.fixture(scope="module")
def source() -> Source:
    one = made(360.0, 60.0)
    canonical = beats.clean(resample(one.signal, one.fs))
    usable = np.ones(len(one.beats), np.bool_)
    usable[:3] = usable[-3:] = False
    return canonical, beats.canonical_index(one.beats, one.fs), usable


def rhythm_of(intervals: NDArray[np.float64], ectopic: NDArray[np.bool_]) -> rhythms.Rhythm:
    return rhythms.Rhythm(intervals, ectopic)


def context_of(one: rhythms.Made) -> dict[str, NDArray[np.float32]]:
    found = beats.prepare(one.canonical, FS, one.r_peaks).context
    return {name: found[:, i] for i, name in enumerate(CONTEXT)}


@pytest.mark.parametrize("kind", rhythms.KINDS)
def test_each_kind_gives_plausible_intervals_and_the_beats_it_says(kind: rhythms.Kind) -> None:
    ectopic = 0
    for seed in range(20):
        found = kind(np.random.default_rng(seed), 300)
        assert len(found.interval) == len(found.ectopic) == 300
        assert found.interval.min() > 0.15
        assert found.interval.max() < 8
        ectopic += int(found.ectopic.sum())
    assert (ectopic > 0) == (kind in WITH_ECTOPIC)


def test_half_of_the_kinds_hold_no_ectopic_beat() -> None:
    assert len(WITHOUT_ECTOPIC) == len(WITH_ECTOPIC)


def test_ectopic_beats_come_early() -> None:
    for kind in WITH_ECTOPIC:
        for seed in range(10):
            found = kind(np.random.default_rng(seed), 400)
            if found.ectopic.any():
                of_ectopic = np.median(found.interval[found.ectopic])
                assert of_ectopic < 0.95 * np.median(found.interval[~found.ectopic])


def test_there_are_rhythms_in_which_most_beats_are_ectopic() -> None:
    shares = [
        rhythms.mostly_ectopic(np.random.default_rng(seed), 400).ectopic.mean()
        for seed in range(20)
    ]
    assert np.mean(shares) > 0.5


def test_beats_follow_each_other_at_the_intervals_asked_for(source: Source) -> None:
    wanted = np.tile([1.0, 0.6, 1.5, 3.0], 20)
    one = rhythms.make(*source, rhythm_of(wanted, wanted < 0.9), np.random.default_rng(0))
    mean = np.diff(source[1])[3:-3].mean()
    np.testing.assert_allclose(np.diff(one.r_peaks), np.rint(wanted[1:] * mean), atol=2)
    assert (one.label == np.where(wanted < 0.9, S, N)).all()


def test_made_up_beats_are_as_high_and_as_smooth_as_real_ones(source: Source) -> None:
    canonical, r_peaks, _ = source
    wanted = np.tile([1.0, 0.5, 2.5], 30)
    one = rhythms.make(*source, rhythm_of(wanted, wanted < 0.9), np.random.default_rng(1))
    height = canonical[r_peaks[5:-5]]
    assert one.canonical[one.r_peaks].min() > 0.8 * height.min()
    assert one.canonical[one.r_peaks].max() < 1.2 * height.max()
    assert np.abs(np.diff(one.canonical)).max() < 1.1 * np.abs(np.diff(canonical)).max()


def test_sinus_beats_keep_their_p_wave_and_fibrillating_ones_have_none(source: Source) -> None:
    n = 80
    none = np.zeros(n, np.bool_)
    during = np.zeros(n, np.bool_)
    during[20:40] = True
    one = rhythms.make(*source, rhythms.Rhythm(np.ones(n), none, during), np.random.default_rng(2))
    projection = context_of(one)["p_projection"]
    assert np.median(projection[45:-5]) == pytest.approx(1, abs=0.15)
    assert np.abs(np.median(projection[22:38])) < 0.3
    assert not (one.label == S).any()


def test_the_same_seed_makes_the_same_recording(source: Source) -> None:
    found = [
        rhythms.make(
            *source,
            rhythms.frequent(np.random.default_rng(3), 100),
            np.random.default_rng(4),
        )
        for _ in range(2)
    ]
    assert found[0].canonical.tobytes() == found[1].canonical.tobytes()
