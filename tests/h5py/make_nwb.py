"""NWB files as other programs write them, for tests/check_import_nwb.c, which knows by hand what is in them.

    python3 make_nwb.py FOLDER
"""
import sys
import h5py
import numpy as np

folder = sys.argv[1]
text = h5py.string_dtype()
CORE = {"namespace": "core", "object_id": "00000000-0000-0000-0000-000000000000"}


def label(thing, kind, **more):
    thing.attrs["neurodata_type"] = kind
    for name, value in {**CORE, **more}.items():
        thing.attrs[name] = value
    return thing


def start(name):
    f = label(h5py.File(f"{folder}/{name}", "w"), "NWBFile", nwb_version="2.6.0")
    f["identifier"] = "session 7"
    f["session_description"] = "a made-up retina"
    f["session_start_time"] = "2026-01-02T03:04:05+01:00"
    f["timestamps_reference_time"] = "2026-01-02T03:04:05+01:00"
    for group in ("acquisition", "stimulus/presentation", "stimulus/templates", "intervals", "general"):
        f.create_group(group)
    return f


def table(parent, name, kind, columns, rows):
    """columns: name -> array, or (flat, ends, type of index), or (flat, ends, type, outer ends)."""
    group = label(parent.create_group(name), kind, description="rows", colnames=np.array(list(columns), dtype=text))
    label(group.create_dataset("id", data=np.arange(rows, dtype="i4")), "ElementIdentifiers", namespace="hdmf-common")
    for key, value in columns.items():
        index = ()
        if isinstance(value, tuple):
            value, *index = value
        label(group.create_dataset(key, data=value), "VectorData", namespace="hdmf-common", description=key)
        if index:
            ends, kind_of_index, *outer = index
            d = group.create_dataset(f"{key}_index", data=np.array(ends, dtype=kind_of_index))
            label(d, "VectorIndex", namespace="hdmf-common").attrs["target"] = group[key].ref
            if outer:
                d = group.create_dataset(f"{key}_index_index", data=np.array(outer[0], dtype=kind_of_index))
                label(d, "VectorIndex", namespace="hdmf-common").attrs["target"] = group[f"{key}_index"].ref
    return group


def words(*values):
    return np.array(values, dtype=text)


def movie(frames, height, width):
    """Grey level (7 t + 5 x + 3 y) mod 256 of frame t, column x, row y."""
    t, y, x = np.ogrid[:frames, :height, :width]
    return ((7 * t + 5 * x + 3 * y) % 256).astype("u1")


# Spikes of four units: on an onset, just before one, before the first frame, after the last, none at all.
SPIKES = [[0.5, 1.0, 1.05, 1.0999, 1.1, 2.95, 3.2], [], [1.25, 1.95, 2.05], [1.0, 1.0, 1.75]]


def units(parent, name="units", kind="Units", index="u1", extra={}):
    flat = np.concatenate([np.array(s) for s in SPIKES])
    columns = {"spike_times": (flat, np.cumsum([len(s) for s in SPIKES]), index), **extra}
    group = table(parent, name, kind, columns, 4)
    group["spike_times"].attrs["resolution"] = 1e-4
    return group


def plain():
    """Everything in its place: 20 frames of 0.1 s from 1.0 s on, pictures of 3 rows and 4 columns by column (txy)."""
    f = start("plain.nwb")
    series = label(f["stimulus/presentation"].create_group("film"), "ImageSeries", description="film", comments="")
    data = series.create_dataset("data", data=movie(20, 3, 4).transpose(0, 2, 1), chunks=(6, 4, 3), compression="gzip")
    data.attrs.update({"unit": "n.a.", "conversion": 1.0, "resolution": -1.0})
    series["format"] = "raw"
    series["dimension"] = np.array([4, 3], dtype="i4")
    series.create_dataset("timestamps", data=1 + 0.1 * np.arange(20)).attrs.update({"unit": "seconds", "interval": 1})
    electrodes = table(f["general"], "electrodes", "DynamicTable", {"x": np.arange(3.0)}, 3)
    groups = [label(f["general"].create_group(f"shank{i}"), "ElectrodeGroup") for i in range(2)]
    extra = {
        "quality": words("good", "good", "noise", "good"),
        "stable": np.array([True, False, True, True]),
        "depth": np.array([10.5, 20.5, 30.5, 40.5], dtype="f4"),
        "electrodes": (np.array([0, 1, 2, 2], dtype="i4"), [1, 1, 3, 4], "u2"),
        "electrode_group": np.array([g.ref for g in (groups[0], groups[1], groups[1], groups[0])], dtype=h5py.ref_dtype),
        "waveform_mean": np.arange(8.0).reshape(4, 2),
        "waveforms": (np.arange(12.0).reshape(6, 2), [1, 2, 4, 6], "u1", [1, 2, 3, 4]),
        "obs_intervals": (np.array([[0, 9], [0, 9], [1.0, 2.0], [0, 9.0]]), [1, 2, 3, 4], "u1"),
        "notes": words("a", "b", "c", "d"),
    }
    u = units(f, extra=extra)
    u["electrodes"].attrs["table"] = electrodes.ref
    trials = {"start_time": np.array([2.0, 2.2, 2.4, 2.6], dtype="f4"), "stop_time": np.array([2.2, 2.4, 2.6, 2.8], dtype="f4"),
              "stimulus": words("a", "b", "a", "b"), "tags": (words("x", "y", "x"), [1, 1, 3, 3], "u1")}
    # Trials 0 and 2, and 1 and 3, show the same.
    data[14:16], data[16:18] = data[10:12], data[12:14]
    table(f["intervals"], "trials", "TimeIntervals", trials, 4)
    epochs = {"start_time": np.array([1.0, 2.0]), "stop_time": np.array([2.0, 2.8]), "tags": (words("noise", "film"), [1, 2], "u8")}
    table(f["intervals"], "epochs", "TimeIntervals", epochs, 2)
    f.close()


def links():
    """Tables and pictures in other files, fixed-length strings, pictures by number in an order of their own."""
    with h5py.File(f"{folder}/pictures.nwb", "w") as other:
        images = label(other.create_group("set/images"), "Images", description="")
        for i, name in enumerate(("zebra", "ant", "mole")):
            label(images.create_dataset(name, data=np.full((2, 3), 40 * i, dtype="u1")), "GrayscaleImage")
        order = np.array([images[n].ref for n in ("ant", "mole", "zebra")], dtype=h5py.ref_dtype)
        label(images.create_dataset("order_of_images", data=order), "ImageReferences")
        label(images, "Images")
        units(other, "elsewhere")
    f = start("links.nwb")
    for name in ("neurodata_type", "nwb_version"):
        f.attrs[name] = np.bytes_(f.attrs[name])
    f["processing/deep/units"] = h5py.ExternalLink("pictures.nwb", "/elsewhere")
    f["scratch/images"] = h5py.ExternalLink("pictures.nwb", "/set/images")
    f["acquisition/gone"] = h5py.ExternalLink("gone.nwb", "/x")
    f["acquisition/loop"] = h5py.SoftLink("/")
    series = label(f["acquisition"].create_group("shown"), "IndexSeries")
    series.create_dataset("data", data=np.array([0, 0, 1, 2, 1, 0, 2], dtype="u4")).attrs["unit"] = "N/A"
    series["indexed_images"] = h5py.SoftLink("/scratch/images")
    series["timestamps"] = np.array([1.0, 1.2, 1.3, 1.4, 2.0, 2.1, 2.2])
    f["stimulus/presentation/pictures"] = h5py.SoftLink("/acquisition/shown")
    f.close()


def old():
    """An older writer: indexed_timeseries, colours, starting_time and rate, types of an extension."""
    f = start("old.nwb")
    template = label(f["stimulus/templates"].create_group("set"), "ImageSeries")
    rgb = np.zeros((3, 2, 3, 3), dtype="f4")
    rgb[0, :, :, 0] = 0.3
    rgb[1] = 1
    rgb[2, 0] = 0.5
    template["data"] = rgb
    template["format"] = np.bytes_("raw")
    template.create_dataset("starting_time", data=0.0).attrs.update({"unit": "seconds", "rate": np.float32(10)})
    series = label(f["stimulus/presentation"].create_group("shown"), "PictureNumbers", namespace="ndx-mine")
    series["data"] = np.array([2, 0, 1, 1, 2, 0, 1, 2, 0, 1], dtype="i4")
    series["indexed_timeseries"] = h5py.SoftLink("/stimulus/templates/set")
    series.create_dataset("starting_time", data=1.0).attrs.update({"unit": "seconds", "rate": np.float32(5)})
    units(f, "sorted", "SortedCells", "u8")
    f["sorted"].attrs["namespace"] = "ndx-mine"
    f.close()


plain()
links()
old()
