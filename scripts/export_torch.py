#!/usr/bin/env python3
"""Export a torch-deep-retina checkpoint (.pt) as an HDF5 file that retcodec reads.

    python3 export_torch.py 15-11-21b_naturalscene.pt -o checkpoint.h5
    retcodec convert checkpoint.h5 -o model.h5

Needs PyTorch, NumPy and h5py.  Where the package torchdeepretina can be imported its own loader makes the model: then readout
positions, classes of layers and outputs for a few windows are exported too, and retcodec convert compares its outputs with
those.  Without it the tensors and settings in the checkpoint are exported as they stand, and retcodec tells the layers from the
names of the tensors.

A checkpoint is a pickle: loading one runs code that it holds.  Open only files from people you trust."""
import argparse
import json
import os
import sys

import h5py
import numpy
import torch

# Rows of `response` with good receptive fields, and the centres of these (row, column) in the 50 x 50 movie, of the published
# recordings: what "all" cells means there.
CELLS = {
    "15-10-07": [0, 1, 2, 3, 4],
    "15-11-21a": [6, 10, 12, 13],
    "15-11-21b": [0, 1, 3, 5, 8, 9, 13, 14, 16, 17, 18, 20, 21, 22, 23, 24, 25],
    "16-01-07": [0, 2, 7, 10, 11, 12, 31],
    "16-01-08": [0, 3, 7, 9, 11],
    "16-05-31": [2, 3, 4, 14, 16, 18, 20, 25, 27],
}
CENTERS = {
    "15-10-07": [(21, 18), (24, 20), (22, 18), (27, 18), (31, 20)],
    "15-11-21a": [(37, 3), (39, 6), (20, 15), (41, 2)],
    "15-11-21b": [(16, 13), (20, 12), (19, 7), (19, 3), (21, 7), (22, 6), (21, 7), (25, 3), (23, 6), (26, 4), (24, 6), (26, 7),
                  (27, 9), (26, 9), (27, 11), (26, 13), (24, 10)],
}

CHECK_WINDOWS = 6


def fail(message):
    sys.exit("export_torch.py: " + message)


def load_checkpoint(path):
    """The pickled dictionary, on the CPU.  Newer PyTorch must be told that it may hold more than tensors."""
    try:
        data = torch.load(path, map_location="cpu", weights_only=False)
    except TypeError:
        data = torch.load(path, map_location="cpu")
    if not isinstance(data, dict):
        fail("%s: holds a %s, a dictionary was expected" % (path, type(data).__name__))
    return data


def load_model(path):
    """The model as its own package makes it, in evaluation mode, or None."""
    try:
        from torchdeepretina.io import load_model as load
    except ImportError:
        return None
    model = load(path)
    model.eval()
    return model


def settings_of(data):
    """The hyperparameters: their own entry, and whatever stands beside it at top level."""
    known = dict(data.get("hyps") or data.get("model_hyps") or {})
    beside = ("dataset", "cells", "stim_type", "img_shape", "n_units", "centers", "chans", "ksizes", "bnorm_d", "bnaftrelu",
              "abs_bias", "inference_exp", "softplus")
    for key in beside:
        if key in data and key not in known:
            known[key] = data[key]
    return known


def plain(value):
    """What JSON can hold, arrays as lists; KeyError for what it cannot."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, numpy.generic):
        return value.item()
    if isinstance(value, (numpy.ndarray, torch.Tensor)):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    raise KeyError(type(value).__name__)


def to_json(settings):
    """Settings as JSON, without those that JSON cannot hold."""
    kept = {}
    for key, value in settings.items():
        try:
            json.dumps(plain(value), allow_nan=False)
        except (KeyError, ValueError):
            print("left out: setting %s" % key)
        else:
            kept[str(key)] = plain(value)
    return json.dumps(kept)


def apply_zero_dict(tensors, zero_dict):
    """Set pruned channels to zero: {layer: channels}; the layer's output channel c is zero when its weights and bias are.  Of a
    stack of convolutions the last one makes the output."""
    for layer, channels in (zero_dict or {}).items():
        prefix = str(layer) + "."
        weights = [n for n in tensors if n.startswith(prefix) and n.endswith("weight") and tensors[n].ndim in (2, 4)]
        if not weights:
            fail("zero_dict names the layer %s, which has no weights" % layer)
        last = max(weights, key=lambda n: [int(part) for part in n.split(".") if part.isdigit()])
        for name in (last, last[:-len("weight")] + "bias"):
            for channel in channels:
                if name in tensors:
                    tensors[name][int(channel)] = 0
    return tensors


def tensors_of(data, model):
    """All tensors by name, floats as float32 and integers as int64, pruning applied."""
    state = data.get("model_state_dict", data.get("state_dict"))
    if model is not None:
        state = model.state_dict()
    if not state:
        fail("the checkpoint holds no model_state_dict")
    tensors = {name: tensor.detach().cpu().clone() for name, tensor in state.items()}
    apply_zero_dict(tensors, data.get("zero_dict"))
    return {name: tensor.numpy().astype("f4" if tensor.is_floating_point() else "i8") for name, tensor in tensors.items()}


def layers_of(model):
    """Name, class and settings of every module in order, or None where the model is no plain sequence."""
    if model is None or not hasattr(model, "sequential"):
        return None
    layers = []
    for number, module in enumerate(model.sequential):
        entry = {"name": "sequential.%d" % number, "class": type(module).__name__}
        for key in ("eps", "abs_bias"):
            if hasattr(module, key):
                entry[key] = plain(getattr(module, key))
        if hasattr(module, "sigma"):
            entry["sigma"] = float(numpy.ravel(plain(module.sigma.detach()))[0])
        layers.append(entry)
    return layers


def positions_of(model):
    """Row and column of every cell in the last map, from GrabUnits; None where there is none."""
    for module in getattr(model, "sequential", []):
        if type(module).__name__ == "GrabUnits":
            return numpy.asarray(module.coords.tolist(), dtype="i8")
    return None


def cells_of(settings, tensors, given):
    """Rows of `response`: as given, as stored, or those that "all" stands for."""
    cells = given if given is not None else settings.get("cells", "all")
    if isinstance(cells, str):
        dataset = str(settings.get("dataset", ""))
        if dataset in CELLS:
            return CELLS[dataset]
        n = settings.get("n_units")
        if n is None:
            fail('"all" cells of the dataset "%s" are not known: name them (--cells 0,1,5)' % dataset)
        return list(range(int(n)))
    return [int(cell) for cell in numpy.ravel(plain(cells))]


def centers_of(settings, cells):
    """Centres as stored, or of the published recordings; None."""
    if settings.get("centers"):
        return numpy.asarray(plain(settings["centers"]), dtype="i8")
    dataset = str(settings.get("dataset", ""))
    known = dict(zip(CELLS.get(dataset, []), CENTERS.get(dataset, [])))
    if known and all(cell in known for cell in cells):
        return numpy.asarray([known[cell] for cell in cells], dtype="i8")
    return None


def statistics(stats):
    """(mean, std) of a dictionary or pair of numbers, or None."""
    if stats is None:
        return None
    mean, std = (stats["mean"], stats["std"]) if isinstance(stats, dict) else stats
    return float(numpy.ravel(plain(mean))[0]), float(numpy.ravel(plain(std))[0])


def check_windows(model, shape):
    """Windows of normal deviates and the outputs of the model for them."""
    windows = torch.from_numpy(numpy.random.RandomState(1).standard_normal((CHECK_WINDOWS,) + tuple(shape)).astype("f4"))
    with torch.no_grad():
        return windows.numpy(), model(windows).numpy().astype("f4")


def write(path, data, model, given_cells):
    settings = settings_of(data)
    tensors = tensors_of(data, model)
    cells = cells_of(settings, tensors, given_cells)
    layers, positions, centers = layers_of(model), positions_of(model), centers_of(settings, cells)
    norm = statistics(data.get("norm_stats"))
    if norm is None:
        fail("the checkpoint holds no norm_stats: the stimulus normalisation of the model is unknown")
    scale = statistics(data.get("y_stats"))
    if model is not None:  # the outputs to compare with are those of the pruned model
        model.load_state_dict({name: torch.from_numpy(value) for name, value in tensors.items()})
    with h5py.File(path + ".part", "w") as file:
        file.attrs["format"] = "retcodec-checkpoint"
        file.attrs["format_version"] = numpy.int32(1)
        file.attrs["model_type"] = str(data.get("model_type", type(model).__name__))
        file.attrs["hyps_json"] = to_json(settings)
        for key in ("dataset", "stim_type"):
            if key in settings:
                file.attrs[key] = str(settings[key])
        if layers is not None:
            file.attrs["layers_json"] = json.dumps(layers)
        for name, value in tensors.items():
            file["state_dict/" + name] = value
        file["norm_stats/mean"], file["norm_stats/std"] = norm
        file["cells"] = numpy.asarray(cells, dtype="i8")
        if positions is not None:
            file["grab_units/coords"] = positions
        if centers is not None:
            file["centers"] = centers
        if scale is not None:
            file["y_stats/mean"], file["y_stats/std"] = scale
        if model is not None and "img_shape" in settings:
            file["check/input"], file["check/output"] = check_windows(model, settings["img_shape"])
    os.replace(path + ".part", path)
    print("%s: %d tensors, %d cells%s" % (path, len(tensors), len(cells),
                                          "" if model is not None else "; torchdeepretina is not installed: no layers, no check"))


def numbers(text):
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError("whole numbers with commas between them were expected: 0,1,5")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", help="file written by torch-deep-retina (.pt)")
    parser.add_argument("-o", "--output", required=True, help="HDF5 file to write")
    parser.add_argument("-f", "--force", action="store_true", help="replace a file that exists")
    parser.add_argument("--cells", type=numbers, help="rows of the recording's responses; as stored unless given")
    parser.add_argument("--no-loader", action="store_true", help="do not use torchdeepretina even where it is installed")
    arguments = parser.parse_args()
    if os.path.exists(arguments.output) and not arguments.force:
        fail("%s exists already (--force replaces it)" % arguments.output)
    data = load_checkpoint(arguments.checkpoint)
    model = None if arguments.no_loader else load_model(arguments.checkpoint)
    write(arguments.output, data, model, arguments.cells)


if __name__ == "__main__":
    main()
