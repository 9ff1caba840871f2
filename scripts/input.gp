# gnuplot -c input.gp TABLE FIGURE png|svg|pdf, with GNUPLOT_LIB naming this folder
# What of the stimulus drove the target: the target, attributions over the history at every moment, and of some moments the
# map and the time course.
table = ARG1
figure = ARG2
format = ARG3
stats table index "figure" using (target = strcol(1), unit = strcol(2), from = $3, to = $4, oldest = $5, newest = $6, \
    strip_max = $7, rows = $8, columns = $9, first_row = $10, first_column = $11, moments = int($12), map_max = $13, \
    course_max = $14, target_min = $15, target_max = $16, has_gaps = int($17), 0) nooutput
array moment[moments]
array total[moments]
stats table index "moments" using (moment[int($1)] = $2, total[int($1)] = $3) nooutput
has_maps = rows*columns > 1
in_unit = unit eq "" ? "" : sprintf(" (%s)", unit)
side = 92
map_high = !has_maps ? 0 : rows <= columns ? side*rows/columns : side
map_wide = rows <= columns ? side : side*columns/rows
points_wide = 640
points_high = 424 + (has_maps ? map_high + 84 : 0)
load "terminal.gp"
# An image keeps its grid where values are NaN, but not where they are missing.
set datafile missing "missing"
set multiplot
left = 62
wide = 500
set xrange [from:to]
set xtics ticks(to-from, 8) format ""

top = 28
high = 70
@panel
set label 1 target at graph 0, 1.12 left
set key at graph 1, 1.3 right top horizontal samplen 1.5
set yrange [target_min:target_max+0.04*(target_max-target_min)]
set ytics ticks(target_max-target_min, 3)
set ylabel (unit eq "" ? target : "rate".in_unit) offset 0.5, 0
do for [i=1:moments] {
    set arrow i from first moment[i], graph 1 to first moment[i], graph 0 nohead linecolor rgb grey dashtype 2
}
plot table index "target" using 1:3 with lines linewidth 1 linecolor rgb "#666666" title "at the baseline", \
    "" index "target" using 1:2 with lines linewidth 1.5 linecolor rgb blue title "at the stimulus"
unset key
unset arrow

top = 124
high = 96
@panel
set label 1 "attributions summed over pixels".in_unit.(has_gaps ? "; grey: none computed" : "") at graph 0, 1.1 left
set object 1 rectangle from graph 0, 0 to graph 1, 1 behind fillstyle solid 1 noborder fillcolor rgb light
set xtics format "%g"
set xlabel "time (s)"
set ylabel "from response (ms)" offset 0.5, 0
set yrange [*:*] noextend
set ytics ticks(newest-oldest, 3)
set cbrange [-strip_max:strip_max]
set cbtics strip_max scale 0.4 format "%.3g"
set colorbox user origin screen (left+wide+10.0)/points_wide, screen 1-(top+high)/real(points_high) \
    size screen 8.0/points_wide, screen high/real(points_high)
plot table index "strip" using 1:2:3 with image
unset colorbox
unset object 1

# Maps and courses of all moments have one scale each.
if (has_maps) {
    set label 2 "maps, summed over the history".in_unit."; behind each time the sum of all" at screen 62.0/points_wide, screen 1-270.0/points_high left
    set cbrange [-map_max:map_max]
    set cbtics map_max
    set xrange [first_column-0.5:first_column+columns-0.5]
    set yrange [first_row+rows-0.5:first_row-0.5]
    set xtics ticks(columns, 3)
    set ytics ticks(rows, 3)
    set xlabel "column (pixel)"
    do for [i=1:moments] {
        top = 296
        high = map_high
        wide = map_wide
        left = 62+104*(i-1)
        if (i == moments) {
            set colorbox user origin screen (left+wide+10.0)/points_wide, screen 1-(top+high)/real(points_high) \
                size screen 8.0/points_wide, screen high/real(points_high)
        }
        @panel
        set label 1 sprintf("%.2f s: %+.3g", moment[i], total[i]) at graph 0, 1.1 left
        set ylabel (i == 1 ? "row (pixel)" : "") offset 0.5, 0
        if (i == 2) { set ytics format "" }
        plot table index sprintf("map %d", i) using 1:2:3 with image
        unset label 2
    }
    unset colorbox
}

set label 2 "time courses, summed over pixels".in_unit at screen 62.0/points_wide, \
    screen 1-(has_maps ? 362.0+map_high : 272.0)/points_high left
# From the start of the oldest frame to the response, as the strip is turned.
set xrange [oldest:0]
set yrange [-1.04*course_max:1.04*course_max]
set xtics ticks(-oldest, 2) format "%g"
set ytics ticks(2*course_max, 3) format "%g"
set xzeroaxis linetype 1 linecolor rgb grey linewidth 0.7
do for [i=1:moments] {
    top = 296 + (has_maps ? map_high+84 : 0)
    high = 70
    wide = side
    left = 62+104*(i-1)
    @panel
    set label 1 (has_maps ? "" : sprintf("%.2f s: %+.3g", moment[i], total[i])) at graph 0, 1.1 left
    set ylabel (i == 1 ? "sum".in_unit : "") offset 0.5, 0
    set xlabel (i == (moments+1)/2 ? "from response (ms)" : "")
    if (i == 2) { set ytics format "" }
    plot table index sprintf("course %d", i) using 1:2 with lines linewidth 1.5 linecolor rgb orange
    unset label 2
}
unset multiplot
