# gnuplot -c learning.gp TABLE FIGURE png|svg|pdf, with GNUPLOT_LIB naming this folder
# Losses of the train part (dashed) and of the validation part, validation r and learning rate against epochs; the epoch that was
# kept is marked.
table = ARG1
figure = ARG2
format = ARG3
stats table index "figure" using (models = int($1), epochs = $2, rates = int($3), loss_lowest = $4, loss_highest = $5, \
    above = int($6), r_lowest = $7, r_highest = $8) nooutput
array model[models]
array best[models]
array best_loss[models]
array best_r[models]
stats table index "models" using (model[int($1)] = strcol(2), best[int($1)] = $3, best_loss[int($1)] = $4, \
    best_r[int($1)] = $5, 0) nooutput
points_wide = 520
key_high = 14*(models+1)+8
points_high = key_high+124+104+(rates ? 98 : 0)+44
load "terminal.gp"
array colours[8] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c510a"]
colour(m) = colours[(m-1) % 8 + 1]
curve(m) = sprintf("curve %d", m)
set multiplot
left = 74
wide = 426
do for [m=1:models] {
    note = best[m] == best[m] ? sprintf("%s: best epoch %.0f, loss %.4g, r %.3f", model[m], best[m], best_loss[m], best_r[m]) \
        : sprintf("%s: no validation", model[m])
    set label 10+m note at screen (left+8.0)/points_wide, screen 1-(4.0+14*m)/points_high left point pointtype 7 pointsize 0.7 \
        linecolor rgb colour(m) offset 1, 0
}
set label 1 "solid: validation part; dashed: train part".(above ? "; first losses lie above" : "") \
    at screen (left+0.0)/points_wide, screen 1-(4.0+14*(models+1))/points_high left
set xrange [0.5:epochs+0.5]
set xtics ticks(epochs, 8)
set format x ""

top = key_high+10
high = 104
@panel
set yrange [loss_lowest-0.04*(loss_highest-loss_lowest):loss_highest+0.04*(loss_highest-loss_lowest)]
set ytics ticks(loss_highest-loss_lowest, 4)
set ylabel "mean loss" offset 0.5, 0
plot for [m=1:models] table index curve(m) using 1:2 with lines dashtype 2 linewidth 1.2 linecolor rgb colour(m), \
    for [m=1:models] "" index curve(m) using 1:3 with lines linewidth 1.6 linecolor rgb colour(m), \
    for [m=1:models] "+" using (best[m]):(best_loss[m]) every ::0::0 with points pointtype 7 pointsize 0.8 linecolor rgb colour(m)
do for [m=1:models] { unset label 10+m }
unset label 1

top = key_high+134
high = 80
@panel
if (!rates) {
    set format x "%g"
    set xlabel "epoch"
}
set yrange [r_lowest-0.04*(r_highest-r_lowest):r_highest+0.04*(r_highest-r_lowest)]
set ytics ticks(r_highest-r_lowest, 4)
set ylabel "validation r" offset 0.5, 0
plot for [m=1:models] table index curve(m) using 1:4 with lines linewidth 1.6 linecolor rgb colour(m), \
    for [m=1:models] "+" using (best[m]):(best_r[m]) every ::0::0 with points pointtype 7 pointsize 0.8 linecolor rgb colour(m)

if (rates) {
    top = key_high+234
    high = 76
    @panel
    set format x "%g"
    set xlabel "epoch"
    set yrange [*:*]
    set logscale y
    set format y "%g"
    set ytics autofreq
    set ylabel "learning rate" offset 0.5, 0
    plot for [m=1:models] table index curve(m) using 1:5 with steps linewidth 1.6 linecolor rgb colour(m)
}
unset multiplot
