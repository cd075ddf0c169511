"""The convolutional network: define, fit, embed, convert. TensorFlow stays in this file."""

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from numpy.typing import NDArray
from tqdm import tqdm

from ecg.aami import CLASSES
from ecg.beats import KACHUEE, SHAPES, WINDOW, Beats
from ecg.context import CONTEXT
from pipeline.params import Network, NetworkModel, RhythmNetwork

ONNX_OPSET = 15
LEAST_PROBA = 1e-3
"""Added before the logarithm: below it a probability says nothing more."""

_CONVOLUTIONS = ((9, 2), (7, 1), (5, 1), (3, 1))
"""Size and stride of each layer."""
_STEP = 4
"""Samples that a recurrent layer without convolutions reads at a time, 32 ms."""

RhythmParts = tuple[keras.Model, keras.Model]
_RHYTHM_FILES = ("segments.npz", "stretches.npz")
Epoch = tuple[NDArray[np.float32], NDArray[np.int64]]


def fix_seed(seed: int) -> None:
    """Make what follows repeatable to the byte on one kind of machine."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def one_thread() -> None:
    """Keep to one core: two networks beside each other are done before two one after the other."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def define(params: Network) -> keras.Model:
    """Return windows (n, WINDOW, 2) -> [embedding (n, 5), proba (n, 5)].

    The embedding has one axis a class, the logarithm of its probability: axes of a kind that
    networks fitted to different beats share, so that trees may learn from all of them.
    """
    windows = keras.Input((WINDOW, 2), name="windows")
    x = windows
    for filters, (size, stride) in zip(params.filters, _CONVOLUTIONS, strict=True):
        x = _convolved(x, filters, size, stride)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dropout(params.dropout)(x)
    x = keras.layers.Dense(params.hidden, activation="relu")(x)
    x = keras.layers.Dropout(params.dropout)(x)
    proba = keras.layers.Dense(len(CLASSES), activation="softmax", name="proba")(x)
    embedding = keras.layers.Lambda(_log, name="embedding")(proba)
    return keras.Model(windows, [embedding, proba])


def _log(proba: tf.Tensor) -> tf.Tensor:
    return keras.ops.log(proba + LEAST_PROBA)


def fit(network: keras.Model, epochs: Iterator[Epoch], params: Network) -> list[float]:
    """Fit to (windows, label) of each epoch in turn, the rate falling; return the losses."""
    head = keras.Model(network.input, network.output[1])
    head.compile(keras.optimizers.Adam(params.learning_rate), "sparse_categorical_crossentropy")
    losses = []
    bar = tqdm(total=params.epochs, desc="network", unit="epoch", disable=None, leave=False)
    for epoch, (windows, label) in enumerate(epochs):
        head.optimizer.learning_rate = params.learning_rate * (1.05 - epoch / params.epochs)
        found = head.fit(windows, label, batch_size=params.batch, epochs=1, verbose=0)
        losses.append(float(found.history["loss"][0]))
        bar.update()
    bar.close()
    return losses


def embed(network: keras.Model, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the embedding (n, 5) of windows (n, WINDOW, 2)."""
    if not len(windows):
        return np.empty((0, len(CLASSES)), np.float32)
    return np.asarray(network.predict(windows, batch_size=2048, verbose=0)[0])


def save(network: keras.Model, path: Path, **more: NDArray[np.float32]) -> None:
    """Write the weights alone, and `more`: a .keras file carries the time of day, these do not."""
    np.savez(path, *network.get_weights(), allow_pickle=False, **more)


def load(path: Path, params: Network) -> keras.Model:
    """Define the network anew and give it the weights that `save` wrote."""
    network = define(params)
    _set_weights(network, path)
    return network


def _set_weights(network: keras.Model, path: Path) -> None:
    with np.load(path, allow_pickle=False) as weights:
        network.set_weights([weights[name] for name in weights.files])


def to_onnx(network: keras.Model) -> onnx.ModelProto:
    """Convert windows -> embedding; the head that only training needs stays behind."""
    return _converted(keras.Model(network.input, network.output[0]), "embedding")


def classifier_to_onnx(network: keras.Model) -> onnx.ModelProto:
    """Convert windows, context -> raw, probabilities that are not calibrated."""
    return _converted(network, "raw")


def _converted(network: keras.Model, output: str) -> onnx.ModelProto:
    signature = [
        tf.TensorSpec((None, *one.shape[1:]), tf.float32, name=one.name) for one in network.inputs
    ]
    one = len(signature) == 1
    function = tf.function(
        lambda *given: {output: network(given[0] if one else list(given), training=False)}
    )
    graph, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=ONNX_OPSET)
    return graph


def define_classifier(wanted: NetworkModel, view: str) -> keras.Model:
    """Return [windows (n, length, channels), context (n, len(CONTEXT))] -> proba (n, 5).

    Convolutions and a recurrent layer where asked for; the context, standardised, joins before the
    head. A view without context has networks of windows alone.
    """
    windows = keras.Input(SHAPES[view], name="windows")
    x = windows
    for filters, (size, stride) in zip(wanted.filters, _CONVOLUTIONS, strict=False):
        x = _convolved(x, filters, size, stride)
    if wanted.units and not wanted.filters:
        length, channels = SHAPES[view]
        x = keras.layers.Cropping1D((0, length % _STEP))(x)
        x = keras.layers.Reshape((length // _STEP, _STEP * channels))(x)
    x = keras.layers.LSTM(wanted.units)(x) if wanted.units else keras.layers.Flatten()(x)
    inputs = [windows]
    if view != KACHUEE:
        context = keras.Input((len(CONTEXT),), name="context")
        inputs.append(context)
        x = keras.layers.Concatenate()([x, context])
    for _ in range(2):
        x = keras.layers.Dropout(wanted.dropout)(x)
        x = keras.layers.Dense(wanted.hidden, activation="relu")(x)
    return keras.Model(inputs, keras.layers.Dense(len(CLASSES), activation="softmax")(x))


def fit_classifier(
    network: keras.Model,
    learnt: tuple[Beats, NDArray[np.int64], NDArray[np.float64]],
    valid: tuple[Beats, NDArray[np.int64]],
    wanted: NetworkModel,
) -> None:
    """Fit to beats of standardised context, labels and weights.

    With `patience`, until `valid` gains nothing more.

    The rate falls from epoch to epoch, or by half where `valid` stands still.
    """
    beats, label, weight = learnt
    callbacks = [
        keras.callbacks.LearningRateScheduler(
            lambda epoch: wanted.learning_rate * (1.05 - epoch / wanted.epochs)
        )
    ]
    more = {}
    if wanted.patience:
        callbacks = [
            keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=max(wanted.patience // 2, 1)),
            keras.callbacks.EarlyStopping(patience=wanted.patience, restore_best_weights=True),
        ]
        more = {"validation_data": (_fed(network, valid[0]), valid[1])}
    network.compile(keras.optimizers.Adam(wanted.learning_rate), "sparse_categorical_crossentropy")
    network.fit(
        _fed(network, beats),
        label,
        sample_weight=weight,
        batch_size=wanted.batch,
        epochs=wanted.epochs,
        callbacks=callbacks,
        verbose=0,
        **more,
    )


def classify(network: keras.Model, beats: Beats) -> NDArray[np.float64]:
    """Return proba (n, 5) of beats whose context is standardised."""
    if not len(beats):
        return np.empty((0, len(CLASSES)))
    found = network.predict(_fed(network, beats), batch_size=2048, verbose=0)
    return np.asarray(found, np.float64)


def _fed(network: keras.Model, beats: Beats) -> list[NDArray[np.float32]]:
    return [np.asarray(getattr(beats, one.name)) for one in network.inputs]


def _convolved(x: keras.KerasTensor, filters: int, size: int, stride: int) -> keras.KerasTensor:
    x = keras.layers.Conv1D(filters, size, strides=stride, padding="same", use_bias=False)(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.ReLU()(x)
    return keras.layers.MaxPooling1D(2)(x)


def define_rhythm(wanted: RhythmNetwork, shape: tuple[int, int], rhythms: int) -> RhythmParts:
    """Return segments -> steps, and steps of whole stretches -> embedding (n, rhythms).

    shape: segments of a stretch, samples of a segment. The embedding is the logit of each rhythm:
    of several networks, and of several stretches, it may be averaged.
    """
    together, samples = shape
    segments = keras.Input((samples,), name="segments")
    x = keras.layers.Reshape((samples, 1))(segments)
    for filters, size, stride in zip(wanted.filters, wanted.sizes, wanted.strides, strict=True):
        x = keras.layers.Conv1D(filters, size, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.ReLU()(x)
        x = keras.layers.MaxPooling1D(stride)(x) if stride > 1 else x
    below = keras.Model(segments, x)
    length, channels = x.shape[1:]
    steps = keras.Input((together * length, channels), name="steps")
    y = keras.layers.Dropout(wanted.dropout)(steps)
    y = keras.layers.Bidirectional(keras.layers.GRU(wanted.units, return_sequences=True))(y)
    y = keras.layers.Concatenate()(
        [keras.layers.GlobalMaxPooling1D()(y), keras.layers.GlobalAveragePooling1D()(y)]
    )
    y = keras.layers.Dropout(wanted.dropout)(y)
    return below, keras.Model(steps, keras.layers.Dense(rhythms)(y))


def fit_rhythm(
    parts: RhythmParts,
    epochs: Iterator[Epoch],
    weight: NDArray[np.float64],
    wanted: RhythmNetwork,
) -> None:
    """Fit to (stretches (n, segments, samples), label) of each epoch, the rate falling.

    weight: (4,) of each rhythm.
    """
    whole = _joined(*parts)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    whole.compile(keras.optimizers.Adam(wanted.learning_rate, clipnorm=1.0), loss)
    bar = tqdm(total=wanted.epochs, desc="network", unit="epoch", disable=None, leave=False)
    for epoch, (stretches, label) in enumerate(epochs):
        whole.optimizer.learning_rate = wanted.learning_rate * (1.02 - epoch / wanted.epochs)
        whole.fit(stretches, label, sample_weight=weight[label], batch_size=wanted.batch, verbose=0)
        bar.update()
    bar.close()


def embed_rhythm(parts: RhythmParts, stretches: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the embedding (n, 4) of stretches (n, segments, samples)."""
    return np.asarray(_joined(*parts).predict(stretches, batch_size=256, verbose=0))


def save_rhythm(parts: RhythmParts, folder: Path) -> None:
    """Write the weights of both parts."""
    for part, name in zip(parts, _RHYTHM_FILES, strict=True):
        save(part, folder / name)


def load_rhythm(parts: RhythmParts, folder: Path) -> None:
    """Give both parts the weights that `save_rhythm` wrote."""
    for part, name in zip(parts, _RHYTHM_FILES, strict=True):
        _set_weights(part, folder / name)


def rhythm_to_onnx(parts: RhythmParts) -> tuple[onnx.ModelProto, ...]:
    """Convert segments -> steps and steps -> embedding."""
    return _converted(parts[0], "steps"), _converted(parts[1], "embedding")


def _joined(below: keras.Model, above: keras.Model) -> keras.Model:
    together = above.input_shape[1] // below.output_shape[1]
    stretches = keras.Input((together, below.input_shape[1]))
    parts = [below(stretches[:, k]) for k in range(together)]
    return keras.Model(stretches, above(keras.layers.Concatenate(axis=1)(parts)))
