# A test program is one file, tests/check_NAME.c: list it here.
C_TESTS = \
    tests/check_architecture \
    tests/check_attribution \
    tests/check_average \
    tests/check_base \
    tests/check_baseline \
    tests/check_bypass \
    tests/check_cam \
    tests/check_chain \
    tests/check_fftconv \
    tests/check_contribute \
    tests/check_convert \
    tests/check_dispatch \
    tests/check_ensemble \
    tests/check_export \
    tests/check_circuit \
    tests/check_circuit_config \
    tests/check_circuit_protocols \
    tests/check_convergence \
    tests/check_coupling \
    tests/check_figure \
    tests/check_fit \
    tests/check_figure_circuit \
    tests/check_figure_input \
    tests/check_figure_models \
    tests/check_golden \
    tests/check_golden_irf \
    tests/check_golden_methods \
    tests/check_glm \
    tests/check_glm_limit \
    tests/check_guard \
    tests/check_h5 \
    tests/check_h5_chunks \
    tests/check_h5_files \
    tests/check_h5_object \
    tests/check_images \
    tests/check_import \
    tests/check_import_join \
    tests/check_import_matlab \
    tests/check_import_nwb \
    tests/check_import_open_retina \
    tests/check_import_real \
    tests/check_ini_file \
    tests/check_input \
    tests/check_interneurons \
    tests/check_irf \
    tests/check_irf_integrated \
    tests/check_irf_shape \
    tests/check_keras \
    tests/check_kernels \
    tests/check_layer_files \
    tests/check_layer_sums \
    tests/check_layer_statistics \
    tests/check_layers \
    tests/check_ln \
    tests/check_lowrank \
    tests/check_mapconv \
    tests/check_mat \
    tests/check_levels \
    tests/check_models \
    tests/check_modes \
    tests/check_natural \
    tests/check_noise \
    tests/check_normal \
    tests/check_options \
    tests/check_pairs \
    tests/check_preview \
    tests/check_protocol_response \
    tests/check_protocols \
    tests/check_provenance \
    tests/check_quality \
    tests/check_recipe \
    tests/check_recovery \
    tests/check_recovery_retina \
    tests/check_reduction \
    tests/check_refine \
    tests/check_recording \
    tests/check_recording_choice \
    tests/check_reliability \
    tests/check_sae \
    tests/check_scores \
    tests/check_simulate \
    tests/check_sta \
    tests/check_stacked \
    tests/check_start \
    tests/check_stats \
    tests/check_stimuli \
    tests/check_target \
    tests/check_torch \
    tests/check_training \
    tests/check_transforms \
    tests/check_truth_match \
    tests/check_video \
    tests/check_xcorr
LDADD = tests/libtesting.la libretcodec-internal.la $(CHECK_LIBS)
tests_libtesting_la_SOURCES = tests/testing.c tests/testing.h tests/arrays.c tests/arrays.h tests/small_fit.c tests/small_fit.h \
    tests/collected.c tests/collected.h tests/fixtures.c tests/fixtures.h tests/layer_recipes.c tests/layer_recipes.h \
    tests/published.c tests/published.h tests/tables.c tests/tables.h
tests_libtesting_la_CPPFLAGS = $(AM_CPPFLAGS) -DTEST_SRCDIR='"$(abs_srcdir)/tests"' $(CHECK_CFLAGS)
if HAVE_CHECK
check_LTLIBRARIES += tests/libtesting.la
check_PROGRAMS += $(C_TESTS)
TESTS += $(C_TESTS)
endif
EXTRA_DIST += tests/h5py/make_keras.py tests/h5py/make_nwb.py tests/h5py/make_torch.py tests/h5py/run_torch.py tests/h5py/train_torch.py \
    tests/h5py/make_open_retina.py
EXTRA_DIST += tests/golden/integrated_irf.h5 tests/golden/make_integrated_irf.py tests/golden/sae.h5 tests/golden/tiny_wn.h5
# The program as its users meet it.
TEST_EXTENSIONS = .sh
SH_LOG_COMPILER = $(SHELL)
CLI_TESTS = tests/cli/bad_input.sh tests/cli/contribute.sh tests/cli/contribute_bad.sh tests/cli/contribute_baseline.sh tests/cli/contribute_layers.sh tests/cli/contribute_published.sh tests/cli/convert.sh tests/cli/simulate.sh tests/cli/damaged.sh tests/cli/ensemble.sh tests/cli/export.sh tests/cli/export_torch.sh tests/cli/figure.sh tests/cli/fit_glm.sh tests/cli/files.sh tests/cli/fit.sh \
    tests/cli/import.sh tests/cli/import_interneurons.sh tests/cli/import_matlab.sh \
    tests/cli/info.sh tests/cli/install.sh tests/cli/irf.sh tests/cli/memory.sh tests/cli/network.sh tests/cli/protocol.sh tests/cli/quality.sh \
    tests/cli/recording_options.sh tests/cli/resume.sh tests/cli/run.sh tests/cli/scores.sh tests/cli/stimulus_natural.sh \
    tests/cli/stimulus_noise.sh tests/cli/stimulus_protocols.sh tests/cli/stimulus_video.sh tests/cli/sweep.sh tests/cli/usage.sh
dist_check_SCRIPTS += $(CLI_TESTS)
TESTS += $(CLI_TESTS)
EXTRA_DIST += tests/cli/lib.sh
EXTRA_DIST += tests/h5py/read_export.py tests/h5py/read_contributions.py tests/h5py/read_published.py
EXTRA_DIST += tests/h5py/read_irf.py
check_PROGRAMS += tests/cli/edit_h5
tests_cli_edit_h5_SOURCES = tests/cli/edit_h5.c
tests_cli_edit_h5_LDADD = $(HDF5_LIBS)
AM_TESTS_ENVIRONMENT = RETCODEC='$(abs_builddir)/retcodec$(EXEEXT)'; export RETCODEC; \
    RETC_TESTS='$(abs_srcdir)/tests'; export RETC_TESTS;
$(CLI_TESTS:.sh=.log): retcodec$(EXEEXT) tests/cli/edit_h5$(EXEEXT) $(man_MANS)
# Readers under damaged input: a short run here, longer ones by tests/fuzz/run TARGET CASES, and by libFuzzer.
FUZZ_SOURCES = tests/fuzz/fuzz.c tests/fuzz/fuzz.h tests/fuzz/targets_results.c tests/fuzz/targets_foreign.c \
    tests/fuzz/seeds_results.c tests/fuzz/seeds_foreign.c tests/fuzz/interneurons.c \
    tests/fuzz/nwb.c tests/fuzz/open_retina.c tests/fuzz/protocols.c \
    tests/fixtures.c tests/fixtures.h \
    src/info.c src/info.h src/run_config.c src/run_config.h
check_PROGRAMS += tests/fuzz/run
TESTS += tests/fuzz/run
CLEANFILES += fuzz-*
tests_fuzz_run_SOURCES = $(FUZZ_SOURCES) tests/fuzz/run.c tests/fuzz/mutate.c tests/fuzz/mutate.h
tests_fuzz_run_LDADD = libretcodec-internal.la $(DEPENDENCY_LIBS) $(INIH_LIBS)
if FUZZER
noinst_PROGRAMS += tests/fuzz/libfuzzer
tests_fuzz_libfuzzer_SOURCES = $(FUZZ_SOURCES) tests/fuzz/libfuzzer.c
tests_fuzz_libfuzzer_LDADD = libretcodec-internal.la $(DEPENDENCY_LIBS) $(INIH_LIBS)
tests_fuzz_libfuzzer_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif
# How fast it is: make bench, with long recordings by make bench BENCH_SECONDS=3600 BENCH_MEGABYTES=1000,
# contributions of another model by make bench BENCH_MODEL=model.h5.
EXTRA_PROGRAMS = tests/bench/bench tests/bench/contributions tests/bench/convergence tests/bench/published tests/bench/streams
BENCH_MODEL_SOURCES = tests/bench/measure.c tests/bench/measure.h tests/bench/model.c tests/bench/model.h tests/fixtures.c tests/fixtures.h
tests_bench_contributions_SOURCES = tests/bench/contributions.c $(BENCH_MODEL_SOURCES)
tests_bench_contributions_LDADD = libretcodec-internal.la $(DEPENDENCY_LIBS)
tests_bench_convergence_SOURCES = tests/bench/convergence.c $(BENCH_MODEL_SOURCES)
tests_bench_convergence_LDADD = libretcodec-internal.la $(DEPENDENCY_LIBS)
tests_bench_published_SOURCES = tests/bench/published.c $(BENCH_MODEL_SOURCES)
tests_bench_published_LDADD = libretcodec-internal.la $(DEPENDENCY_LIBS)
tests_bench_bench_SOURCES = tests/bench/bench.c tests/fixtures.c tests/fixtures.h
tests_bench_bench_LDADD = libretcodec-internal.la $(DEPENDENCY_LIBS)
tests_bench_streams_SOURCES = tests/bench/streams.c
tests_bench_streams_LDADD = libretcodec-internal.la $(DEPENDENCY_LIBS)
EXTRA_DIST += tests/bench/compare.sh tests/bench/contributions_torch.py tests/bench/convergence.gp tests/bench/published_torch.py
CLEANFILES += tests/bench/bench$(EXEEXT) tests/bench/contributions$(EXEEXT) tests/bench/convergence$(EXEEXT) tests/bench/published$(EXEEXT) tests/bench/streams$(EXEEXT) \
    convergence.txt convergence.png
BENCH_SECONDS = 300
BENCH_MEGABYTES = 200
.PHONY: bench convergence
bench: tests/bench/bench$(EXEEXT) tests/bench/contributions$(EXEEXT) tests/bench/published$(EXEEXT) tests/bench/streams$(EXEEXT) retcodec$(EXEEXT)
	@tests/bench/bench$(EXEEXT)
	@tests/bench/published$(EXEEXT) /usr/bin/python3 '$(srcdir)/tests/bench/published_torch.py'
	@tests/bench/contributions$(EXEEXT) /usr/bin/python3 '$(srcdir)/tests/bench/contributions_torch.py' $(BENCH_MODEL)
	@tests/bench/streams$(EXEEXT) '$(abs_builddir)/retcodec$(EXEEXT)' $(BENCH_SECONDS) $(BENCH_MEGABYTES)
# How errors of contributions fall with their cost: convergence.txt, convergence.png.
convergence: tests/bench/convergence$(EXEEXT)
	@tests/bench/convergence$(EXEEXT) convergence.txt $(BENCH_MODEL)
	@GNUPLOT_LIB='$(srcdir)/scripts' gnuplot -c '$(srcdir)/tests/bench/convergence.gp' convergence.txt convergence.png png
