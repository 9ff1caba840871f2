#!/bin/sh
# Figures from results of a small analysis, what stands beside them, and what happens when they cannot be drawn.
. "$RETC_TESTS/cli/lib.sh"

# Results to draw, made once by the first case that asks and shared by the others.
results() {
    if [ ! -e ../results/done ]; then
        mkdir -p ../results
        cat >../results/make.ini <<'END'
[stimulus:train]
kind = white-noise
frames = 3000
height = 8
width = 8
seed = 1
[stimulus:test]
kind = white-noise
frames = 300
height = 8
width = 8
seed = 2
[simulate]
train = @stimulus:train
test = @stimulus:test
cells = 2
repeats = 5
[rf]
kind = sta
recording = @simulate
history = 15
shuffles = 99
[fit:ln]
recording = @simulate
model = ln
history = 15
[fit:cnn]
recording = @simulate
history = 15
channels0 = 2
channels1 = 2
kernel0 = 3
kernel1 = 3
epochs = 1
[predict:ln]
model = @fit:ln
recording = @simulate
[predict:cnn]
model = @fit:cnn
recording = @simulate
[contribute]
model = @fit:cnn
recording = @simulate
steps = 2
[modes]
contributions = @contribute
epochs = 3
END
        status=0
        "$RETCODEC" run ../results/make.ini -q -o ../results >../results/log 2>&1 || status=$?
        # 3: the fits are too short to converge.
        [ "$status" -eq 0 ] || [ "$status" -eq 3 ] || fail "$(cat ../results/log)"
        touch ../results/done
    fi
}

need_gnuplot() {
    command -v gnuplot >/dev/null || skip "no gnuplot"
}

starts_with() {
    [ "$(head -c ${#2} "$1")" = "$2" ] || fail "$1 does not start with $2"
}

# draw KIND INPUT...: in three formats, with a table beside each.
draw() {
    need_gnuplot
    for format in png svg pdf; do
        expect 0 "$RETCODEC" figure "$@" -o "figure-$format.$format"
        prints "figure-$format.$format"
        [ ! -s err ] || fail "$(cat err)"
        [ -s "figure-$format.txt" ]
        no_leftovers
    done
    [ "$(od -An -tx1 -N8 figure-png.png | tr -d ' ')" = 89504e470d0a1a0a ] || fail "figure-png.png is no PNG"
    starts_with figure-svg.svg '<?xml'
    starts_with figure-pdf.pdf '%PDF-'
    expect 0 "$RETCODEC" info figure-png.txt
    prints "command        retcodec figure $1"
    prints "blocks         figure, "
}

filters() {
    results
    draw filters ../results/rf.h5
}

# Without shuffles there is no chance level to draw.
filters_without_level() {
    results
    need_gnuplot
    expect 0 "$RETCODEC" rf sta ../results/simulate.h5 --history 15 --shuffles 0 -o rf.h5
    expect 0 "$RETCODEC" figure filters rf.h5 -o plain.png
    not grep -q "chance level" plain.txt
}

psth() {
    results
    draw psth ../results/predict-ln.h5 ../results/predict-cnn.h5
    grep -q '"LN"' figure-png.txt
    grep -q '"CNN"' figure-png.txt
    expect 0 "$RETCODEC" figure psth ../results/predict-ln.h5 --cells cell02 --start 1 --duration 1 -o one.png
    grep -q '"cell02   LN r' one.txt
    not grep -q '"cell01' one.txt
}

strip() {
    results
    draw strip ../results/contribute.h5 ../results/modes.h5
    grep -q '"sum of 2 cells"' figure-png.txt
    # A window that starts beyond the largest loading.
    draw strip ../results/contribute.h5 ../results/modes.h5 --start 3 --duration 1 --force
}

circuit() {
    results
    draw circuit ../results/simulate.h5
    grep -q '"simulated retina: 2 ganglion cells, ' figure-png.txt
    # Every cell has an outline and a curve of its output; the chosen ones have lines from the bipolar cells that excite them.
    [ "$(grep -c '"cell0[12]"' figure-png.txt)" -eq 2 ]
    grep -q '^# output 2' figure-png.txt
    expect 0 "$RETCODEC" figure circuit ../results/simulate.h5 --cells cell02 -o one.png
    grep -q '^"wiring of cell02"' one.txt
    awk '/^# wires/ { on = 1; next } /^$/ { on = 0 } on && !/^#/ && $5 > 0 { n += 1 } END { exit n < 1 }' one.txt
    expect 1 "$RETCODEC" figure circuit ../results/simulate.h5 --cells nobody -o nobody.png
    complains 'there is no cell "nobody" among its 2 cells'
    absent nobody.png nobody.txt
    awk 'BEGIN { for (i = 0; i < 1000; ++i) print i / 100 }' >frames.txt
    awk 'BEGIN { for (i = 0; i < 1000; ++i) print (i * i) % 97 - 48.5 }' >stimulus.txt
    awk 'BEGIN { for (t = 0.1; t < 9.9; t += 0.05) print t }' >cell.txt
    "$RETCODEC" import text --frames frames.txt --stimulus stimulus.txt -q -o imported.h5 cell.txt 2>err || fail "$(cat err)"
    expect 1 "$RETCODEC" figure circuit imported.h5 -o no.png
    complains 'imported.h5: is no recording of a simulated retina'
    absent no.png no.txt
}

stimulus() {
    results
    draw stimulus ../results/stimulus-train.h5
    grep -q '"white-noise: 3000 frames of 8x8 pixels of 50 µm at 60 Hz; ' figure-png.txt
    expect 0 "$RETCODEC" figure stimulus ../results/stimulus-train.h5 --duration 0.5 -o film.gif
    starts_with film.gif GIF89a
    # 10 pictures, each behind a block that says how long it is shown.
    [ "$(od -An -v -tx1 film.gif | tr -d ' \n' | grep -o 21f90404 | wc -l)" -ge 10 ] || fail "film.gif does not move"
    expect 2 "$RETCODEC" figure filters ../results/rf.h5 -o filters.gif
    complains "--output: filters.gif should end in .png, .svg or .pdf"
    expect 2 "$RETCODEC" figure stimulus ../results/stimulus-train.h5 -o film.mp4
    complains "or for a film in .gif"
    expect 1 "$RETCODEC" figure stimulus ../results/rf.h5 -o no.png
    one_line
    no_leftovers
}

up_to_date() {
    results
    need_gnuplot
    expect 0 "$RETCODEC" figure filters ../results/rf.h5 -o a.png
    expect 0 "$RETCODEC" figure filters ../results/rf.h5 -o a.png --if-changed
    prints "a.png is up to date"
    expect 1 "$RETCODEC" figure filters ../results/rf.h5 -o a.png
    complains "a.png exists already"
    expect 1 "$RETCODEC" figure filters ../results/rf.h5 --cells cell02 -o a.png --if-changed
    complains "a.png exists and was made from other inputs or options"
    rm a.png
    expect 1 "$RETCODEC" figure filters ../results/rf.h5 -o a.png --if-changed
    complains "a.txt exists already; --force replaces it"
    expect 0 "$RETCODEC" figure filters ../results/rf.h5 -o a.png --if-changed --force
    [ -s a.png ]
}

# The table is worth having; a figure of other content beside it is not.
without_gnuplot() {
    results
    echo old >a.png
    RETC_GNUPLOT=/nowhere/gnuplot expect 1 "$RETCODEC" figure filters ../results/rf.h5 -o a.png --force
    complains "retcodec figure: figures need gnuplot, and /nowhere/gnuplot is not there (Debian: gnuplot-nox);"
    complains "; the table a.txt is written"
    one_line
    grep -q '^# course 1' a.txt
    absent a.png
    no_leftovers
}

failing_gnuplot() {
    results
    need_gnuplot
    mkdir scripts
    echo 'plot nonsense' >scripts/filters.gp
    RETC_SCRIPTS=$PWD/scripts expect 1 "$RETCODEC" figure filters ../results/rf.h5 -o a.png
    complains "gnuplot failed: "
    complains "undefined variable: nonsense; the table a.txt is written"
    one_line
    echo '# draws nothing' >scripts/filters.gp
    RETC_SCRIPTS=$PWD/scripts expect 1 "$RETCODEC" figure filters ../results/rf.h5 -o b.png
    complains "gnuplot left an incomplete png file; is the disk full?"
    printf '#!/bin/sh\nkill -9 $$\n' >gnuplot
    chmod +x gnuplot
    RETC_GNUPLOT=$PWD/gnuplot expect 1 "$RETCODEC" figure filters ../results/rf.h5 -o c.png
    complains "gnuplot was ended by signal 9"
    RETC_SCRIPTS=/nowhere expect 1 "$RETCODEC" figure filters ../results/rf.h5 -o d.png
    complains "the script filters.gp is not there; set RETC_SCRIPTS"
    absent a.png b.png c.png d.png
    no_leftovers
}

size_limit() {
    results
    need_gnuplot
    status=0
    (ulimit -f 4 && exec "$RETCODEC" figure filters ../results/rf.h5 -o a.png) >out 2>err || status=$?
    [ "$status" -eq 1 ]
    one_line
    absent a.png
    no_leftovers
}

wrong_usage() {
    results
    expect 2 "$RETCODEC" figure filters ../results/rf.h5 -o a.gif
    complains "--output: a.gif should end in .png, .svg or .pdf"
    expect 2 "$RETCODEC" figure filters ../results/rf.h5 ../results/rf.h5 -o a.png
    complains "filters takes one file of STAs, or one model, 2 are given"
    expect 2 "$RETCODEC" figure strip ../results/contribute.h5 -o a.png
    complains "strip takes a file of contributions and one of modes, 1 are given"
    expect 2 "$RETCODEC" figure filters ../results/rf.h5 --modes 1,2 -o a.png
    complains "--modes is for the figure strip, not for filters"
    expect 2 "$RETCODEC" figure strip ../results/contribute.h5 ../results/modes.h5 --modes 1 -o a.png
    complains '--modes: "1" is not two numbers, such as 0,3'
    expect 2 "$RETCODEC" figure pie ../results/rf.h5 -o a.png
    complains '--kind: "pie" is not one of filters|'
    expect 1 "$RETCODEC" figure filters ../results/rf.h5 --cells nobody -o a.png
    complains '../results/rf.h5: there is no cell "nobody" among its 2 cells (cell01 ... cell02)'
    expect 1 "$RETCODEC" figure psth ../results/rf.h5 -o a.png
    complains '../results/rf.h5: is a file of kind "sta", expected "predictions"'
    absent a.png a.txt a.gif
    no_leftovers
}

run_cases filters filters_without_level psth strip circuit stimulus up_to_date without_gnuplot failing_gnuplot size_limit wrong_usage
