"""Stage `features`: the engineered features of every beat, in its recording and alone."""

import numpy as np

from ecg.beats import RECORDING
from ecg.features import engineered
from pipeline import dataset


def main() -> None:
    beats = dataset.load()
    every = np.arange(len(beats.label))
    alone = dataset.lone_beats(beats, every, np.asarray(beats.beats.context))
    for view, some in ((RECORDING, beats.beats), (alone.view, alone)):
        dataset.save_features(engineered(some), view)


if __name__ == "__main__":
    main()
