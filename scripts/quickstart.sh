#!/bin/sh
# Install what is missing, build, and analyse two small simulated recordings into results/quickstart: a retina under white noise,
# and under a natural-like movie.
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
. "$top/scripts/setup.sh"
install_missing
build_all

results=$top/results/quickstart
status=0
for name in white-noise natural-movie; do
    echo
    echo "== $name =="
    "$build/retcodec" run "$top/scripts/$name.conf" --output "$results/$name" || status=$?
    # 3: the fit would have gone on; the results are there all the same.
    [ $status = 0 ] || [ $status = 3 ] || exit $status
done
echo
echo "The figures:"
ls "$results"/*/*.png
echo "Look at figure-strip.png (modes switching), figure-irf.png (receptive fields changing) and figure-truth.png (contributions"
echo "beside those of the simulated retina) first."
echo "The program is $build/retcodec; install it with: make -C $build install"
