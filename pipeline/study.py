"""A search for better parameters, kept in SQLite: stopped at any time, it goes on where it was.

Akiba et al., Optuna, KDD 2019. Candidates are drawn by tree-structured Parzen estimators (Bergstra
et al., NeurIPS 24, 2011); one that is behind the median of those before it is given up.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import optuna
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState
from tqdm import tqdm

from pipeline.spaces import Range, Space

VALUES: Final = "values"
_MADE_FOR: Final = "made_for"
_FINISHED: Final = (TrialState.COMPLETE, TrialState.PRUNED)
_WHOLE_TRIALS: Final = 5
"""Trials that see every fold before any is stopped early."""
_WHOLE_FOLDS: Final = 2
"""Folds that every trial sees: on one alone, two models differ by its patients."""
_DIGITS: Final = 3
"""Significant digits of what is drawn: more say nothing, and params.yaml is read by people."""

Values = dict[str, Any]
"""By the name of a field, its whole number or float."""
Judge = Callable[[Values], Iterator[float]]
"""Yields the score of some values on each fold, in one order."""


@dataclass(frozen=True)
class Task:
    """What is searched.

    where: the section of params.yaml; current: what it has of `space`; made_for: what all trials
    of a study share, by what it is called.
    """

    name: str
    where: tuple[str, ...]
    space: Space
    current: Values
    made_for: Mapping[str, str]
    judge: Judge
    seed: int


@contextmanager
def opened(task: Task, path: Path) -> Iterator[optuna.Study]:
    """Open the study of `path`, new or old.

    Raises SystemExit where it was made for something else, or params.yaml is outside the space.
    """
    # Every trial would be a line, and every Ctrl-C a traceback.
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    _check_current(task)
    path.parent.mkdir(parents=True, exist_ok=True)
    storage = RDBStorage(f"sqlite:///{path}")
    try:
        study = optuna.create_study(
            storage=storage,
            study_name=task.name,
            direction="maximize",
            pruner=optuna.pruners.MedianPruner(_WHOLE_TRIALS, _WHOLE_FOLDS),
            load_if_exists=True,
        )
        _check_made_for(study, task, path)
        yield study
    finally:
        storage.remove_session()
        storage.engine.dispose()


def run(
    study: optuna.Study, task: Task, trials: int, timeout: float | None = None, jobs: int = 1
) -> bool:
    """Go on until the study has `trials` finished ones, or for `timeout` seconds.

    What params.yaml has is tried first. Return whether it came to its end: Ctrl-C ends it before,
    and loses the trials at work alone.
    """
    _enqueue_current(study, task)
    done = len(finished(study))
    waiting = len(study.get_trials(deepcopy=False, states=(TrialState.WAITING,)))
    left = max(trials - done, waiting)
    if not left:
        return True
    study.sampler = _sampler(task, done, jobs)
    end = None if timeout is None else time.monotonic() + timeout
    with tqdm(total=done + left, initial=done, desc=task.name, unit="trial", disable=None) as bar:

        def after(study: optuna.Study, trial: FrozenTrial) -> None:
            if jobs == 1:
                study.sampler = _sampler(task, len(finished(study)), jobs)
            _show(study, trial, bar)

        try:
            # SQLite gives a trial that waits to two threads that ask at once.
            for n, at_once in ((waiting, 1), (left - waiting, jobs)):
                rest = None if end is None else max(end - time.monotonic(), 0)
                study.optimize(
                    lambda trial: _objective(trial, task), n, rest, at_once, callbacks=[after]
                )
        except KeyboardInterrupt:
            return False
    return True


def finished(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that saw every fold, and those that were stopped early."""
    return list(study.get_trials(deepcopy=False, states=_FINISHED))


def complete(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that saw every fold."""
    return [trial for trial in finished(study) if trial.state == TrialState.COMPLETE]


def best(study: optuna.Study) -> FrozenTrial | None:
    """Return the best trial that saw every fold, the first of equals."""
    return max(complete(study), key=lambda trial: (trial.value, -trial.number), default=None)


def of_current(study: optuna.Study, task: Task) -> FrozenTrial | None:
    """Return the trial of what params.yaml has, where it saw every fold."""
    same = (t for t in complete(study) if t.user_attrs[VALUES] == task.current)
    return next(same, None)


def importance(study: optuna.Study, task: Task) -> dict[str, float]:
    """Return the share of the scores' variance that each parameter explains, largest first.

    Nothing where fewer than two trials saw every fold. Source: Hutter et al., ICML 2014 (fANOVA).
    """
    if len(complete(study)) < 2:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=task.seed)
    return dict(optuna.importance.get_param_importances(study, evaluator=evaluator))


def _objective(trial: Trial, task: Task) -> float:
    drawn = {name: _draw(trial, name, among) for name, among in task.space.items()}
    # What was enqueued is tried to the digit.
    values = trial.user_attrs.get(VALUES, drawn)
    trial.set_user_attr(VALUES, values)
    scores: list[float] = []
    for score in task.judge(values):
        scores.append(score)
        # The sum, not the mean: the pruner compares a trial's best step, and a mean may fall from
        # an easy fold to a hard one.
        trial.report(sum(scores), len(scores))
        if trial.should_prune() and values != task.current:
            raise optuna.TrialPruned
    return float(np.mean(scores))


def _draw(trial: Trial, name: str, among: Range) -> float:
    if among.whole:
        return int(trial.suggest_int(name, int(among.low), int(among.high), log=among.log))
    return float(f"{trial.suggest_float(name, among.low, among.high, log=among.log):.{_DIGITS}g}")


def _sampler(task: Task, done: int, jobs: int) -> optuna.samplers.TPESampler:
    """Return a sampler whose draws depend on the seed and the finished trials alone.

    One seed for all would repeat its first draws whenever the study goes on.
    """
    (seed,) = np.random.SeedSequence([task.seed, done]).generate_state(1)
    # Trials that a killed process left at work would count, were there no others beside this one.
    return optuna.samplers.TPESampler(seed=int(seed), constant_liar=jobs > 1)


def _enqueue_current(study: optuna.Study, task: Task) -> None:
    waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
    if of_current(study, task) is None and not any(
        trial.user_attrs.get(VALUES) == task.current for trial in waiting
    ):
        study.enqueue_trial(task.current, user_attrs={VALUES: task.current})


def _check_current(task: Task) -> None:
    for name, among in task.space.items():
        value = task.current[name]
        if not among.low <= value <= among.high:
            raise SystemExit(
                f"params.yaml: {'.'.join(task.where)}.{name}: is {value}, the search goes from "
                f"{among.low} to {among.high}: change it, or the range in pipeline/spaces.py"
            )


def _check_made_for(study: optuna.Study, task: Task, path: Path) -> None:
    made_for = study.user_attrs.get(_MADE_FOR)
    if made_for is None:
        study.set_user_attr(_MADE_FOR, dict(task.made_for))
    elif made_for != task.made_for:
        either = {**task.made_for, **made_for}
        names = [name for name in either if made_for.get(name) != task.made_for.get(name)]
        raise SystemExit(
            f"{path}: was made with other {' and '.join(names)}, and its trials do not compare: "
            "move the file away to begin anew"
        )


def _show(study: optuna.Study, trial: FrozenTrial, bar: "tqdm[Any]") -> None:
    found = best(study)
    if found is not None and found.number == trial.number:
        bar.write(f"trial {trial.number}: {found.value:.4f}, the best so far")
    if found is not None:
        bar.set_postfix(best=f"{found.value:.4f}", refresh=False)
    bar.update()
