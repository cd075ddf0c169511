"""Stage `generate-rhythm`: the challenge's recordings -> what models of the rhythm see of them."""

import csv
import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold
from tqdm import tqdm

from ecg import readers, rhythm
from ecg.rhythm import RHYTHMS
from ecg.rhythm_features import features
from pipeline import dataset, params
from pipeline.classified import classified
from pipeline.recorded import Recorded, save

REFERENCE: Final = "REFERENCE.csv"
COUNTS: Final = {"N": 4481, "A": 669, "O": 2132, "~": 246}
"""Of the recordings that pipeline/challenge-2017.sha256 names, by the challenge's third labels."""


@dataclass(frozen=True)
class _One:
    """features: (len(FEATURES),); signal: (n_samples,) as `Recorded` has it; digest: of it."""

    seconds: float
    features: NDArray[np.float32]
    signal: NDArray[np.float16]
    digest: str


def main() -> None:
    wanted = params.load("rhythm", params.Rhythm)
    reference = references(dataset.CHALLENGE / REFERENCE)
    jobs = joblib.Parallel(n_jobs=wanted.jobs, return_as="generator")(
        joblib.delayed(_told)(dataset.CHALLENGE / name) for name in reference
    )
    every = list(
        tqdm(jobs, "generate-rhythm", total=len(reference), unit="recording", disable=None)
    )
    label = np.array([RHYTHMS.index(one) for one in reference.values()])
    recorded = Recorded(
        name=np.array(list(reference)),
        label=label,
        fold=folds(label, [one.digest for one in every], wanted),
        seconds=np.array([one.seconds for one in every]),
        features=np.stack([one.features for one in every]),
        first=np.cumsum([0, *(len(one.signal) for one in every)]),
        signal=np.concatenate([one.signal for one in every]),
        conducted=np.isin(list(reference), dataset.conducted_names()),
    )
    save(recorded)


def references(path: Path) -> dict[str, str]:
    """Return the label of each recording that is there, by its name.

    Raises SystemExit when they are not those of the challenge's third and last version.
    """
    with path.open(newline="") as file:
        known = dict(sorted((name, label) for name, label in csv.reader(file)))
    there = {name: known[name] for name in known if path.with_name(f"{name}.hea").is_file()}
    counts = dict(Counter(there.values()))
    if counts != COUNTS:
        raise SystemExit(f"{path}: {counts} recordings, REFERENCE-v3.csv of PhysioNet has {COUNTS}")
    return there


def folds(label: NDArray[np.int64], digests: list[str], wanted: params.Rhythm) -> NDArray[np.int64]:
    """Return the fold (n,) of each recording, alike in classes; the same signal is in one."""
    _, group = np.unique(digests, return_inverse=True)
    split = StratifiedGroupKFold(wanted.folds, shuffle=True, random_state=wanted.seed)
    found = np.empty(len(label), np.int64)
    for fold, (_, test) in enumerate(split.split(label, label, group)):
        found[test] = fold
    return found


def _told(path: Path) -> _One:
    content = {f"{path.name}{end}": path.with_suffix(end).read_bytes() for end in (".hea", ".mat")}
    record = readers.read(content)
    found, proba = classified(record.signal[:, 0], record.fs)
    whole = np.zeros(1), np.array([record.duration_s])
    digest = hashlib.sha256(record.signal.tobytes()).hexdigest()
    told = features(found, proba, *whole)[0]
    return _One(record.duration_s, told, rhythm.scaled(found.ready).astype(np.float16), digest)


if __name__ == "__main__":
    main()
