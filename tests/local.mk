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
endif
