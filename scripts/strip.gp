# gnuplot -c strip.gp TABLE FIGURE png|svg|pdf, with GNUPLOT_LIB naming this folder
# What drives responses moment by moment: rate, contributions of each layer's channels, loadings of two modes.
table = ARG1
figure = ARG2
format = ARG3
stats table index "figure" using (layers = int($1), from = $2, to = $3, rate_max = $4, rate_title = strcol(5), \
    target = strcol(6), 0) nooutput
array layer[layers]
array columns[layers]
array limit[layers]
stats table index "layers" using (layer[int($1)] = strcol(2), columns[int($1)] = $3, limit[int($1)] = $4) nooutput
stats table index "modes" using (mode_layer = strcol(1), first = int($2), second = int($3), 0) nooutput
# Here, as ranges of axes would leave values out.
stats table index "loadings" using 2:3 name "loading" nooutput
points_wide = 640
points_high = 250+130*layers
load "terminal.gp"
set multiplot
left = 76
wide = 490
set xrange [from:to]
set xtics ticks(to-from, 8) format ""
set style fill solid 1 noborder

top = 28
high = 70
@panel
set label 1 rate_title at graph 0, 1.12 left
set key at graph 1, 1.3 right top horizontal samplen 1.5
set ylabel "rate (Hz)" offset -0.5, 0
set yrange [0:(rate_max > 0 ? 1.04*rate_max : 1)]
set ytics ticks(rate_max, 3)
plot table index "rate" using 1:2 with filledcurves y1=0 linecolor rgb light title "measured", \
    "" index "rate" using 1:3 with lines linewidth 1.5 linecolor rgb blue title "model"
unset key

set colorbox user
set cbtics scale 0.4 format "%.3g"
high = 92
do for [i=1:layers] {
    top = 130*i
    @panel
    half = columns[i]/2.0
    set label 1 sprintf("%s: contributions of %g channels to %s", layer[i], half, target) at graph 0, 1.08 left
    set label 2 "pos." at graph -0.02, first 1.5*half-0.5 center rotate by 90
    set label 3 "neg." at graph -0.02, first 0.5*half-0.5 center rotate by 90
    set ylabel "channel" offset -1.8, 0
    set yrange [-0.5:columns[i]-0.5]
    unset ytics
    set cbrange [-limit[i]:limit[i]]
    set cbtics limit[i]
    set colorbox user origin screen (left+wide+10.0)/points_wide, screen 1-(top+high)/real(points_high) \
        size screen 8.0/points_wide, screen high/real(points_high)
    set arrow 1 from graph 0, first half-0.5 to graph 1, first half-0.5 nohead front linecolor rgb grey linewidth 0.7
    plot table index sprintf("contributions %d", i) using 1:2:3 with image
    unset arrow 1
    unset label 2
    unset label 3
}
unset colorbox

top = 130*(layers+1)
high = 70
@panel
set label 1 sprintf("%s: loadings of two modes", mode_layer) at graph 0, 1.12 left
set key at graph 1, 1.3 right top horizontal samplen 1.5
set xtics format "%g"
set xlabel "time (s)"
set ylabel "loading" offset -0.5, 0
set yrange [*<0:*]
set ytics nomirror ticks((loading_max_x > loading_max_y ? loading_max_x : loading_max_y), 3)
plot table index "loadings" using 1:2 with lines linewidth 1.5 linecolor rgb orange title sprintf("mode %d", first), \
    "" index "loadings" using 1:3 with lines linewidth 1.5 linecolor rgb green title sprintf("mode %d", second)
unset multiplot
