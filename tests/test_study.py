"""The search for better parameters: what it tries, what it keeps, what it stops early."""

from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from optuna.trial import TrialState

from pipeline import params, study
from pipeline.spaces import SPACES
from tests.conftest import ROOT
from tests.made_up_search import Judge, a_task

# A file waits for the disk at every commit.
MEMORY = Path(":memory:")
MODELS = params.model_names(ROOT / "params.yaml")


def search(task: study.Task, path: Path, trials: int, **more: Any) -> bool:
    with study.opened(task, path) as opened:
        return study.run(opened, task, trials, **more)


@pytest.mark.parametrize("schema", SPACES)
def test_a_range_is_of_a_field_and_of_its_type(schema: type[Any]) -> None:
    types = get_type_hints(schema)
    assert SPACES[schema].keys() <= {field.name for field in fields(schema)}
    for name, among in SPACES[schema].items():
        assert types[name] is (int if among.whole else float), name
        assert among.low < among.high


def test_every_model_of_params_yaml_can_be_searched() -> None:
    specs: list[Any] = [params.load_model(name, ROOT / "params.yaml") for name in MODELS]
    specs.append(params.load("train", params.Train, ROOT / "params.yaml").trees)
    for spec in specs:
        for name, among in SPACES[type(spec)].items():
            assert among.low <= getattr(spec, name) <= among.high, (spec, name)


def test_params_yaml_is_tried_first_and_to_the_digit() -> None:
    judge = Judge()
    assert search(a_task(judge), MEMORY, 6)
    first, *others = judge.tried
    assert first == {"rate": 0.123456789, "depth": 4}
    for one in others:
        assert 0.001 <= one["rate"] <= 1
        assert one["rate"] == float(f"{one['rate']:.3g}")
        assert type(one["depth"]) is int
        assert 2 <= one["depth"] <= 9


def test_a_search_goes_on_as_if_it_had_never_stopped(tmp_path: Path) -> None:
    whole, parts = Judge(), Judge()
    search(a_task(whole), MEMORY, 7)
    for trials in (1, 4, 7, 3):
        search(a_task(parts), tmp_path / "parts.db", trials)
    assert parts.tried == whole.tried
    assert len({one["rate"] for one in whole.tried}) == 7


def test_what_a_killed_process_left_at_work_decides_nothing() -> None:
    whole, after = Judge(), Judge()
    search(a_task(whole), MEMORY, 14)
    task = a_task(after)
    with study.opened(task, MEMORY) as opened:
        killed = opened.ask()
        killed.suggest_float("rate", 0.001, 1.0, log=True)
        killed.suggest_int("depth", 2, 9)
        study.run(opened, task, 14)
    assert after.tried == whole.tried


def test_ctrl_c_loses_the_trial_at_work_alone(tmp_path: Path) -> None:
    whole, stopped = Judge(), Judge()
    search(a_task(whole), MEMORY, 5)
    for stop_at in (2, 14):
        stopped.judged, stopped.stop_at = 0, stop_at
        assert not search(a_task(stopped), tmp_path / "stopped.db", 5)
    stopped.stop_at = None
    assert search(a_task(stopped), tmp_path / "stopped.db", 5)
    # The first and the third were begun twice.
    first, second, third, fourth, fifth = whole.tried
    assert stopped.tried == [first, first, second, third, third, fourth, fifth]


def test_a_bad_trial_is_stopped_early_though_its_first_fold_is_easy() -> None:
    judge = Judge()
    task = a_task(judge, rate=0.05)
    with study.opened(task, MEMORY) as opened:
        study.run(opened, task, 12)
        found = [trial.state for trial in opened.trials]
    assert found[:5] == [TrialState.COMPLETE] * 5
    stopped = found.count(TrialState.PRUNED)
    assert stopped >= 2
    # After two folds of five.
    assert judge.judged <= 12 * 5 - stopped * 2
    assert judge.judged >= 5 * 5 + stopped * 2


def test_what_params_yaml_has_by_now_sees_every_fold(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    search(a_task(Judge(), rate=0.05), path, 6)
    worse = a_task(Judge(), rate=1.0)
    with study.opened(worse, path) as opened:
        study.run(opened, worse, 6)
        current, best = study.of_current(opened, worse), study.best(opened)
        assert len(study.finished(opened)) == 7
    assert current is not None
    assert best is not None
    assert best.user_attrs[study.VALUES]["rate"] != 1.0
    assert best.value > current.value


def test_trials_may_run_side_by_side(tmp_path: Path) -> None:
    judge = Judge()
    search(a_task(judge), tmp_path / "a.db", 4, jobs=2)
    assert len(judge.tried) == 4
    assert {"rate": 0.123456789, "depth": 4} in judge.tried


def test_no_trial_is_begun_after_the_timeout() -> None:
    judge = Judge()
    assert search(a_task(judge), MEMORY, 10_000, timeout=0.3)
    assert 1 <= len(judge.tried) < 100


def test_a_parameter_that_decides_matters_most() -> None:
    task = a_task(Judge())
    with study.opened(task, MEMORY) as opened:
        assert study.importance(opened, task) == {}
        study.run(opened, task, 6)
        shares = study.importance(opened, task)
    assert list(shares) == ["rate", "depth"]
    assert sum(shares.values()) == pytest.approx(1)


def test_trials_that_do_not_compare_are_not_mixed(tmp_path: Path) -> None:
    path, judge = tmp_path / "a.db", Judge()
    search(a_task(judge), path, 1)
    for other, said in (
        ({"data": "9", "seed": "2"}, "made with other data,"),
        ({"data": "9", "seed": "9"}, "made with other data and seed,"),
        ({"data": "1"}, "made with other seed,"),
    ):
        with pytest.raises(SystemExit, match=f"{said}.*: move the file away"):
            search(a_task(judge, made_for=other), path, 2)
    search(a_task(judge), path, 2)
    assert len(judge.tried) == 2


def test_a_value_outside_its_range_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"made-up\.rate: is 7\.0, the search goes from 0\.001"):
        search(a_task(Judge(), rate=7.0), tmp_path / "a.db", 1)
    assert not (tmp_path / "a.db").exists()
