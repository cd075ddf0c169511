"""Confusion matrices by record, as CSV files that the figures follow from."""

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecg.aami import CLASSES


def write(path: Path, matrices: Mapping[str, NDArray[np.int64]]) -> None:
    """Write the matrix of each record, (5, 5), or (6, 6) with O for beats missed and made up."""
    size = len(next(iter(matrices.values()), np.empty((5, 5))))
    names = (*CLASSES, "O")[:size]
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["record", *(f"{a}_as_{b}" for a in names for b in names)])
        writer.writerows([record, *m.ravel().tolist()] for record, m in matrices.items())


def read(path: Path) -> dict[str, NDArray[np.int64]]:
    """Return what `write` wrote."""
    with path.open() as file:
        rows = list(csv.reader(file))[1:]
    size = int(np.sqrt(len(rows[0]) - 1))
    return {row[0]: np.array(row[1:], np.int64).reshape(size, size) for row in rows}
