# gnuplot -c truth.gp TABLE FIGURE png|svg|pdf, with GNUPLOT_LIB naming this folder
# True contributions of the interneurons of a simulated retina beside those of a model's channels and units.
table = ARG1
figure = ARG2
format = ARG3
stats table index "figure" using (cell = strcol(1), types = int($2), channels = int($3), interneurons = int($4), \
    units = int($5), mean_r = $6, mean_chance = $7, traced = strcol(8), traced_r = $9, from = $10, to = $11, 0) nooutput
stats table index "layers" using (layers = int($0)+1, 0) nooutput
array label_of[types]
longest = 0
stats table index "types" using (label_of[int($1)+1] = strcol(2), n = strlen(strcol(2)), longest = n > longest ? n : longest, 0) \
    nooutput
array layer[layers]
array first[layers]
array wide_of[layers]
stats table index "layers" using (i = int($0)+1, layer[i] = strcol(1), first[i] = $2, wide_of[i] = $3, 0) nooutput
# Here, as ranges of axes would leave values out.
stats table index "trace" using 2:3 name "shown" nooutput
lowest = shown_min_x < shown_min_y ? shown_min_x : shown_min_y
highest = shown_max_x > shown_max_y ? shown_max_x : shown_max_y
tile_wide = channels > 40 ? 320.0/channels : channels > 16 ? 12.0 : 20.0
tile_high = 20.0
names = 24+6.8*longest
matrix_wide = tile_wide*channels
name_font = interneurons > 30 ? ",6" : ",9"
match_font = interneurons > 30 ? ",6" : ",7"
row_high = interneurons > 30 ? 10.0 : 15.0
dots_high = row_high*interneurons
matrix_high = tile_high*types
most_high = matrix_high+44 > dots_high ? matrix_high+44 : dots_high
dots_left = names+matrix_wide+90+names
points_wide = dots_left+360
points_high = 62+most_high+190
load "terminal.gp"
set multiplot
set style fill solid 1 noborder

left = names
top = 62
wide = matrix_wide
high = matrix_high
@panel
set border 15
set label 1 sprintf("%s: r of true contributions (rows, types) and channels'", cell) at screen 14.0/points_wide, \
    screen 1-14.0/points_high left
set label 2 "circle: best match; empty: silent channels" at screen 14.0/points_wide, screen 1-28.0/points_high left textcolor rgb grey
do for [i=1:layers] { set label 10+i layer[i] at first first[i]+wide_of[i]/2.0-0.5, graph 1.0 center offset 0, 0.6 }
do for [i=2:layers] { set arrow i from first first[i]-0.5, graph 0 to first first[i]-0.5, graph 1 nohead front linewidth 1 }
set xrange [-0.5:channels-0.5]
set yrange [types-0.5:-0.5]
set xtics scale 0 ()
step = channels > 16 ? 5 : 2
do for [i=1:layers] { do for [c=0:int(wide_of[i])-1:step] { set xtics add (sprintf("%d", c) first[i]+c) } }
set xlabel "channel"
set ytics scale 0 ()
do for [i=1:types] { set ytics add (label_of[i] i-1) }
set cbrange [-1:1]
set cbtics 1 scale 0.4
set colorbox user origin screen (left+wide+8.0)/points_wide, screen 1-(top+high)/real(points_high) \
    size screen 8.0/points_wide, screen high/real(points_high)
# Tiles, as an image would close the gaps of channels that have no correlation.
plot table index "matrix" using 2:1:(0.5):(0.5):3 with boxxyerror fillcolor palette, "" index "best" using 2:1 with points pointtype 6 pointsize 1 linecolor rgb "black"
unset colorbox
do for [i=1:layers] { unset label 10+i }
do for [i=2:layers] { unset arrow i }
unset label 2

left = dots_left
wide = 340
high = dots_high
@panel
set border 3
unset ytics
set ytics scale 0 font name_font
set xtics scale 0.6 (0, 0.5, 1)
set xrange [-0.2:1.9]
set yrange [interneurons-0.5:-0.5]
set xlabel "r of best match" offset graph -0.22, 0
set arrow 1 from 1, graph 0 to 1, graph 1 nohead linecolor rgb light linewidth 0.7
set label 1 sprintf("interneurons and %s: mean r %.2f, chance %.2f", units ? "units" : "channels", mean_r, mean_chance) \
    at screen (left-names)/real(points_wide), screen 1-14.0/points_high left
set label 3 "grey: best of the same, turned round in time" at screen (left-names)/real(points_wide), \
    screen 1-28.0/points_high left textcolor rgb grey
plot table index "interneurons" using 4:1:ytic(2) with points pointtype 6 pointsize 0.6 linecolor rgb grey, \
    "" index "interneurons" using 3:1 with points pointtype 7 pointsize 0.7 linecolor rgb blue, \
    "" index "interneurons" using (1.06):1:5 with labels left font match_font
unset label 3
unset arrow 1

left = 60
top = 62+most_high+66
wide = points_wide-90
high = 80
@panel
set label 1 sprintf("%s: r %.2f", traced, traced_r) at graph 0, 1.15 left
set key at graph 1, 1.3 right top horizontal samplen 1.5
set xrange [from:to]
set yrange [*:*]
set xtics auto
set xtics ticks(to-from, 8) format "%g"
set xlabel "time (s)" offset 0, 0
set ytics nomirror scale 0.6 font ",9" ticks(highest-lowest, 2)
set ylabel "contribution / sd"
plot table index "trace" using 1:2 with filledcurves y1=0 linecolor rgb light title "true", \
    "" index "trace" using 1:3 with lines linewidth 1.5 linecolor rgb blue title "model"
unset multiplot
