"""Whether an artefact answers as the model in memory that it was made of."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

# Trees in ONNX compare float32 values that differ in the last bits from those in memory: a row may
# fall on the other side of a split.
SAME_CLASS: Final = 0.9999
"""Least share of rows that get the same class."""


def parity(served: NDArray[np.float32], in_memory: NDArray[np.float32]) -> dict[str, float | int]:
    """Compare proba (n, n_classes) of the artefact with those of the model in memory."""
    same = served.argmax(1) == in_memory.argmax(1)
    difference = np.abs(served - in_memory).max(axis=1)
    return {
        "rows": len(same),
        "other_class": int((~same).sum()),
        "share_same_class": float(same.mean()),
        "share_within_1e-5": float((difference < 1e-5).mean()),
        "largest_difference": round(float(difference.max()), 6),
    }
