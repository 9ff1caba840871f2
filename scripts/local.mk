# files of this folder
dist_pkgdata_DATA += scripts/filters.gp scripts/irf.gp scripts/psth.gp scripts/strip.gp scripts/terminal.gp
