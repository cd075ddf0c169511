"""Whole recordings as a user gets them: R peaks found, quality judged, noise and all.

`qrs`: the detector on all 48 records, first lead, as recorded, transformed and with noise.
`records`: the served analysis of the test records, class by class, beside reference R peaks.
"""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly
from tqdm import tqdm

from ecg import aami, matching, readers, scoring
from ecg.analysis import analyse
from ecg.classifier import load as load_model
from ecg.detector import find_r_peaks
from ecg.locate import locate
from ecg.record import Annotation, Record
from ecg.scoring import Comparison, compare
from pipeline import counts, dataset

Signal = NDArray[np.float64]

STARTS: Final = {"all_30_min": 0.0, "without_first_5_min": matching.LEARNING_S}
RATES: Final = (125, 250, 500, 1000)
VARIANTS: Final = ("as_recorded", "inverted", "times_0.2", "times_5", *(f"{r}_hz" for r in RATES))
SNR_DB: Final = (24, 12, 6, 0)
MAPS: Final = {"de_chazal": aami.DE_CHAZAL, "bxb": aami.BXB}


def load(name: str, folder: Path = dataset.RECORDS) -> Record:
    """Read a record and its annotations with the reader that serves."""
    files = [folder / f"{name}.{ending}" for ending in ("hea", "dat", "atr")]
    return readers.read({path.name: path.read_bytes() for path in files if path.is_file()})


def transformed(signal: Signal, fs: float, variant: str) -> tuple[Signal, float]:
    """Return the signal and its rate as `variant` has it: upside down, scaled or resampled."""
    if variant == "inverted":
        return -signal, fs
    if variant.startswith("times_"):
        return signal * float(variant.removeprefix("times_")), fs
    if variant.endswith("_hz"):
        rate = int(variant.removesuffix("_hz"))
        up, down = Fraction(rate, round(fs)).as_integer_ratio()
        return np.asarray(resample_poly(signal, up, down, padtype="line")), float(rate)
    return signal, fs


def with_noise(
    signal: Signal, r_peaks: NDArray[np.int64], fs: float, noise: Signal, snr_db: float
) -> Signal:
    """Add noise to all of a signal at a signal-to-noise ratio as the tool `nst` defines it.

    Signal power: an eighth of the squared QRS height, peak to peak within 50 ms of the R peak;
    noise power: the variance of each second; both means without the extreme 5 % at each end.
    Source: Moody, Muldrow & Mark, CinC 11, 1984; nst(1). Deviation: `nst` adds noise in every
    other two minutes from the sixth on; here it is in all of the record.
    """
    reach = round(0.05 * fs)
    heights = [np.ptp(signal[max(r - reach, 0) : r + reach + 1]) for r in r_peaks]
    second = round(fs)
    seconds = noise[: len(noise) // second * second].reshape(-1, second)
    gain = np.sqrt(_middle(np.array(heights)) ** 2 / 8 / _middle(seconds.var(axis=1)))
    return np.asarray(signal + np.resize(noise, len(signal)) * gain * 10 ** (-snr_db / 20))


def qrs(names: tuple[str, ...], jobs: int) -> dict[str, Any]:
    """Return the detector's figures over the records `names`."""
    every = each(_detections, names, jobs, "R peaks")
    found: dict[str, Any] = {}
    for label, start in STARTS.items():
        found[label] = {
            variant: _qrs_figures([_compared(one, variant, start) for one in every])
            for variant in VARIANTS
        }
    return found | {"with_noise": _noise_curve(names, jobs)}


def records(artefact: Path, names: tuple[str, ...], jobs: int) -> dict[str, Any]:
    """Return figures of an artefact on `names` with detected R peaks; write them by record."""
    answers = each(_answered, names, jobs, "records", artefact)
    found: dict[str, Any] = {}
    for map_name, classes_map in MAPS.items():
        for label, start in STARTS.items():
            compared = [
                compare(reference, sample, classes, fs, classes_map, start)
                for reference, sample, classes, fs in answers
            ]
            found.setdefault(map_name, {})[label] = _class_figures(compared)
    by_record = [compare(*answer) for answer in answers]
    matrices = {name: one.matrix for name, one in zip(names, by_record, strict=True)}
    counts.write(dataset.REPORTS / "records.csv", matrices)
    return found


def _middle(values: NDArray[np.float64]) -> float:
    ordered = np.sort(values)
    cut = round(0.05 * len(ordered))
    return float(ordered[cut : len(ordered) - cut].mean())


def each(
    call: Callable[..., Any], names: tuple[str, ...], jobs: int, title: str, *args: Any
) -> list[Any]:
    """Return what `call` returns for each record, in order, while a bar tells how far it is."""
    done = joblib.Parallel(n_jobs=jobs, return_as="generator")(
        joblib.delayed(call)(name, *args) for name in names
    )
    return list(tqdm(done, total=len(names), desc=title, unit="record", disable=None))


def _detections(name: str) -> tuple[Record, dict[str, NDArray[np.int64]]]:
    record = load(name)
    found = {}
    for variant in VARIANTS:
        signal, fs = transformed(record.signal[:, 0].astype(np.float64), record.fs, variant)
        sample = np.rint(find_r_peaks(signal, fs).sample * (record.fs / fs))
        found[variant] = sample.astype(np.int64)
    return record, found


def _compared(
    one: tuple[Record, dict[str, NDArray[np.int64]]], variant: str, start_s: float
) -> Comparison:
    record, found = one
    return _beats_only(record, found[variant], start_s)


def _beats_only(record: Record, sample: NDArray[np.int64], start_s: float = 0.0) -> Comparison:
    classes = np.zeros(len(sample), np.int64)
    return compare(marks_of(record), sample, classes, record.fs, start_s=start_s)


def marks_of(record: Record) -> Annotation:
    """Return the reference annotation; raises SystemExit where there is none."""
    if record.annotation is None:
        raise SystemExit("evaluate: a record has no annotation")
    return record.annotation


def _qrs_figures(compared: list[Comparison]) -> dict[str, Any]:
    gross = scoring.figures(scoring.gross(compared))["qrs"]
    average = scoring.average(compared)["qrs"]
    return {**gross, "average_se": average["se"], "average_ppv": average["ppv"]}


def _noise_curve(names: tuple[str, ...], jobs: int) -> dict[str, Any]:
    every = each(_in_noise, names, jobs, "noise")
    curve: dict[str, Any] = {}
    for kind in dataset.NOISE_KINDS:
        for snr in SNR_DB:
            all_beats = [one[kind, snr][0] for one in every]
            usable = [one[kind, snr][1] for one in every]
            share = [one[kind, snr][2] for one in every]
            kept = scoring.figures(scoring.gross(usable))["qrs"]
            curve.setdefault(kind, {})[f"{snr}_db"] = {
                **_qrs_figures(all_beats),
                "unusable_share": float(np.mean(share)),
                "ppv_of_usable": kept["ppv"],
            }
    return curve


def _in_noise(name: str) -> dict[tuple[str, int], tuple[Comparison, Comparison, float]]:
    record = load(name)
    signal = record.signal[:, 0].astype(np.float64)
    reference, symbols = marks_of(record), aami.symbol_to_class()
    r_peaks = reference.sample[[symbol in symbols for symbol in reference.symbol]]
    found = {}
    for kind in dataset.NOISE_KINDS:
        noise = load(kind, dataset.NOISES).signal[:, 0].astype(np.float64)
        for snr in SNR_DB:
            located = locate(with_noise(signal, r_peaks, record.fs, noise, snr), record.fs)
            usable = located.quality.usable
            found[kind, snr] = (
                _beats_only(record, located.sample),
                _beats_only(record, located.sample[usable]),
                float(1 - usable.mean()),
            )
    return found


def _answered(
    name: str, artefact: Path
) -> tuple[Annotation, NDArray[np.int64], NDArray[np.int64], float]:
    record = load(name)
    found = analyse(record, load_model(artefact))
    return marks_of(record), found.sample, found.aami_class, record.fs


def _class_figures(compared: list[Comparison]) -> dict[str, Any]:
    gross = scoring.gross(compared)
    rates = {target: dict(values) for target, values in scoring.figures(gross).items()}
    for target, values in scoring.average(compared).items():
        rates[target] |= {f"average_{name}": value for name, value in values.items()}
    return {**rates, **scoring.scores(gross.matrix)}
