"""The convolutional network: define, fit, embed, convert. TensorFlow stays in this file."""

from pathlib import Path

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from numpy.typing import NDArray
from tqdm.keras import TqdmCallback

from ecg.aami import CLASSES
from ecg.beats import WINDOW
from pipeline.params import Network

ONNX_OPSET = 15


def fix_seed(seed: int) -> None:
    """Make what follows repeatable to the byte on one kind of machine."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def define(params: Network) -> keras.Model:
    """Return windows (n, WINDOW, 2) -> [embedding (n, embedding), proba (n, 5)]."""
    windows = keras.Input((WINDOW, 2), name="windows")
    x = windows
    for filters, size, stride in zip(params.filters, (9, 7, 5, 3), (2, 1, 1, 1), strict=True):
        x = keras.layers.Conv1D(filters, size, strides=stride, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.ReLU()(x)
        x = keras.layers.MaxPooling1D(2)(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dropout(params.dropout)(x)
    embedding = keras.layers.Dense(params.embedding, activation="relu", name="embedding")(x)
    x = keras.layers.Dropout(params.dropout)(embedding)
    proba = keras.layers.Dense(len(CLASSES), activation="softmax", name="proba")(x)
    return keras.Model(windows, [embedding, proba])


def fit(
    network: keras.Model,
    training: tuple[NDArray[np.float32], NDArray[np.int64]],
    validation: tuple[NDArray[np.float32], NDArray[np.int64]],
    params: Network,
) -> dict[str, list[float]]:
    """Fit to (windows, label); the best epoch by validation loss is kept. Return the history."""
    head = keras.Model(network.input, network.output[1])
    head.compile(
        keras.optimizers.Adam(params.learning_rate),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = head.fit(
        *training,
        validation_data=validation,
        batch_size=params.batch,
        epochs=params.epochs,
        verbose=0,
        callbacks=[
            keras.callbacks.EarlyStopping(
                "val_loss", patience=params.patience, restore_best_weights=True
            ),
            keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.4, patience=1, min_lr=5e-5),
            TqdmCallback(verbose=0, desc="network"),
        ],
    )
    return {name: [float(v) for v in values] for name, values in history.history.items()}


def embed(network: keras.Model, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the embedding (n, embedding) of windows (n, WINDOW, 2)."""
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
