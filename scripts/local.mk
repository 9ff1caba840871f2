# files of this folder
dist_pkgdata_DATA += scripts/circuit.gp scripts/filters.gp scripts/input.gp scripts/irf-sta.gp scripts/irf.gp scripts/kernels.gp scripts/layers.gp scripts/learning.gp scripts/network.gp scripts/paths.gp scripts/protocol.gp scripts/psth.gp scripts/quality.gp scripts/scores.gp scripts/stimulus.gp scripts/strip.gp scripts/sweep.gp scripts/terminal.gp scripts/truth.gp
dist_pkgdata_DATA += scripts/protocols.conf scripts/sweep.conf scripts/white-noise.conf scripts/natural-movie.conf scripts/fullfield-noise.conf
dist_pkgdata_DATA += scripts/salamander-white.conf scripts/salamander-natural.conf scripts/salamander.network scripts/full-field.network
dist_pkgdata_SCRIPTS = scripts/export_torch.py
EXTRA_DIST += scripts/setup.sh scripts/quickstart.sh scripts/check.sh .ci/run
