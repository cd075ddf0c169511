"""Engineered features: what they are of a window whose answer is known."""

import numpy as np
import pytest

from ecg.beats import WINDOW, Beats
from ecg.context import CONTEXT
from ecg.features import FEATURES, STRETCHES, engineered


def of(own: np.ndarray, difference: np.ndarray | None = None) -> dict[str, float]:
    other = np.zeros(WINDOW) if difference is None else difference
    windows = np.stack([own, other], axis=-1)[None].astype(np.float32)
    context = np.full((1, len(CONTEXT)), np.nan, np.float32)
    return dict(zip(FEATURES, engineered(Beats(windows, context))[0].tolist(), strict=True))


def test_of_a_square_wave_by_hand() -> None:
    found = of(np.tile([1.0] * 8 + [-1.0] * 8, WINDOW // 16))
    assert found["beat_mean"] == pytest.approx(0)
    assert found["beat_deviation"] == pytest.approx(1)
    assert found["beat_skewness"] == pytest.approx(0)
    assert found["beat_kurtosis"] == pytest.approx(1)
    assert found["beat_energy"] == pytest.approx(1)
    assert found["beat_crossings"] == pytest.approx((WINDOW // 8 - 1) / WINDOW)


def test_a_peak_is_found_in_its_place_and_stretch() -> None:
    own = np.zeros(WINDOW)
    own[50] = 2
    found = of(own)
    assert found["beat_highest"] == pytest.approx(2)
    assert found["beat_highest_at"] == pytest.approx(50 / WINDOW)
    k = 50 // (WINDOW // STRETCHES)
    assert found[f"beat_energy_{k}"] == pytest.approx(4 * STRETCHES / WINDOW)
    assert sum(found[f"beat_energy_{i}"] > 0 for i in range(STRETCHES)) == 1
    assert found["beat_skewness"] > 5


def test_a_lone_beat_and_a_flat_one_have_every_feature() -> None:
    found = of(np.zeros(WINDOW))
    assert np.isfinite(list(found.values())).all()
    assert not any(value for name, value in found.items() if name.startswith("difference"))
    assert len(FEATURES) == len(set(FEATURES)) == 60


def test_no_beats_have_no_features() -> None:
    windows, context = np.empty((0, WINDOW, 2), np.float32), np.empty((0, len(CONTEXT)), np.float32)
    assert engineered(Beats(windows, context)).shape == (0, len(FEATURES))
