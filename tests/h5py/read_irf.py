"""Read receptive fields as the CODEC scripts do, and what is beside them by its documented formulas.

    python3 read_irf.py IRF RECORDING

Exits with 77 where h5py or numpy is missing.
"""
import sys

try:
    import h5py
    import numpy as np
except ImportError as missing:
    print(missing)
    sys.exit(77)

f = h5py.File(sys.argv[1], "r")
recording = h5py.File(sys.argv[2], "r")
meta = f["metadata"]
T, L, H, W = (int(meta.attrs[k]) for k in ("n_samples", "window_size", "height", "width"))
cells = meta["cells_processed"][()]
assert len(meta["time"]) == T and meta.attrs["ig_steps"] == 4


def close(what, a, b, tolerance):
    worst = np.max(np.abs(np.asarray(a) - np.asarray(b)))
    assert worst <= tolerance, f"{what}: off by {worst}, allowed {tolerance}"


def stored_fields(c, H, W):
    """What a compact group holds, on whole frames."""
    row, column = c.attrs["row"], c.attrs["column"]
    v = c["step"][()][:, :, None, None] * (c["v"][()].astype(np.float64) - 128)
    h, w = v.shape[2:]
    out = np.zeros((len(v), c["u"].shape[2], H, W))
    out[:, :, row:row + h, column:column + w] = np.einsum("tj,tjl,tjyx->tlyx", c["s"][()], c["u"][()], v)
    return out, v


# the window of the sample of response frame t: frames t-lag-L+1 ... t-lag, normalised as the file says
movie = (recording["test/stimulus"][()].astype(np.float64) - meta["norm_stats_mean"][()]) / meta["norm_stats_std"][()]
last = np.round(meta["time"][()] / f.attrs["frame_interval"]).astype(int) - f.attrs["lag"]
windows = np.stack([movie[t - L + 1:t + 1] for t in last])

for cell in cells:
    g = f[f"cell_{cell}"]
    assert g.attrs["cell_id"] == cell and g.attrs["cell_index"] == cell
    for kind in ("regular", "ig"):
        every = g[f"{kind}_irf_all"][()]
        assert every.shape == (T, L, H, W) and every.dtype == np.float32
        scale = np.abs(every).max()
        close("mean", g[f"{kind}_irf_mean"][()], every.mean(axis=0, dtype=np.float64), 1e-6 * scale)
        assert g.attrs[f"{kind}_irf_min"] == every.min() and g.attrs[f"{kind}_irf_max"] == every.max()
    irf = g["regular_irf_all"][()].astype(np.float64)
    c = g["compact"]
    stored, v = stored_fields(c, H, W)
    norm = np.sqrt((irf**2).sum(axis=(1, 2, 3)))
    close("gain", g["shape/gain"][()], norm, 1e-5 * norm.max())
    left = np.sqrt(((irf - stored) ** 2).sum(axis=(1, 2, 3))) / norm
    close("error of the compact layout", c["error"][()], left, 1e-3)
    # integrated receptive fields: mean gradients times the stimulus, and the gradients off by what is said
    gradient = g["ig_irf_all"][()].astype(np.float64) / windows
    mean_norm = np.sqrt((gradient**2).sum(axis=(1, 2, 3)))
    kept_gradient = stored_fields(g["ig_compact"], H, W)[0]
    off = np.sqrt(((gradient - kept_gradient) ** 2).sum(axis=(1, 2, 3))) / mean_norm
    close("error of mean gradients", g["ig_compact/error"][()], off, 1e-3)
    # singular values and what they leave out, by LAPACK
    s = np.linalg.svd(irf.reshape(T, L, -1), compute_uv=False)
    k = c["s"].shape[1]
    close("singular values", c["s"][()], s[:, :k], 1e-5 * s.max())
    close("separation error", g["separation_error"][()], np.sqrt(1 - (s[:, :k] ** 2).sum(1) / (s**2).sum(1)), 1e-3)
    close("separability", g["shape/separability"][()], s[:, 0] ** 2 / (s**2).sum(1), 1e-5)
    # the autocorrelation of what is kept, over pairs without a gap (there is none here)
    kept = np.einsum("tj,tjl,tjp->tlp", c["s"][()], c["u"][()], v.reshape(T, k, -1)).reshape(T, -1)
    mean, lags = kept.mean(axis=0), len(g["change/lag"])
    power = np.array([(kept[: T - i] * kept[i:]).sum(1).mean() for i in range(lags)]) - (mean**2).sum()
    close("autocorrelation", g["change/autocorrelation"][()], power / power[0], 0.02)
    assert g["shape/latency"].attrs["unit"] == "s"
