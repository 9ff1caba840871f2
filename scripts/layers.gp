# gnuplot -c layers.gp TABLE FIGURE png|svg|pdf, with GNUPLOT_LIB naming this folder
# How contributions and activations are spread over channels, layer by layer.
table = ARG1
figure = ARG2
format = ARG3
stats table index "figure" using (layers = int($1), target = strcol(2), 0) nooutput
array name[layers]
stats table index "layers" using (name[int($1)] = strcol(2), 0) nooutput
points_wide = 730
points_high = 420
load "terminal.gp"
array colours[8] = ["#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c510a"]
set multiplot
wide = 160
high = 122
set label 10 sprintf("contributions to %s", target) at screen 60.0/points_wide, screen 1-14.0/points_high left \
    point pointtype 7 pointsize 0.7 linecolor rgb blue offset 1, 0
set label 11 "activations" at screen 260.0/points_wide, screen 1-14.0/points_high left point pointtype 7 pointsize 0.7 \
    linecolor rgb orange offset 1, 0
set label 12 "one channel" at screen 360.0/points_wide, screen 1-14.0/points_high left point pointtype 6 pointsize 0.5 \
    linecolor rgb grey offset 1, 0
at_layers = 'set xrange [0.5:layers+0.5]; set xtics (); do for [i=1:layers] { set xtics add (name[i] i) }; unset xlabel'
columns = 'left = 60+235*column; top = 50+190*row'

row = 0
column = 0
@columns
@panel
@at_layers
set yrange [0:1]
set ytics 0.5
set label 1 "sparsity of a moment (Hoyer)" at graph 0, 1.1 left
plot table index "layers" using ($1-0.08):4 with lines linecolor rgb blue linewidth 0.8, \
    "" index "layers" using ($1-0.08):4:5 with yerrorbars pointtype 7 pointsize 0.6 linecolor rgb blue, \
    "" index "layers" using ($1+0.08):8 with lines linecolor rgb orange linewidth 0.8, \
    "" index "layers" using ($1+0.08):8:9 with yerrorbars pointtype 7 pointsize 0.6 linecolor rgb orange
unset label 10
unset label 11
unset label 12

column = 1
@columns
@panel
set label 1 "columns that share a moment"
set ylabel "share of columns" offset 0.8, 0
plot table index "layers" using 1:6 with linespoints pointtype 7 pointsize 0.6 linecolor rgb blue linewidth 0.8, \
    "" index "layers" using 1:10 with linespoints pointtype 7 pointsize 0.6 linecolor rgb orange linewidth 0.8

column = 2
@columns
@panel
set label 1 "components for 90 % variance"
set ylabel "share of columns" offset 0.8, 0
plot table index "layers" using 1:7 with linespoints pointtype 7 pointsize 0.6 linecolor rgb blue linewidth 0.8, \
    "" index "layers" using 1:11 with linespoints pointtype 7 pointsize 0.6 linecolor rgb orange linewidth 0.8

# Dots of channels side by side, in the order of their numbers.
row = 1
column = 0
@columns
@panel
set label 1 "negative and positive parts"
set ylabel "r of their sizes" offset 0.8, 0
set yrange [-1:1]
spread(channel) = 0.25*((int(channel*7) % 11)/10.0-0.5)
plot 0 with lines linecolor rgb light linewidth 0.7, \
    table index "channels" using ($1+spread($2)):3 with points pointtype 6 pointsize 0.5 linecolor rgb grey, \
    "" index "layers" using 1:12 with linespoints pointtype 7 pointsize 0.6 linecolor rgb blue linewidth 0.8

column = 1
@columns
@panel
set label 1 "contribution and activation"
set ylabel "r over time" offset 0.8, 0
plot 0 with lines linecolor rgb light linewidth 0.7, \
    table index "channels" using ($1+spread($2)):4 with points pointtype 6 pointsize 0.5 linecolor rgb grey, \
    "" index "layers" using 1:13 with linespoints pointtype 7 pointsize 0.6 linecolor rgb blue linewidth 0.8

column = 2
@columns
@panel
set label 1 "variance of components"
set ylabel "share of variance" offset 0.8, 0
set xlabel "components, share of columns"
set xrange [0:1]
set xtics 0.5
set yrange [0:1]
set key at graph 1, 0.06 right bottom samplen 1.5 spacing 0.9
plot 0.9 with lines linecolor rgb light linewidth 0.7, \
    for [i=1:layers] table index sprintf("variance %d", i) using 1:3 with lines dashtype 2 linewidth 1 \
        linecolor rgb colours[(i-1) % 8+1], \
    for [i=1:layers] table index sprintf("variance %d", i) using 1:2 with lines linewidth 1.4 \
        linecolor rgb colours[(i-1) % 8+1] title name[i], \
    NaN with lines dashtype 2 linecolor rgb grey title "activations"
unset multiplot
