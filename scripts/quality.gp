# gnuplot -c quality.gp TABLE FIGURE png|svg|pdf, with GNUPLOT_LIB naming this folder
# A recording on one page.  A row per cell: rate over time, short intervals, ceilings; then trials of two cells, and frames.
table = ARG1
figure = ARG2
format = ARG3
stats table index "figure" using (cells = int($1), bins = int($2), from = $3, to = $4, repeats = int($5), shown = int($6), \
    clock_from = $7, 0) nooutput
stats table index "figure" using (clock_to = $8, median = $9, shortest = $10, longest = $11, irregular = int($12), brief = $13, \
    lowest = $14, 0) nooutput
array name[cells]
stats table index "cells" using (name[int($1)] = sprintf("%s  %.1f Hz", strcol(2), $3), 0) nooutput
rows = 13*cells < 78 ? 78 : 13*cells
trials = shown > 0 ? 190 : 0
points_wide = 640
points_high = rows+100+trials+130
load "terminal.gp"
set multiplot
set style fill solid 1 noborder

# A row per cell; above each panel its title, and what its colours mean.
top = 54
high = rows
title_at(x) = sprintf('set label 1 at screen (%g)/real(points_wide), screen 1-14.0/points_high left offset 0, 0', x)
legend_at(i, x) = sprintf('set label %d at screen (%g)/real(points_wide), screen 1-34.0/points_high left', i, x)
set yrange [cells+0.5:0.5]
set ytics scale 0 ()
do for [i=1:cells] { set ytics add (name[i] i) }

left = 184
wide = 156
@panel
set label 1 "rate: change from mean (%)"
eval title_at(left)
set label 2 "-50"
eval legend_at(2, left+14)
set label 3 "+50"
eval legend_at(3, left+122)
set xrange [from:to]
set xtics ticks(to-from, 4)
set xlabel "time (min)" offset 0, 0.5
set cbrange [-50:50]
set colorbox user horizontal origin screen (left+38.0)/points_wide, screen 1-38.0/points_high \
    size screen 80.0/points_wide, screen 7.0/points_high
unset cbtics
if (bins > 0) { plot table index "rates" using 1:2:3 with image } else { plot NaN }
unset colorbox
unset xlabel

unset ytics
left = 364
wide = 84
@panel
set label 1 "short intervals (%)"
eval title_at(left)
set label 2 "< 2 ms" textcolor rgb grey
eval legend_at(2, left)
set label 3 "< 1 ms" textcolor rgb orange
eval legend_at(3, left+48)
set xrange [0:(brief > 1 ? 1.05*brief : 1.05)]
set xtics ticks(brief > 1 ? brief : 1, 3)
set arrow 1 from 1, graph 0 to 1, graph 1 nohead dashtype 2 linecolor rgb grey
if (brief > 0) {
    plot table index "cells" using 5:1:(0):5:($1-0.35):($1+0.35) with boxxyerror linecolor rgb light, \
        "" index "cells" using 4:1:(0):4:($1-0.35):($1+0.35) with boxxyerror linecolor rgb orange
} else {
    set label 2 "no spike times" textcolor rgb grey
    unset label 3
    set xtics 1
    plot NaN
}
unset arrow 1

left = 486
wide = 136
@panel
set label 1 "correlation (95 %)"
eval title_at(left)
set xrange [lowest:1.01]
set xtics ticks(1-lowest, 4)
if (repeats > 1) {
    set label 2 "halves" textcolor rgb grey
    eval legend_at(2, left)
    set label 3 "ceiling" textcolor rgb blue
    eval legend_at(3, left+44)
    set label 4 "unbiased" textcolor rgb orange
    eval legend_at(4, left+86)
    plot table index "cells" using 6:($1-0.25):7:8 with xerrorbars pointtype 7 pointsize 0.35 linecolor rgb grey, \
        "" index "cells" using 9:1:10:11 with xerrorbars pointtype 7 pointsize 0.35 linecolor rgb blue, \
        "" index "cells" using 12:($1+0.25):13:14 with xerrorbars pointtype 7 pointsize 0.35 linecolor rgb orange
} else {
    set label 2 "no repeats" textcolor rgb grey
    eval legend_at(2, left)
    unset label 3
    plot NaN
}
unset label 2
unset label 3
unset label 4

# Trials of the best and of the worst cell.
wide = 250
do for [k=1:(shown > 0 ? 2 : 0)] {
    stats table index "trials" every ::(k-1)::(k-1) using (title = strcol(2), most = $3, from = $4, to = $5, 0) nooutput
    left = k == 1 ? 60 : 370
    top = rows+116
    high = 72
    @panel
    set label 1 title at graph 0, 1.08 left
    set xrange [from:to]
    set xtics ticks(to-from, 5) format ""
    set yrange [0.5:repeats+0.5]
    set ytics scale 0.6 ticks(repeats, 3)
    set ylabel (k == 1 ? "repeat" : "") offset 1, 0
    plot table index sprintf("raster %d", k) using 1:2 with points pointtype 7 pointsize 0.12 linecolor rgb "#000000"
    top = rows+194
    high = 44
    @panel
    unset label 1
    set xtics format "%g"
    set xlabel "time (s)" offset 0, 0.5
    set ylabel (k == 1 ? "rate (Hz)" : "") offset 1, 0
    set yrange [0:(most > 0 ? 1.04*most : 1)]
    set ytics ticks(most, 2)
    plot table index sprintf("psth %d", k) using 1:2 with fillsteps linecolor rgb light, \
        "" index sprintf("psth %d", k) using 1:2 with steps linecolor rgb blue
    unset xlabel
}

# Frames.
left = 60
wide = 560
top = rows+100+trials+20
high = 66
@panel
set label 1 sprintf("frame intervals: median %.4g ms, %d irregular", median, irregular) at graph 0, 1.1 left
set xrange [clock_from:clock_to]
set xtics ticks(clock_to-clock_from, 8)
set xlabel "time (min)" offset 0, 0.5
set ylabel "interval (ms)" offset 1, 0
set logscale y
set yrange [(shortest < 0.6*median ? 0.8*shortest : 0.5*median):(longest > 1.6*median ? 1.25*longest : 2*median)]
set ytics (0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000)
plot table index "intervals" using 1:2:3 with filledcurves linecolor rgb light, \
    "" index "intervals" using 1:2 with lines linewidth 0.7 linecolor rgb grey, \
    "" index "intervals" using 1:3 with lines linewidth 0.7 linecolor rgb grey, \
    "" index "irregular" using 1:2 with points pointtype 6 pointsize 0.5 linecolor rgb orange
unset multiplot
