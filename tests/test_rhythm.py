"""The rhythm: the parts that get an answer, what they are told from, episodes, the artefact."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ecg import rhythm
from ecg.errors import ArtefactError
from ecg.filters import FS as CANONICAL
from ecg.locate import Located, locate
from ecg.quality import UNUSABLE, Quality
from ecg.rhythm import FIBRILLATION, NOISE, RHYTHMS, Rhythm, RhythmModel
from ecg.rhythm_features import FEATURES, features
from tests.conftest import ROOT
from tests.made_up_rhythm import FS, irregular, signal_of, steady, write_made_up_rhythm


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "rhythm"
    write_made_up_rhythm(path)
    return path


@pytest.fixture(scope="module")
def model(folder: Path) -> RhythmModel:
    return rhythm.load(folder)


def located(*intervals: NDArray[np.float64]) -> tuple[Located, NDArray[np.float32]]:
    found = locate(signal_of(np.concatenate(intervals)), FS)
    return found, np.full((len(found.sample), 5), 0.2, np.float32)


def told(found: Located, proba: NDArray[np.float32], begin: float, end: float) -> dict[str, float]:
    row = features(found, proba, np.array([begin]), np.array([end]))[0]
    return dict(zip(FEATURES, row.tolist(), strict=True))


def answered(letters: str, step: float = 10.0) -> Rhythm:
    begin = np.arange(len(letters), dtype=np.float64) * step
    proba = np.eye(4, dtype=np.float32)[[RHYTHMS.index(c) for c in letters]]
    return Rhythm(begin, begin + step, proba, {})


@pytest.mark.parametrize("seconds", [9.0, 30.0, 60.0])
def test_a_short_recording_is_one_part(seconds: float) -> None:
    (begin, end), spans = rhythm.plan(seconds)
    assert (begin.tolist(), end.tolist()) == ([0.0], [seconds])
    assert spans[0].tolist() == [0.0]


@pytest.mark.parametrize("seconds", [60.1, 65.0, 70.0, 1805.5])
def test_a_long_recording_has_a_part_every_step_from_the_half_minute_about_it(
    seconds: float,
) -> None:
    (begin, end), (first, last) = rhythm.plan(seconds)
    assert begin[0] == 0
    assert end[-1] == seconds
    np.testing.assert_array_equal(begin[1:], end[:-1])
    assert ((first <= begin) & (end <= last + 1e-9)).all()
    np.testing.assert_allclose(last - first, rhythm.STRETCH_S)


@pytest.mark.parametrize("n_samples", [400, 1250, 1300, 3750, 5000])
def test_segments_hold_every_sample(n_samples: int) -> None:
    signal = np.arange(n_samples, dtype=np.float32)
    cut = rhythm.segments(signal)
    assert cut.shape[1] == rhythm.SEGMENT
    assert set(cut.ravel().tolist()) == set(signal.tolist())


@pytest.mark.parametrize(("n", "expected"), [(1, [[0, 0, 0]]), (2, [[0, 1, 0]]), (4, None)])
def test_every_stretch_is_as_long_as_any_other(n: int, expected: list[list[int]] | None) -> None:
    found = rhythm.stretches(n)
    assert found.tolist() == (expected or [[0, 1, 2], [1, 2, 3]])


def test_embeddings_are_averaged_over_the_stretches_of_a_span() -> None:
    embedded = np.arange(12, dtype=np.float32).reshape(3, 4)
    whole = rhythm.averaged(embedded, np.zeros(1), np.array([50.0]))
    np.testing.assert_allclose(whole[0], embedded.mean(axis=0))
    one = rhythm.averaged(embedded, np.array([10.0]), np.array([40.0]))
    np.testing.assert_allclose(one[0], embedded[1])


def test_how_long_a_rhythm_lasts_hardly_changes_what_is_told_of_it() -> None:
    found, proba = located(steady(60))
    short, long = told(found, proba, 5, 20), told(found, proba, 5, 50)
    for name in (
        "rr_mean_s",
        "rr_variation",
        "rr_change_mean",
        "rr_beats_per_s",
        "frame_swing_mean",
    ):
        assert short[name] == pytest.approx(long[name], rel=0.1, abs=0.01), name


def test_disorder_is_told_from_order() -> None:
    found, proba = located(steady(60), irregular(60))
    order, disorder = told(found, proba, 10, 40), told(found, proba, 75, 105)
    assert order["rr_change_mean"] < 0.02 < 0.2 < disorder["rr_change_mean"]
    assert order["rr_entropy_1_0.03"] < disorder["rr_entropy_1_0.03"]
    assert order["rr_lorenz_origin"] == 1
    assert disorder["rr_lorenz_origin"] < 0.3


def test_a_stretch_without_beats_tells_nothing_of_intervals() -> None:
    found, proba = located(steady(30))
    row = told(found, proba, 0.0, 0.3)
    assert np.isnan(row["rr_mean_s"])
    assert row["rr_beats_per_s"] == 0


def test_beats_that_cannot_be_told_from_noise_tell_no_rhythm(model: RhythmModel) -> None:
    found, proba = located(steady(120), irregular(60))
    level = np.where(found.ready.centres < 100 * CANONICAL, UNUSABLE, found.quality.level)
    answer = model.classify(replace(found, quality=Quality(level, found.quality.reason)), proba)
    unknown = np.isnan(answer.proba[:, 0])
    assert unknown[:9].all()
    assert not unknown[9:].any()
    assert set(answer.rhythm[:9].tolist()) == {NOISE}


def test_a_long_recording_is_answered_part_by_part(model: RhythmModel) -> None:
    answer = model.classify(*located(steady(120), irregular(120)))
    letters = "".join(RHYTHMS[i] for i in answer.rhythm)
    assert letters[:10] == "N" * 10
    assert letters[14:22] == "A" * 8
    np.testing.assert_allclose(answer.proba.sum(axis=1), 1, atol=1e-5)


def test_a_lead_without_a_beat_is_noise_without_confidence(model: RhythmModel) -> None:
    found = locate(np.zeros(1000), FS)
    answer = model.classify(found, np.empty((0, 5), np.float32))
    assert answer.rhythm.tolist() == [NOISE]
    assert np.isnan(answer.proba).all()


@pytest.mark.parametrize(
    ("letters", "burden", "episodes"),
    [
        ("NNNNNNNN", 0.0, []),
        ("AAAAAAAA", 1.0, [(0, 80)]),
        ("NAAANNAN", 0.5, [(10, 40)]),
        ("~~AA~~NN", 0.5, []),
        ("~~~~~~~~", None, []),
    ],
)
def test_burden_leaves_out_noise_and_episodes_last_half_a_minute(
    letters: str, burden: float | None, episodes: list[tuple[float, float]]
) -> None:
    found = rhythm.fibrillation(answered(letters))
    assert found.burden == burden
    assert list(zip(found.begin_s.tolist(), found.end_s.tolist(), strict=True)) == episodes


def test_a_short_recording_of_fibrillation_is_one_episode() -> None:
    found = rhythm.fibrillation(answered("A", step=12.0))
    assert (found.begin_s.tolist(), found.end_s.tolist()) == ([0.0], [12.0])
    assert answered("A").rhythm.tolist() == [FIBRILLATION]


def test_the_golden_recording_replays(model: RhythmModel) -> None:
    model.replay()


@pytest.mark.parametrize("name", rhythm.GRAPHS)
def test_a_flipped_bit_is_refused_by_file(folder: Path, tmp_path: Path, name: str) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "rhythm"))
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(ArtefactError, match=name):
        rhythm.load(copy)


def test_the_whole_is_the_mean_of_the_parts_by_their_length() -> None:
    proba = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [np.nan] * 4], np.float32)
    begin = np.array([0.0, 10, 20])
    assert Rhythm(begin, begin + 10, proba, {}).whole.tolist() == [0.5, 0.5, 0, 0]
    shorter = Rhythm(begin[:2], np.array([10.0, 15]), proba[:2], {})
    assert shorter.whole.tolist() == pytest.approx([2 / 3, 1 / 3, 0, 0])


def test_where_no_part_is_known_the_whole_is_noise() -> None:
    proba = np.full((2, 4), np.nan, np.float32)
    begin = np.array([0.0, 10])
    whole = Rhythm(begin, begin + 10, proba, {}).whole
    assert np.isnan(whole).all()
    assert rhythm.likeliest(whole[None]).tolist() == [NOISE]


def test_the_served_artefact_replays_and_quotes_the_committed_figures() -> None:
    served = rhythm.load(ROOT / "models" / "rhythm")
    served.replay()
    metrics = json.loads((ROOT / "reports" / "metrics.json").read_text())["rhythm"]["rhythm"]
    assert served.card["protocols"] == {"mit-bih": metrics["mit-bih"]["all"]}
    assert served.card["folds"]["recordings"]["score"] == metrics["score"]
