"""The plots of `reports/`: same data, same bytes."""

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score, roc_curve

from ecg.aami import CLASSES

_COLOURS = ("#0072b2", "#e69f00", "#d55e00", "#009e73", "#7a5195")
_STYLES = ("-", "--", ":", "-.", (0, (3, 1, 1, 1, 1, 1)))


def confusion(matrix: NDArray[np.int64], protocol: str, path: Path) -> None:
    """Draw a (5, 5) confusion matrix: counts, shaded by the share of the reference class."""
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure, axes = _figure(f"CONVXGB, {protocol}", "answer", "reference")
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(CLASSES)), CLASSES)
    axes.set_yticks(range(len(CLASSES)), CLASSES)
    for (row, column), count in np.ndenumerate(matrix):
        colour = "white" if share[row, column] > 0.5 else "black"
        axes.text(column, row, f"{count:,}", ha="center", va="center", color=colour)
    _save(figure, path)


def noise_curve(curve: dict[str, Any], path: Path) -> None:
    """Draw sensitivity and predictivity of the detector against the noise, by its kind."""
    figure, axes = _figure("R peaks in noise", "signal to noise, dB", "%")
    for i, (kind, by_snr) in enumerate(curve.items()):
        snr = [int(name.removesuffix("_db")) for name in by_snr]
        for rate, style in (("se", "-"), ("ppv", "--"), ("ppv_of_usable", ":")):
            values = [100 * figures[rate] for figures in by_snr.values()]
            label = f"{kind} {rate.replace('_', ' ')}"
            axes.plot(snr, values, style, color=_COLOURS[i], marker="o", ms=3, label=label)
    axes.legend(fontsize="small")
    _save(figure, path)


def by_record(matrices: dict[str, NDArray[np.int64]], path: Path) -> None:
    """Draw how many S and V beats of each record were found, missed and made of others.

    matrices: (5, 5) by record. Roots of the counts are drawn: a few beats show beside a thousand.
    """
    figure = Figure(figsize=(9, 6), layout="constrained")
    for axes, name in zip(figure.subplots(1, 2, sharey=True), "SV", strict=True):
        which = CLASSES.index(name)
        found = np.array([m[which, which] for m in matrices.values()])
        missed = np.array([m[which].sum() for m in matrices.values()]) - found
        false = np.array([m[:, which].sum() for m in matrices.values()]) - found
        rows = np.arange(len(matrices))
        right, whole = np.sqrt(found), np.sqrt(found + missed)
        axes.barh(rows, right, color=_COLOURS[0], label="found")
        axes.barh(rows, whole - right, left=right, color=_COLOURS[1], label="missed")
        axes.barh(rows, -np.sqrt(false), color=_COLOURS[2], label="others called so")
        for row, (f, m, o) in enumerate(zip(found, missed, false, strict=True)):
            if f + m + o:
                axes.text(whole[row] + 0.5, row, f"{f} + {m}, {o} false", va="center", fontsize=7)
        axes.set(title=f"{name} by record, roots of the counts", xlim=(-20, 60))
        axes.set_yticks(rows, list(matrices), fontsize=8)
        axes.set_xticks([])
        axes.legend(fontsize="small", loc="upper right")
    axes.invert_yaxis()
    _save(figure, path)


def classes_in_noise(curve: dict[str, Any], path: Path) -> None:
    """Draw the F1 of S and V against the noise, by its kind."""
    figure, axes = _figure("S and V in noise, unseen patients", "signal to noise, dB", "F1")
    for i, (kind, by_snr) in enumerate(curve.items()):
        snr = [int(name.removesuffix("_db")) for name in by_snr]
        for name, style in (("S", "--"), ("V", "-")):
            values = [figures[name]["f1"] for figures in by_snr.values()]
            axes.plot(
                snr, values, style, color=_COLOURS[i], marker="o", ms=3, label=f"{kind} {name}"
            )
    axes.legend(fontsize="small")
    _save(figure, path)


def abstention(confidence: NDArray[np.float32], right: NDArray[np.bool_], path: Path) -> None:
    """Draw the accuracy of the beats that are answered when the least sure ones are left out."""
    order = np.argsort(-confidence, kind="stable")
    coverage = np.arange(1, len(order) + 1) / len(order)
    accuracy = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    shown = np.unique(np.linspace(len(order) // 20, len(order) - 1, 400).astype(np.int64))
    figure, axes = _figure("Leaving out the least sure", "share answered", "share that is right")
    axes.plot(coverage[shown], accuracy[shown], color=_COLOURS[0])
    _save(figure, path)


def roc(
    label: NDArray[np.int64], proba: NDArray[np.float32], protocol: str, path: Path
) -> dict[str, float]:
    """Draw each class against the rest and return the areas under the curves."""
    figure, axes = _figure(f"ROC, {protocol}", "false positive rate", "sensitivity")
    areas: dict[str, float] = {}
    for i, name in enumerate(CLASSES):
        if not 0 < (label == i).sum() < len(label):
            continue
        false, true, _ = roc_curve(label == i, proba[:, i])
        areas[name] = float(roc_auc_score(label == i, proba[:, i]))
        axes.plot(
            false, true, color=_COLOURS[i], ls=_STYLES[i], label=f"{name}  AUC {areas[name]:.3f}"
        )
    if areas:
        axes.legend(loc="lower right")
    _save(figure, path)
    return areas


def reliability(rows: list[tuple[float, float, int]], protocol: str, path: Path) -> None:
    """Draw how often the answer is right at each confidence."""
    figure, axes = _figure(f"Calibration, {protocol}", "confidence", "share that is right")
    axes.plot([0, 1], [0, 1], color="grey", lw=1, label="as it should be")
    axes.plot([r[0] for r in rows], [r[1] for r in rows], "o-", color=_COLOURS[0], label="found")
    axes.legend(loc="upper left")
    _save(figure, path)


def class_distribution(label: NDArray[np.int64], path: Path) -> None:
    """Draw the beats of each class, on a logarithmic scale."""
    counts = np.bincount(label, minlength=len(CLASSES))
    figure, axes = _figure("Beats of the database by AAMI class", "class", "beats")
    bars = axes.bar(CLASSES, np.maximum(counts, 1), color=_COLOURS)
    axes.bar_label(bars, [f"{n:,}" for n in counts])
    axes.set_yscale("log")
    _save(figure, path)


def _figure(title: str, x: str, y: str) -> tuple[Figure, matplotlib.axes.Axes]:
    figure = Figure(figsize=(5.5, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.set(title=title, xlabel=x, ylabel=y)
    return figure, axes


def _save(figure: Figure, path: Path) -> None:
    # The version of the library in the file would change its bytes.
    figure.savefig(path, dpi=100, metadata={"Software": None})
