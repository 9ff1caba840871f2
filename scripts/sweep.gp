# gnuplot -c sweep.gp TABLE FIGURE png|svg|pdf, with GNUPLOT_LIB naming this folder
# The score of a sweep against every key that varies, the best point marked; or a map over two keys.
table = ARG1
figure = ARG2
format = ARG3
stats table index "figure" using (keys = int($1), is_map = int($2), score = strcol(3), least = $4, most = $5, \
    less_is_better = int($6), points = int($7), unscored = int($8), 0) nooutput
array name[keys]
array scale[keys]
array lower[keys]
array upper[keys]
array named[keys]
stats table index "keys" using (name[int($1)] = strcol(2), scale[int($1)] = strcol(3), lower[int($1)] = $4, upper[int($1)] = $5, \
    named[int($1)] = int($6), 0) nooutput
across = is_map ? 1 : keys < 3 ? keys : 3
down = is_map ? 1 : (keys+across-1)/across
map_wide = is_map ? (named[1]*64 < 200 ? 200 : named[1]*64) : 0
map_high = is_map ? named[2]*34 : 0
points_wide = is_map ? map_wide+190 : across == 1 ? 380 : 60+across*220
points_high = is_map ? map_high+100 : 66+down*190
load "terminal.gp"
set multiplot
title = sprintf("%d points%s", points, unscored ? sprintf(", %d without a score", unscored) : "")
better = less_is_better ? "less is better" : "more is better"
set label 9 sprintf("%s, best by %s (%s)", title, score, better) at screen 20.0/points_wide, screen 1-16.0/points_high left

# Ticks at the values themselves.
name_ticks(axis, k) = sprintf('set %stics (); stats table index "ticks %d" using (ticked = ticked.sprintf("%%s\"%%s\" %%.17g", \
    ticked eq "" ? "" : ", ", strcol(2), $1), 0) nooutput; eval "set %stics (".ticked.")"', axis, k, axis)

if (is_map) {
    left = 100
    wide = map_wide
    top = 40
    high = map_high
    @panel
    set xrange [0.5:named[1]+0.5]
    set yrange [0.5:named[2]+0.5]
    ticked = ""
    eval name_ticks("x", 1)
    ticked = ""
    eval name_ticks("y", 2)
    set xlabel name[1]
    set ylabel name[2] offset -1, 0
    set cbrange [least:(most > least ? most : least+1)]
    set palette defined (0 "#ffffff", 1 "#67a9cf")
    if (less_is_better) { set palette defined (0 "#67a9cf", 1 "#ffffff") }
    set colorbox user origin screen (left+wide+18.0)/points_wide, graph 0 size screen 12.0/points_wide, graph 1
    set cblabel score offset 1, 0
    set style fill solid 1 noborder
    plot table index "map" using 1:2:(0.5):(0.5):3 with boxxyerror linecolor palette, \
        "" index "map" using 1:2:4 with labels, \
        "" index "map" using 1:($5 > 0 ? $2 : NaN):(0.48):(0.46) with boxxyerror linecolor rgb orange linewidth 2.5 \
        fillstyle empty border rgb orange
} else {
    margin = most > least ? 0.08*(most-least) : 0.1
    do for [k=1:keys] {
        left = 64+(across == 1 ? 0 : 220*((k-1)%across))
        wide = across == 1 ? 296 : 170
        top = 40+190*((k-1)/across)
        high = 130
        @panel
        set xlabel name[k] offset 0, 0.3
        set ylabel ((k-1)%across == 0 ? score : "") offset 0.5, 0
        set yrange [least-2*margin:most+margin]
        set ytics ticks(most-least+3*margin, 5)
        unset logscale x
        set format x "%g"
        set xtics autofreq
        if (scale[k] eq "log") {
            set logscale x
            span = upper[k] > lower[k] ? (upper[k]/lower[k])**0.06 : 1.5
            set xrange [lower[k]/span:upper[k]*span]
        } else {
            span = upper[k] > lower[k] ? 0.06*(upper[k]-lower[k]) : 1
            set xrange [lower[k]-span:upper[k]+span]
        }
        if (named[k]) {
            ticked = ""
            eval name_ticks("x", k)
        } else { if (scale[k] eq "linear") { set xtics ticks(upper[k]-lower[k], 4) } }
        block = sprintf("points %d", k)
        plot table index sprintf("profile %d", k) using 1:2 with lines linewidth 1 linecolor rgb grey, \
            table index block using 1:2 with points pointtype 7 pointsize 0.5 linecolor rgb blue, \
            table index block using 1:($3 > 0 ? $2 : NaN) with points pointtype 6 pointsize 1.3 linewidth 1.5 \
            linecolor rgb orange, \
            table index block using 1:($2 == $2 ? NaN : least-1.5*margin) with points pointtype 2 pointsize 0.6 \
            linecolor rgb grey
        unset label 9
    }
}
unset multiplot
