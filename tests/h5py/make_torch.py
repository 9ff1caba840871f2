#!/usr/bin/python3
"""A checkpoint as torch-deep-retina saves it, made with PyTorch, and a package that stands for its loader.

    make_torch.py FOLDER

writes FOLDER/checkpoint.pt, a VaryModel with stacked convolutions, a pruned channel and a position per cell, and
FOLDER/torchdeepretina, which makes the model again."""
import os
import sys

import torch

MODULES = '''
import torch
from torch import nn


class LinearStackedConv2d(nn.Module):
    def __init__(self, channels, inner, out):
        super().__init__()
        self.convs = nn.Sequential(nn.Conv2d(channels, inner, 3, bias=False), nn.Dropout(0.1), nn.Conv2d(inner, out, 2))

    def forward(self, x):
        return self.convs(x)


class AbsBatchNorm2d(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.eps, self.abs_bias = 1e-3, False
        self.running_mean, self.running_var = nn.Parameter(torch.randn(n)), nn.Parameter(torch.rand(n) + 0.3)
        self.scale, self.shift = nn.Parameter(torch.randn(n)), nn.Parameter(torch.randn(n))

    def forward(self, x):
        return nn.functional.batch_norm(x, self.running_mean.data, self.running_var.data, self.scale.abs(), self.shift,
                                        False, 0.1, self.eps)


class AbsBatchNorm1d(AbsBatchNorm2d):
    pass


class GaussianNoise(nn.Module):
    def __init__(self, std):
        super().__init__()
        self.sigma = nn.Parameter(torch.ones(1) * std)

    def forward(self, x):
        return x + self.sigma * torch.randn_like(x) if self.training else x


class GrabUnits(nn.Module):
    def __init__(self, coords):
        super().__init__()
        self.coords = torch.tensor(coords)

    def forward(self, x):
        return x[:, torch.arange(len(self.coords)), self.coords[:, 0], self.coords[:, 1]]


class VaryModel(nn.Module):
    def __init__(self, **hyps):
        super().__init__()
        self.sequential = nn.Sequential(
            LinearStackedConv2d(4, 3, 2), AbsBatchNorm2d(2), GaussianNoise(0.05), nn.ReLU(),
            nn.Conv2d(2, 3, 3), AbsBatchNorm2d(3), GaussianNoise(0.05), nn.ReLU(),
            nn.Conv2d(3, 3, 3, bias=False), GrabUnits([[0, 1], [2, 0], [1, 1]]), AbsBatchNorm1d(3), nn.Softplus())

    def forward(self, x):
        return self.sequential(x)
'''

LOADER = '''
import torch
from torchdeepretina.models import VaryModel


def load_model(path):
    data = torch.load(path, map_location="cpu")
    model = VaryModel(**data["hyps"])
    model.load_state_dict(data["model_state_dict"])
    return model
'''


def main():
    package = os.path.join(sys.argv[1], "torchdeepretina")
    os.makedirs(package, exist_ok=True)
    for name, text in (("__init__.py", ""), ("models.py", MODULES), ("io.py", LOADER)):
        with open(os.path.join(package, name), "w") as file:
            file.write(text)
    sys.path.insert(0, sys.argv[1])
    from torchdeepretina.models import VaryModel
    torch.manual_seed(1)
    hyps = dict(img_shape=[4, 11, 10], n_units=3, cells=[0, 4, 5], dataset="made", stim_type="whitenoise", lossfxn=torch.nn.MSELoss)
    torch.save(dict(model_type="VaryModel", model_state_dict=VaryModel().state_dict(), hyps=hyps, cells=[0, 4, 5],
                    norm_stats=dict(mean=51.5, std=40.25), zero_dict={"sequential.0": {1}, "sequential.4": {0}}),
               os.path.join(sys.argv[1], "checkpoint.pt"))


main()
