#!/usr/bin/env python3
"""Train a network with PyTorch in double precision, for tests/check_torch.c.

    python3 train_torch.py FOLDER    reads FOLDER/torch_in.h5 and writes FOLDER/torch_out.h5

The network is [convolution, batch norm, ReLU], Flatten, Linear, softplus, times a constant; every step takes the whole movie.
Exits with 77 where PyTorch, NumPy or h5py is not installed."""
import json
import sys

try:
    import h5py
    import numpy
    import torch
except ImportError:
    sys.exit(77)

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


def network(state):
    conv, linear = state["0.weight"], state["4.weight"]
    layers = [
        torch.nn.Conv2d(conv.shape[1], conv.shape[0], conv.shape[2:], bias=False),
        torch.nn.BatchNorm2d(conv.shape[0], eps=1e-3),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(linear.shape[1], linear.shape[0]),
        torch.nn.Softplus(),
    ]
    model = torch.nn.Sequential(*layers)
    own = model.state_dict()
    own.update({name: torch.tensor(value) for name, value in state.items()})
    model.load_state_dict(own)
    return model


def loss_of(kind, expected, count):
    if kind == "poisson":
        return torch.nn.functional.poisson_nll_loss(expected, count, log_input=False, eps=1e-8)
    if kind == "gaussian":
        return torch.nn.functional.mse_loss(expected, count)
    return torch.nn.functional.binary_cross_entropy(-torch.expm1(-expected), (count > 0).to(expected.dtype))


def penalty_of(model, case, activations):
    weights = [model[0].weight, model[4].weight]
    kernels = model[0].weight
    return (
        case["l1"] * sum(w.abs().sum() for w in weights)
        + case["l2"] / 2 * sum((w**2).sum() for w in weights)
        + case["smooth_time"] / 2 * (torch.diff(kernels, dim=1) ** 2).sum()
        + case["smooth_space"] / 2 * sum((torch.diff(kernels, dim=d) ** 2).sum() for d in (2, 3))
        + case["activity_l1"] * sum(a.abs().mean() for a in activations)
    )


def train(case, state, windows, counts):
    model = network(state)
    weights = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    groups = [{"params": weights, "weight_decay": case["weight_decay"]}, {"params": others, "weight_decay": 0.0}]
    optimiser = (torch.optim.AdamW if case["weight_decay"] else torch.optim.Adam)(groups, lr=case["rate"])
    losses = []
    for epoch in range(case["epochs"]):
        factor = case["decay"] ** (epoch / case["every"]) * min(1.0, (epoch + 1) / (case["warmup"] + 1))
        for group in optimiser.param_groups:
            group["lr"] = case["rate"] * factor
        optimiser.zero_grad()
        hidden = model[2](model[1](model[0](windows)))
        out = model[5](model[4](model[3](hidden)))
        loss = loss_of(case["loss"], out * case["scale"] * case["dt"], counts)
        (loss + penalty_of(model, case, [hidden, out])).backward()
        if case["clip"]:
            torch.nn.utils.clip_grad_norm_(model.parameters(), case["clip"])
        optimiser.step()
        losses.append(loss.item())
    return model, losses


def main(folder):
    with h5py.File(folder + "/torch_in.h5") as f:
        cases = json.loads(f.attrs["cases"])
        movie, counts = f["movie"][:], f["counts"][:]
        state = {name[len("sequential."):]: f["state"][name][:].astype(float) for name in f["state"]}
    history = state["0.weight"].shape[1]
    windows = torch.tensor(numpy.stack([movie[t - history : t] for t in range(history, len(movie))]))
    counts = torch.tensor(counts[:, history:].T.astype(float))
    with h5py.File(folder + "/torch_out.h5", "w") as f:
        for i, case in enumerate(cases):
            model, losses = train(case, state, windows, counts)
            f[f"{i}/loss"] = losses
            for name, value in model.state_dict().items():
                f[f"{i}/sequential.{name}"] = value.numpy()


main(sys.argv[1])
