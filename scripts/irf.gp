# gnuplot -c irf.gp TABLE FIGURE png|svg|pdf, with GNUPLOT_LIB naming this folder
# How one cell's receptive field changes in time: gain and rate, IRF at its peak pixel, maps at moments of high gain.
table = ARG1
figure = ARG2
format = ARG3
stats table index "figure" using (cell = strcol(1), from = $2, to = $3, oldest = $4, newest = $5, irf_max = $6, \
    gain_max = $7, rate_max = $8, rows = $9, columns = $10, peak_row = $11, peak_column = $12, peak_time = $13, \
    moments = int($14), has_rate = int($15)) nooutput
stats table index "panels" using (has_shape = int($1), size_max = $2, latency_max = $3) nooutput
if (moments > 0) {
    array moment[moments]
    array map_max[moments]
    stats table index "moments" using (moment[int($1)] = $2, map_max[int($1)] = $3) nooutput
}
points_wide = 640
below = has_shape ? 194 : 0
points_high = below + (moments > 0 ? 464 : 268)
load "terminal.gp"
set multiplot
left = 62
wide = 500
set xrange [from:to]
set xtics ticks(to-from, 8) format ""

top = 28
high = 70
@panel
set label 1 cell at graph 0, 1.12 left
set key at graph 1, 1.3 right top horizontal samplen 1.5
set border 11
set yrange [0:1.04*gain_max]
set ytics ticks(gain_max, 3)
set ylabel "gain (Hz/sd)" offset 0.5, 0 textcolor rgb orange
if (has_rate) {
    set y2range [0:1.04*rate_max]
    set y2tics ticks(rate_max, 3)
    set y2label "rate (Hz)" textcolor rgb "#666666"
}
do for [i=1:moments] {
    set arrow i from first moment[i], graph 1 to first moment[i], graph 0 nohead linecolor rgb grey dashtype 2
}
if (has_rate) {
    plot table index "gain" using 1:3 axes x1y2 with filledcurves y2=0 linecolor rgb light title "rate", \
        "" index "gain" using 1:2 with lines linewidth 1.5 linecolor rgb orange title "gain"
} else {
    plot table index "gain" using 1:2 with lines linewidth 1.5 linecolor rgb orange title "gain"
}
unset key
unset y2tics
unset y2label
unset arrow
set border 3

top = 124
high = 96
@panel
set label 1 (moments > 0 ? sprintf("IRF (Hz/sd) at row %g, column %g", peak_row, peak_column) : "IRF (Hz/sd)") \
    at graph 0, 1.1 left
set xtics format "%g"
set xlabel "time (s)"
set ylabel "from response (ms)" offset 0.5, 0 textcolor rgb "black"
set yrange [*:*] noextend
set ytics ticks(newest-oldest, 3)
set cbrange [-irf_max:irf_max]
set cbtics irf_max scale 0.4 format "%.2g"
set colorbox user origin screen (left+wide+10.0)/points_wide, screen 1-(top+high)/real(points_high) \
    size screen 8.0/points_wide, screen high/real(points_high)
plot table index "irf" using 1:2:3 with image
unset colorbox

# Points where the field is ON stand in one colour, those where it is OFF in another.
if (has_shape) {
    do for [i=1:2] {
        top = 286+88*(i-1)
        high = 50
        @panel
        set label 1 (i == 1 ? "separability and direction index" : "size and latency") \
            at graph 0, 1.16 left
        set key at graph 1, 1.34 right top horizontal samplen 1
        set border (i == 1 ? 3 : 11)
        set xlabel (i == 2 ? "time (s)" : "")
        if (i == 1) {
            set xtics format ""
            set ylabel "0 to 1" offset 0.5, 0
            set yrange [0:1.04]
            set ytics 0.5
            plot table index "shape" using 1:2 with lines linewidth 1.2 linecolor rgb blue title "separability", \
                "" index "shape" using 1:3 with lines linewidth 1.2 linecolor rgb green title "direction"
        } else {
            set xtics format "%g"
            set ylabel "size (px)" offset 0.5, 0
            set yrange [0:1.06*size_max]
            set ytics ticks(size_max, 2)
            set y2label "latency (ms)" textcolor rgb "#666666"
            set y2range [0:1.06*latency_max]
            set y2tics ticks(latency_max, 2)
            plot table index "shape" using 1:6 with lines linewidth 1.2 linecolor rgb orange title "size", \
                "" index "shape" using 1:($5 > 0 ? $4 : 1/0) axes x1y2 with points pointtype 7 pointsize 0.3 \
                linecolor rgb "#666666" title "latency where ON", \
                "" index "shape" using 1:($5 < 0 ? $4 : 1/0) axes x1y2 with points pointtype 6 pointsize 0.5 \
                linecolor rgb "#000000" title "where OFF"
        }
    }
    unset key
    unset y2label
    unset y2tics
    set border 3
    set ylabel offset 0.5, 0
}
unset xlabel

top = 300 + below
set label 2 sprintf("maps: %.0f ms from the response, each on its own scale (Hz/sd)", peak_time) \
    at screen 62.0/points_wide, screen 12.0/points_high left
do for [i=1:moments] {
    high = rows <= columns ? 90.0*rows/columns : 90
    wide = rows <= columns ? 90 : 90.0*columns/rows
    left = 62+116*(i-1)
    @panel
    set label 1 sprintf("%.2f s, ±%.2g", moment[i], map_max[i]) at graph 0, 1.1 left
    set xrange [-0.5:columns-0.5]
    set yrange [rows-0.5:-0.5]
    set cbrange [-map_max[i]:map_max[i]]
    set xtics ticks(columns, 3)
    set ytics ticks(rows, 3)
    set ylabel (i == 1 ? "row (pixel)" : "") offset 0.5, 0
    set xlabel "column (pixel)"
    if (i > 1) { set ytics format "" }
    plot table index sprintf("map %d", i) using 1:2:3 with image
    unset label 2
}
unset multiplot
