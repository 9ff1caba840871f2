"""Read what `retcodec export` wrote, as other programs would, and compare it with the recording.

    python3 read_export.py nwb|nwb-raw|open-retina|csv RECORDING EXPORTED

Exits with 77 where h5py or numpy is missing.
"""
import csv
import os
import re
import sys

try:
    import h5py
    import numpy as np
except ImportError as missing:
    print(missing)
    sys.exit(77)

kind, recording, exported = sys.argv[1:]
rec = h5py.File(recording, "r")
parts = [p for p in ("train", "test") if p in rec]
names = [n.decode() for n in rec["cell_names"][()]]
N = len(names)
dt = rec.attrs["frame_interval"]


def same(what, a, b):
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape, f"{what}: shapes {a.shape} and {b.shape}"
    assert np.array_equal(a, b), f"{what}: {np.sum(a != b)} of {a.size} values differ"


def repeats():
    return np.array([rec[f"test/repeats/cell{n + 1:02d}"][()] for n in range(N)])


def blocks(part):
    frames = rec[part]["time"].shape[0]
    return rec[part]["block_start"][()] if "block_start" in rec[part] else np.array([0]), frames


def open_retina():
    ses = h5py.File(exported, "r")
    for part in parts:
        if part == "train":
            same("responses", ses["responses_train"], rec["train/response/binned"])
        else:
            # Means are stored in float; what retcodec averages and what the file holds may differ in the last bit.
            assert np.allclose(ses["responses_test"], repeats().mean(axis=1), rtol=2e-7, atol=0)
            same("by trial", ses["session_info/test_by_trial"], repeats())
        movie = ses[f"stimulus_{part}"]
        assert movie.ndim == 4 and movie.shape[0] == 1, movie.shape
        same("movie", movie[0], rec[part]["stimulus"])
        array = np.load(os.path.join(os.path.dirname(exported) or ".", "stimuli", f"{part}.npy"))
        same("array", array, movie)
        assert array.dtype == movie.dtype == rec[part]["stimulus"].dtype, (array.dtype, movie.dtype)
        assert ses[f"responses_{part}"].shape == (N, movie.shape[1])
        same("time", ses[f"session_info/{part}_time"], rec[part]["time"])
    assert [n.decode() for n in ses["session_info/cell_names"][()]] == names
    assert ses["session_info/frame_interval"][()] == dt


def table(name):
    with open(os.path.join(exported, name), newline="") as f:
        return list(csv.reader(line for line in f if not line.startswith("#")))


def text():
    facts = dict(table("recording.csv")[1:])
    assert float(facts["frame_interval_s"]) == dt and int(facts["cells"]) == N, facts
    assert [row[1] for row in table("cells.csv")[1:]] == names
    for part in parts:
        rows = table(f"{part}.csv")
        assert rows[0] == ["frame", "time_s", "stretch"] + names, rows[0]
        same("time", [float(r[1]) for r in rows[1:]], rec[part]["time"])
        counts = np.array([[float(v) for v in r[3:]] for r in rows[1:]], dtype="f4").T
        if part == "train":
            same("counts", counts, rec["train/response/binned"])
        start, frames = blocks(part)
        same("stretch", [int(r[2]) for r in rows[1:]], np.searchsorted(start, np.arange(frames), side="right") - 1)
        rows = table(f"{part}_stimulus.csv")
        movie = np.array([[float(v) for v in r[1:]] for r in rows[1:]], dtype="f4")
        same("movie", movie.reshape(rec[part]["stimulus"].shape), rec[part]["stimulus"][()].astype("f4"))
        if f"{part}/onset" in rec:
            rows = table(f"{part}_onsets.csv")[1:]
            same("onsets", [float(r[2]) for r in rows], rec[part]["onset"][()].ravel())
    rows = table("test_repeats.csv")[1:]
    single = np.array([[float(v) for v in r[2:]] for r in rows], dtype="f4")
    same("repeats", single.reshape(repeats().shape), repeats())
    assert [(r[0], int(r[1])) for r in rows] == [(n, r) for n in names for r in range(repeats().shape[1])]
    if "spikes" in rec:
        rows = table("spikes.csv")[1:]
        for n, name in enumerate(names):
            same("spikes", [float(r[1]) for r in rows if r[0] == name], rec[f"spikes/cell{n + 1:02d}"])


def check_object(thing, kind, space):
    assert thing.attrs["neurodata_type"] == kind, (thing.name, dict(thing.attrs))
    assert thing.attrs["namespace"] == space, thing.name
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", thing.attrs["object_id"]), thing.name
    return thing.attrs["object_id"]


def check_table(group, kind, columns):
    ids = [check_object(group, kind, "core"), check_object(group["id"], "ElementIdentifiers", "hdmf-common")]
    assert list(group.attrs["colnames"]) == columns
    assert group.attrs["description"]
    for column in columns:
        ids.append(check_object(group[column], "VectorData", "hdmf-common"))
        assert group[column].attrs["description"]
    return ids


def shown(nwb):
    """Frames (T,H,W) and their times."""
    series = nwb["stimulus/presentation/stimulus"]
    times = series["timestamps"][()]
    assert series["timestamps"].attrs["unit"] == "seconds"
    pictures = series
    if series.attrs["neurodata_type"] == "IndexSeries":
        link = series.get("indexed_timeseries", getlink=True)
        assert isinstance(link, h5py.SoftLink)
        pictures = series["indexed_timeseries"]
        assert series["data"].dtype == np.dtype("u4")
    check_object(pictures, "ImageSeries", "core")
    assert pictures["format"][()].decode() == "raw"
    data = pictures["data"][()].transpose(0, 2, 1)  # frame, column, row by the schema
    assert list(pictures["dimension"][()]) == [data.shape[2], data.shape[1]]
    if pictures is not series:
        data = data[series["data"][()]]
    assert len(times) == len(data) and np.all(np.diff(times) > 0)
    return data, times


def nwb_file(raw):
    nwb = h5py.File(exported, "r")
    check_object(nwb["/"], "NWBFile", "core")
    assert nwb.attrs["nwb_version"].startswith("2.")
    for name in ("identifier", "session_description", "session_start_time", "timestamps_reference_time"):
        assert nwb[name][()].decode(), name
    assert nwb["file_create_date"].shape == (1,)
    units, trials = nwb["units"], nwb["intervals/trials"]
    ids = check_table(units, "Units", ["spike_times", "cell_name"])
    ids += check_table(trials, "TimeIntervals", ["start_time", "stop_time", "part", "repeat", "stretch"])
    ids.append(check_object(units["spike_times_index"], "VectorIndex", "hdmf-common"))
    assert len(set(ids)) == len(ids)
    assert units["spike_times_index"].dtype.kind == "u"
    assert nwb[units["spike_times_index"].attrs["target"]] == units["spike_times"]
    assert [n.decode() for n in units["cell_name"][()]] == names
    ends = units["spike_times_index"][()]
    spikes = np.split(units["spike_times"][()], ends[:-1])
    assert len(spikes) == N and all(np.all(np.diff(s) >= 0) for s in spikes)
    if raw:
        for n in range(N):
            same("raw spikes", spikes[n], rec[f"spikes/cell{n + 1:02d}"])
    else:
        assert b"spread evenly" in nwb["general/notes"][()]
    movie, onset = shown(nwb)
    seen = 0
    for i in range(trials["id"].shape[0]):
        part, repeat, stretch = trials["part"][i].decode(), int(trials["repeat"][i]), int(trials["stretch"][i])
        start, frames = blocks(part)
        first, last = start[stretch], start[stretch + 1] if stretch + 1 < len(start) else frames
        at = np.flatnonzero((onset >= trials["start_time"][i]) & (onset < trials["stop_time"][i]))
        assert len(at) == last - first, (i, len(at), first, last)
        same("frames", movie[at], rec[part]["stimulus"][first:last])
        edges = np.append(onset[at], trials["stop_time"][i])
        for n in range(N):
            counts = np.searchsorted(spikes[n], edges[1:]) - np.searchsorted(spikes[n], edges[:-1])
            wanted = rec["train/response/binned"][n] if part == "train" else repeats()[n, repeat - 1]
            same(f"counts of trial {i}", counts, wanted[first:last])
        seen += len(at)
    assert seen == len(onset) == blocks("train")[1] + repeats().shape[1] * blocks("test")[1]


{"nwb": lambda: nwb_file(False), "nwb-raw": lambda: nwb_file(True), "open-retina": open_retina, "csv": text}[kind]()
