if HAVE_CHECK
C_TESTS =
check_PROGRAMS += $(C_TESTS)
TESTS += $(C_TESTS)
endif
test_cppflags = $(AM_CPPFLAGS) -iquote $(srcdir)/tests -DTEST_SRCDIR='"$(abs_srcdir)/tests"' $(CHECK_CFLAGS)
test_ldadd = tests/libtesting.la libretcodec-internal.la $(CHECK_LIBS)
if HAVE_CHECK
check_LTLIBRARIES += tests/libtesting.la
tests_libtesting_la_SOURCES = tests/testing.c tests/testing.h
tests_libtesting_la_CPPFLAGS = $(test_cppflags)
C_TESTS += tests/check_import
tests_check_import_SOURCES = tests/check_import.c
tests_check_import_CPPFLAGS = $(test_cppflags)
tests_check_import_LDADD = $(test_ldadd)
C_TESTS += tests/check_kernels
tests_check_kernels_SOURCES = tests/check_kernels.c
tests_check_kernels_CPPFLAGS = $(test_cppflags)
tests_check_kernels_LDADD = $(test_ldadd)
C_TESTS += tests/check_options
tests_check_options_SOURCES = tests/check_options.c
tests_check_options_CPPFLAGS = $(test_cppflags)
tests_check_options_LDADD = $(test_ldadd)
C_TESTS += tests/check_provenance
tests_check_provenance_SOURCES = tests/check_provenance.c
tests_check_provenance_CPPFLAGS = $(test_cppflags)
tests_check_provenance_LDADD = $(test_ldadd)
C_TESTS += tests/check_recording
tests_check_recording_SOURCES = tests/check_recording.c
tests_check_recording_CPPFLAGS = $(test_cppflags)
tests_check_recording_LDADD = $(test_ldadd)
C_TESTS += tests/check_stats
tests_check_stats_SOURCES = tests/check_stats.c
tests_check_stats_CPPFLAGS = $(test_cppflags)
tests_check_stats_LDADD = $(test_ldadd)
C_TESTS += tests/check_xcorr
tests_check_xcorr_SOURCES = tests/check_xcorr.c
tests_check_xcorr_CPPFLAGS = $(test_cppflags)
tests_check_xcorr_LDADD = $(test_ldadd)
endif
