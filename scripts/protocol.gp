# gnuplot -c protocol.gp TABLE FIGURE png|svg|pdf, with GNUPLOT_LIB naming this folder
# A column per condition: the stimulus over time and place, then the mean response of a cell per row; on the right an index of all
# cells of the row.
table = ARG1
figure = ARG2
format = ARG3
stats table index "figure" using (title = strcol(1), columns = int($2), rows = int($3), from = $4, to = $5, places = int($6), \
    label = strcol(7), 0) nooutput
stats table index "figure" using (lowest = $8, highest = $9, lines = int($10), 0) nooutput
array value[4*columns]
array duration[columns]
stats table index "conditions" using (duration[int($1)] = $2, value[4*int($1)-3] = strcol(3), value[4*int($1)-2] = strcol(4), \
    value[4*int($1)-1] = strcol(5), value[4*int($1)] = strcol(6), 0) nooutput
array row[rows]
array largest[rows]
stats table index "rows" using (row[int($1)] = strcol(2), largest[int($1)] = $3, 0) nooutput
with_index = strlen(label) > 0
points_wide = 640
stimulus_high = places > 0 ? 46 : 0
# Values of the parameters stand one below the other over each column.
head = 26+10*lines
points_high = head+4+stimulus_high+66*rows+38
load "terminal.gp"
set multiplot
gap = 5
first = 56
across = (with_index ? 428 : 564)/real(columns)
wide = across-gap
set xrange [from:to]
set yrange [*:*]
set label 1 title at screen 8.0/points_wide, screen 1-12.0/points_high left

# What is shown: time to the right, place upwards.
set palette gray
set cbrange [0:255]
unset colorbox
unset border
unset xtics
unset ytics
high = 40
do for [c=1:columns] {
    left = first+across*(c-1)
    top = head
    @panel
    if (c > 1) { unset label 1 }
    do for [i=1:lines] {
        set label 10+i value[4*c-4+i] at screen (left+wide/2)/real(points_wide), screen 1-(17.0+10*i)/points_high center
    }
    if (places > 0) {
        set yrange [-0.5:places-0.5]
        plot table index sprintf("stimulus %d", c) using 1:2:3 with image
    } else {
        set yrange [0:1]
        plot NaN
    }
}
unset label 1
do for [i=1:lines] { unset label 10+i }
if (places > 0) {
    set label 3 "stimulus" at screen 20.0/points_wide, screen 1-(head+20.0)/points_high center rotate by 90
}

# What cells answer.
set border 3 linewidth 0.8
high = 40
do for [r=1:rows] {
    most = largest[r] > 0 ? largest[r] : 1
    set yrange [0:1.04*most]
    do for [c=1:columns] {
        left = first+across*(c-1)
        top = head+4+stimulus_high+66*(r-1)+16
        @panel
        if (c == 1) {
            set label 4 row[r] at screen (left+4.0)/points_wide, screen 1-(top-8.0)/points_high left
            set ytics nomirror ticks(most, 2) format "%g"
            set ylabel (r == 1 ? "rate (Hz)" : "") offset 0.3, 0
        } else {
            unset label 4
            set ytics nomirror ticks(most, 2) format ""
            unset ylabel
        }
        set xtics nomirror 0, ticks(to-from, columns > 3 ? 2 : 3), to-0.1*(to-from) format (r == rows ? "%g" : "")
        set xlabel (r == rows && c == (columns+1)/2 ? "time (s)" : "") offset 0, 0.6
        set object 1 rectangle from 0, graph 0 to duration[c], graph 1 behind fillcolor rgb "#f2f2f2" fillstyle solid noborder
        plot table index sprintf("psth %d %d", r, c) using 1:2 with steps linewidth 1.1 linecolor rgb blue
        unset label 3
        unset xlabel
    }
}
unset object 1
unset label 4
unset ylabel

# The index of all cells of a row, spread upwards so that equal ones are seen.
if (with_index) {
    left = first+428+24
    wide = points_wide-left-14
    span = highest-lowest
    set xrange [lowest-0.05*span:highest+0.05*span]
    set yrange [0:1]
    unset ytics
    set border 1
    do for [r=1:rows] {
        top = head+4+stimulus_high+66*(r-1)+16
        @panel
        if (r == 1) {
            set label 5 label at screen (left+wide/2)/real(points_wide), screen 1-(top-14.0)/points_high center
        } else {
            unset label 5
        }
        set xtics nomirror ticks(span, 2) format (r == rows ? "%g" : "")
        set arrow 1 from 0, graph 0 to 0, graph 1 nohead linecolor rgb light
        seen = 0
        plot table index "index" using ($1 == r ? $2 : NaN):(seen = seen+($1 == r), 0.15+0.7*(seen*0.618-floor(seen*0.618))) \
            with points pointtype 7 pointsize 0.6 linecolor rgb orange
    }
}
unset multiplot
