"""Read contributions as the figure scripts of the published method do, and compare what they hold with itself.

    python3 read_contributions.py CONTRIBUTIONS

The file must hold all reductions.  Exits with 77 where h5py or numpy is missing.
"""
import sys

try:
    import h5py
    import numpy as np
except ImportError as missing:
    print(missing)
    sys.exit(77)


def close(what, a, b, scale):
    assert a.shape == b.shape, f"{what}: shapes {a.shape} and {b.shape}"
    worst = np.max(np.abs(a - b))
    assert worst <= 1e-5 * scale, f"{what}: differ by {worst} of {scale}"


with h5py.File(sys.argv[1], "r") as f:
    meta = f["metadata"]
    layers = [n.decode("utf-8") for n in meta["layer_names"][()]]
    assert layers == ["conv0", "conv1", "conv2"], layers
    assert meta["attribution_method"][()].decode() == "surprisal_single_target"
    assert meta["stim_type"].asstr()[()] == "test"
    T, N = int(meta["n_timepoints"][()]), int(meta["n_cells"][()])
    assert meta["model_responses_all_cells"].shape == (T, N)
    assert meta["timepoints"][:].tolist() == list(range(T))
    sums = meta["model_responses_all_cells"][:].sum(axis=1)
    close("scalar_target_sums", meta["scalar_target_sums"][:], sums, np.abs(sums).max())
    change = f["completeness/target"][:] - f["completeness/target_zero"][:]
    for layer in layers:
        data = f[f"surprisal_contributions/{layer}"]
        assert data.dtype == np.float32 and data.attrs["n_timepoints"] == T
        assert data.attrs["shape_description"] == "timepoints, spatial_dims"
        c = data[:]
        C = c.shape[1] // 2
        assert c[:, :C].max() <= 0 <= c[:, C:].min()
        scale = np.abs(c).sum(axis=1).max() + np.abs(change).max()
        close("completeness", c.sum(axis=1), change, scale)
        maps = f[f"maps/{layer}"][:].astype(np.float64)
        units = {k: v[:] for k, v in f[f"metadata/units/{layer}"].items()}
        assert maps[0].size == units["channel"].size
        assert np.array_equal(np.ravel_multi_index((units["channel"], units["row"], units["column"]), maps.shape[1:]),
                              np.arange(maps[0].size))
        split = np.concatenate([np.minimum(maps, 0), np.maximum(maps, 0)], axis=1)
        close("split", c, split.sum(axis=(2, 3)), scale)
        close("sum", f[f"sums/{layer}"][:], maps.sum(axis=(2, 3)), scale)
        patches = f[f"patches/{layer}"]
        p = int(patches.attrs["patch"])
        first = patches[:, :, 0, 0]
        close("patches", first, split[:, :, :p, :p].sum(axis=(2, 3)), scale)
        close("patches", patches[:].sum(axis=(2, 3)), c, scale)
        near = f[f"neighbourhoods/{layer}"]
        y0, x0 = f["metadata/cell_centres"][0]
        y, x = units["y"].reshape(maps.shape[1:])[0], units["x"].reshape(maps.shape[1:])[0]
        at = np.unravel_index(np.argmin((y - y0) ** 2 + (x - x0) ** 2), y.shape)
        inside = (y - y[at]) ** 2 + (x - x[at]) ** 2 <= near.attrs["radius"] ** 2
        close("neighbourhoods", near[:, 0], (split * inside).sum(axis=(2, 3)), scale)
        assert 0 < f[f"statistics/{layer}/contribution/participation_ratio"][()] <= 2 * C
