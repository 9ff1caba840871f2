"""Session files of open-retina, for tests/check_import_open_retina.c, which knows by hand what is in them.

    python3 make_open_retina.py FOLDER
"""
import os
import sys
import h5py
import numpy as np

folder = f"{sys.argv[1]}/sessions"
os.makedirs(f"{folder}/stimuli")


def movie(frames, start, kind):
    """Channel c, frame t, row y, column x is start + 10 t + 3 y + x + 2 c."""
    c, t, y, x = np.ogrid[:2, :frames, :2, :3]
    return (start + 10 * t + 3 * y + x + 2 * c).astype(kind)


# Two sessions of two and one cells; "b_noise" and "a_film" are shown, "probe" is the test stimulus.
for name, cells in (("two", 2), ("one", 1)):
    with h5py.File(f"{folder}/{name}.{'h5' if name == 'two' else 'hdf5'}", "w") as f:
        n = np.arange(cells)[:, None]
        f["responses_b_noise"] = (np.arange(4)[None] + n).astype("i4")
        f["responses_a_film"] = (10 * n + np.arange(3)[None]).astype("u1")
        f["responses_probe"] = np.full((cells, 2), 3, dtype="f8")
        f["session_info/probe_by_trial"] = np.array([[[2, 3], [4, 3]]] * cells, dtype="f4")
        if name == "two":
            f["stimulus_a_film"] = movie(3, 0, "u1")
np.save(f"{folder}/stimuli/b_noise.npy", movie(4, 100, "u1"))
np.save(f"{folder}/stimuli/probe.npy", movie(2, 200, "<i2"))
