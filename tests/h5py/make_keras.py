#!/usr/bin/python3
"""Weight files in the layouts that Keras writes, with h5py, and what plain loops over their own weights give for some input.

Each layer is computed here as Keras defines it, from the weights in the order in which Keras stores them: nothing is transposed
on the way.  Writes into the folder keras of the folder that is named."""
import copy
import json
import math
import os
import sys

import h5py
import numpy

L, H, W, N = 3, 8, 7, 2
random = numpy.random.RandomState(11)


def values(*shape, low=-0.5, high=0.5):
    return random.uniform(low, high, shape).astype("f4")


def convolve(x, kernel, bias, flipped):
    """Channels first.  Keras 2: kernel (rows, columns, in, out), cross-correlation; flipped: (out, in, rows, columns), true."""
    rows, columns, outputs = (kernel.shape[2], kernel.shape[3], kernel.shape[0]) if flipped else (
        kernel.shape[0], kernel.shape[1], kernel.shape[3])
    y = numpy.zeros((outputs, x.shape[1] - rows + 1, x.shape[2] - columns + 1))
    for o in range(outputs):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                total = float(bias[o])
                for c in range(x.shape[0]):
                    for p in range(rows):
                        for q in range(columns):
                            if flipped:
                                total += kernel[o, c, p, q] * x[c, i + rows - 1 - p, j + columns - 1 - q]
                            else:
                                total += kernel[p, q, c, o] * x[c, i + p, j + q]
                y[o, i, j] = total
    return y


def dense(x, kernel, bias):
    y = [float(bias[o]) + sum(float(x[i]) * float(kernel[i, o]) for i in range(len(x))) for o in range(kernel.shape[1])]
    return numpy.array(y)


def normalise(x, w, epsilon):
    shape = [-1] + [1] * (x.ndim - 1)
    gamma, beta, mean, var = (w[k].astype("f8").reshape(shape) for k in ("gamma", "beta", "moving_mean", "moving_variance"))
    return gamma * (x - mean) / numpy.sqrt(var + epsilon) + beta


ACTIVATIONS = {"relu": lambda v: max(v, 0.0), "softplus": lambda v: math.log1p(math.exp(v)), "linear": lambda v: v,
               "exponential": math.exp}


def run(layers, weights, x, flipped=False):
    x = x.astype("f8")
    for layer in layers:
        kind, settings, w = layer["class_name"], layer["config"], weights.get(layer["config"]["name"])
        if kind in ("Conv2D", "Convolution2D"):
            x = convolve(x, w["kernel"], w["bias"], flipped)
        elif kind == "Dense":
            x = dense(x, w["kernel"], w.get("bias", numpy.zeros(w["kernel"].shape[1])))
        elif kind == "BatchNormalization":
            x = normalise(x, w, settings["epsilon"])
        elif kind == "Flatten":
            x = x.reshape(-1)
        elif kind == "Reshape":
            x = x.reshape(settings["target_shape"])
        if "activation" in settings:
            x = numpy.vectorize(ACTIVATIONS[settings["activation"]], otypes=[float])(x)
    return x


def layer(kind, name, **settings):
    return {"class_name": kind, "config": dict(name=name, **settings)}


def conv(name, filters, rows, columns, activation="linear", **settings):
    plain = dict(filters=filters, kernel_size=[rows, columns], strides=[1, 1], padding="valid", data_format="channels_first",
                 dilation_rate=[1, 1], activation=activation, use_bias=True)
    return layer("Conv2D", name, **dict(plain, **settings))


def norm_weights(n):
    return dict(gamma=values(n, low=-1, high=1.5), beta=values(n), moving_mean=values(n),
                moving_variance=values(n, low=0.2, high=2))


def write(path, config, weights, group=None, order=None):
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"2.1.5"
        file.attrs["backend"] = b"tensorflow"
        if config:
            file.attrs["model_config"] = json.dumps(config).encode()
        root = file.create_group(group) if group else file
        root.attrs["layer_names"] = [n.encode() for n in order]
        for name in order:
            inner = root.create_group(name)
            inner.attrs["weight_names"] = numpy.array(["%s/%s:0" % (name, w) for w in weights.get(name, {})], dtype="S")
            for w, value in weights.get(name, {}).items():
                inner["%s/%s:0" % (name, w)] = value


def names(layers):
    return [entry["config"]["name"] for entry in layers]


def keras2():
    """The bn_cnn of deep-retina, small: batch norm per unit, dense readout without bias."""
    first = conv("conv2d_1", 2, 3, 2, batch_input_shape=[None, L, H, W])
    layers = [first, layer("Flatten", "flatten_1"), layer("BatchNormalization", "bn_1", axis=-1, epsilon=1e-3),
              layer("Reshape", "reshape_1", target_shape=[2, 6, 6]), layer("GaussianNoise", "noise_1", stddev=0.05),
              layer("Activation", "activation_1", activation="relu"), conv("conv2d_2", 3, 2, 3),
              layer("Flatten", "flatten_2"), layer("BatchNormalization", "bn_2", axis=-1, epsilon=1e-3),
              layer("Activation", "activation_2", activation="relu"),
              layer("Dense", "dense_1", units=N, activation="linear", use_bias=False),
              layer("BatchNormalization", "bn_3", axis=-1, epsilon=1e-3),
              layer("Activation", "activation_3", activation="softplus")]
    weights = {"conv2d_1": dict(kernel=values(3, 2, L, 2), bias=values(2)), "bn_1": norm_weights(72),
               "conv2d_2": dict(kernel=values(2, 3, 2, 3), bias=values(3)), "bn_2": norm_weights(60),
               "dense_1": dict(kernel=values(60, N)), "bn_3": norm_weights(N)}
    return layers, weights


def functional():
    """A functional model: batch norm per channel on maps, activations inside layers."""
    layers = [layer("InputLayer", "input_1", batch_input_shape=[None, L, H, W]), conv("conv2d_1", 4, 3, 3, "relu"),
              layer("BatchNormalization", "bn_1", axis=[1], epsilon=1e-2), layer("Dropout", "dropout_1", rate=0.5),
              layer("Flatten", "flatten_1"), layer("Dense", "dense_1", units=N, activation="exponential", use_bias=True)]
    for before, entry in zip(layers, layers[1:]):
        entry["inbound_nodes"] = [[[before["config"]["name"], 0, 0, {}]]]
    weights = {"conv2d_1": dict(kernel=values(3, 3, L, 4), bias=values(4)), "bn_1": norm_weights(4),
               "dense_1": dict(kernel=values(120, N, low=-0.05, high=0.05), bias=values(N))}
    return layers, weights


def old(folder):
    """Before 1.0: numbered groups, true convolutions, the layers in a file beside."""
    os.makedirs(os.path.join(folder, "old"), exist_ok=True)
    layers = [layer("Convolution2D", "a"), layer("Activation", "b", activation="relu"), layer("Flatten", "c"),
              layer("Dense", "d"), layer("Activation", "e", activation="relu"), layer("Dense", "f", activation="softplus")]
    weights = {"a": dict(kernel=values(2, L, 3, 2), bias=values(2)), "d": dict(kernel=values(72, 5), bias=values(5)),
               "f": dict(kernel=values(5, N), bias=values(N))}
    flat = [dict(name="Convolution2D", nb_filter=2, nb_row=3, nb_col=2, border_mode="valid", subsample=[1, 1],
                 dim_ordering="th", activation="linear", input_shape=[L, H, W]), dict(name="Activation", activation="relu"),
            dict(name="Flatten"), dict(name="Dense", output_dim=5, activation="linear"),
            dict(name="Activation", activation="relu"), dict(name="Dense", output_dim=N, activation="softplus")]
    with open(os.path.join(folder, "old", "architecture.json"), "w") as file:
        json.dump(dict(name="Sequential", layers=flat, loss="poisson_loss"), file)
    with h5py.File(os.path.join(folder, "old", "weights.h5"), "w") as file:
        file.attrs["nb_layers"] = len(layers)
        for k, entry in enumerate(layers):
            group = file.create_group("layer_%d" % k)
            parameters = list(weights.get(entry["config"]["name"], {}).values())
            group.attrs["nb_params"] = len(parameters)
            for i, value in enumerate(parameters):
                group["param_%d" % i] = value
    return layers, weights


def ln():
    """A dense layer on the flattened stimulus."""
    layers = [layer("Flatten", "flatten_1", batch_input_shape=[None, L, H, W]),
              layer("Dense", "dense_1", units=N, activation="softplus", use_bias=True)]
    return layers, {"dense_1": dict(kernel=values(L * H * W, N, low=-0.1, high=0.1), bias=values(N))}


def wrong(folder, layers, weights):
    """The first model with one thing wrong."""
    def variant(name, change, **more):
        changed, kept = copy.deepcopy(layers), dict(weights)
        config = change(changed, kept)
        config = {"class_name": "Sequential", "config": changed} if config is None else config
        write(os.path.join(folder, name), config, kept, order=names(changed), **more)

    def setting(index, **settings):
        return lambda c, w: c[index]["config"].update(settings)

    def nan(_, w):
        w["conv2d_2"] = dict(w["conv2d_2"], kernel=numpy.full((2, 3, 2, 3), numpy.nan, "f4"))

    def axis(c, _):
        c[1:2] = []
        c[1]["config"]["axis"] = -1

    def branch(c, _):
        c[2]["inbound_nodes"] = [[["conv2d_1", 0, 0, {}], ["flatten_1", 0, 0, {}]]]
    variant("same.h5", setting(0, padding="same"))
    variant("last.h5", setting(0, data_format="channels_last"))
    variant("stride.h5", setting(6, strides=[2, 1]))
    variant("tanh.h5", setting(5, activation="tanh"))
    variant("pool.h5", lambda c, w: c.insert(1, layer("MaxPooling2D", "pool")))
    variant("nan.h5", nan)
    variant("missing.h5", lambda c, w: w.pop("dense_1") and None)
    variant("axis.h5", axis)
    variant("branch.h5", branch)
    variant("noinput.h5", lambda c, w: c[0]["config"].pop("batch_input_shape") and None)
    variant("weights_only.h5", lambda c, w: {})


def main():
    folder = os.path.join(sys.argv[1], "keras")
    os.makedirs(folder, exist_ok=True)
    made = {"keras2.h5": keras2(), "functional.h5": functional(), "old/weights.h5": old(folder), "ln.h5": ln()}
    layers, weights = made["keras2.h5"]
    write(os.path.join(folder, "keras2.h5"), {"class_name": "Sequential", "config": layers}, weights, order=names(layers))
    wrong(folder, layers, weights)
    layers, weights = made["functional.h5"]
    write(os.path.join(folder, "functional.h5"), {"class_name": "Model", "config": {"name": "m", "layers": layers}}, weights,
          "model_weights", names(layers))
    layers, weights = made["ln.h5"]
    write(os.path.join(folder, "ln.h5"), {"class_name": "Sequential", "config": {"layers": layers}}, weights,
          order=names(layers))
    with h5py.File(os.path.join(folder, "expected.h5"), "w") as file:
        for name, (layers, weights) in made.items():
            x = random.normal(size=(3, L, H, W)).astype("f4")
            file[name + "/input"] = x
            file[name + "/output"] = numpy.array([run(layers, weights, one, name.startswith("old")) for one in x])


main()
