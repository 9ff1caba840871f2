# gnuplot -c convergence.gp TABLE FIGURE png|svg|pdf, with GNUPLOT_LIB naming the folder of terminal.gp
# Error of contributions against what they cost, one panel for each convolution; below, how far they are from adding up.
table = ARG1
figure = ARG2
format = ARG3
stats table index "figure" using (cuts = int($1)) nooutput
points_wide = 200*cuts+70
points_high = 440
load "terminal.gp"
set multiplot
set logscale xy
set format y "10^{%T}"
set termoption enhanced
set xrange [2:2000]
set label 1 "1, 2, 4 ... 256 steps, and as needed at tolerances of 0.3 ... 0.0003;\nmeans over samples, against 4096 secants" \
    at screen 62.0/points_wide, screen 1-12.0/points_high left
high = 140
do for [k=1:cuts] {
    left = 62+200*(k-1)
    wide = 150
    top = 56
    @panel
    set yrange [1e-7:2]
    set title sprintf("conv%d", k-1) offset 0, -0.6
    set ylabel k == 1 ? "relative error of maps" : "" offset 0.5, 0
    plot table index "trapezia" using 1:k+1 with linespoints pointtype 4 pointsize 0.6 linecolor rgb orange, \
        "" index "secants" using 1:k+1 with linespoints pointtype 7 pointsize 0.5 linecolor rgb blue, \
        "" index "secants as needed" using 1:k+1 with points pointtype 2 pointsize 0.8 linewidth 1.5 linecolor rgb green
    unset label 1
}
left = 62
wide = 200*cuts-50
top = 258
@panel
unset title
set ylabel "residual / change of target" offset 0.5, 0
set xlabel "passes forward or backward above the first convolution, a sample"
set yrange [1e-8:2]
set key at screen 1-10.0/points_wide, screen 1-222.0/points_high right top horizontal
plot table index "trapezia" using 1:cuts+2 with linespoints pointtype 4 pointsize 0.6 linecolor rgb orange title "trapezia", \
    "" index "secants" using 1:cuts+2 with linespoints pointtype 7 pointsize 0.5 linecolor rgb blue title "secants", \
    "" index "secants as needed" using 1:cuts+2 with points pointtype 2 pointsize 0.8 linewidth 1.5 linecolor rgb green \
    title "secants as needed"
unset multiplot
