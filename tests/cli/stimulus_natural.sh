#!/bin/sh
# Natural movies at the command line: photographs, folders of them, and what is wrong with them.
. "$RETC_TESTS/cli/lib.sh"

# A smooth image as plain PGM: pgm NAME HEIGHT WIDTH
pgm() {
    awk -v h="$2" -v w="$3" 'BEGIN {
        print "P2", w, h, 255
        for (y = 0; y < h; ++y)
            for (x = 0; x < w; ++x)
                print int(128 + 60 * sin(x / 3) + 60 * cos(y / 5))
    }' >"$1"
}

natural="natural-movie --duration 2 --frame-rate 50 --height 6 --width 8"

# refused TEXT COMMAND...: one line that holds TEXT, and no output
refused() {
    says=$1
    shift
    expect 1 "$RETCODEC" stimulus "$@" -o refused.h5
    complains "$says"
    one_line
    absent refused.h5
    no_leftovers
}

images() {
    mkdir photos
    pgm photos/b.pgm 40 50
    pgm photos/a.pgm 30 60
    echo "mine" >photos/README
    expect 0 "$RETCODEC" stimulus $natural photos -o movie.h5
    prints "movie.h5: natural-movie, 100 frames of 6 x 8 pixels at 50 Hz"
    prints "no image, and left out: photos/README"
    expect 0 "$RETCODEC" info movie.h5
    for name in eye_position image image_names saccade_time stimulus time; do
        prints "$name"
    done
    prints "photos/a.pgm"
    prints "photos/b.pgm"
}

# Whatever the number of threads, and whether images are named or their folder.
same_movie() {
    mkdir photos
    pgm photos/b.pgm 40 50
    pgm photos/a.pgm 30 60
    expect 0 "$RETCODEC" stimulus $natural photos --no-provenance --threads 1 -o one.h5
    expect 0 "$RETCODEC" stimulus $natural photos/a.pgm photos/b.pgm --no-provenance --threads 3 -o three.h5
    cmp one.h5 three.h5
    expect 0 "$RETCODEC" stimulus $natural photos --no-provenance --seed 2 -o other.h5
    not cmp -s one.h5 other.h5
}

# An image that changed is another input.
up_to_date() {
    mkdir photos
    pgm photos/a.pgm 40 50
    expect 0 "$RETCODEC" stimulus $natural photos -o movie.h5
    expect 0 "$RETCODEC" stimulus $natural photos -o movie.h5 --if-changed
    prints "movie.h5 is up to date"
    pgm photos/a.pgm 40 51
    expect 1 "$RETCODEC" stimulus $natural photos -o movie.h5 --if-changed
    complains "was made from other inputs"
}

scenes() {
    expect 0 "$RETCODEC" stimulus $natural --scene dead-leaves -o leaves.h5
    expect 0 "$RETCODEC" stimulus $natural --scene 1/f --exponent 1.2 -o texture.h5
    expect 0 "$RETCODEC" stimulus jittered-images --frames 50 --height 6 --width 8 -o jitter.h5
    expect 0 "$RETCODEC" stimulus $natural --unit arcmin --drift 10 --drift-time 0.2 --microsaccade-rate 3 \
        --microsaccade-amplitude 5 --saccade-amplitude 100 --saccade-duration 0.04 --saccade-law log-normal -o eye.h5
    expect 0 "$RETCODEC" info eye.h5
    prints "microsaccade_time"
}

# A movie of a random scene has a recipe; one of images, which may change, has none.
recipes() {
    expect 0 "$RETCODEC" stimulus $natural --recipe -o recipe.h5
    pgm a.pgm 40 50
    refused "that reads files has no recipe" $natural a.pgm --recipe
}

wrong_images() {
    mkdir empty photos
    echo "mine" >empty/README
    refused "missing.png: No such file" $natural missing.png
    refused "empty: the folder holds no image" $natural empty
    refused "empty/README: not an image that can be read here" $natural empty/README
    printf 'P5 20 20 255\nshort' >photos/short.pgm
    refused "photos/short.pgm: the file ends, or has no number, in row 0 of 20" $natural photos
    printf 'P5 2000000 2000000 255\n' >huge.pgm
    refused "huge.pgm: an image of 2000000 x 2000000 pixels is too large" $natural huge.pgm
    pgm small.pgm 20 20
    refused "small.pgm covers 4 x 4 pixels of the screen, less than the frame, 6 x 8" $natural small.pgm --image-scale 10
    awk 'BEGIN { print "P2 20 20 255"; for (i = 0; i < 400; ++i) print 7 }' >flat.pgm
    refused "flat.pgm has no contrast that could be set" $natural flat.pgm
    refused "a scene made by chance has none" $natural --normalise none
    refused "cannot be 0.5 s apart at least" $natural --saccade-minimum 0.5 --saccade-interval 0.4
    refused "leaves with radii of 3 to 2 pixels" $natural --scene dead-leaves --leaf-smallest 150 --leaf-largest 100
}

run_cases images same_movie up_to_date scenes recipes wrong_images
