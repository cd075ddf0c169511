"""The plots of `reports/`: same data, same bytes."""

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from ecg.aami import CLASSES
from pipeline.compare import areas

_COLOURS = ("#0072b2", "#e69f00", "#d55e00", "#009e73", "#7a5195")
_MODEL_COLOURS = [matplotlib.colormaps["tab10"](i) for i in range(10)]
_PROTOCOLS = {
    "records": "five folds of DS1 by record: patients unseen",
    "beats": "five folds of DS1 by beat: patients leak",
}
_NOTHING = {"mean": 0.0, "spread": 0.0}
_STYLES = ("-", "--", ":", "-.", (0, (3, 1, 1, 1, 1, 1)))


def confusion(
    matrix: NDArray[np.int64], title: str, path: Path, classes: tuple[str, ...] = CLASSES
) -> None:
    """Draw a confusion matrix (n, n): counts, shaded by the share of the reference class."""
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure, axes = _figure(title, "answer", "reference")
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(classes)), classes)
    axes.set_yticks(range(len(classes)), classes)
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


def roc(label: NDArray[np.int64], proba: NDArray[np.float32], protocol: str, path: Path) -> None:
    """Draw each class against the rest, with the area under its curve."""
    figure, axes = _figure(f"ROC, {protocol}", "false positive rate", "sensitivity")
    found = areas(label, proba)
    for name, area in found.items():
        i = CLASSES.index(name)
        false, true, _ = roc_curve(label == i, proba[:, i])
        axes.plot(false, true, color=_COLOURS[i], ls=_STYLES[i], label=f"{name}  AUC {area:.3f}")
    if found:
        axes.legend(loc="lower right")
    _save(figure, path)


def of_models(folds: dict[str, Any], folder: Path) -> None:
    """Draw F1 and ROC AUC of each class, all models side by side, by the folds of each protocol.

    Whiskers: the spread over the folds.
    """
    for score, title in (("f1", "F1"), ("auc", "ROC AUC")):
        figure = Figure(figsize=(11, 7), layout="constrained")
        for axes, protocol in zip(figure.subplots(2, 1, sharex=True), _PROTOCOLS, strict=True):
            for k, (name, found) in enumerate(folds.items()):
                values = [found[protocol].get(f"{c}_{score}", _NOTHING) for c in "NSVF"]
                at = np.arange(4) + (k - len(folds) / 2 + 0.5) * 0.8 / len(folds)
                height, spread = ([v[n] for v in values] for n in ("mean", "spread"))
                colour, hatch = _MODEL_COLOURS[k % 10], "" if k < 10 else "//"
                axes.bar(at, height, 0.8 / len(folds), color=colour, hatch=hatch, label=name)
                axes.errorbar(at, height, spread, fmt="none", ecolor="black", lw=0.7)
            axes.set(title=f"{title}: {_PROTOCOLS[protocol]}", ylim=(0, 1.02))
            axes.set_xticks(range(4), list("NSVF"))
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=6)
        _save(figure, folder / f"models_{score}.png")


def rhythm_models(folds: dict[str, Any], folder: Path) -> None:
    """Draw F1 and ROC AUC of each rhythm, all models side by side; whiskers: over the folds."""
    for score, title in (("f1", "F1"), ("auc", "ROC AUC")):
        figure = Figure(figsize=(9, 4.5), layout="constrained")
        axes = figure.subplots()
        for k, (name, found) in enumerate(folds.items()):
            values = [found[f"{c}_{score}"] for c in "NAO~"]
            at = np.arange(4) + (k - len(folds) / 2 + 0.5) * 0.8 / len(folds)
            height, spread = ([v[n] for v in values] for n in ("mean", "spread"))
            axes.bar(at, height, 0.8 / len(folds), color=_MODEL_COLOURS[k], label=name)
            axes.errorbar(at, height, spread, fmt="none", ecolor="black", lw=0.7)
        axes.set(title=f"{title} of each rhythm, five folds of the challenge", ylim=(0, 1.02))
        axes.set_xticks(range(4), ["normal", "atrial fibrillation", "other", "noise"])
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=6)
        _save(figure, folder / f"rhythm_{score}.png")


def shifts(conditions: dict[str, Any], in_noise: dict[str, Any], path: Path) -> None:
    """Draw what each condition takes from the macro-F1 of each model, darker for more."""
    rows = {
        model: losses(conditions[model], in_noise[model], "macro_f1_nsv") for model in conditions
    }
    names = list(dict.fromkeys(name for found in rows.values() for name in found))
    values = np.array([[found.get(name, np.nan) for name in names] for found in rows.values()])
    figure = Figure(figsize=(11, 6), layout="constrained")
    axes = figure.subplots()
    axes.set_title("Macro-F1 N, S, V lost to a shift of the data, unseen patients")
    axes.imshow(values, cmap="Reds", vmin=0, vmax=0.6, aspect="auto")
    axes.set_xticks(
        range(len(names)), [n.replace("_", " ") for n in names], rotation=60, ha="right"
    )
    axes.set_yticks(range(len(rows)), list(rows))
    for (row, column), value in np.ndenumerate(values):
        colour = "white" if value > 0.35 else "black"
        text = "" if np.isnan(value) else f"{value:.2f}".replace("-0.00", "0.00")
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=7)
    _save(figure, path)


def losses(conditions: dict[str, Any], in_noise: dict[str, Any], score: str) -> dict[str, float]:
    """Return what each condition and each noise takes from a score of the clean reference."""
    clean = conditions["reference"]["de_chazal"][score]
    found = {
        name: clean - by_map["de_chazal"][score]
        for name, by_map in conditions.items()
        if name != "reference"
    }
    noisy = {
        f"{kind}_{snr}": clean - scores[score]
        for kind, by_snr in in_noise.items()
        for snr, scores in by_snr.items()
    }
    return found | noisy


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
