# gnuplot -c circuit.gp TABLE FIGURE png|svg|pdf, with GNUPLOT_LIB naming this folder
# A simulated retina: around the ganglion cells, mosaics and wiring; on the right courses in time, profiles in space, output
# nonlinearities, and where all interneurons stand.
table = ARG1
figure = ARG2
format = ARG3
stats table index "figure" using (title = strcol(1), types = int($2), cell_types = int($3), cells = int($4), near = $5, \
    all = $6, inhibitions = $7, 0) nooutput
# Many lines should not hide what they join.
red = inhibitions > 60 ? "#f8e0d8" : "#e07050"
array name[types]
stats table index "types" using (name[int($1)] = strcol(2), 0) nooutput
array cell_type[cell_types]
stats table index "cell types" using (cell_type[int($1)] = strcol(2), 0) nooutput
array type_of[cells]
j = 0
stats table index "cells" using (j = j+1, type_of[j] = int($4), 0) nooutput
points_wide = 700
points_high = 660
side = 400
load "terminal.gp"
array colour[10] = ["#e69f00", "#0072b2", "#d55e00", "#56b4e9", "#009e73", "#cc79a7", "#000000", "#999999", "#8c510a", "#762a83"]
array shade[10] = ["#e69f00", "#0072b2", "#000000", "#cc79a7", "#009e73", "#d55e00", "#56b4e9", "#999999", "#8c510a", "#762a83"]
is_amacrine(i) = strstrt(name[i], "amacrine") > 0
set multiplot
set label 1 title at screen 8.0/points_wide, screen 1-12.0/points_high left
set label 2 "lines: excitation (grey), direct inhibition (red)" at screen 62.0/points_wide, screen 1-482.0/points_high left

# Around the cells, as seen on the screen: y goes down.
left = 62; wide = side; top = 30; high = side
@panel
set xrange [-near:near]
set yrange [near:-near]
set xtics ticks(2*near, 6)
set ytics ticks(2*near, 6)
set xlabel "x (µm)"
set ylabel "y (µm)" offset 0.5, 0
set style fill transparent solid 0.12 border
plot table index "excitation" using 1:2:3:4 with vectors nohead linecolor rgb grey linewidth 0.5, \
    "" index "inhibition" using 1:2:3:4 with vectors nohead linecolor rgb red linewidth 0.4, \
    for [i=1:types] table index sprintf("neurons %d", i) using 1:2 with points pointtype (is_amacrine(i) ? 5 : 7) \
        pointsize 0.5 linecolor rgb colour[i], \
    for [k=1:cell_types] table index "cells" using ($4 == k ? $1 : NaN):2:3 with circles fillcolor rgb shade[k] \
        linecolor rgb shade[k] linewidth 1.4, \
    table index "cells" using 1:2:(substr(strcol(5), 5, 9)) with labels font ",7"
unset label 1
unset label 2
set style fill empty

# What the signs mean, below the map.
do for [i=1:types] {
    set label 100+i name[i] at screen 70.0/points_wide, screen 1-(484.0+15*i)/points_high left textcolor rgb colour[i] \
        point pointtype (is_amacrine(i) ? 5 : 7) pointsize 0.7 linecolor rgb colour[i] offset 1, 0
}
do for [k=1:cell_types] {
    set label 200+k cell_type[k] at screen 290.0/points_wide, screen 1-(484.0+15*k)/points_high left \
        textcolor rgb shade[k] point pointtype 6 pointsize 1 linecolor rgb shade[k] offset 1, 0
}

left = 525; wide = 160; high = 95
top = 30
@panel
set autoscale
longest = 0
do for [i=1:types] {
    stats table index sprintf("time %d", i) using 1:2 nooutput
    longest = STATS_max_x > longest ? STATS_max_x : longest
}
set xrange [0:longest] noreverse
set yrange [-1.05:1.05]
set xtics ticks(longest, 4)
set ytics 1
set xlabel "time after a flash (ms)"
set ylabel "response / peak" offset 0.5, 0
plot 0 with lines linecolor rgb light, \
    for [i=1:types] table index sprintf("time %d", i) using 1:2 with lines linecolor rgb colour[i] linewidth 1.5
do for [i=1:types] { unset label 100+i }
do for [k=1:cell_types] { unset label 200+k }

top = 180
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
set xtics ticks(2*widest, 4)
set ytics 0.5
set xlabel "distance (µm)"
set ylabel "weight / peak" offset 0.5, 0
plot 0 with lines linecolor rgb light, \
    for [i=1:types] table index sprintf("space %d", i) using 1:2 with lines linecolor rgb colour[i] linewidth 1.5

top = 330
@panel
set autoscale
highest = 0
do for [j=1:cells] {
    stats table index sprintf("output %d", j) using 2 nooutput
    highest = STATS_max > highest ? STATS_max : highest
}
set xrange [-2:8]
set yrange [0:highest]
set xtics 2
set ytics ticks(highest, 4)
set xlabel "input × slope"
set ylabel "rate (Hz)" offset 0.5, 0
plot for [j=1:cells] table index sprintf("output %d", j) using 1:2 with lines linecolor rgb shade[type_of[j]] linewidth 1

top = 480; wide = 125; high = 125
@panel
set xrange [-all:all]
set yrange [all:-all]
set xtics ticks(2*all, 3)
set ytics ticks(2*all, 3)
set xlabel "x (µm)"
set ylabel "y (µm)" offset 0.5, 0
plot for [i=1:types] table index sprintf("neurons %d", i) using 1:2 with points pointtype (is_amacrine(i) ? 5 : 7) \
        pointsize 0.2 linecolor rgb colour[i], \
    for [k=1:cell_types] table index "cells" using ($4 == k ? $1 : NaN):2:3 with circles linecolor rgb shade[k]
unset multiplot
