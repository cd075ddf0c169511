"""Ways to treat rare classes: what each makes, and of what."""

from pathlib import Path

import numpy as np
import pytest
import wfdb

from ecg.beats import SHAPES, Beats
from ecg.context import CONTEXT
from pipeline import balance, dataset, params

WANTED = params.Balance(seed=1, share=0.5, neighbours=3, components=2)
RARE = 2


@pytest.fixture(autouse=True)
def noises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    for kind in dataset.NOISE_KINDS:
        wfdb.wrsamp(
            kind,
            fs=360,
            units=["mV"],
            sig_name=["noise"],
            p_signal=rng.normal(0, 0.1, (20_000, 1)),
            fmt=["16"],
            write_dir=str(tmp_path),
        )
    monkeypatch.setattr(dataset, "NOISES", tmp_path)


def beats_of(view: str = "recording") -> tuple[Beats, np.ndarray]:
    rng = np.random.default_rng(0)
    label = np.repeat([0, RARE], [400, 60])
    windows = rng.normal(0, 0.05, (460, *SHAPES[view])).astype(np.float32)
    windows[:, 64, 0] += 1 + label
    context = rng.normal(0, 1, (460, len(CONTEXT))).astype(np.float32)
    context[:, 7] = np.nan
    return Beats(windows, context, view), label


@pytest.mark.parametrize("method", ["smote", "mixture", "augmented"])
@pytest.mark.parametrize("view", ["recording", "kachuee"])
def test_the_rare_class_is_raised_to_its_share_and_looks_like_itself(
    method: str, view: str
) -> None:
    beats, label = beats_of(view)
    every, labels, weight = balance.balanced(beats, label, method, WANTED)
    assert np.bincount(labels).tolist() == [400, 0, 200]
    assert (weight == 1).all()
    np.testing.assert_array_equal(every.windows[:460], beats.windows)
    made = every.windows[460:]
    assert every.view == view
    assert np.isnan(every.context[460:, 7]).all()
    assert made[:, 60:69, 0].max(axis=1).mean() == pytest.approx(3, abs=0.5)
    assert len(np.unique(made[:, 64, 0])) > 30


def test_weights_make_no_beats_and_rare_ones_weigh_more() -> None:
    beats, label = beats_of()
    every, labels, weight = balance.balanced(beats, label, "weights", WANTED)
    assert len(every) == len(labels) == 460
    assert weight[0] == 1
    assert weight[-1] == pytest.approx(np.sqrt(400 / 60))


def test_nothing_is_done_where_nothing_is_asked() -> None:
    beats, label = beats_of()
    every, labels, weight = balance.balanced(beats, label, "none", WANTED)
    assert len(every) == len(labels) == 460
    assert (weight == 1).all()


def test_a_way_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(SystemExit, match=r"'luck'.*smote"):
        balance.balanced(*beats_of(), "luck", WANTED)


def test_the_same_seed_makes_the_same_beats() -> None:
    for method in balance.METHODS:
        one, other = (balance.balanced(*beats_of(), method, WANTED)[0] for _ in range(2))
        np.testing.assert_array_equal(one.windows, other.windows)
