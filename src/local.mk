libretcodec_internal_la_SOURCES += \
    src/error.c src/error.h \
    src/h5.c src/h5.h \
    src/options.c src/options.h \
    src/options_help.c \
    src/parallel.c src/parallel.h \
    src/progress.h \
    src/provenance.c src/provenance.h \
    src/rng.c src/rng.h
pkginclude_HEADERS += src/retcodec.h src/error.h src/h5.h src/parallel.h src/progress.h src/rng.h

# The program: a line for every command.
retcodec_SOURCES += \
    src/main.c \
    src/command.c src/command.h \
    src/meter.c \
    src/cmd_help.c
