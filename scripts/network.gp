# gnuplot -c network.gp TABLE FIGURE png|svg|pdf, with GNUPLOT_LIB naming this folder
# A network from its stimulus down to the cells: a box per layer, the maps that it gives, its parameters, and how much of a frame
# one of its units sees.
table = ARG1
figure = ARG2
format = ARG3
stats table index "figure" using (title = strcol(1), rows = int($2), lanes = int($3), frame_high = $4, frame_wide = $5, \
    frames = int($6), 0) nooutput
pitch = 38.0
head = 58
left_edge = 24+9*lanes
box_wide = 205.0
sheets_at = left_edge+box_wide+26
points_wide = left_edge+box_wide+486
points_high = head+pitch*rows+6
load "terminal.gp"
# linear, batch norm, noise, nonlinearity, positions and pools, addition, scale, stimulus
array fills[8] = ["#cfe3f1", "#ececec", "#f7f7f7", "#fbe0cf", "#d9efe6", "#f5d9e7", "#ececec", "#ffffff"]
array edges[8] = [blue, grey, light, orange, green, "#cc79a7", grey, "#000000"]
set lmargin 0
set rmargin 0
set tmargin 0
set bmargin 0
set xrange [0:points_wide]
set yrange [points_high:0]
unset border
unset tics
side = 26.0
y(row) = head+pitch*(row+0.5)
middle = left_edge+box_wide/2
counts_at = sheets_at+240.0
fields_at = counts_at+84.0
frame_at = fields_at+44.0
lane_x(lane) = left_edge-9.0*lane
set label 1 title at 12, 16 left
set label 2 "layer" at left_edge, 42 left textcolor rgb "#555555"
set label 3 "channels x rows x columns" at sheets_at, 42 left textcolor rgb "#555555"
set label 4 "parameters" at counts_at, 42 right textcolor rgb "#555555"
set label 5 sprintf("a unit sees (pixels, %d frame%s)", frames, frames == 1 ? "" : "s") at points_wide-10, 42 right \
    textcolor rgb "#555555"
shown(group, k) = group == k ? 1 : NaN
has_residuals = 0
stats table index "residuals" using (has_residuals = 1, $1) nooutput
plot table index "layers" using (middle):($1 > 0 ? y($1)-pitch+13 : NaN):(0):(pitch-26) with vectors head filled size 5, 20 \
        linecolor rgb grey linewidth 1, \
    for [k=1:8] table index "layers" using (middle):(y($1)*shown($2+1, k)):(box_wide/2):(12.5) with boxxyerror \
        fillcolor rgb fills[k] fillstyle solid 1 border linecolor rgb edges[k], \
    table index "layers" using (left_edge+8):(y($1)):3 with labels left, \
    for [s=1:8] table index "layers" using (sheets_at+side/2+2.0*(s-1)):(y($1)-7+2.0*(s-1) + ($7 >= s ? 0 : NaN)): \
        ($9*side/2 > 0.8 ? $9*side/2 : 0.8):($8*side/2 > 0.8 ? $8*side/2 : 0.8) with boxxyerror fillcolor rgb "#ffffff" \
        fillstyle solid 1 border linecolor rgb grey linewidth 0.6, \
    table index "layers" using (sheets_at+60):(y($1)):4 with labels left, \
    table index "layers" using (counts_at):(y($1)):5 with labels right, \
    table index "layers" using (fields_at):(y($1)):6 with labels right, \
    table index "layers" using (frame_at+side/2):(y($1) + ($12 > 0 ? 0 : NaN)):(frame_wide*side/2):(frame_high*side/2) with boxxyerror \
        fillcolor rgb "#ffffff" fillstyle solid 1 border linecolor rgb grey, \
    table index "layers" using (frame_at+side/2):(y($1) + ($12 > 0 ? 0 : NaN)):($11*side/2 > 0.6 ? $11*side/2 : 0.6): \
        ($10*side/2 > 0.6 ? $10*side/2 : 0.6) with boxxyerror fillcolor rgb fills[1] fillstyle solid 1 border linecolor rgb blue, \
    for [k=1:has_residuals] table index "residuals" using (lane_x($3)):(y($1)):(left_edge-lane_x($3)):(0) with vectors nohead \
        linecolor rgb edges[6], \
    for [k=1:has_residuals] table index "residuals" using (lane_x($3)):(y($1)):(0):(y($2)-y($1)) with vectors nohead \
        linecolor rgb edges[6], \
    for [k=1:has_residuals] table index "residuals" using (lane_x($3)):(y($2)):(left_edge-lane_x($3)):(0) with vectors \
        head filled size 5, 20 linecolor rgb edges[6]
