"""The plots of a search: its history, and what its parameters matter."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from optuna.trial import FrozenTrial, TrialState

_COLOURS = ("#0072b2", "#e69f00", "#d55e00", "#7a7a7a")
_STOPPED = "stopped early"


def history(trials: list[FrozenTrial], current: float, name: str, score: str, path: Path) -> None:
    """Draw the score of each finished trial, the best so far, and what params.yaml has.

    A trial that was stopped early is a mark at the foot: the folds that it saw do not compare.
    """
    whole = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    stopped = [trial for trial in trials if trial.state == TrialState.PRUNED]
    figure, axes = _figure(f"Search, {name}", "trial", score)
    numbers, values = [t.number for t in whole], [t.value for t in whole]
    axes.plot(numbers, values, "o", ms=4, color=_COLOURS[0], label="all folds")
    foot = axes.get_xaxis_transform()
    at = [t.number for t in stopped]
    axes.plot(at, [0.02] * len(at), "x", ms=4, color=_COLOURS[3], transform=foot, label=_STOPPED)
    best = np.maximum.accumulate(np.array(values, np.float64))
    axes.step(numbers, best, where="post", color=_COLOURS[2], label="best so far")
    axes.axhline(current, ls="--", lw=1, color=_COLOURS[1], label="params.yaml")
    axes.legend(fontsize="small")
    _save(figure, path)


def importance(shares: dict[str, float], name: str, path: Path) -> None:
    """Draw the share of the scores' variance that each parameter explains."""
    figure, axes = _figure(f"What matters, {name}", "share of the scores' variance", "")
    bars = axes.barh(list(shares), list(shares.values()), color=_COLOURS[0])
    axes.bar_label(bars, [f"{share:.2f}" for share in shares.values()], padding=3)
    axes.set_xlim(0, 1.1)
    axes.invert_yaxis()
    _save(figure, path)


def _figure(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.5, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.set(title=title, xlabel=x, ylabel=y)
    return figure, axes


def _save(figure: Figure, path: Path) -> None:
    # The version of the library in the file would change its bytes.
    figure.savefig(path, dpi=100, metadata={"Software": None})
