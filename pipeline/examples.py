"""Stage `examples`: a CSV of real beats to try the service with, ten of each class, seeded.

Rows as in the public files: 187 samples from the R peak on, 125 Hz, scaled to 0..1, and the class
as a number. All are of test records: no model has seen these patients but that of 201 and 202.
"""

from pathlib import Path
from typing import Final

import numpy as np

from ecg.beats import KACHUEE
from pipeline import dataset

CSV: Final = Path("examples/random_beats.csv")
EACH: Final = 10
_SEED: Final = 42


def main() -> None:
    test = dataset.test_of("inter_patient", KACHUEE)
    rng = np.random.default_rng(_SEED)
    rows = []
    for value in np.unique(test.label):
        there = np.flatnonzero(test.label == value)
        rows.append(np.sort(rng.choice(there, min(EACH, len(there)), replace=False)))
    chosen = np.concatenate(rows)
    samples = test.beats.windows[chosen, :, 0]
    lines = [
        ",".join([*(f"{x:.4f}" for x in beat), str(label)])
        for beat, label in zip(samples.tolist(), test.label[chosen].tolist(), strict=True)
    ]
    CSV.parent.mkdir(exist_ok=True)
    CSV.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
