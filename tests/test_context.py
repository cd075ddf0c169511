"""What a recording says of its beats: by hand, and what must not change it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from ecg import beats, context
from ecg.context import CONTEXT
from tests.test_detector import Made, made

FS = 360.0


def of(one: Made, factor: float = 1.0) -> dict[str, NDArray[np.float32]]:
    found = beats.from_record(one.signal * factor, one.fs, one.beats).context
    return {name: found[:, i] for i, name in enumerate(CONTEXT)}


@pytest.fixture(scope="module")
def plain() -> dict[str, NDArray[np.float32]]:
    return of(made(FS, 60.0))


def test_rr_context_by_hand() -> None:
    got = context.rr_context(np.array([0.0, 1.0, 1.5, 3.0]))
    nan = np.nan
    expected = [
        [nan, 1.0, nan, 1.0],
        [1.0, 0.5, 1.0, 1.0],
        [0.5, 1.5, 0.75, 1.0],
        [1.5, nan, 1.0, 1.0],
    ]
    np.testing.assert_allclose(got, expected)


def test_the_local_mean_looks_back_ten_intervals() -> None:
    rr = np.concatenate([np.full(20, 2.0), np.full(10, 1.0)])
    got = context.rr_context(np.concatenate([[0.0], np.cumsum(rr)]))
    assert got[-1, 2] == pytest.approx(1.0)
    assert got[25, 2] == pytest.approx(1.5)


def test_an_interval_across_a_gap_is_missing_and_in_no_mean() -> None:
    times = np.array([0.0, 1.0, 2.0, 7.0, 8.0])
    got = context.rr_context(times, np.array([True, True, False, True]))
    assert np.isnan(got[3, 0])
    assert np.isnan(got[2, 1])
    assert got[:, 3].tolist() == [1.0] * 5
    assert got[3, 2] == pytest.approx(1.0)


def test_a_lone_beat_has_ratios_and_nothing_else() -> None:
    got = context.of_lone_beats(np.array([[0.5, 1.0, 0.8, 0.9], [np.nan] * 4]))
    named = dict(zip(CONTEXT, got[0], strict=True))
    assert named["previous/next"] == pytest.approx(0.5)
    assert named["previous/record_mean"] == pytest.approx(0.5 / 0.9)
    assert np.isnan(got[0, len(context.RATIOS) :]).all()
    assert np.isnan(got[1]).all()


@pytest.mark.parametrize("factor", [0.001, 1000.0, -1.0])
def test_scale_and_polarity_change_little(
    plain: dict[str, NDArray[np.float32]], factor: float
) -> None:
    other = of(made(FS, 60.0), factor)
    signed = {"lowest", "highest", "dp_max", "dp_min", "dp_mean"}
    for name in set(CONTEXT) - signed:
        np.testing.assert_allclose(other[name], plain[name], rtol=2e-3, atol=2e-3, err_msg=name)


def test_everything_is_finite_inside_a_clean_recording(
    plain: dict[str, NDArray[np.float32]],
) -> None:
    for name, values in plain.items():
        assert np.isfinite(values[4:-4]).all(), name


def test_a_premature_beat_stands_out_in_its_rhythm() -> None:
    one = made(FS, 60.0)
    early = one.beats.copy()
    early[30] -= round(0.3 * FS)
    found = beats.from_record(one.signal, FS, early).context
    named = {name: found[:, i] for i, name in enumerate(CONTEXT)}
    for name in ("previous/record_mean", "previous/mean_of_301", "previous_score"):
        assert np.nanargmin(named[name]) == 30
    assert named["previous/record_mean"][30] < 0.75
    assert named["next/record_mean"][30] > 1.25
    assert named["premature_21"][25] > 0
    assert named["premature_21"][5] == 0


def test_an_irregular_rhythm_is_told_from_a_regular_one(
    plain: dict[str, NDArray[np.float32]],
) -> None:
    one = made(FS, 60.0)
    rng = np.random.default_rng(5)
    shifted = one.beats + rng.integers(-70, 70, len(one.beats))
    found = beats.from_record(one.signal, FS, shifted).context
    irregular = found[10:-10, CONTEXT.index("irregular_33")]
    assert irregular.min() > 0.5
    assert plain["irregular_33"][10:-10].max() < 0.3


def test_a_beat_without_its_p_wave_has_no_p_evidence() -> None:
    one = made(FS, 60.0)
    at = np.arange(len(one.signal)) / FS
    p_wave = 0.12 * np.exp(-0.5 * ((at - one.beat_s[30] + 0.18) / 0.025) ** 2)
    found = beats.from_record(one.signal - p_wave, FS, one.beats).context
    projection = found[:, CONTEXT.index("p_projection")]
    assert abs(projection[30]) < 0.3
    assert np.median(projection) == pytest.approx(1, abs=0.1)
    assert np.argmax(found[:, CONTEXT.index("dp_relative")]) == 30


def test_an_odd_beat_is_like_few_others() -> None:
    one = made(FS, 60.0)
    at = np.arange(len(one.signal)) / FS
    wide = 1.5 * np.exp(-0.5 * ((at - one.beat_s[30]) / 0.05) ** 2)
    found = beats.from_record(one.signal + wide, FS, one.beats).context
    named = {name: found[:, i] for i, name in enumerate(CONTEXT)}
    assert named["alike_0.9"][30] < 0.1 < 0.8 < np.median(named["alike_0.9"])
    assert named["width_relative"][30] > 5
    assert named["after_odd"][31] == named["before_odd"][29] == 1
    assert named["after_odd"][29] == 0


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_few_beats_have_a_context(n: int) -> None:
    one = made(FS, 10.0)
    found = beats.from_record(one.signal, FS, one.beats[:n]).context
    assert found.shape == (n, len(CONTEXT))
