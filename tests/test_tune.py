"""The command that searches: what it reads, shows and writes."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecg import aami
from ecg.beats import RECORDING, WINDOW, Beats
from ecg.context import CONTEXT
from ecg.features import engineered
from pipeline import dataset, folds, judges, params, params_text, tune
from tests.conftest import ROOT
from tests.made_up_search import Judge, a_task

TEXT = (ROOT / "params.yaml").read_bytes().decode()


def made_up(strangers: int = 0) -> None:
    """Write beats of six records of DS1, a paced one and one of DS2, whose shape tells a little.

    strangers: seed of the beats of DS2.
    """
    n = 60
    record = np.repeat([int(r) for r in (*aami.DS1[:6], aami.PACED_TRAIN[0], aami.DS2[0])], n)
    rng = np.random.default_rng(0)
    label = np.tile(np.repeat([0, 1, 2, 3, 4], [30, 10, 10, 5, 5]), 8)
    windows = rng.normal(0, 1.5, (len(label), WINDOW, 2)).astype(np.float32)
    windows[..., 0] += np.sin(np.arange(WINDOW) * (label[:, None] + 1) / 20)
    other = np.random.default_rng(strangers)
    windows[-n:], label[-n:] = other.normal(0, 9, (n, WINDOW, 2)), other.integers(0, 5, n)
    context = np.zeros((len(label), len(CONTEXT)), np.float32)
    beats = dataset.Dataset(
        Beats(windows, context), windows[..., 0], label, record, np.arange(len(label))
    )
    dataset.save(beats, dataset.BEATS)
    dataset.save_features(engineered(beats.beats), RECORDING)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with params.yaml, into which the process goes."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_searches_shows_and_writes(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made_up()
    # Of the logistic regression, which then learns next to nothing.
    before = params_text.changed(TEXT, ("models", "logistic-regression"), {"strength": 0.00001})
    (project / "params.yaml").write_text(before)
    tune.main(["logistic-regression", "--trials", "4"])
    said = capsys.readouterr().out
    assert "| strength | 1e-05 |" in said
    assert "\n-    strength: 1.0e-05\n+    strength: " in said
    assert (project / "params.yaml").read_text() == before
    folder = project / "data" / "tuning"
    pictures = [f"logistic-regression_{name}.png" for name in ("history", "importance")]
    assert {p.name for p in folder.iterdir()} == {"logistic-regression.db", *pictures}

    tune.main(["logistic-regression", "--trials", "4", "--write"])
    said = capsys.readouterr().out
    assert "trials: 4, stopped early: 0" in said
    spec: Any = params.load_model("logistic-regression")
    assert f"\n+    strength: {spec.strength}\n" in said
    lines = zip(before.splitlines(), Path("params.yaml").read_text().splitlines(), strict=True)
    assert [new for old, new in lines if old != new] == [f"    strength: {spec.strength}"]

    tune.main(["logistic-regression", "--trials", "4", "--write"])
    assert "params.yaml has the best that was found" in capsys.readouterr().out


def test_ctrl_c_writes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = Judge()
    judge.stop_at = 28
    monkeypatch.setattr(judges, "task", lambda _: a_task(judge, rate=1.0, where=("models", "svm")))
    with pytest.raises(SystemExit) as ended:
        tune.main(["svm", "--trials", "20", "--write"])
    assert ended.value.code == 130
    assert "the same command goes on" in capsys.readouterr().out
    assert (project / "params.yaml").read_bytes().decode() == TEXT


@pytest.mark.usefixtures("project")
def test_ds2_decides_nothing() -> None:
    made_up()
    one = judges.task("logistic-regression")
    made_up(strangers=1)
    other = judges.task("logistic-regression")
    assert other.made_for == one.made_for
    scores = [list(task.judge({"strength": 0.01})) for task in (one, other)]
    assert scores[0] == scores[1]
    assert len(scores[0]) == 5
    assert 0.4 < np.mean(scores[0]) < 0.99


@pytest.mark.usefixtures("project")
def test_a_fold_is_judged_by_a_model_that_has_not_seen_it() -> None:
    made_up()
    label = np.load("data/beats/label.npy")
    np.save("data/beats/label.npy", np.random.default_rng(2).permutation(label))
    # Enough to learn every beat by heart.
    scores = list(judges.task("random-forest").judge({"trees": 20, "leaf": 1}))
    assert max(scores) < 0.5


@pytest.mark.usefixtures("project")
def test_other_data_and_other_parameters_are_told_apart() -> None:
    made_up()
    one = judges.task("logistic-regression").made_for
    np.save("data/features/recording.npy", np.load("data/features/recording.npy") + 1)
    Path("params.yaml").write_text(params_text.changed(TEXT, ("balance",), {"share": 0.7}))
    other = judges.task("logistic-regression").made_for
    assert {name for name in one if one[name] != other[name]} == {"data", "section balance"}


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (False, r"data/beats/windows\.npy is missing: `dvc repro generate` brings it"),
        (True, r"data/features/recording\.npy is missing: `dvc repro features` brings it"),
    ],
)
def test_missing_data_is_named_with_what_brings_it(project: Path, made: bool, said: str) -> None:
    if made:
        made_up()
        (project / "data" / "features" / "recording.npy").unlink()
    with pytest.raises(SystemExit, match=said):
        tune.main(["cascade"])


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonesuch"], "invalid choice: 'nonesuch' (choose from"),
        (["svm", "--trials", "0"], "--trials: is '0', wants a whole number from 1"),
        (["svm", "--trials", "2.5"], "--trials: is '2.5', wants"),
        (["svm", "--timeout", "-1"], "--timeout: is '-1', wants seconds above 0"),
        (["svm", "--timeout", "nan"], "--timeout: is 'nan', wants"),
        (["svm", "--jobs", "many"], "--jobs: is 'many', wants"),
        (["lstm", "--jobs", "2"], "--jobs: a network's seed is its process's, wants 1"),
    ],
)
def test_a_command_that_cannot_be_meant_is_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        tune.main(arguments)
    assert refused.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.usefixtures("project")
def test_the_trees_of_convxgb_are_judged_on_what_networks_said_of_strangers() -> None:
    made_up()
    beats = dataset.load()
    with pytest.raises(SystemExit, match="`dvc repro generate` brings it"):
        judges.task(dataset.CONVXGB)
    some = Beats(beats.beats.windows[:20], beats.beats.context[:20])
    dataset.save_conducted(dataset.Conducted(some, np.arange(20)))
    dataset.save_made(dataset.Made(some.context, np.zeros(20, np.int64), np.zeros(20, np.int64)))
    wanted = params.load("train", params.Train)
    with pytest.raises(SystemExit, match="`dvc repro embed` brings it"):
        judges.task(dataset.CONVXGB)
    for run in folds.runs(wanted, beats):
        if run.protocol == "records":
            rows, more, left_out = folds.training_rows(run, beats, wanted)
            parts = rows.label, np.zeros(len(more.for_trees), np.int64), left_out.label
            # Its own axis is a class's largest, as of a network that is never wrong.
            said = dataset.Embedded(*(np.eye(5, dtype=np.float32)[label] for label in parts))
            dataset.save_embedded(said, dataset.EMBEDDING / run.name, run.view)
    task = judges.task(dataset.CONVXGB)
    few = {"shape_rounds": 60, "rhythm_rounds": 5, "min_child_weight": 1.0, "colsample_bytree": 1.0}
    scores = list(task.judge({**task.current, **few}))
    assert task.where == ("train", "trees")
    assert len(scores) == 5
    # N and S are told apart by rhythm, of which nothing is known here.
    assert all(0.6 < score <= 1 for score in scores)
