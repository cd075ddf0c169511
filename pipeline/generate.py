"""Stage `generate`: records -> beats, through the preprocessing that serves."""

from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import wfdb
from numpy.typing import NDArray
from tqdm import tqdm

from ecg import aami, readers
from ecg.beats import WINDOW, Beats, Recording, clean, from_cuts, from_record, prepare
from ecg.context import CONTEXT
from ecg.filters import FS, resample
from ecg.locate import locate
from pipeline import dataset, params, rhythms
from pipeline.dataset import Conducted, Made

# The beat of the closest public API: 187 samples at 360 Hz about the R peak.
_PUBLIC_CUT = (93, 94)
_OWN_KIND = 0.9
_FEWEST = 20
_FEWEST_SOURCES = 15
# Median change from one RR to the next, over the mean, beyond which a rhythm is no sinus rhythm.
_IRREGULAR = 0.06
# The ends of a made-up rhythm know less of their neighbours than most beats of a recording.
_INNER = slice(3, -3)
_SIMILARITY = CONTEXT.index("similarity_to_typical")


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


def names(wanted: params.Generate) -> list[str]:
    """Return the records that are asked for."""
    return list(aami.RECORDS) if wanted.records == ["all"] else sorted(wanted.records)


def main() -> None:
    wanted = params.load("generate", params.Generate)
    chosen = names(wanted)
    jobs = joblib.Parallel(n_jobs=wanted.jobs, return_as="generator")(
        joblib.delayed(_beats_of)(name, wanted.seed) for name in chosen
    )
    parts = list(tqdm(jobs, total=len(chosen), desc="generate", unit="record"))
    made = _join(parts)
    if wanted.records == ["all"]:
        check_totals(made.label)
    dataset.save(made, dataset.BEATS)
    conducted, of_challenge = _from_challenge(wanted)
    dataset.save_conducted(conducted)
    dataset.save_made(_join_made([_from_records(chosen, wanted), of_challenge]))


def conducted_beats(path: Path) -> tuple[Recording, NDArray[np.bool_]]:
    """Return a challenge recording and which of its beats are surely of class N.

    Those like its typical beat, in a recording labelled normal or as atrial fibrillation: what is
    premature there is not ectopic. None where the signal is not good throughout.
    """
    files = {p.name: p.read_bytes() for p in (path, path.with_suffix(".mat"))}
    record = readers.read(files)
    found = locate(record.signal[:, 0], record.fs)
    kept = found.ready.context[:, _SIMILARITY] > _OWN_KIND
    kept[:2] = kept[-2:] = False
    if len(kept) < _FEWEST or found.analysable < 1 or not found.quality.usable.all():
        kept[:] = False
    return found.ready, kept


def made_rhythms(
    ready: Recording, usable: NDArray[np.bool_], record: int, seeds: list[list[int]]
) -> Made:
    """Return rhythms made of a recording's `usable` (n_beats,) beats, one a seed, kind after kind.

    seeds: each ends with the number of the kind.
    """
    surrounded = usable.copy()
    surrounded[1:-1] &= usable[:-2] & usable[2:]
    surrounded[:2] = surrounded[-2:] = False
    parts = [_no_rhythm()]
    if surrounded.sum() >= _FEWEST_SOURCES:
        parts += [_made(ready, surrounded, record, seed) for seed in seeds]
    return _join_made(parts)


def check_totals(label: NDArray[np.int64]) -> None:
    """Raise SystemExit when the beats of the 48 records are not the published ones."""
    counts = dict(zip(aami.CLASSES, np.bincount(label, minlength=5).tolist(), strict=True))
    if counts != aami.MITBIH_COUNTS:
        raise SystemExit(f"generate: {counts} beats, published {aami.MITBIH_COUNTS}")


def _from_challenge(wanted: params.Generate) -> tuple[Conducted, Made]:
    paths = [dataset.CHALLENGE / f"{name}.hea" for name in dataset.conducted_names()]
    done = joblib.Parallel(n_jobs=wanted.jobs, return_as="generator")(
        joblib.delayed(_of_challenge)(path, number, wanted.seed)
        for number, path in enumerate(paths)
    )
    parts = list(tqdm(done, total=len(paths), desc="challenge", unit="record", disable=None))
    record = np.repeat(np.arange(len(parts)), [len(beats) for beats, _ in parts])
    conducted = Conducted(dataset.join_beats([beats for beats, _ in parts]), record)
    return conducted, _join_made([made for _, made in parts])


def _of_challenge(path: Path, number: int, seed: int) -> tuple[Beats, Made]:
    ready, kept = conducted_beats(path)
    rr = np.diff(ready.centres)
    kinds, two = len(rhythms.KINDS), (number // 2, number // 2 + len(rhythms.KINDS) // 2)
    steady = kept.any() and np.median(np.abs(np.diff(rr))) < _IRREGULAR * rr.mean()
    seeds = [[seed, number, kind % kinds] for kind in two] if steady else []
    beats = ready.cut().take(np.flatnonzero(kept))
    return beats, made_rhythms(ready, kept, dataset.OF_CHALLENGE, seeds)


def _from_records(chosen: list[str], wanted: params.Generate) -> Made:
    """Return rhythms of every kind made of each training record."""
    done = joblib.Parallel(n_jobs=wanted.jobs)(
        joblib.delayed(_of_record)(name, wanted.seed) for name in aami.DS1 if name in chosen
    )
    return _join_made([_no_rhythm(), *done])


def _of_record(name: str, seed: int) -> Made:
    source = read(name)
    ready = prepare(clean(resample(source.signal, source.fs)), source.fs, source.r_peaks)
    normal = source.label == aami.CLASSES.index("N")
    usable = normal & (ready.context[:, _SIMILARITY] > _OWN_KIND)
    seeds = [[seed, int(name), kind] for kind in range(len(rhythms.KINDS))]
    return made_rhythms(ready, usable, int(name), seeds)


def _made(ready: Recording, usable: NDArray[np.bool_], record: int, seed: list[int]) -> Made:
    rng = np.random.default_rng(seed)
    rhythm = rhythms.KINDS[seed[-1]](rng, rhythms.BEATS)
    made = rhythms.make(ready.canonical, ready.centres, usable, rhythm, rng)
    context = prepare(made.canonical, FS, made.r_peaks).context[_INNER]
    return Made(context, made.label[_INNER], np.full(len(context), record, np.int64))


def _no_rhythm() -> Made:
    none = np.empty(0, np.int64)
    return Made(dataset.no_beats().context, none, none)


def _join_made(parts: list[Made]) -> Made:
    return Made(
        np.concatenate([p.context for p in parts]),
        np.concatenate([p.label for p in parts]),
        np.concatenate([p.record for p in parts]),
    )


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
        beats=dataset.join_beats([p.beats for p in parts]),
        lone=np.concatenate([p.lone for p in parts]).reshape(-1, WINDOW),
        label=np.concatenate([p.label for p in parts]),
        record=np.concatenate([p.record for p in parts]),
        sample=np.concatenate([p.sample for p in parts]),
    )


if __name__ == "__main__":
    main()
