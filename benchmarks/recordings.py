"""What a whole recording costs, beside the usual way: wfdb, sleepecg, Keras and XGBoost.

The example recording, repeated to the wanted length, as a WFDB pair on a disk. Both ways read it,
find its R peaks and classify its beats, each in a process of its own; rounds are interleaved. Only
Beatwise tells the rhythm too: what that adds to its time is printed beside the table.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from benchmarks.figures import WAYS, Figure, Way, rows, table
from ecg import readers

EXAMPLE: Final = Path("web/example/mitdb-208.zip")
MODELS: Final = Path("models")
HOURS: Final = (0.5, 24.0)
ROUNDS: Final = 3
NAME: Final = "long"


@dataclass(frozen=True)
class Round:
    """One analysis; rhythm_seconds: of it, not among `seconds`."""

    hours: float
    way: Way
    seconds: float
    rhythm_seconds: float
    peak_mb: float


def main() -> None:
    """Print a table; or, for one way, analyse one recording and print its seconds and megabytes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recordings", description=__doc__)
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.way:
        print(json.dumps(_one(given.way, given.folder)))
        return
    rounds = list(measure())
    print(table(rows(figure for one in rounds for figure in _figures(one))))
    for hours in HOURS:
        ours = [one for one in rounds if one.hours == hours and one.way == "beatwise"]
        shares = [one.rhythm_seconds / one.seconds for one in ours]
        low, middle, high = (f(shares) for f in (min, statistics.median, max))
        print(f"{hours:g} h: the rhythm adds {middle:.1%} ({low:.1%} - {high:.1%}) to Beatwise")


def measure() -> Iterator[Round]:
    """Yield each round."""
    for hours in HOURS:
        with TemporaryDirectory() as folder:
            write_recording(Path(folder), hours)
            for way in WAYS * ROUNDS:
                yield Round(hours, way, **_in_its_own_process(way, Path(folder)))


def write_recording(folder: Path, hours: float) -> None:
    """Write the example, repeated, as a header and samples of format 16."""
    example = readers.read({EXAMPLE.name: EXAMPLE.read_bytes()})
    n = round(hours * 3600 * example.fs)
    counts = np.resize(np.rint(example.signal[:, 0] * 200), n).astype("<i2")
    header = f"{NAME} 1 {example.fs:g} {n}\n{NAME}.dat 16 200(0)/mV 16 0 {counts[0]} 0 0 MLII\n"
    (folder / f"{NAME}.hea").write_text(header)
    (folder / f"{NAME}.dat").write_bytes(counts.tobytes())


def beatwise(folder: Path) -> float:
    """Analyse as the service does, with quality and summary; return the seconds of the rhythm."""
    from ecg import classifier, exports, rhythm
    from ecg.analysis import RhythmBy, analyse

    files = [folder / f"{NAME}.{ending}" for ending in ("hea", "dat")]
    record = readers.read({path.name: path.read_bytes() for path in files})
    beats = classifier.load(MODELS / "convxgb")
    by = RhythmBy(rhythm.load(MODELS / "rhythm"), beats)
    begun: dict[str, float] = {}

    def tell(step: str, _share: float) -> None:
        begun.setdefault(step, time.perf_counter())

    found = analyse(record, beats, None, tell, rhythm=by)
    seconds = time.perf_counter() - begun["telling the rhythm"]
    exports.to_columns(found)
    return seconds


def naive(folder: Path) -> float:
    """Analyse with the usual packages, which tell no rhythm."""
    import sleepecg
    import wfdb

    from benchmarks import naive as usual
    from ecg.beats import from_record

    record = wfdb.rdrecord(str(folder / NAME))
    signal = record.p_signal[:, 0]
    r_peaks = sleepecg.detect_heartbeats(signal, record.fs).astype(np.int64)
    usual.load(usual.weights()).predict(from_record(signal, float(record.fs), r_peaks))
    return 0.0


_ANALYSE: Final[dict[Way, Callable[[Path], float]]] = {"beatwise": beatwise, "naive": naive}


def _one(way: Way, folder: Path) -> dict[str, float]:
    started = time.perf_counter()
    rhythm_seconds = _ANALYSE[way](folder)
    seconds = time.perf_counter() - started - rhythm_seconds
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "rhythm_seconds": rhythm_seconds, "peak_mb": peak}


def _in_its_own_process(way: Way, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.recordings", "--way", way, "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _figures(one: Round) -> Iterator[Figure]:
    what = f"{one.hours:g} h at 360 Hz, file to classes"
    yield Figure(what, "s", one.way, one.seconds)
    yield Figure(f"{what}, peak", "MB", one.way, one.peak_mb)


if __name__ == "__main__":
    main()
