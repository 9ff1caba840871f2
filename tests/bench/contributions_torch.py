"""What well-written PyTorch takes on one thread for the contributions of contributions.c, as published but for what it leaves out:
the first convolution is linear, so it is made once for all steps, and no gradients of weights are asked for.

    contributions_torch.py FOLDER

reads FOLDER/model (what contributions.c wrote there, floats) and writes FOLDER/contributions, floats: per layer (sample, 2C),
sums over negative, then over positive units.  Prints: version, processor time and wall time in ms a sample, least of REPEATS."""
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"
import numpy
import torch
from torch.nn import functional

torch.set_num_threads(1)
REPEATS, STEPS, TOGETHER = 3, 20, 8  # samples that run together: fewer take longer
numbers, at = torch.from_numpy(numpy.fromfile(sys.argv[1] + "/model", dtype=numpy.float32)), 0


def take(*shape):
    global at
    size = int(numpy.prod(shape))
    at += size
    return numbers[at - size:at].reshape(shape)


SAMPLES = int(take(1))
conv0, bias0, scale0, shift0 = take(8, 40, 15, 15), take(8), take(8), take(8)
conv1, bias1, scale1, shift1 = take(8, 8, 11, 11), take(8), take(8), take(8)
conv2, scale2, shift2, hz = take(17, 8, 11, 11), take(17), take(17), take(1)
position = take(17, 2).long()
mean, precision = take(17), take(17, 17)
windows = take(SAMPLES + 39, 50, 50).unfold(0, 40, 1).permute(0, 3, 1, 2)  # (window, frame, y, x), a view
cell = torch.arange(17)
alpha = torch.linspace(0, 1, STEPS + 1).reshape(1, -1, 1, 1, 1)


def norm(x, scale, shift):
    return functional.batch_norm(x, torch.zeros_like(scale), torch.ones_like(scale), scale, shift, eps=0)


def split(x):
    return torch.cat([x.clamp(max=0).sum((-2, -1)), x.clamp(min=0).sum((-2, -1))], -1)


def contribute(x):
    n = len(x)
    delta = functional.conv2d(x, conv0)
    a0 = (bias0.reshape(-1, 1, 1) + alpha * delta.unsqueeze(1)).flatten(0, 1).requires_grad_()
    a1 = functional.conv2d(functional.relu(norm(a0, scale0, shift0)), conv1, bias1)
    a2 = functional.conv2d(functional.relu(norm(a1, scale1, shift1)), conv2)
    y = hz * functional.softplus(norm(a2[:, cell, position[:, 0], position[:, 1]], scale2, shift2)) - mean
    target = 0.5 * ((y @ precision) * y).sum(1)
    gradients = torch.autograd.grad(target.sum(), [a0, a1, a2])
    out = []
    for a, g in zip([a0, a1, a2], gradients):
        a, g = a.detach().unflatten(0, (n, STEPS + 1)), g.unflatten(0, (n, STEPS + 1))
        c = (0.5 * (g[:, 1:] + g[:, :-1]) * (a[:, 1:] - a[:, :-1])).sum(1)
        out.append((split(c), split(a[:, -1]), split(g[:, -1])))
    return out


def run():
    return [contribute(windows[i:i + TOGETHER]) for i in range(0, SAMPLES, TOGETHER)]


took = []
for _ in range(1 + REPEATS):
    processor, wall = time.process_time(), time.perf_counter()
    parts = run()
    took.append((time.process_time() - processor, time.perf_counter() - wall))
with open(sys.argv[1] + "/contributions", "wb") as file:
    for layer in range(3):
        file.write(torch.cat([part[layer][0] for part in parts]).numpy().tobytes())
print(torch.__version__, *[1e3 * min(t[i] for t in took[1:]) / SAMPLES for i in (0, 1)])
