# A test program is one file, tests/check_NAME.c: list it here.
C_TESTS = \
    tests/check_golden \
    tests/check_import \
    tests/check_kernels \
    tests/check_models \
    tests/check_options \
    tests/check_provenance \
    tests/check_recording \
    tests/check_sae \
    tests/check_simulate \
    tests/check_stats \
    tests/check_stimuli \
    tests/check_xcorr
LDADD = tests/libtesting.la libretcodec-internal.la $(CHECK_LIBS)
tests_libtesting_la_SOURCES = tests/testing.c tests/testing.h tests/fixtures.c tests/fixtures.h
tests_libtesting_la_CPPFLAGS = $(AM_CPPFLAGS) -DTEST_SRCDIR='"$(abs_srcdir)/tests"' $(CHECK_CFLAGS)
if HAVE_CHECK
check_LTLIBRARIES += tests/libtesting.la
check_PROGRAMS += $(C_TESTS)
TESTS += $(C_TESTS)
endif
EXTRA_DIST += tests/golden/sae.h5
