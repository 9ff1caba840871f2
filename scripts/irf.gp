# gnuplot -c irf.gp TABLE FIGURE png|svg|pdf, with GNUPLOT_LIB naming this folder
# How one cell's receptive field changes in time: gain and rate, IRF at its peak pixel, maps at moments of high gain.
table = ARG1
figure = ARG2
format = ARG3
stats table index "figure" using (cell = strcol(1), from = $2, to = $3, oldest = $4, newest = $5, irf_max = $6, \
    gain_max = $7, rate_max = $8, rows = $9, columns = $10, peak_row = $11, peak_column = $12, peak_time = $13, \
    moments = int($14), has_rate = int($15)) nooutput
stats table index "panels" using (has_shape = int($1), polarity_mean = $2, size_max = $3, latency_max = $4, \
    likeness_min = $5) nooutput
if (moments > 0) {
    array moment[moments]
    array map_max[moments]
    stats table index "moments" using (moment[int($1)] = $2, map_max[int($1)] = $3) nooutput
}
points_wide = 640
below = has_shape ? 354 : 0
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
set cbtics irf_max scale 0.4 format "%.3g"
set colorbox user origin screen (left+wide+10.0)/points_wide, screen 1-(top+high)/real(points_high) \
    size screen 8.0/points_wide, screen high/real(points_high)
plot table index "irf" using 1:2:3 with image
unset colorbox

# Of the shape: dots and bars are the paler the smaller the gain, as a field that is almost nothing may have any shape.
pale(rgb, share) = int(255*(1-(share < 0.04 ? 0.04 : share > 1 ? 1 : share)))*16777216 + rgb
if (has_shape) {
    array title[4] = [sprintf("polarity: +1 ON, -1 OFF, mean %+.2f; what stands at small gain is pale", polarity_mean), \
        "size: standard deviation of the centre", "latency of the strongest lobe", ""]
    array unit[4] = ["", "pixels", "ms", ""]
    array lowest[4] = [-1, 0, 0, 1.06*likeness_min]
    array highest[4] = [1, 1.06*size_max, 1.06*latency_max, 1.04]
    do for [i=1:4] {
        top = 286+78*(i-1)
        high = i == 4 ? 66 : 46
        @panel
        set label 1 title[i] at graph 0, 1.18 left
        set xlabel (i == 4 ? "time (s)" : "")
        set xtics format (i == 4 ? "%g" : "")
        set ylabel unit[i] offset 0.5, 0
        set yrange [lowest[i]:highest[i]]
        apart = i == 1 ? 1 : ticks(highest[i]-lowest[i], 2)
        set ytics apart
        if (i == 1) {
            plot table index "shape" using 1:5:(pale($5 > 0 ? 0xb2182b : 0x2166ac, $7)) with impulses linewidth 1.4 \
                linecolor rgb variable, 0 with lines linewidth 0.5 linecolor rgb grey
        }
        if (i == 2 || i == 3) {
            plot table index "shape" using 1:(i == 2 ? $6 : $4):(pale(i == 2 ? 0xd55e00 : 0x333333, $7)) \
                with points pointtype 7 pointsize 0.4 linecolor rgb variable
        }
        if (i == 4) {
            set key at graph 1, 1.26 right top horizontal samplen 0.5 width -2
            plot table index "shape" using 1:8:(pale(0x333333, $7)) with points pointtype 7 pointsize 0.4 linecolor rgb variable, \
                "" index "shape" using 1:2:(pale(0x0072b2, $7)) with points pointtype 7 pointsize 0.4 linecolor rgb variable, \
                "" index "shape" using 1:3:(pale(0x009e73, $7)) with points pointtype 7 pointsize 0.4 linecolor rgb variable, \
                keyentry with points pointtype 7 linecolor rgb "#333333" title "like the mean", \
                keyentry with points pointtype 7 linecolor rgb blue title "separability", \
                keyentry with points pointtype 7 linecolor rgb green title "direction index"
            unset key
        }
    }
    set ylabel offset 0.5, 0
}
unset xlabel

top = 300 + below
set label 2 sprintf("maps: %.0f ms from the response, each on its own scale (Hz/sd)%s", peak_time, \
    has_shape ? "; ellipse: one standard deviation" : "") \
    at screen 62.0/points_wide, screen 12.0/points_high left
do for [i=1:moments] {
    high = rows <= columns ? 90.0*rows/columns : 90
    wide = rows <= columns ? 90 : 90.0*columns/rows
    left = 62+116*(i-1)
    @panel
    set label 1 sprintf("%.2f s, ±%.3g", moment[i], map_max[i]) at graph 0, 1.1 left
    set xrange [-0.5:columns-0.5]
    set yrange [rows-0.5:-0.5]
    set cbrange [-map_max[i]:map_max[i]]
    set xtics ticks(columns, 3)
    set ytics ticks(rows, 3)
    set ylabel (i == 1 ? "row (pixel)" : "") offset 0.5, 0
    set xlabel "column (pixel)"
    if (i > 1) { set ytics format "" }
    plot table index sprintf("map %d", i) using 1:2:3 with image, \
        "" index "moments" every ::(i-1)::(i-1) using 5:4:6:7:8 with ellipses units xx linecolor rgb "black"
    unset label 2
}
unset multiplot
