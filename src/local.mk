libretcodec_internal_la_SOURCES += \
    src/error.c src/error.h \
    src/h5.c src/h5.h \
    src/parallel.c src/parallel.h \
    src/progress.h \
    src/rng.c src/rng.h
pkginclude_HEADERS += src/retcodec.h src/error.h src/h5.h src/parallel.h src/progress.h src/rng.h
