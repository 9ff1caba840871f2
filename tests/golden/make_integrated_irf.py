#!/usr/bin/env python3
"""Integrated receptive fields by PyTorch's autograd, in double precision, for tests/check_irf_integrated.c.

    python3 make_integrated_irf.py    reads tiny_wn.h5 beside it and writes integrated_irf.h5

The model is the RetinotopicModel of that file, evaluated: [convolution, batch norm, ReLU] twice, convolution, batch norm,
softplus, one position per unit.  For some windows x (D,H,W) and all units, along x(alpha) = alpha x:

    /window (K)                       numbers of the windows
    /trapezium (U,K,D,H,W) f4         mean gradient by trapezia of 20 steps, as bscope places them
    /limit (U,K,D,H,W) f4             mean gradient by the middles of 4096 steps
    /change (U,K) f8                  rate at x less rate at 0

The integrated receptive field is the mean gradient times x.  Written with PyTorch 1.13; kept so that it can be made again."""
import os

import h5py
import numpy
import torch

WINDOWS = (9, 29, 36)
STEPS, FINE = 20, 4096
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def normalised(x, state, k):
    """Batch norm of module k, evaluated."""
    part = {name: state[f"sequential.{k}.{name}"][:, None, None] for name in ("running_mean", "running_var", "scale", "shift")}
    return (x - part["running_mean"]) / torch.sqrt(part["running_var"] + 1e-3) * part["scale"].abs() + part["shift"]


def rates(x, state, positions):
    """Rates (B,U) of windows (B,D,H,W)."""
    for k in (0, 4, 8):
        x = torch.nn.functional.conv2d(x, state[f"sequential.{k}.weight"], state[f"sequential.{k}.bias"])
        x = normalised(x, state, k + 1)
        x = torch.relu(x) if k < 8 else torch.nn.functional.softplus(x)
    return torch.stack([x[:, u, row, column] for u, (row, column) in enumerate(positions)], 1)


def gradients(x, alphas, unit, state, positions):
    """Of the rate of a unit at alpha x, (A,D,H,W)."""
    scaled = (torch.tensor(alphas)[:, None, None, None] * x).requires_grad_()
    return torch.autograd.grad(rates(scaled, state, positions)[:, unit].sum(), scaled)[0]


def main():
    folder = os.path.dirname(os.path.abspath(__file__))
    with h5py.File(os.path.join(folder, "tiny_wn.h5")) as f:
        state = {name: torch.tensor(data[()].astype(float)) for name, data in f["state_dict"].items()}
        positions = f["onehot"][()]
        mean, std = numpy.float32(f["norm_stats/mean"][()]), numpy.float32(f["norm_stats/std"][()])
        movie = torch.tensor(((f["stimulus"][()].astype("f4") - mean) / std).astype(float))
    history = state["sequential.0.weight"].shape[1]
    shape = (len(positions), len(WINDOWS), history) + movie.shape[1:]
    trapezium, limit, change = numpy.zeros(shape), numpy.zeros(shape), numpy.zeros(shape[:2])
    for k, window in enumerate(WINDOWS):
        x = movie[window : window + history]
        ends = rates(torch.stack([torch.zeros_like(x), x]), state, positions)
        for unit in range(len(positions)):
            ladder = gradients(x, numpy.arange(STEPS + 1) / STEPS, unit, state, positions)
            trapezium[unit, k] = (ladder[1:] + ladder[:-1]).mean(0) / 2
            middles = (numpy.arange(FINE) + 0.5) / FINE
            parts = [gradients(x, part, unit, state, positions).mean(0) for part in middles.reshape(16, -1)]
            limit[unit, k] = torch.stack(parts).mean(0)
            change[unit, k] = ends[1, unit] - ends[0, unit]
    with h5py.File(os.path.join(folder, "integrated_irf.h5"), "w") as f:
        f["window"] = numpy.array(WINDOWS, dtype="i8")
        for name, value in (("trapezium", trapezium), ("limit", limit)):
            f.create_dataset(name, data=value.astype("f4"), compression="gzip", compression_opts=9, shuffle=True)
        f["change"] = change


main()
