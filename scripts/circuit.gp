# gnuplot -c circuit.gp TABLE FIGURE png|svg|pdf, with GNUPLOT_LIB naming this folder
# A simulated retina.  Above: mosaics around the ganglion cells, and wiring of some.  Below: courses in time, profiles in space,
# output nonlinearities, and where all neurons stand.
table = ARG1
figure = ARG2
format = ARG3
stats table index "figure" using (title = strcol(1), types = int($2), cell_types = int($3), cells = int($4), near = $5, \
    all = $6, 0) nooutput
stats table index "wiring" using (wiring = strcol(1), wired_x = $2, wired_y = $3, wired = $4, largest = $5, 0) nooutput
array name[types]
stats table index "types" using (name[int($1)] = strcol(2), 0) nooutput
array cell_type[cell_types]
stats table index "cell types" using (cell_type[int($1)] = strcol(2), 0) nooutput
array type_of[cells]
j = 0
stats table index "cells" using (j = j+1, type_of[j] = int($4), 0) nooutput
rows = types > cell_types ? types : cell_types
rows = rows < 4 ? 4 : rows
signs = 372
points_wide = 720
points_high = signs+14*rows+190
load "terminal.gp"
array colours[10] = ["#e69f00", "#0072b2", "#d55e00", "#56b4e9", "#009e73", "#cc79a7", "#000000", \
    "#999999", "#8c510a", "#762a83"]
array shades[10] = ["#e69f00", "#0072b2", "#000000", "#cc79a7", "#009e73", "#d55e00", "#56b4e9", "#999999", \
    "#8c510a", "#762a83"]
colour(i) = colours[(i-1) % 10 + 1]
shade(k) = shades[(k-1) % 10 + 1]
is_amacrine(i) = strstrt(name[i], "amacrine") > 0
# Lines that are drawn later are thinner, so that equal ones are all seen.
thickness(i) = 1.0+3.0*(types-i)/types
set multiplot

# Around the cells, as seen on the screen: y goes down.
left = 58; wide = 285; top = 36; high = 285
@panel
set label 1 title at screen real(left)/points_wide, screen 1-16.0/points_high left
set xrange [-near:near]
set yrange [near:-near]
set xtics ticks(2*near, 6)
set ytics ticks(2*near, 6)
set xlabel "x (µm)"
set ylabel "y (µm)" offset 0.5, 0
set style fill transparent solid 0.12 border
plot for [i=1:types] table index sprintf("neurons %d", i) using 1:2 with points pointtype (is_amacrine(i) ? 5 : 7) \
        pointsize 0.4 linecolor rgb colour(i), \
    for [k=1:cell_types] table index "cells" using ($4 == k ? $1 : NaN):2:3 with circles fillcolor rgb shade(k) \
        linecolor rgb shade(k) linewidth 1.4, \
    table index "cells" using 1:2:6 with labels font ",6"

# Wiring, where lines to cells outside leave the panel; and below both maps what the signs mean.
left = 424
@panel
set label 1 wiring at screen real(left)/points_wide, screen 1-16.0/points_high left
do for [i=1:types] {
    set label 100+i name[i] at screen 66.0/points_wide, screen 1-(signs+14.0*i)/points_high left textcolor rgb colour(i) \
        point pointtype (is_amacrine(i) ? 5 : 7) pointsize 0.7 linecolor rgb colour(i) offset 1, 0
}
do for [k=1:cell_types] {
    set label 200+k cell_type[k] at screen 266.0/points_wide, screen 1-(signs+14.0*k)/points_high left \
        textcolor rgb shade(k) point pointtype 6 pointsize 1 linecolor rgb shade(k) offset 1, 0
}
set label 301 "excitation" at screen 466.0/points_wide, screen 1-(signs+14.0)/points_high left
set label 302 "direct inhibition" at screen 466.0/points_wide, screen 1-(signs+28.0)/points_high left
set label 303 sprintf("thickest: weight %.2g", largest) at screen 466.0/points_wide, screen 1-(signs+42.0)/points_high left
set label 304 sprintf("thinnest: up to %.2g", largest/5) at screen 466.0/points_wide, screen 1-(signs+56.0)/points_high left
mark = 'set arrow nohead from screen 434.0/points_wide, screen 1-(signs+14.0*at)/points_high to screen 460.0/points_wide, \
    screen 1-(signs+14.0*at)/points_high linecolor rgb'
at = 1
@mark blue linewidth 2
at = 2
@mark orange linewidth 2
at = 3
@mark grey linewidth 2.3
at = 4
@mark grey linewidth 0.3
set xrange [wired_x-wired:wired_x+wired]
set yrange [wired_y+wired:wired_y-wired]
set xtics ticks(2*wired, 5)
set ytics ticks(2*wired, 5)
set style fill transparent solid 0.08 border
plot for [w=1:5] table index "wires" using ($6 == w && $5 < 0 ? $1 : NaN):2:3:4 with vectors nohead linecolor rgb orange \
        linewidth 0.5*w-0.2, \
    for [w=1:5] table index "wires" using ($6 == w && $5 > 0 ? $1 : NaN):2:3:4 with vectors nohead linecolor rgb blue \
        linewidth 0.5*w-0.2, \
    table index "wires" using ($5 < 0 ? $1 : NaN):2 with points pointtype 5 pointsize 0.4 linecolor rgb orange, \
    table index "wires" using ($5 > 0 ? $1 : NaN):2 with points pointtype 7 pointsize 0.4 linecolor rgb blue, \
    for [k=1:cell_types] table index "cells" using ($4 == k && $5 == 1 ? $1 : NaN):2:3 with circles \
        fillcolor rgb shade(k) linecolor rgb shade(k) linewidth 1.4, \
    table index "cells" using ($5 == 1 ? $1 : NaN):2:6 with labels font ",6"
unset label
unset arrow
set style fill empty

top = signs+14*rows+35; high = 105; wide = 114
left = 58
@panel
set autoscale
longest = 0
do for [i=1:types] {
    stats table index sprintf("time %d", i) using 1:2 nooutput
    longest = STATS_max_x > longest ? STATS_max_x : longest
}
set xrange [0:longest] noreverse
set yrange [-1.05:1.05]
set xtics ticks(longest, 3)
set ytics 1
set xlabel "time after a flash (ms)"
set ylabel "response / peak" offset 0.5, 0
plot 0 with lines linecolor rgb light, \
    for [i=1:types] table index sprintf("time %d", i) using 1:2 with lines linecolor rgb colour(i) linewidth thickness(i)

left = 236
@panel
set autoscale
widest = 1
do for [i=1:types] {
    if (!is_amacrine(i)) {
        stats table index sprintf("space %d", i) using 1:2 nooutput
        widest = STATS_max_x > widest ? STATS_max_x : widest
    }
}
set xrange [-widest:widest]
set yrange [-0.3:1.05]
set xtics ticks(2*widest, 3)
set ytics 0.5
set xlabel "distance (µm)"
set ylabel "weight / peak" offset 0.5, 0
plot 0 with lines linecolor rgb light, \
    for [i=1:types] table index sprintf("space %d", i) using 1:2 with lines linecolor rgb colour(i) linewidth thickness(i)

left = 414
@panel
set autoscale
highest = 0
furthest = 0
lowest = 0
do for [j=1:cells] {
    stats table index sprintf("output %d", j) using 1:2 nooutput
    highest = STATS_max_y > highest ? STATS_max_y : highest
    furthest = STATS_max_x > furthest ? STATS_max_x : furthest
    lowest = STATS_min_x < lowest ? STATS_min_x : lowest
}
set xrange [lowest:furthest]
set yrange [0:1.03*highest]
set xtics ticks(furthest-lowest, 4)
set ytics ticks(highest, 4)
set xlabel "input × slope (grey: 0)"
set ylabel "rate (Hz)" offset 0.5, 0
plot for [j=1:cells] table index sprintf("output %d", j) using 1:2 with lines linecolor rgb shade(type_of[j]) linewidth 1.2

left = 592
@panel
set xrange [-all:all]
set yrange [all:-all]
set xtics ticks(2*all, 3)
set ytics ticks(2*all, 3)
set xlabel "x (µm)"
set ylabel "y (µm)" offset 0.5, 0
plot for [i=1:types] table index sprintf("neurons %d", i) using 1:2 with points pointtype (is_amacrine(i) ? 5 : 7) \
        pointsize 0.2 linecolor rgb colour(i), \
    for [k=1:cell_types] table index "cells" using ($4 == k ? $1 : NaN):2:3 with circles linecolor rgb shade(k)
unset multiplot
