"""What PyTorch takes on one thread for the model of published.c: per window of 40 frames, forward and for a step of training.

Prints: version, forward processor time and wall time, training processor time and wall time, in ms a sample, least of REPEATS."""
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"
import torch

torch.set_num_threads(1)
torch.manual_seed(1)
BATCH, REPEATS, CELLS = 128, 3, 17


class Noise(torch.nn.Module):
    def forward(self, x):
        return x + 0.05 * torch.randn_like(x) if self.training else x


class Grab(torch.nn.Module):
    def forward(self, x):
        cell = torch.arange(CELLS)
        return x[:, cell, cell % 16, (5 * cell) % 16]


model = torch.nn.Sequential(
    torch.nn.Conv2d(40, 8, 15), torch.nn.BatchNorm2d(8), Noise(), torch.nn.ReLU(),
    torch.nn.Conv2d(8, 8, 11), torch.nn.BatchNorm2d(8), Noise(), torch.nn.ReLU(),
    torch.nn.Conv2d(8, CELLS, 11, bias=False), Grab(), torch.nn.BatchNorm1d(CELLS), torch.nn.Softplus())
adam = torch.optim.Adam(model.parameters())
loss_of = torch.nn.PoissonNLLLoss(log_input=False)
windows = torch.randn(BATCH + 39, 50, 50).unfold(0, 40, 1).permute(0, 3, 1, 2)  # (window, frame, y, x), a view
counts = torch.randint(0, 3, (BATCH, CELLS)).float()


def forward():
    with torch.no_grad():
        model(windows[torch.randperm(BATCH)])


def train():
    order = torch.randperm(BATCH)
    adam.zero_grad()
    loss_of(model(windows[order]), counts[order]).backward()
    adam.step()


def least(run):
    run()
    took = []
    for _ in range(REPEATS):
        processor, wall = time.process_time(), time.perf_counter()
        run()
        took.append((time.process_time() - processor, time.perf_counter() - wall))
    return [1e3 * min(t[i] for t in took) / BATCH for i in (0, 1)]


training = least(train)
model.eval()
print(torch.__version__, *least(forward), *training)
sys.stdout.flush()
