"""What RR intervals say, against plain loops over one row."""

import numpy as np
import pytest
from numpy.typing import NDArray

from ecg import intervals
from ecg.intervals import INTERVALS, of_intervals

Array = NDArray[np.float64]


@pytest.fixture
def rows() -> Array:
    rng = np.random.default_rng(5)
    rr = rng.uniform(0.4, 1.3, (6, 40))
    rr[0, 30:] = np.nan
    rr[1] = 0.8
    return rr


def named(rr: Array) -> dict[str, Array]:
    return dict(zip(INTERVALS, of_intervals(rr, rr).T, strict=True))


def test_rows_do_not_disturb_each_other(rows: Array) -> None:
    together = of_intervals(rows, rows)
    for i in range(len(rows)):
        np.testing.assert_allclose(of_intervals(rows[i : i + 1], rows[i : i + 1])[0], together[i])


def test_missing_intervals_at_the_end_change_nothing(rows: Array) -> None:
    cut = rows[:1, :30]
    np.testing.assert_allclose(of_intervals(rows[:1], rows[:1]), of_intervals(cut, cut))


def test_quantiles_are_numpy_s(rows: Array) -> None:
    for q, found in zip(
        (0.1, 0.5, 0.9), intervals.quantiles(rows[..., None], (0.1, 0.5, 0.9)), strict=True
    ):
        np.testing.assert_allclose(found[:, 0], np.nanquantile(rows, q, axis=1))


def test_the_poincare_plot_has_its_textbook_spreads(rows: Array) -> None:
    rr = rows[2]
    found = named(rows[2:3])
    pairs = np.column_stack([rr[:-1], rr[1:]])
    across = np.std((pairs[:, 1] - pairs[:, 0]) / np.sqrt(2))
    along = np.std((pairs[:, 1] + pairs[:, 0]) / np.sqrt(2))
    assert found["poincare_1"][0] == pytest.approx(across / rr.mean())
    assert found["poincare_ratio"][0] == pytest.approx(across / along)


def test_sample_entropy_counts_pairs_that_stay_alike(rows: Array) -> None:
    rr, near = rows[3], 0.06
    n = len(rr) - 2

    def alike(m: int) -> int:
        return sum(
            i != j and all(abs(rr[i + k] - rr[j + k]) < near for k in range(m))
            for i in range(n)
            for j in range(n)
        )

    one, two, three = (alike(m) + 0.5 for m in (1, 2, 3))
    found = named(rows[3:4])
    assert found["entropy_1_0.06"][0] == pytest.approx(np.log(one / two))
    assert found["entropy_2_0.06"][0] == pytest.approx(np.log(two / three))


def test_a_clock_has_no_change_and_no_entropy(rows: Array) -> None:
    found = named(rows[1:2])
    for name in ("variation", "change_mean", "lorenz_spread", "early", "late", "own_irregular"):
        assert found[name][0] == pytest.approx(0, abs=1e-9), name
    assert found["lorenz_origin"][0] == 1
    assert found["entropy_1_0.03"][0] < 0.1


def test_a_premature_beat_and_its_pause_are_counted() -> None:
    rr = np.full((1, 30), 0.8)
    rr[0, 10], rr[0, 11] = 0.5, 1.1
    found = named(rr)
    assert found["early"][0] == pytest.approx(1 / 30)
    assert found["late"][0] == pytest.approx(1 / 30)
    assert found["early_then_late"][0] == pytest.approx(1 / 29)
    assert found["lorenz_early"][0] > 0


def test_nothing_known_is_nan_and_no_warning() -> None:
    assert np.isnan(of_intervals(np.full((2, 10), np.nan), np.full((2, 10), np.nan))).all()
