"""Stage `model_card`: docs/model-card.md from what `evaluate` measured, and from nothing else."""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg.aami import CLASSES, DS2
from ecg.beats import WINDOW
from ecg.context import CONTEXT
from ecg.filters import FS
from pipeline import counts, params
from pipeline.dataset import CONVXGB, METRICS, REPORTS
from pipeline.markdown import score, table

CARD: Final = Path("docs/model-card.md")
QUOTED: Final = ("macro_f1_nsv", "S_f1", "V_f1", "F_f1", "j_kappa", "accuracy")
TITLES: Final = {
    "macro_f1_nsv": "macro-F1 N,S,V",
    "S_f1": "S-F1",
    "V_f1": "V-F1",
    "F_f1": "F-F1",
    "j_kappa": "j-kappa",
    "accuracy": "accuracy",
}
CONDITIONS: Final = {
    "reference": "reference R peaks",
    "jittered": "each R peak moved by up to 50 ms",
    "streaming": "streaming: the last 300 beats, nothing after 0.8 s past the R peak",
    "second_lead": "the second lead, which training never saw",
}
MAPS: Final = {"de_chazal": "de Chazal's", "bxb": "bxb's"}


def render(
    metrics: dict[str, Any], by_record: dict[str, NDArray[np.int64]], name: str, version: str
) -> str:
    """Return the card. metrics: as metrics.json has them; by_record: (5, 5)."""
    figures = {section: found[name] for section, found in metrics.items() if name in found}
    beats = figures["beats"]
    parts = [
        _INTRODUCTION.format(
            name=name.upper(), version=version, window_s=WINDOW / FS, context=len(CONTEXT)
        ),
        _main(figures),
        _conditions(figures["conditions"], figures["records"]),
        _noise(figures["in_noise"]),
        _confidence(beats["inter_patient_without_paced"]),
        _patients(figures["by_patient"]),
        _records(by_record),
        _others(beats),
        _LIMITS,
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def main() -> None:
    wanted = params.load("export", params.Export)
    metrics = json.loads(METRICS.read_text())
    by_record = counts.read(REPORTS / "inter_patient_records.csv")
    CARD.parent.mkdir(exist_ok=True)
    CARD.write_text(render(metrics, by_record, CONVXGB, wanted.version))


def _row(title: str, scores: dict[str, Any]) -> list[str]:
    return [title, *(f"{score(scores, name):.3f}" for name in QUOTED)]


def _main(figures: dict[str, Any]) -> str:
    whole, seeds = figures["beats"]["inter_patient_without_paced"], figures["seeds"]
    rows = []
    for name in QUOTED:
        low, high = whole["interval_95"].get(name, (None, None))
        interval = "" if low is None else f"{low:.3f} to {high:.3f}"
        spread = f"{seeds[name]['mean']:.3f} ± {seeds[name]['spread']:.3f}"
        folds = f"{score(figures['folds_of_ds1']['recording'], name):.3f}"
        rows.append([TITLES[name], f"{score(whole, name):.3f}", interval, spread, folds])
    n = len(seeds["accuracy"]["values"])
    head = ["", "served", "95 % by record", f"{n} seeds, mean ± sd", "folds of DS1"]
    classes = [
        [c, *(f"{whole[c][k]:.3f}" for k in ("se", "ppv", "f1")), f"{whole[c]['n']:,}"]
        for c in CLASSES
    ]
    return f"""
## Figures on patients it has never seen
DS2 without paced records (22 records), reference R peaks, MLII, de Chazal's map. Everything was
chosen on folds of DS1; the last column is theirs, each record scored by a model that had not
seen it.

{table(head, rows)}

{table(["class", "sensitivity", "predictivity", "F1", "beats"], classes)}

![confusion](../reports/inter_patient_confusion.png)
"""


def _conditions(conditions: dict[str, Any], records: dict[str, Any]) -> str:
    head = ["", *TITLES.values()]
    rows = [
        _row(f"{title}, {MAPS[which]} map", conditions[name][which])
        for name, title in CONDITIONS.items()
        for which in MAPS
    ]
    rows += [
        _row(f"detected R peaks, {MAPS[which]} map, all test records", records[which]["all_30_min"])
        for which in MAPS
    ]
    return f"""
## Under other conditions
The same records. With detected R peaks, beats that were missed or made up count as errors, and the
paced records are in.

{table(head, rows)}
"""


def _noise(curve: dict[str, Any]) -> str:
    kinds = list(curve)
    head = ["signal to noise", *(f"{kind} {c}-F1" for kind in kinds for c in "SV")]
    rows = [
        [
            snr.replace("_db", " dB"),
            *(f"{curve[kind][snr][c]['f1']:.3f}" for kind in kinds for c in "SV"),
        ]
        for snr in curve[kinds[0]]
    ]
    return f"""
## In noise
Noise of the MIT-BIH Noise Stress Test Database on all of each record of DS2, at a signal-to-noise
ratio as the tool `nst` defines it, reference R peaks: `bw` baseline wander, `em` electrode motion,
`ma` muscle artefact. The service would call many of these beats unusable; here each is answered.

{table(head, rows)}

![S and V in noise](../reports/classes_in_noise.png)
"""


def _confidence(whole: dict[str, Any]) -> str:
    rows = [
        [f"{least}", f"{100 * found['coverage']:.1f} %", f"{100 * found['accuracy']:.2f} %"]
        for least, found in whole["abstain_below"].items()
    ]
    error = 100 * whole["calibration_error"]
    return f"""
## Confidence
`confidence` is the probability of the answer, calibrated by a temperature on folds of DS1 (Guo et
al., 2017). Its expected calibration error on DS2 is {error:.1f} %. Who would rather have no answer
than a doubtful one leaves out the beats below a threshold:

{table(["leave out below", "answered", "of them right"], rows)}

![calibration](../reports/inter_patient_calibration.png)
![leaving out the least sure](../reports/inter_patient_abstention.png)
"""


def _patients(groups: dict[str, Any]) -> str:
    rows = [
        [
            name,
            str(found["records"]),
            *(f"{found[c]['n']:,}" for c in "SV"),
            *(f"{score(found, k):.3f}" for k in ("macro_f1_nsv", "S_f1", "V_f1", "accuracy")),
        ]
        for name, found in groups.items()
    ]
    head = ["", "records", "S beats", "V beats", "macro-F1", "S-F1", "V-F1", "accuracy"]
    return f"""
## By age and sex
With so few records a group, most of a difference is who happens to be in it.

{table(head, rows)}
"""


def _records(by_record: dict[str, NDArray[np.int64]]) -> str:
    rows = []
    for record, matrix in by_record.items():
        right, true, said = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
        share = f"{100 * right.sum() / max(matrix.sum(), 1):.1f} %"
        cells = [f"{right[i]} of {true[i]}, {said[i] - right[i]} false" for i in (1, 2)]
        rows.append([record if record in DS2 else f"{record} (paced)", share, *cells])
    return f"""
## By record
![S and V by record](../reports/inter_patient_by_record.png)

{table(["record", "right", "S found", "V found"], rows)}
"""


def _others(beats: dict[str, Any]) -> str:
    rows = [
        _row("beats of recordings, patients leak", beats["random_split"]),
        _row("lone beats, unseen patients", beats["inter_patient_lone_beat"]),
        _row("lone beats, patients leak", beats["random_split_lone_beat"]),
        _row("unseen patients, paced records too", beats["inter_patient"]),
        _row("unseen patients, without 202 (who is also 201)", beats["inter_patient_without_202"]),
        _row("unseen patients, without 232", beats["inter_patient_without_232"]),
    ]
    leak = beats["random_split"]
    accuracy, macro = 100 * leak["accuracy"], 100 * leak["macro_f1"]
    return f"""
## Other protocols
A beat sent alone is answered by a network and trees of their own, which know no typical beat and
only the RR intervals sent with it, here none. The split by beat, which most projects quote, has
beats of one patient on both sides: its {accuracy:.2f} % accuracy and {macro:.2f} % macro-F1 over
five classes say how much of a patient a model can remember, and nothing about the next one.

Three quarters of the S beats of DS2 are of record 232, whose usual rhythm is ectopic: the figures
of S hang on it either way, and the row without it says what is left.

{table(["", *TITLES.values()], rows)}
"""


_INTRODUCTION: Final = """
# Model card: {name} {version}
This card is rendered by `dvc repro` from `reports/metrics.json`; a test holds it to that.

## What it is for
Naming the beats of a single-lead ECG by AAMI class (N, S, V, F, Q): for research, for sorting long
recordings before a person reads them, for teaching. It is no medical device and makes no
diagnosis. It was measured on one database, of 47 patients recorded from 1975 to 1979. It is not
for deciding anything about a patient alone, and not for children, paced rhythms and leads far
from MLII, of which it has seen few or none.

## What it is
A small convolutional network sees {window_s:g} s about each R peak, and how that differs from the
recording's typical beat. Two forests of XGBoost see what it says, and {context} features of the
beat in its recording: one forest tells V, F and Q from the rest by shape and near neighbours, the
other tells S from N by rhythm and P wave. All features are relative to the recording itself;
nothing is tuned by labels of the patient.

## What it learnt from
MIT-BIH Arrhythmia Database 1.0.0: the half DS1 and the paced records 102 and 107 (Moody & Mark
2001; de Chazal et al. 2004). Beats of class N of 900 normal and fibrillating recordings of the
PhysioNet/CinC Challenge 2017 (Clifford et al. 2017). Rhythms made of real beats of both, moved in
time and with other P waves (`pipeline/rhythms.py`), since DS1 holds no recording in which most
beats are ectopic. The trees learn from scores of networks that had not seen the record.
"""

_LIMITS: Final = """
## Known failures
- F is hardly ever found: nine in ten F beats of the database are of two patients, one on each side
  of the split.
- Beats of class N in atrial fibrillation are called S where they come early (202), aberrated S
  beats V (201, of the folds).
- Most S beats of 200, 210 and 222 are called N or V, most F beats of 213 N.
- Where nearly every beat is ectopic and no pause shows the sinus rhythm, S is called N: of 106 such
  beats of record 207, joined into one recording, none was found.
- The second lead of most records (V1, V5) is far from what training saw.

The picture and the table by record show where; `docs/experiments.md` tells what was tried. Signals
are not shown: the database's recordings are not this repository's to copy.
"""


if __name__ == "__main__":
    main()
