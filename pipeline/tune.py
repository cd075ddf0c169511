"""Search better parameters of one model, on folds of DS1 by record; outside `dvc repro`.

The search is kept in data/tuning/<model>.db: stopped by Ctrl-C or --timeout, the same command goes
on. What params.yaml has is tried first, so that what is found is no worse on these folds.
"""

import argparse
import difflib
from pathlib import Path
from typing import Final

import optuna
from optuna.trial import FrozenTrial, TrialState

from pipeline import judges, params, params_text, study, study_pictures
from pipeline.dataset import CONVXGB
from pipeline.markdown import share, table
from pipeline.study import VALUES, Task

PARAMS: Final = Path("params.yaml")
TUNING: Final = Path("data/tuning")
_SCORE: Final = "macro-F1 of N, S, V, mean of the folds"
_STOPPED: Final = 130
"""Exit status of a command that Ctrl-C ended."""


def main(arguments: list[str] | None = None) -> None:
    wanted = _parsed(arguments)
    task = judges.task(wanted.model)
    path = TUNING / f"{wanted.model}.db"
    with study.opened(task, path) as opened:
        ended = study.run(opened, task, wanted.trials, wanted.timeout, wanted.jobs)
        found = _report(opened, task, path)
    if found is not None:
        _change(task, found, write=wanted.write and ended)
    if not ended:
        print("stopped: the same command goes on")
        raise SystemExit(_STOPPED)


def _parsed(arguments: list[str] | None) -> argparse.Namespace:
    known = [CONVXGB, *params.model_names(PARAMS)]
    parser = argparse.ArgumentParser(prog="python -m pipeline.tune", description=__doc__)
    parser.add_argument("model", choices=known, metavar="MODEL", help=", ".join(known))
    parser.add_argument(
        "--trials",
        type=_count,
        default=50,
        metavar="N",
        help="trials that the search has in the end, those of earlier runs among them (50)",
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        metavar="S",
        help="seconds after which no trial is begun; the one at work ends first",
    )
    parser.add_argument(
        "--jobs",
        type=_count,
        default=1,
        metavar="N",
        help="trials at a time (1); with more, the same seed gives other trials",
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help="change params.yaml; without it the change is printed",
    )
    wanted = parser.parse_args(arguments)
    if wanted.jobs > 1 and _is_network(wanted.model):
        parser.error("argument --jobs: a network's seed is its process's, wants 1")
    return wanted


def _is_network(name: str) -> bool:
    return name != CONVXGB and isinstance(params.load_model(name, PARAMS), params.NetworkModel)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"is {text!r}, wants a whole number from 1")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"is {text!r}, wants seconds above 0")
    return seconds


def _report(opened: optuna.Study, task: Task, path: Path) -> FrozenTrial | None:
    """Print and draw what was found; return the best trial, None where there is no choice yet."""
    best, current = study.best(opened), study.of_current(opened, task)
    trials, shares = study.finished(opened), study.importance(opened, task)
    if best is None or current is None:
        print("what params.yaml has did not see every fold yet: nothing to compare with")
        return None
    print(_table(task, best, current, shares))
    early = sum(trial.state == TrialState.PRUNED for trial in trials)
    print(f"\ntrials: {len(trials)}, stopped early: {early}; pictures beside {path}\n")
    stem = path.with_suffix("")
    study_pictures.history(trials, current.value, task.name, _SCORE, Path(f"{stem}_history.png"))
    if shares:
        study_pictures.importance(shares, task.name, Path(f"{stem}_importance.png"))
    return best


def _table(task: Task, best: FrozenTrial, current: FrozenTrial, shares: dict[str, float]) -> str:
    rows = [
        [name, str(task.current[name]), str(value), share(shares.get(name))]
        for name, value in best.user_attrs[VALUES].items()
    ]
    scores = [f"{trial.value:.4f}" for trial in (current, best)]
    return table([task.name, "params.yaml", "best", "importance"], [*rows, [_SCORE, *scores, ""]])


def _change(task: Task, best: FrozenTrial, write: bool) -> None:
    # Bytes: line ends stay as they are.
    before = PARAMS.read_bytes().decode()
    after = params_text.changed(before, task.where, best.user_attrs[VALUES])
    if after == before:
        print(f"{PARAMS} has the best that was found")
        return
    old, new = before.splitlines(), after.splitlines()
    print("\n".join(difflib.unified_diff(old, new, str(PARAMS), str(PARAMS), n=1, lineterm="")))
    if write:
        PARAMS.write_bytes(after.encode())
        print(f"\n{PARAMS} is changed: `dvc repro` trains with it")
    else:
        print("\n--write makes this change")


if __name__ == "__main__":
    main()
