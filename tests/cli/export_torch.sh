#!/bin/sh
# The exporter for PyTorch users: that it is Python, and where PyTorch is installed, what retcodec makes of its exports.
. "$RETC_TESTS/cli/lib.sh"

PYTHON=/usr/bin/python3
EXPORT=$RETC_TESTS/../scripts/export_torch.py

is_python() {
    [ -x "$PYTHON" ] || skip "no $PYTHON"
    expect 0 "$PYTHON" -c "import py_compile, sys; py_compile.compile(sys.argv[1], 'compiled', doraise=True)" "$EXPORT"
}

made() {
    "$PYTHON" -c 'import torch, h5py' 2>/dev/null || skip "python3-torch or python3-h5py is not installed"
    expect 0 "$PYTHON" "$RETC_TESTS/h5py/make_torch.py" .
}

# With the package's own loader: its outputs are compared.
with_loader() {
    made
    expect 0 env PYTHONPATH=".${PYTHONPATH:+:$PYTHONPATH}" "$PYTHON" "$EXPORT" checkpoint.pt -o export.h5
    prints "3 cells"
    expect 0 "$RETCODEC" convert export.h5 -o model.h5
    prints "layers:    as listed"
    prints "stacks:    1, collapsed"
    prints "check:     largest difference"
    expect 0 "$RETCODEC" info model.h5
    prints "cell01 cell05 cell06"
    expect 1 env PYTHONPATH=".${PYTHONPATH:+:$PYTHONPATH}" "$PYTHON" "$EXPORT" checkpoint.pt -o export.h5
    complains "exists already"
}

# Without it the positions of the cells are unknown, which is said.
without_loader() {
    made
    expect 0 env PYTHONPATH=".${PYTHONPATH:+:$PYTHONPATH}" "$PYTHON" "$EXPORT" checkpoint.pt --no-loader -o export.h5
    expect 1 "$RETCODEC" convert export.h5 -o model.h5
    complains '"/grab_units/coords" is missing'
    absent model.h5
}

# A model that was fitted here runs on PyTorch's own modules, and gives the same.
fitted_here() {
    "$PYTHON" -c 'import torch, h5py' 2>/dev/null || skip "python3-torch or python3-h5py is not installed"
    expect 0 "$RETCODEC" stimulus white-noise --frames 3000 --height 6 --width 6 -q -o movie.h5
    expect 0 "$RETCODEC" simulate --train movie.h5 --cells 2 -q -o recording.h5
    expect 3 "$RETCODEC" fit recording.h5 --history 8 --channels0 2 --channels1 2 --kernel0 3 --kernel1 3 --epochs 1 -q -o model.h5
    expect 0 "$RETCODEC" convert model.h5 --to torch -o torch.h5
    expect 0 "$PYTHON" "$RETC_TESTS/h5py/run_torch.py" torch.h5
    expect 0 "$RETCODEC" convert torch.h5 -o again.h5
    prints "check:     largest difference"
    prints "5 windows"
}

run_cases is_python with_loader without_loader fitted_here
