# gnuplot -c psth.gp TABLE FIGURE png|svg|pdf, with GNUPLOT_LIB naming this folder
# Measured responses to the test stimulus (grey) and what one or two models predict (lines), a row per cell.
table = ARG1
figure = ARG2
format = ARG3
stats table index "figure" using (cells = int($1), models = int($2), from = $3, to = $4) nooutput
array model[models]
stats table index "models" using (model[int($1)] = strcol(2), 0) nooutput
array title[cells]
array largest[cells]
stats table index "cells" using (title[int($1)] = strcol(2), largest[int($1)] = $3) nooutput
points_wide = 640
points_high = 104*cells+66
load "terminal.gp"
array colour[2] = [models == 1 ? blue : orange, blue]
set multiplot
left = 68
wide = 556
high = 64
set xrange [from:to]
set xtics ticks(to-from, 8)
set style fill solid 1 noborder
do for [i=1:cells] {
    top = 104*i-56
    @panel
    set label 1 title[i] at graph 0, 1.16 left
    set xlabel (i == cells ? "time (s)" : "")
    set ylabel "rate (Hz)" offset 0.5, 0
    set yrange [0:(largest[i] > 0 ? 1.04*largest[i] : 1)]
    set ytics ticks(largest[i], 3)
    if (i == 1) { set key at graph 1, 1.6 right top horizontal samplen 1.5 width 1 } else { unset key }
    rates = sprintf("rates %d", i)
    plot table index rates using 1:2 with filledcurves y1=0 linecolor rgb light title "measured", \
        for [m=1:models] "" index rates using 1:(column(m+2)) with lines linewidth 1.5 linecolor rgb colour[m] title model[m]
}
unset multiplot
