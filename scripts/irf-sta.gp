# gnuplot -c irf-sta.gp TABLE FIGURE png|svg|pdf, with GNUPLOT_LIB naming this folder
# One cell's mean instantaneous receptive field beside its spike-triggered average: maps at the STA's peak, courses at its pixel.
table = ARG1
figure = ARG2
format = ARG3
stats table index "figure" using (cell = strcol(1), r = $2, cosine = $3, rows = $4, columns = $5, row = $6, column = $7, \
    peak = $8, course_max = $9, map_max = $10, oldest = $11, newest = $12) nooutput
has_maps = rows*columns > 1
points_wide = has_maps ? 600 : 330
points_high = has_maps ? 232 : 214
load "terminal.gp"
set multiplot
top = 44
set label 1 sprintf("%s: mean IRF and STA, r = %.2f", cell, r) at screen 44.0/points_wide, screen 1-14.0/points_high left

if (has_maps) {
    do for [i=1:2] {
        high = rows <= columns ? 116.0*rows/columns : 116
        wide = rows <= columns ? 116 : 116.0*columns/rows
        left = 44+142*(i-1)
        @panel
        set label 2 (i == 1 ? "mean IRF" : "STA") at graph 0, 1.08 left
        set xrange [-0.5:columns-0.5]
        set yrange [rows-0.5:-0.5]
        set cbrange [-map_max:map_max]
        set xtics ticks(columns, 3)
        set ytics ticks(rows, 3)
        set xlabel "column (pixel)"
        set ylabel (i == 1 ? "row (pixel)" : "") offset 1, 0
        if (i > 1) { set ytics format "" }
        plot table index (i == 1 ? "irf map" : "sta map") using 1:2:3 with image
        unset label 1
    }
    set label 3 sprintf("maps at %.0f ms, one scale", peak) at screen 44.0/points_wide, screen 8.0/points_high left
}

high = 116
wide = 200
left = has_maps ? 380 : 62
@panel
set label 2 (has_maps ? sprintf("at row %g, column %g", row, column) : "") at graph 0, 1.08 left
set xrange [oldest:0]
set yrange [-1.08*course_max:1.08*course_max]
set xtics ticks(-oldest, 4) format "%g"
set ytics ticks(2*course_max, 4) format "%g"
set xlabel "from response (ms)"
set ylabel "of unit length" offset 0.5, 0
set key at graph 0.02, 0.02 left bottom Left reverse samplen 1.5
set arrow 1 from oldest, 0 to 0, 0 nohead linecolor rgb light
plot table index "course" using 1:2 with linespoints pointtype 7 pointsize 0.25 linewidth 1.5 linecolor rgb orange title "mean IRF", \
    "" index "course" using 1:3 with linespoints pointtype 7 pointsize 0.25 linewidth 1.5 linecolor rgb blue title "STA"
unset multiplot
