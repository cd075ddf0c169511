"""A made-up search, judged in no time."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from pipeline import study
from pipeline.spaces import Range


class Judge:
    """Scores by the distance of `rate` from 0.05, on folds from easy to hard; notes what it saw."""

    def __init__(self) -> None:
        self.tried: list[study.Values] = []
        self.judged = 0
        self.stop_at: int | None = None

    def __call__(self, values: study.Values) -> Iterator[float]:
        self.tried.append(values)
        for easy in (0.9, 0.7, 0.5, 0.3, 0.1):
            self.judged += 1
            if self.judged == self.stop_at:
                raise KeyboardInterrupt
            yield easy - min(abs(np.log(values["rate"] / 0.05)), 4) / 50


def a_task(judge: Judge, rate: float = 0.123456789, **other: Any) -> study.Task:
    space = {"rate": Range(0.001, 1.0, log=True), "depth": Range(2, 9)}
    task = study.Task(
        "made-up",
        ("models", "made-up"),
        space,
        {"rate": rate, "depth": 4},
        {"data": "1", "seed": "2"},
        judge,
        seed=3,
    )
    return replace(task, **other)
