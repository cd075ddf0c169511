"""Stage `kachuee`: the public 187-sample beats, cut anew from the records.

All beats but the last of each record, which has no RR interval after it: by class these are as many
as in the public files (Kachuee et al., ICHI 2018).
"""

from typing import Final

import numpy as np

from ecg import aami, kachuee
from pipeline import dataset, generate, params
from pipeline.dataset import Labelled

COUNTS: Final = {"N": 90_589, "S": 2_779, "V": 7_236, "F": 803, "Q": 8_039}
"""Of the public files, training and test together."""


def main() -> None:
    wanted = params.load("generate", params.Generate)
    names = generate.names(wanted)
    parts = [of_record(generate.read(name)) for name in names]
    made = Labelled(
        dataset.join_beats([p.beats for p in parts]),
        np.concatenate([p.label for p in parts]),
        np.concatenate([p.record for p in parts]),
    )
    if len(names) == len(aami.RECORDS):
        check_counts(made)
    dataset.save_kachuee(made)


def of_record(source: generate.Source) -> Labelled:
    """Return the beats of one lead of a record."""
    beats = kachuee.from_record(source.signal, source.fs, source.r_peaks)
    n = len(source.label) - 1
    return Labelled(
        beats.take(np.arange(n)), source.label[:n], np.full(n, int(source.name), np.int64)
    )


def check_counts(made: Labelled) -> None:
    """Raise SystemExit when there are other beats than in the public files."""
    counts = dict(zip(aami.CLASSES, np.bincount(made.label, minlength=5).tolist(), strict=True))
    if counts != COUNTS:
        raise SystemExit(f"kachuee: {counts} beats, published {COUNTS}")


if __name__ == "__main__":
    main()
