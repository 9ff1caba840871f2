"""Read every name of the published layout of contributions as its figure scripts do: types, shapes, attributes and values.

    python3 read_published.py CONTRIBUTIONS RECORDING TARGET

CONTRIBUTIONS are those of the recording's test part to TARGET, surprisal by the statistics of the test part.  Exits with 77
where h5py or numpy is missing.
"""
import sys

try:
    import h5py
    import numpy as np
except ImportError as missing:
    print(missing)
    sys.exit(77)

f, recording, target = h5py.File(sys.argv[1], "r"), h5py.File(sys.argv[2], "r"), sys.argv[3]
meta = f["metadata"]
layers = ["conv0", "conv1", "conv2"]
T, N = int(meta["n_timepoints"][()]), int(meta["n_cells"][()])


def is_array(name, shape, kind):
    data = f[name]
    assert data.shape == shape, f"{name}: shape {data.shape}, not {shape}"
    assert data.dtype == np.dtype(kind), f"{name}: type {data.dtype}, not {kind}"
    return data[()]


def is_text(name, value):
    """A scalar of variable-length ASCII."""
    kind = h5py.check_string_dtype(f[name].dtype)
    assert f[name].shape == () and kind.length is None and kind.encoding == "ascii", (name, kind)
    assert f[name][()].decode() == value, (name, f[name][()])


def has_text(name, attribute, value):
    """An attribute of variable-length UTF-8, which h5py gives as a str."""
    found = f[name].attrs[attribute]
    assert isinstance(found, str) and found == value, (name, attribute, found)


def close(what, a, b, tolerance):
    worst = np.max(np.abs(np.asarray(a, dtype=float) - b))
    assert worst <= tolerance, f"{what}: off by {worst}, allowed {tolerance}"


assert is_array("metadata/timepoints", (T,), "<i8").tolist() == list(range(T))
assert is_array("metadata/cells_list", (N,), "<i8").tolist() == list(range(N))
assert [name.decode() for name in is_array("metadata/layer_names", (3,), "S5")] == layers
for name, value in (("temporal_depth", 6), ("n_cells", N), ("n_timepoints", T)):
    assert is_array(f"metadata/{name}", (), "<i8") == value, name
is_text("metadata/dataset", sys.argv[2])
is_text("metadata/stim_type", "test")
is_text("metadata/attribution_method", f"{target}_single_target")
movie = recording["train/stimulus"][()].astype(np.float64)
close("norm_mean", is_array("metadata/norm_mean", (), "<f4"), movie.mean(), 1e-5 * movie.mean())
close("norm_std", is_array("metadata/norm_std", (), "<f4"), movie.std(), 1e-5 * movie.std())

# responses: of the model any, of the cells what the recording holds, in Hz; sample i is response frame i + history
model = is_array("metadata/model_responses_all_cells", (T, N), "<f4").astype(np.float64)
actual = is_array("metadata/actual_responses_all_cells", (T, N), "<f4")
interval = f.attrs["frame_interval"]
counts = np.stack([recording[f"test/repeats/cell{n + 1:02d}"][()].mean(axis=0) for n in range(N)], axis=1)
close("actual responses", actual, counts[6:6 + T] / interval, 1e-4 * actual.max())
r = [np.corrcoef(model[:, n], actual[:, n])[0, 1] for n in range(N)]
close("correlations", is_array("metadata/correlations_per_cell", (N,), "<f8"), r, 1e-5)
sums = model.sum(axis=1)
close("scalar_target_sums", is_array("metadata/scalar_target_sums", (T,), "<f4"), sums, 1e-5 * sums.max())
if target == "surprisal":
    y = model - model.mean(axis=0)
    value = 0.5 * np.einsum("ti,ij,tj->t", y, np.linalg.inv(np.cov(model.T)), y)
else:
    value = sums
close("values of the target", is_array(f"metadata/{target}_values", (T,), "<f4"), value, 1e-4 * np.abs(value).max())

# all layers: negative columns first, each column a sum of one sign
for layer in layers:
    F = f[f"{target}_contributions/{layer}"].shape[1]
    assert F % 2 == 0
    for group, described in ((f"{target}_contributions", "timepoints, spatial_dims"),
                             ("activations", "timepoints, channels_spatial"), ("gradients", "timepoints, channels_spatial")):
        name = f"{group}/{layer}"
        x = is_array(name, (T, F), "<f4")
        assert np.isfinite(x).all() and x[:, :F // 2].max() <= 0 <= x[:, F // 2:].min(), name
        has_text(name, "shape_description", described)
        assert f[name].attrs["n_timepoints"] == T
    has_text(f"{target}_contributions/{layer}", "attribution_method", f"{target}_single_target")
    has_text(f"{target}_contributions/{layer}", "target_description", "sum_all_ganglion_cells")
# of the last layer a unit is a cell: there a cell's rate falls and rises with its activation and nothing else
split = f["activations/conv2"][()]
activation = split[:, :N] + split[:, N:]
for n in range(N):
    order = np.argsort(activation[:, n])
    assert np.all(np.diff(model[order, n]) >= -1e-4 * model[:, n].max()), n
