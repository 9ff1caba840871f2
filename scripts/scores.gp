# gnuplot -c scores.gp TABLE FIGURE png|svg|pdf, with GNUPLOT_LIB naming this folder
# What models score on each cell (dots; intervals thick and thin) against the noise ceiling (grey), a row per cell.
table = ARG1
figure = ARG2
format = ARG3
stats table index "figure" using (cells = int($1), models = int($2), panels = int($3), ceilings = int($4), \
    intervals = int($5), letters = $6, 0) nooutput
array model[models]
stats table index "models" using (model[int($1)] = strcol(2), 0) nooutput
array name[cells+1]
stats table index "rows" using (name[int($1)] = strcol(2), 0) nooutput
array title[panels]
array lowest[panels]
array highest[panels]
stats table index "panels" using (title[int($1)] = strcol(2), lowest[int($1)] = $3, highest[int($1)] = $4, 0) nooutput
row = models < 3 ? 17 : 6*models+4
first_left = 20+(letters < 8 ? 44.0 : 5.6*letters)
points_wide = first_left+538
key_rows = (models+2)/3
high = row*(cells+1.6)
points_high = 26+14*key_rows+high+64
load "terminal.gp"
array colours[8] = ["#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c510a"]
colour(m) = models == 1 ? blue : colours[(m-1) % 8 + 1]
centre(i) = i > cells ? i+0.5 : i
at(i, m) = centre(i)+(m-(models+1)/2.0)*0.72/models
half = 0.42
set multiplot
set style fill solid 1 noborder

# Names of models, three in a row, and below the panels what is grey and what the lines are; all are written by the first panel.
do for [m=1:models] {
    set label 10+m model[m] at screen (first_left+10+175*((m-1) % 3))/points_wide, screen 1-(18.0+14*((m-1)/3))/points_high left \
        point pointtype 7 pointsize 0.7 linecolor rgb colour(m) offset 1, 0
}
set label 2 (ceilings ? "grey: noise ceiling, what the true rate would score, with its interval of 95 %" : "no noise ceilings: there are no repeats") \
    at screen first_left/points_wide, screen 24.0/points_high left
if (intervals) {
    set label 3 "thick and thin lines: intervals of 68 % and 95 % over draws of repeats" \
        at screen first_left/points_wide, screen 11.0/points_high left
}

top = 26+14*key_rows
wide = 156
set yrange [cells+2.1:0.5]
do for [k=1:panels] {
    left = first_left+180*(k-1)
    @panel
    set label 1 title[k] at screen real(left)/points_wide, screen 1-(top-8.0)/points_high left
    if (k == 1) {
        set ytics scale 0 ()
        do for [i=1:cells+1] { set ytics add (name[i] centre(i)) }
    } else {
        unset ytics
    }
    set xrange [lowest[k]:highest[k]]
    set xtics ticks(highest[k]-lowest[k], 4)
    shown(x) = x < lowest[k] ? lowest[k] : x
    set arrow 1 from graph 0, first cells+0.75 to graph 1, first cells+0.75 nohead linecolor rgb light linewidth 0.7
    block(m) = sprintf("scores %d %d", k, m)
    plot table index sprintf("ceilings %d", k) using 2:(centre($1)):3:4:(centre($1)-half):(centre($1)+half) \
            with boxxyerror linecolor rgb light, \
        "" index sprintf("ceilings %d", k) using 2:(centre($1)-half):(0):(2*half) with vectors nohead \
            linecolor rgb grey linewidth 1.2, \
        for [m=1:models] "" index block(m) using (shown($5)):(at($1, m)):(shown($6)-shown($5)):(0) with vectors nohead \
            linecolor rgb colour(m) linewidth 0.9, \
        for [m=1:models] "" index block(m) using (shown($3)):(at($1, m)):(shown($4)-shown($3)):(0) with vectors nohead \
            linecolor rgb colour(m) linewidth 2.6, \
        for [m=1:models] "" index block(m) using ($2 < lowest[k] ? NaN : $2):(at($1, m)) with points pointtype 7 pointsize 0.5 \
            linecolor rgb colour(m), \
        for [m=1:models] "" index block(m) using ($2 < lowest[k] ? lowest[k] : NaN):(at($1, m)):(sprintf("< %.2g", $2)) with \
            labels left offset 0.2, 0 font ",7" textcolor rgb colour(m)
    do for [m=1:models] { unset label 10+m }
    unset label 2
    unset label 3
}
unset multiplot
