# gnuplot -c stimulus.gp TABLE FIGURE png|svg|pdf|gif, with GNUPLOT_LIB naming this folder
# A movie: a contact sheet (in a gif the movie itself), levels in time, and the power spectra over time and space.
table = ARG1
figure = ARG2
format = ARG3
stats table index "figure" using (title = strcol(1), frames = int($2), rows = $3, columns = $4, from = $5, to = $6, \
    interval = $7, times = int($8), spaces = int($9), has_pixel_size = int($10), 0) nooutput
array time[frames]
stats table index "frames" using (time[int($1)] = $2, 0) nooutput
film = format eq "gif"
centiseconds = interval < 0.02 ? 2 : int(100*interval+0.5)
across = film ? 1 : frames < 8 ? frames : 8
down = film ? 1 : (frames+across-1)/across
tile = film ? 250 : 68
tile_high = rows <= columns ? (rows*tile < 6*columns ? 6 : tile*rows/columns) : tile
tile_wide = rows <= columns ? tile : (columns*tile < 6*rows ? 6 : tile*columns/rows)
sheet = film ? 280 : down*(tile_high+16)
points_wide = 640
points_high = film ? 330 : sheet+236
load "terminal.gp"

# What both formats show beside the frames.
head = 'set multiplot; set label 9 title at screen 14.0/points_wide, screen 1-12.0/points_high left; set key off'
level_panel = '@panel; set label 1 "grey level: mean and range" at graph 0, 1.1 left; set xrange [from:to]; \
    set yrange [-5:260]; set xtics nomirror autofreq ticks(to-from, 6); set ytics nomirror 0, 127.5, 255 format "%g"; set xlabel "time (s)"; set ylabel ""; \
    set style fill solid 1 noborder'
level_plot = 'plot table index "levels" using 1:3:4 with filledcurves linecolor rgb light, \
    "" index "levels" using 1:2 with lines linewidth 1.2 linecolor rgb blue'
spectrum_axes = 'set logscale xy; set format xy "1e%T"; set autoscale xy; set xtics autofreq nomirror; \
    set ytics autofreq nomirror'
plain_axes = 'unset logscale; set format xy "%g"'
time_panel = '@panel; set label 1 "power over time" at graph 0, 1.1 left; set xlabel "frequency (Hz)"; \
    set ylabel "contrast²/Hz" offset 0.5, 0'
space_panel = '@panel; set label 1 "power over space" at graph 0, 1.1 left; \
    set xlabel sprintf("frequency (cycles/%s)", has_pixel_size ? "mm" : "pixel"); \
    set ylabel sprintf("contrast²/(cycles/%s)²", has_pixel_size ? "mm" : "pixel") offset 0.5, 0'
# A still movie, or one without space, has no power to draw on a logarithmic axis.
stats table index "time spectrum" using (times > 0 ? $2 : 0) name "T" nooutput
stats table index "space spectrum" using (spaces > 0 ? $2 : 0) name "S" nooutput
has_time = times > 0 && T_max > 0
has_space = spaces > 0 && S_max > 0
nothing = '@panel; unset border; unset xtics; unset ytics; set xlabel ""; set ylabel ""; set xrange [0:1]; set yrange [0:1]; plot NaN; \
    set border 3; set xtics nomirror; set ytics nomirror'
frame_axes = 'set xrange [-0.5:(columns < 2 ? 2 : columns)-0.5]; set yrange [(rows < 2 ? 2 : rows)-0.5:-0.5]; unset xtics; \
    unset ytics; set border 15 linecolor rgb grey; set xlabel ""; set ylabel ""; set palette gray; set cbrange [0:255]'
plain_border = 'set border 3 linecolor rgb "black"; set xtics nomirror; set ytics nomirror'

last = film ? frames : 1
do for [picture=1:last] {
    @head
    @frame_axes
    do for [i=(film ? picture : 1):(film ? picture : frames)] {
        left = film ? 20 : 14+(i-1)%across*(tile+10)
        top = film ? 50 : 38+(i-1)/across*(tile_high+16)
        wide = tile_wide
        high = tile_high
        @panel
        set label 1 sprintf(film || to-from < 100 ? "%.2f s" : "%.0f s", time[i]) at graph 0, screen 1-(top-7.0)/points_high left
        plot table index sprintf("frame %d", i) matrix with image
        unset label 9
    }
    @plain_border
    left = film ? 326 : 48
    wide = film ? 290 : 150
    high = film ? 60 : 120
    top = film ? 50 : sheet+66
    if (film) { set arrow 1 from first time[picture], graph 0 to first time[picture], graph 1 nohead front linecolor rgb orange }
    @level_panel
    @level_plot
    unset arrow 1
    wide = film ? 104 : 142
    if (film) { top = 184; high = 100 } else { left = 266 }
    if (has_time) {
        @time_panel
        @spectrum_axes
        plot table index "time spectrum" using 1:2 with lines linewidth 1.2 linecolor rgb blue
        @plain_axes
    } else {
        set label 1 "no power over time" at graph 0, 1.1 left
        @nothing
    }
    left = film ? 516 : 486
    if (has_space) {
        @space_panel
        @spectrum_axes
        plot table index "space spectrum" using 1:2 with lines linewidth 1.2 linecolor rgb blue
        @plain_axes
    } else {
        set label 1 "no power over space" at graph 0, 1.1 left
        @nothing
    }
    unset multiplot
}
unset output
