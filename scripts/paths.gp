# gnuplot -c paths.gp TABLE FIGURE png|svg|pdf, with GNUPLOT_LIB naming this folder
# Which channels of the first convolution act through which of the second: a matrix, and the same as a flow.
table = ARG1
figure = ARG2
format = ARG3
stats table index "figure" using (layer0 = strcol(1), layer1 = strcol(2), target = strcol(3), unit = strcol(4), rows = int($5), \
    columns = int($6), limit = $7, samples = $8, ribbons = int($9), 0) nooutput
array sign[ribbons > 0 ? ribbons : 1]
stats table index "ribbons" using (sign[int($1)] = $2, 0) nooutput
tile_high = rows > 24 ? 8.0 : rows > 12 ? 12.0 : 20.0
tile_wide = columns > 24 ? 8.0 : columns > 12 ? 12.0 : 20.0
matrix_wide = tile_wide*columns
flow_left = 60+(matrix_wide < 110 ? 110 : matrix_wide)+110
points_wide = flow_left+390
flow_high = tile_high*rows > 250 ? tile_high*rows : 250
points_high = flow_high+100
load "terminal.gp"
set multiplot
set style fill solid 1 noborder
set label 2 sprintf("mean contribution of pairs to %s%s, %g samples", target, unit eq "" ? "" : " (".unit.")", samples) \
    at screen 20.0/points_wide, screen 1-16.0/points_high left

left = 60
top = 50
wide = matrix_wide
high = tile_high*rows
@panel
set border 15
set xrange [-0.5:columns-0.5]
set yrange [rows-0.5:-0.5]
step(n) = n > 12 ? 5 : n > 6 ? 2 : 1
set xtics scale 0 step(columns)
set ytics scale 0 step(rows)
set xlabel sprintf("channel of %s", layer1)
set ylabel sprintf("channel of %s", layer0) offset 1, 0
set cbrange [-limit:limit]
set cbtics limit scale 0.4 format "%.3g"
set colorbox user origin screen (left+wide+10.0)/points_wide, screen 1-(top+(high < 80 ? high : 80))/real(points_high) \
    size screen 8.0/points_wide, screen (high < 80 ? high : 80)/real(points_high)
plot table index "matrix" using 2:1:3 with image
unset colorbox
unset label 2

left = flow_left
wide = 330
high = flow_high
@panel
unset border
unset xtics
unset ytics
unset xlabel
unset ylabel
set xrange [-0.06:1]
set yrange [0:1]
set label 3 layer0 at first 0, graph 1.04 left
set label 4 layer1 at first 0.5, graph 1.04 center
set label 5 target at graph 1, 1.04 right
set label 6 "red: adds, blue: takes away; width: mean contribution" at first 0, graph -0.06 left textcolor rgb grey
set style fill transparent solid 0.65 noborder
plot for [i=1:ribbons] table index sprintf("ribbon %d", i) using 1:2:3 with filledcurves \
        linecolor rgb (sign[i] < 0 ? "#2166ac" : "#b2182b"), \
    table index "nodes" using (($1+$2)/2):(($3+$4)/2):1:2:3:4 with boxxyerror fillstyle solid 1 linecolor rgb "#666666", \
    "" index "nodes" using ($5 < 0.25 ? -0.035 : $5+0.035):6:7 with labels center font ",7"
unset multiplot
