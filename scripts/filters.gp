# gnuplot -c filters.gp TABLE FIGURE png|svg|pdf, with GNUPLOT_LIB naming this folder
# Spike-triggered averages, a row per cell: time course at the peak pixel, map at the peak's time, nonlinearity.
table = ARG1
figure = ARG2
format = ARG3
stats table index "figure" using (cells = int($1), maps = int($2), rows = $3, columns = $4, caption = strcol(5), 0) nooutput
array title[cells]
array map_max[cells]
array peak_row[cells]
array peak_column[cells]
array peak_time[cells]
stats table index "cells" using (title[int($1)] = strcol(2), map_max[int($1)] = $3, peak_row[int($1)] = $5, \
    peak_column[int($1)] = $6, peak_time[int($1)] = $7) nooutput
points_wide = maps ? 640 : 480
points_high = 130*cells+50
load "terminal.gp"
set multiplot
set label 2 caption at screen 62.0/points_wide, screen 10.0/points_high left
do for [i=1:cells] {
    last = i == cells
    top = 130*i-102
    high = 82

    left = 62
    wide = 165
    @panel
    course = sprintf("course %d", i)
    set autoscale
    stats table index course using 1:2 nooutput
    set label 1 title[i] at graph 0, 1.17 left
    set ylabel "STA (sd)" offset 0.5, 0
    set xlabel (last ? "time from spike (ms)" : "")
    set xrange [STATS_min_x:0]
    set xtics ticks(-STATS_min_x, 4)
    set ytics ticks(STATS_max_y-STATS_min_y, 3)
    plot table index course using 1:(-$3):3 with filledcurves linecolor rgb light, \
        "" index course using 1:(0) with lines linecolor rgb grey linewidth 0.7, \
        "" index course using 1:2 with lines linecolor rgb blue linewidth 1.8
    unset label 1
    unset label 2

    left = 290
    if (maps) {
        wide = high
        if (columns > rows) { wide = 120; high = 120*rows/columns }
        if (columns < rows) { wide = 82*columns/rows }
        @panel
        set label 1 sprintf("%.0f ms, scale ±%.2g sd", peak_time[i], map_max[i]) at graph 0, 1.17 left
        set xrange [-0.5:columns-0.5]
        set yrange [rows-0.5:-0.5]
        set cbrange [-map_max[i]:map_max[i]]
        set xtics ticks(columns, 3)
        set ytics ticks(rows, 3)
        set xlabel (last ? "column (pixel)" : "")
        set ylabel "row (pixel)" offset 0.5, 0
        plot table index sprintf("map %d", i) using 1:2:3 with image, \
            "+" using (peak_column[i]):(peak_row[i]) every ::0::0 with points pointtype 6 pointsize 0.8 linecolor rgb "black"
        unset label 1
        left = 460
        high = 82
    }
    wide = 155
    @panel
    nonlinearity = sprintf("nonlinearity %d", i)
    set autoscale
    stats table index nonlinearity using 1:2 nooutput
    set yrange [0:*]
    set xtics ticks(STATS_max_x-STATS_min_x, 4)
    set ytics ticks(STATS_max_y, 3)
    set xlabel (last ? "filtered stimulus (sd)" : "")
    set ylabel "rate (Hz)" offset 0.5, 0
    plot table index nonlinearity using 1:2 with linespoints pointtype 7 pointsize 0.4 linecolor rgb orange linewidth 1.4
}
unset multiplot
set label 2 caption at screen 62.0/points_wide, screen 10.0/points_high left
