"""What a whole recording costs, beside the usual way: wfdb, sleepecg, Keras and XGBoost.

The example recording, repeated to the wanted length, as a WFDB pair on a disk. Both ways read it,
find its R peaks and classify its beats, each in a process of its own; rounds are interleaved.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from benchmarks.figures import WAYS, Figure, Way, rows, table
from ecg import readers

EXAMPLE: Final = Path("web/example/mitdb-208.zip")
MODEL: Final = Path("models/convxgb")
HOURS: Final = (0.5, 24.0)
ROUNDS: Final = 3
NAME: Final = "long"


def main() -> None:
    """Print a table; or, for one way, analyse one recording and print its seconds and megabytes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recordings", description=__doc__)
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.way:
        _one(_ANALYSE[given.way], given.folder)
        return
    print(table(rows(measure())))


def measure() -> Iterator[Figure]:
    """Yield the figures of each round."""
    for hours in HOURS:
        with TemporaryDirectory() as folder:
            write_recording(Path(folder), hours)
            for way in WAYS * ROUNDS:
                yield from _figures(way, Path(folder), hours)


def write_recording(folder: Path, hours: float) -> None:
    """Write the example, repeated, as a header and samples of format 16."""
    example = readers.read({EXAMPLE.name: EXAMPLE.read_bytes()})
    n = round(hours * 3600 * example.fs)
    counts = np.resize(np.rint(example.signal[:, 0] * 200), n).astype("<i2")
    header = f"{NAME} 1 {example.fs:g} {n}\n{NAME}.dat 16 200(0)/mV 16 0 {counts[0]} 0 0 MLII\n"
    (folder / f"{NAME}.hea").write_text(header)
    (folder / f"{NAME}.dat").write_bytes(counts.tobytes())


def beatwise(folder: Path) -> int:
    """Analyse as the service does, with quality and summary; return the number of beats."""
    from ecg import classifier, exports
    from ecg.analysis import analyse

    files = [folder / f"{NAME}.{ending}" for ending in ("hea", "dat")]
    record = readers.read({path.name: path.read_bytes() for path in files})
    found = analyse(record, classifier.load(MODEL))
    return len(exports.to_columns(found)["beats"]["sample"])


def naive(folder: Path) -> int:
    """Analyse with the usual packages; return the number of beats."""
    import sleepecg
    import wfdb

    from benchmarks import naive as usual
    from ecg.beats import from_record

    record = wfdb.rdrecord(str(folder / NAME))
    signal = record.p_signal[:, 0]
    r_peaks = sleepecg.detect_heartbeats(signal, record.fs).astype(np.int64)
    proba = usual.load(usual.weights()).predict(from_record(signal, float(record.fs), r_peaks))
    return len(proba)


_ANALYSE: Final[dict[Way, Callable[[Path], int]]] = {"beatwise": beatwise, "naive": naive}


def _one(analyse: Callable[[Path], int], folder: Path) -> None:
    started = time.perf_counter()
    beats = analyse(folder)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "beats": beats}))


def _figures(way: Way, folder: Path, hours: float) -> Iterator[Figure]:
    command = [sys.executable, "-m", "benchmarks.recordings", "--way", way, "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    what = f"{hours:g} h at 360 Hz, file to classes"
    yield Figure(what, "s", way, found["seconds"])
    yield Figure(f"{what}, peak", "MB", way, found["peak_mb"])


if __name__ == "__main__":
    main()
