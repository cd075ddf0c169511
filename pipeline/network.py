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
from ecg.beats import WINDOW
from pipeline.params import Network

ONNX_OPSET = 15
LEAST_PROBA = 1e-3
"""Added before the logarithm: below it a probability says nothing more."""

Epoch = tuple[NDArray[np.float32], NDArray[np.int64]]


def fix_seed(seed: int) -> None:
    """Make what follows repeatable to the byte on one kind of machine."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def define(params: Network) -> keras.Model:
    """Return windows (n, WINDOW, 2) -> [embedding (n, 5), proba (n, 5)].

    The embedding has one axis a class, the logarithm of its probability: axes of a kind that
    networks fitted to different beats share, so that trees may learn from all of them.
    """
    windows = keras.Input((WINDOW, 2), name="windows")
    x = windows
    for filters, size, stride in zip(params.filters, (9, 7, 5, 3), (2, 1, 1, 1), strict=True):
        x = keras.layers.Conv1D(filters, size, strides=stride, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.ReLU()(x)
        x = keras.layers.MaxPooling1D(2)(x)
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


def save(network: keras.Model, path: Path) -> None:
    """Write the weights alone: a .keras file carries the time of day, these bytes do not."""
    np.savez(path, *network.get_weights())


def load(path: Path, params: Network) -> keras.Model:
    """Define the network anew and give it the weights that `save` wrote."""
    network = define(params)
    with np.load(path, allow_pickle=False) as weights:
        network.set_weights([weights[name] for name in weights.files])
    return network


def to_onnx(network: keras.Model) -> onnx.ModelProto:
    """Convert windows -> embedding; the head that only training needs stays behind."""
    body = keras.Model(network.input, network.output[0])
    signature = [tf.TensorSpec((None, WINDOW, 2), tf.float32, name="windows")]
    function = tf.function(lambda windows: {"embedding": body(windows, training=False)})
    graph, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=ONNX_OPSET)
    return graph
