# Output and looks shared by all figures.  Set before: figure (file name), format (png, svg, pdf; gif, a film, needs
# centiseconds, the time that a picture is shown), points_wide, points_high.
# Colours are those of Okabe and Ito, and a blue-white-red scale; both can be told apart by colour-blind readers.
if (format eq "png") set terminal pngcairo size 1.6*points_wide, 1.6*points_high font "Sans,9" fontscale 1.6 linewidth 1.6 \
    noenhanced
if (format eq "svg") set terminal svg size 1.0*points_wide, 1.0*points_high font "Sans,9" noenhanced background "white"
if (format eq "pdf") set terminal pdfcairo size points_wide/72.0, points_high/72.0 font "Sans,9" noenhanced
if (format eq "gif") set terminal gif size 1.6*points_wide, 1.6*points_high animate delay centiseconds loop 0 \
    font "DejaVuSans,14" noenhanced
set output figure
set encoding utf8
blue = "#0072b2"
orange = "#d55e00"
green = "#009e73"
grey = "#999999"
light = "#cccccc"
set palette defined (-1 "#2166ac", -0.6 "#67a9cf", -0.3 "#d1e5f0", 0 "#ffffff", 0.3 "#fddbc7", 0.6 "#ef8a62", 1 "#b2182b")
set datafile missing "NaN"
set border 3 linewidth 0.8
set tics nomirror scale 0.6
set key noautotitle
unset colorbox

# Distance of tick marks (1, 2 or 5 times a power of ten) that gives about `count` of them over `span`.
power(x) = 10.0**floor(log10(x))
rounded(x) = x < 1.5*power(x) ? power(x) : x < 3.5*power(x) ? 2*power(x) : x < 7.5*power(x) ? 5*power(x) : 10*power(x)
ticks(span, count) = span > 0 ? rounded(span/real(count)) : 1

# Where the next panel goes, in points from the left and from the top.
panel = 'set lmargin at screen left/real(points_wide); set rmargin at screen (left+wide)/real(points_wide); \
    set tmargin at screen 1-top/real(points_high); set bmargin at screen 1-(top+high)/real(points_high)'
