"""Stage `generate`: records -> beats, through the preprocessing that serves."""

from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import wfdb
from numpy.typing import NDArray
from tqdm import tqdm

from ecg import aami
from ecg.beats import WINDOW, Beats, from_cuts, from_record
from pipeline import dataset, params

# The beat of the closest public API: 187 samples at 360 Hz about the R peak.
_PUBLIC_CUT = (93, 94)


@dataclass(frozen=True)
class Source:
    """One lead of a record in mV at `fs` Hz, and its true beats."""

    name: str
    signal: NDArray[np.float64]
    fs: float
    r_peaks: NDArray[np.int64]
    label: NDArray[np.int64]


def read(name: str, folder: Path = dataset.RECORDS) -> Source:
    """Read MLII, else the first lead, and the annotations that are beats."""
    record = wfdb.rdrecord(str(folder / name))
    annotation = wfdb.rdann(str(folder / name), "atr")
    lead = record.sig_name.index("MLII") if "MLII" in record.sig_name else 0
    classes = aami.symbol_to_class()
    is_beat = np.array([symbol in classes for symbol in annotation.symbol])
    label = np.array([classes[s] for s in annotation.symbol if s in classes], np.int64)
    return Source(
        name=name,
        signal=np.ascontiguousarray(record.p_signal[:, lead], np.float64),
        fs=float(record.fs),
        r_peaks=annotation.sample[is_beat].astype(np.int64),
        label=label,
    )


def lone_windows(source: Source, seed: int) -> NDArray[np.float32]:
    """Return (n, WINDOW) the record's beats as if each had been sent alone.

    Half are cut as the closest public API has them, half anywhere from 0.2 to 0.6 s before and
    0.25 to 0.9 s after; of a third the R peak is left to be found.
    """
    rng = np.random.default_rng([seed, int(source.name)])
    before, after = _cut_lengths(len(source.r_peaks), source.fs, rng)
    unknown = rng.random(len(source.r_peaks)) < 1 / 3
    start = np.maximum(source.r_peaks - before, 0)
    cuts = [source.signal[s : r + a] for s, r, a in zip(start, source.r_peaks, after, strict=True)]
    peaks = [
        None if u else int(r - s) for u, r, s in zip(unknown, source.r_peaks, start, strict=True)
    ]
    return from_cuts(*_padded(cuts, source.fs, peaks)).windows[..., 0]


def main() -> None:
    wanted = params.load("generate", params.Generate)
    names = list(aami.RECORDS) if wanted.records == ["all"] else sorted(wanted.records)
    jobs = joblib.Parallel(n_jobs=wanted.jobs, return_as="generator")(
        joblib.delayed(_beats_of)(name, wanted.seed) for name in names
    )
    parts = list(tqdm(jobs, total=len(names), desc="generate", unit="record"))
    made = _join(parts)
    if wanted.records == ["all"]:
        check_totals(made.label)
    dataset.save(made, dataset.BEATS)


def check_totals(label: NDArray[np.int64]) -> None:
    """Raise SystemExit when the beats of the 48 records are not the published ones."""
    counts = dict(zip(aami.CLASSES, np.bincount(label, minlength=5).tolist(), strict=True))
    if counts != aami.MITBIH_COUNTS:
        raise SystemExit(f"generate: {counts} beats, published {aami.MITBIH_COUNTS}")


def _cut_lengths(
    n: int, fs: float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    public = rng.random(n) < 0.5
    # On a grid of 50 ms: beats of one length are prepared together.
    before = np.where(public, _PUBLIC_CUT[0], rng.integers(4, 13, n) * round(0.05 * fs))
    after = np.where(public, _PUBLIC_CUT[1], rng.integers(5, 19, n) * round(0.05 * fs))
    return before, after


def _padded(
    cuts: list[NDArray[np.float64]], fs: float, peaks: list[int | None]
) -> tuple[list[NDArray[np.float64]], float, list[int | None]]:
    # A record's last beat may be followed by too little of it to be sent alone.
    shortest = round(0.25 * fs)
    held = [np.pad(c, (0, max(shortest - len(c), 0)), mode="edge") for c in cuts]
    return held, fs, peaks


def _beats_of(name: str, seed: int) -> dataset.Dataset:
    source = read(name)
    return dataset.Dataset(
        beats=from_record(source.signal, source.fs, source.r_peaks),
        lone=lone_windows(source, seed),
        label=source.label,
        record=np.full(len(source.label), int(name), np.int64),
        sample=source.r_peaks,
    )


def _join(parts: list[dataset.Dataset]) -> dataset.Dataset:
    return dataset.Dataset(
        beats=Beats(
            np.concatenate([p.beats.windows for p in parts]),
            np.concatenate([p.beats.context for p in parts]),
        ),
        lone=np.concatenate([p.lone for p in parts]).reshape(-1, WINDOW),
        label=np.concatenate([p.label for p in parts]),
        record=np.concatenate([p.record for p in parts]),
        sample=np.concatenate([p.sample for p in parts]),
    )


if __name__ == "__main__":
    main()
