"""Stage `rhythm_card`: docs/rhythm-card.md from what `evaluate-rhythm` measured."""

import json
from pathlib import Path
from typing import Any, Final

from ecg.rhythm import RHYTHMS, WORDS
from pipeline.dataset import METRICS, RHYTHM
from pipeline.markdown import table

CARD: Final = Path("docs/rhythm-card.md")
SCORES: Final = ("score", *(f"{name}_f1" for name in RHYTHMS), "accuracy")
TITLES: Final = ("score", *(f"{name} F1" for name in RHYTHMS), "accuracy")


def render(found: dict[str, Any]) -> str:
    """Return the card. found: the section `rhythm` of metrics.json."""
    parts = [
        _INTRODUCTION,
        _folds(found),
        _length(found),
        _outside(found[RHYTHM]["mit-bih"]),
        _LIMITS,
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def main() -> None:
    CARD.write_text(render(json.loads(METRICS.read_text())["rhythm"]))


def _folds(found: dict[str, Any]) -> str:
    folds = {name: one for name, one in found.items() if name != "length-alone"}
    rows = [[model, *(_spread(one, name) for name in SCORES)] for model, one in folds.items()]
    areas = [[m, *(_spread(one, f"{r}_auc") for r in RHYTHMS)] for m, one in folds.items()]
    matrix = folds[RHYTHM]["confusion"]
    answers = [[WORDS[i], *(str(n) for n in row)] for i, row in enumerate(matrix)]
    return f"""
## Folds of the challenge
Five, stratified, the two pairs of equal recordings each in one fold; mean ± standard deviation over
them. The score is the challenge's: the mean of the F1 of N, A and O.

{table(["", *TITLES], rows)}

{table(["ROC AUC", *RHYTHMS], areas)}

![F1 of all models](../reports/rhythm_f1.png)

Answers of `rhythm`, all folds together, the reference in rows:

{table(["", *WORDS], answers)}
"""


def _length(found: dict[str, Any]) -> str:
    rows = [
        [length, str(one["recordings"]), *(f"{one[name]:.3f}" for name in SCORES[:-1])]
        for length, one in found[RHYTHM]["by_length"].items()
    ]
    alone = found["length-alone"]
    areas = ", ".join(f"{name} {alone[f'{name}_auc']['mean']:.2f}" for name in RHYTHMS)
    return f"""
## Length
Noisy recordings of the challenge are shorter than others: the length alone has a ROC AUC of
{areas}. It is no feature: what is told of a recording are means, spreads, quantiles and shares, and
the network sees half a minute at a time, of a shorter recording repeated. By length:

{table(["", "recordings", *TITLES[:-1]], rows)}
"""


def _outside(found: dict[str, Any]) -> str:
    rows = [
        [
            record,
            *(f"{one[name] / 60:.1f}" for name in ("found", "missed", "false", "rest", "noise")),
        ]
        for record, one in found["by_record"].items()
        if one["found"] + one["missed"] + one["false"] > 0
    ]
    every, hours = found["all"], found["all"]["seconds"] / 3600
    return f"""
## Outside its data: MIT-BIH
Atrial fibrillation and flutter by the database's rhythm marks against A, by time, all 48 records at
360 Hz, a class every 10 s: sensitivity {100 * every["se"]:.1f} %, specificity
{100 * every["sp"]:.1f} %, predictivity {100 * every["ppv"]:.1f} % of {hours:.1f} h;
{every["noise_seconds"] / 60:.0f} minutes are called noise and left out. Beats of half of these
patients have taught `convxgb`, whose classes are among the features; their rhythm has taught
nobody. Minutes, of records with fibrillation or called so:

{table(["record", "found", "missed", "others called so", "others", "noise"], rows)}
"""


def _spread(found: dict[str, Any], name: str) -> str:
    return f"{found[name]['mean']:.3f} ± {found[name]['spread']:.3f}"


_INTRODUCTION: Final = """
# Model card: rhythm
Rendered by `dvc repro` from `reports/metrics.json`. For research and education, not a medical
device.

The rhythm of a single lead, told as in the PhysioNet/CinC Challenge 2017 (Clifford et al., CinC 44,
2017): normal (N), atrial fibrillation (A), another rhythm (O), too noisy to say (~). A
convolutional and recurrent network reads half a minute of signal; its four logits, and what
`ecg.rhythm_features` tells of RR intervals, waves, beats' classes, spectrum and quality, go to
XGBoost. A recording of up to 60 s gets one answer, a longer one an answer every 10 s, from the half
minute about it.
"""
_LIMITS: Final = """
## Limits
- The challenge's recordings are of one hand-held device, 9 to 61 s long, one lead; its labels have
  known disagreements, of normal and other rhythms most of all.
- Network and trees were chosen among some twenty tries by the folds that are quoted
  (docs/experiments.md): the figures are a little better than those of new recordings.
- The service answers `~`, without a probability, where no beat is usable, whatever the trees would
  say; the figures on folds are the trees' own.
- No patient is named there: recordings of one patient may lie in two folds.
- O is everything else: it names no arrhythmia.
- `convxgb` learnt from beats of 450 normal and 450 fibrillating recordings of the challenge that
  are among the folds here; docs/experiments.md says what that is worth.
- Flutter with a regular answer of the ventricles looks like another rhythm or a normal one.
"""


if __name__ == "__main__":
    main()
