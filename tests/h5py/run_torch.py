#!/usr/bin/python3
"""Load an exported model into PyTorch's own modules, strictly, and store what they give for some windows.

    run_torch.py FILE

adds check/input and check/output to FILE, which retcodec convert compares with its own."""
import json
import sys

import h5py
import torch
from torch import nn


def module_of(entry, tensors):
    """The module of an entry of layers_json, with the sizes of its tensors."""
    kind, shape = entry["class"], tensors.get(entry["name"] + ".weight", torch.zeros(0)).shape
    bias = entry["name"] + ".bias" in tensors
    if kind == "Conv2d":
        return nn.Conv2d(shape[1], shape[0], tuple(shape[2:]), bias=bias)
    if kind == "Linear":
        return nn.Linear(shape[1], shape[0], bias=bias)
    if kind in ("BatchNorm1d", "BatchNorm2d"):
        return getattr(nn, kind)(shape[0], eps=entry["eps"])
    if kind == "GaussianNoise":
        noise = nn.Identity()
        noise.sigma = nn.Parameter(torch.zeros(1))
        return noise
    return {"ReLU": nn.ReLU, "Softplus": nn.Softplus}[kind]()


class Model(nn.Module):
    def __init__(self, layers, tensors):
        super().__init__()
        self.sequential = nn.ModuleDict({entry["name"].split(".")[1]: module_of(entry, tensors) for entry in layers})

    def forward(self, x):
        for module in self.sequential.values():
            x = module(x.flatten(1) if isinstance(module, nn.Linear) else x)
        return x


def main():
    torch.manual_seed(3)
    with h5py.File(sys.argv[1], "r+") as file:
        tensors = {name: torch.from_numpy(data[...]) if data.ndim else torch.tensor(int(data[()]))
                   for name, data in file["state_dict"].items()}
        model = Model(json.loads(file.attrs["layers_json"]), tensors)
        model.load_state_dict(tensors)
        model.eval()
        windows = torch.randn([5] + json.loads(file.attrs["hyps_json"])["img_shape"])
        with torch.no_grad():
            outputs = model(windows)
        file["check/input"], file["check/output"] = windows.numpy(), outputs.numpy()


main()
