"""Stage `models_report`: reports/models.md from what `evaluate` measured, and from nothing else."""

import json
from typing import Any, Final

from pipeline import pictures
from pipeline.dataset import CONVXGB, METRICS, REPORTS
from pipeline.markdown import score, share, table

REPORT: Final = REPORTS / "models.md"
PROTOCOLS: Final = {
    "records": "Folds by record: patients unseen",
    "beats": "Folds by beat: patients leak",
}
MEASURES: Final = (
    *("accuracy", "precision_weighted", "recall_weighted", "f1_weighted"),
    *("precision_macro", "recall_macro", "f1_macro", "log_loss"),
)
METHODS: Final = {
    "none": "nothing",
    "weights": "weights by the root of rarity",
    "smote": "SMOTE",
    "mixture": "Gaussian mixtures",
    "augmented": "real beats varied, in real noise",
}


def render(metrics: dict[str, Any]) -> str:
    """Return the report. metrics: as metrics.json has them."""
    parts = [
        _INTRODUCTION,
        _unseen(metrics["beats"]),
        *(_folds(metrics["folds"], name, title) for name, title in PROTOCOLS.items()),
        "![F1 of all models](models_f1.png)\n\n![ROC AUC of all models](models_auc.png)",
        _imbalance(metrics["imbalance"]),
        _shifts(metrics["conditions"], metrics["in_noise"]),
        _groups(metrics["by_patient"]),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def main() -> None:
    REPORT.write_text(render(json.loads(METRICS.read_text())))


def _unseen(beats: dict[str, Any]) -> str:
    names = ("macro_f1_nsv", "S_f1", "V_f1", "F_f1", "j_kappa")
    rows = []
    for model, protocols in beats.items():
        found = protocols["inter_patient_without_paced"]
        if not found:
            continue
        low_high = found["interval_95"]
        cells = [f"{score(found, n):.3f} ({_interval(low_high[n])})" for n in names]
        without = protocols["inter_patient_without_232"]
        lone = protocols.get("inter_patient_lone_beat")
        rows.append(
            [
                model,
                f"{100 * found['accuracy']:.2f} %",
                *cells,
                f"{without['macro_f1_nsv']:.3f}" if without else "",
                f"{lone['macro_f1_nsv']:.3f}" if lone else "",
            ]
        )
    head = ["", "accuracy", "macro-F1 N,S,V", "S-F1", "V-F1", "F-F1", "j-kappa"]
    return f"""
## Test patients
DS2 without paced records, reference R peaks, de Chazal's map, 95 % intervals by record, one seed.
The last two columns: macro-F1 without record 232 (paced records are in), and of beats sent alone.

{table([*head, "without 232", "lone beats"], rows)}
"""


def _folds(folds: dict[str, Any], protocol: str, title: str) -> str:
    found = {model: by_protocol[protocol] for model, by_protocol in folds.items()}
    rows = [[model, *(_spread(one, n) for n in MEASURES)] for model, one in found.items()]
    of_classes = [
        [model, *(_spread(one, f"{c}_{n}") for n in ("f1", "auc") for c in "NSVF")]
        for model, one in found.items()
    ]
    head = ["", *(name.replace("_", " ") for name in MEASURES)]
    return f"""
## {title}
{_WHAT[protocol]}
Mean ± standard deviation over the folds; macro: over the classes that a fold has (8 beats of DS1
are Q); log loss after calibration on the other folds.

{table(head, rows)}

{table(["", *(f"{c} F1" for c in "NSVF"), *(f"{c} AUC" for c in "NSVF")], of_classes)}
"""


def _imbalance(imbalance: dict[str, Any]) -> str:
    ((model, by_method),) = imbalance.items()
    rows = [
        [METHODS[method], where, *(_spread(found[protocol], f"{c}_f1") for c in "NSVF")]
        for protocol, where in (("records", "unseen"), ("beats", "leak"))
        for method, found in by_method.items()
    ]
    return f"""
## Rare classes
What each way to treat them does to `{model}`, on the same folds; minority classes are raised to the
share of the largest that params.yaml names.

{table(["", "patients", *(f"{c} F1" for c in "NSVF")], rows)}
"""


def _shifts(conditions: dict[str, Any], in_noise: dict[str, Any]) -> str:
    lost = {
        model: pictures.losses(conditions[model], in_noise[model], "macro_f1_nsv")
        for model in conditions
    }
    names = list(dict.fromkeys(name for found in lost.values() for name in found))
    rows = [
        [name.replace("_", " "), *(share(found.get(name)) for found in lost.values())]
        for name in names
    ]
    clean = [f"{one['reference']['de_chazal']['macro_f1_nsv']:.3f}" for one in conditions.values()]
    return f"""
## When the data shift
Macro-F1 N, S, V of DS2 as recorded, and what is lost of it under each change. Beats at reference R
peaks; the service would turn an inverted lead and call many of the noisy beats unusable.

{table(["", *lost], [["as recorded", *clean], *rows])}

![what is lost](models_shift.png)
"""


def _groups(by_patient: dict[str, Any]) -> str:
    rows = []
    for model in (CONVXGB, "cascade"):
        for group, found in by_patient.get(model, {}).items():
            two, five = found["normal_or_not"], found["interval_95"]
            rows.append(
                [
                    model,
                    group,
                    str(found["records"]),
                    f"{two['normal']:,} / {two['not_normal']:,}",
                    f"{two['f1']:.3f} ({_interval(two['interval_95']['f1'])})",
                    f"{found['macro_f1_nsv']:.3f} ({_interval(five['macro_f1_nsv'])})",
                    f"{found['S']['f1']:.3f}",
                    f"{found['V']['f1']:.3f}",
                ]
            )
    head = ["", "group", "records", "beats N / other", "F1 normal or not", "macro-F1 N,S,V"]
    return f"""
## Age and sex
DS2, 95 % intervals by bootstrap over records. With so few patients a group, one of them with many
ectopic beats moves a figure by more than the groups differ: these rows can show that a model fails
badly on somebody, and cannot show that it works as well for women as for men, or for the old as
for the young. That would want hundreds of patients a group.

{table([*head, "S-F1", "V-F1"], rows)}
"""


def _spread(found: dict[str, Any], name: str) -> str:
    one = found.get(name)
    return "" if one is None else f"{one['mean']:.3f} ± {one['spread']:.3f}"


def _interval(low_high: list[float]) -> str:
    return f"{low_high[0]:.2f} to {low_high[1]:.2f}"


_INTRODUCTION: Final = """
# Models side by side
Rendered by `dvc repro` from `reports/metrics.json`; a test holds it to that. All models learn from
the same beats of DS1 and the paced records 102 and 107, through the same preprocessing, and may
know the same of a beat: its window, engineered features of it, its context in the recording.
`convxgb` also learns from beats and made-up rhythms of other recordings (docs/model-card.md).
`kachuee187` sees 187 samples from the R peak on and nothing else. Everything was chosen on folds of
DS1.
"""
_WHAT: Final = {
    "records": "Five, inside DS1; no patient is on two sides.",
    "beats": "Five, inside DS1, stratified by class: each patient is on both sides, and the\n"
    "figures say how well a model remembers, not how well it reads a stranger.",
}


if __name__ == "__main__":
    main()
