# gnuplot -c kernels.gp TABLE FIGURE png|svg|pdf, with GNUPLOT_LIB naming this folder
# The filters of a model, layer by layer: those that see the stimulus as maps with their courses, all others as matrices of maps;
# and the positions of readouts.  Each layer has one scale of colours.
table = ARG1
figure = ARG2
format = ARG3
stats table index "figure" using (layers = int($1), unit = strcol(3), 0) nooutput
array title[layers]
array space_time[layers]
array down[layers]
array across[layers]
array rows[layers]
array columns[layers]
array gap[layers]
array largest[layers]
array from[layers]
array to[layers]
array positions[layers]
array map_rows[layers]
array map_columns[layers]
array map_high[layers]
array map_wide[layers]
array layer_high[layers]
stats table index "layers" using (i = int($1), title[i] = strcol(2), space_time[i] = int($3), down[i] = int($4), \
    across[i] = int($5), rows[i] = $6, columns[i] = $7, gap[i] = $8, 0) nooutput
stats table index "layers" using (i = int($1), largest[i] = $9, from[i] = $10, to[i] = $11, positions[i] = int($12), \
    map_rows[i] = $13, map_columns[i] = $14, 0) nooutput

# Where everything goes, in points: tiles share the width, but not more than is good for them.
first_left = 116
room = 540
course_high = 40
title_high = 14
map_room = 160
smaller(a, b) = a < b ? a : b
do for [i=1:layers] {
    most = space_time[i] ? 64.0 : rows[i]*columns[i] == 1 ? 22.0 : down[i] > 12 ? 32.0 : 44.0
    tile = smaller(most, 1.0*room/across[i])
    tile = smaller(tile, most*columns[i]/(rows[i] > columns[i] ? rows[i] : columns[i])*1.0)
    tile = tile < 6 ? 6 : tile
    pixel = tile/(columns[i]+gap[i])
    map_wide[i] = space_time[i] && rows[i]*columns[i] == 1 ? across[i]*most : pixel*(across[i]*(columns[i]+gap[i])-gap[i])
    map_high[i] = space_time[i] ? (rows[i]*columns[i] == 1 ? 0 : pixel*rows[i]) : pixel*(down[i]*(rows[i]+gap[i])-gap[i])
    layer_high[i] = 48 + (space_time[i] ? down[i]*(title_high+map_high[i]+course_high+14)+8 : map_high[i]+34) + \
        (positions[i] ? map_room+66 : 0)
}
points_wide = 500
points_high = 8
do for [i=1:layers] {
    points_high = points_high+layer_high[i]
    points_wide = first_left+map_wide[i]+80 > points_wide ? first_left+map_wide[i]+80 : points_wide
}
load "terminal.gp"
# An image needs all of its points: those between tiles are there, without a colour.
set datafile missing "none"
set multiplot
set style fill solid 1 noborder
title_at = 'set label 1 title[i] at screen 14.0/points_wide, screen 1-(at+14.0)/points_high left'
subtitle_at = 'set label 2 subtitle at screen 14.0/points_wide, screen 1-(at+25.0)/points_high left font ",7"'
# Grey between tiles, so that white is a weight of 0.
behind = 'set object 1 rectangle from -0.5, -0.5 to wide_of(shown), high_of(shown_down) behind fillcolor rgb "#e0e0e0" linewidth 0'
wide_of(n) = n*(columns[i]+gap[i])-gap[i]-0.5
high_of(n) = n*(rows[i]+gap[i])-gap[i]-0.5
bar = 'set colorbox user origin screen (bar_left)/real(points_wide), screen 1-(bar_top+bar_high)/real(points_high) \
    size screen 8.0/points_wide, screen bar_high/real(points_high)'
at = 0
do for [i=1:layers] {
    @title_at
    has_map = rows[i]*columns[i] > 1
    set cbrange [-largest[i]:largest[i]]
    set cbtics (sprintf("-%.2g", largest[i]) -largest[i], "0" 0, sprintf("%.2g", largest[i]) largest[i]) scale 0.4
    set cblabel (space_time[i] ? (has_map ? "1/sd" : "") : "weight") offset -0.5, 0
    left = first_left
    wide = map_wide[i]
    bar_left = left+wide+12
    if (space_time[i]) {
        subtitle = (has_map ? "map (weight, 1/sd) × course; %: share of the filter that this is" : "weights (1/sd) against time"). \
            "; ×: gain of the batch norm behind"
        @subtitle_at
        do for [r=0:down[i]-1] {
            top = at+33+title_high+r*(title_high+map_high[i]+course_high+14)
            high = has_map ? map_high[i] : 1
            array label[across[i]]
            do for [t=1:across[i]] { label[t] = "" }
            shown = 0
            stats table index sprintf("tiles %d", i) using ($1 == r ? (label[int($2)+1] = strcol(3), shown = shown+1, 0) : 0) \
                nooutput
            do for [t=1:across[i]] {
                set label 10+t label[t] at screen (left+wide*(t-1)/(across[i]-(has_map ? gap[i]/(columns[i]+gap[i]) : 0)))/points_wide, \
                    screen 1-(top-6.0)/points_high left font ",6"
            }
            unset border
            unset xtics
            unset ytics
            unset xlabel
            if (has_map) {
                @panel
                bar_top = top
                bar_high = map_high[i]
                if (r == 0) { @bar } else { unset colorbox }
                set xrange [-0.5:across[i]*(columns[i]+gap[i])-gap[i]-0.5]
                set yrange [rows[i]-0.5:-0.5]
                set ylabel "map" offset 0, 0
                shown_down = 1
                @behind
                plot table index sprintf("maps %d %d", i, r) using 1:2:3 with image
                unset colorbox
                unset object 1
                unset label 2
                do for [t=1:across[i]] { unset label 10+t }
                unset label 1
            }
            top = top+(has_map ? map_high[i]+5 : 0)
            high = course_high
            @panel
            set border 2
            inside = has_map ? columns[i]/(columns[i]+gap[i]) : 0.85
            set xrange [0:has_map ? across[i]-1+inside : across[i]]
            most = has_map ? 1.05 : 1.05*largest[i]
            set yrange [-most:most]
            step = has_map ? 1 : ticks(2*most, 2)
            set ytics nomirror scale 0.6 step
            set ylabel (has_map ? "course" : "weight") offset 0.5, 0
            if (r == down[i]-1) {
                set label 20 sprintf("%.0f", from[i]) at first 0, graph -0.2 center font ",7"
                set label 21 sprintf("%.0f %s from response", to[i], unit) at first inside, graph -0.2 left font ",7"
            }
            plot table index sprintf("courses %d %d", i, r) using 1:(0) with lines linecolor rgb light linewidth 0.7, \
                "" index sprintf("courses %d %d", i, r) using 1:2 with lines linecolor rgb blue linewidth 1.4
            unset label 20
            unset label 21
            unset label 2
            do for [t=1:across[i]] { unset label 10+t }
            unset label 1
        }
    } else {
        top = at+30
        high = map_high[i]
        bar_top = top
        bar_high = map_high[i] > 90 ? 90 : map_high[i] < 30 ? 30 : map_high[i]
        @bar
        @panel
        unset border
        set xrange [-0.5:across[i]*(columns[i]+gap[i])-gap[i]-0.5]
        set yrange [down[i]*(rows[i]+gap[i])-gap[i]-0.5:-0.5]
        step = ticks(across[i], map_wide[i]/22.0 < 1 ? 1 : map_wide[i]/22.0)
        step = step < 1 ? 1 : step
        set xtics scale 0 ()
        do for [c=0:across[i]-1:int(step)] { set xtics add (sprintf("%d", c) c*(columns[i]+gap[i])+(columns[i]-1)/2.0) }
        skip = ceil(9.0*down[i]/map_high[i])
        set ytics scale 0 ()
        array label[down[i]]
        stats table index sprintf("tiles %d", i) using (label[int($1)+1] = strcol(3), 0) nooutput
        do for [k=0:down[i]-1:skip] { set ytics add (label[k+1] k*(rows[i]+gap[i])+(rows[i]-1)/2.0) }
        set xlabel "channel of the layer before" offset 0, 0.3
        unset ylabel
        shown = across[i]
        shown_down = down[i]
        if (gap[i] > 0) { @behind }
        plot table index sprintf("maps %d 0", i) using 1:2:3 with image
        unset label 1
        unset object 1
        unset colorbox
        if (positions[i]) {
            left = first_left
            top = at+30+map_high[i]+64
            high = map_rows[i] > map_columns[i] ? map_room-24 : (map_room-24)*map_rows[i]/map_columns[i]
            wide = high*map_columns[i]/map_rows[i]
            @panel
            set border 15
            set label 1 sprintf("where the cells sit in the map of %.0f rows and %.0f columns", map_rows[i], map_columns[i]) \
                at graph 0, 1.1 left
            set xrange [-0.5:map_columns[i]-0.5]
            set yrange [map_rows[i]-0.5:-0.5]
            set xtics scale 0.6 ticks(map_columns[i], 4)
            set ytics scale 0.6 ticks(map_rows[i], 4)
            set xlabel "column"
            set ylabel "row" offset 0.5, 0
            plot table index sprintf("positions %d", i) using 1:2 with points pointtype 7 pointsize 0.5 linecolor rgb blue, \
                "" index sprintf("positions %d", i) using 1:2:3 with labels left offset 0.5, 0 font ",6"
            unset label 1
        }
    }
    at = at+layer_high[i]
}
unset multiplot
