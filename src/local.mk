libretcodec_internal_la_SOURCES += \
    src/child.c src/child.h \
    src/eigen.c src/eigen.h \
    src/error.c src/error.h \
    src/fft.c src/fft.h \
    src/folder.c src/folder.h \
    src/guard.c src/guard.h \
    src/ini_file.c src/ini_file.h \
    src/h5.c src/h5.h src/h5_internal.h \
    src/h5_check.c src/h5_chunks.c src/h5_convert.c src/h5_make.c src/h5_make.h src/h5_numbers.c src/h5_storage.c src/h5_text.c \
    src/h5_object.c src/h5_object.h \
    src/kernels/conv.c src/kernels/conv.h src/kernels/conv_at.c src/kernels/conv_ref.c \
    src/kernels/fftadjoint.c src/kernels/fftadjoint.h \
    src/kernels/fftconv.c src/kernels/fftconv.h \
    src/kernels/gather.c src/kernels/gather.h src/kernels/gather_versions.h src/kernels/gather_body.h \
    src/kernels/gather_avx512.c src/kernels/gather_avx2.c src/kernels/gather_generic.c \
    src/kernels/mapconv.c src/kernels/mapconv.h src/kernels/mapconv_internal.h src/kernels/mapconv_body.h src/kernels/dft_body.h \
    src/kernels/normal.c src/kernels/normal.h src/kernels/normal_body.h \
    src/kernels/rows.c src/kernels/rows.h src/kernels/rows_body.h \
    src/kernels/xcorr.c src/kernels/xcorr.h \
    src/mat.c src/mat.h src/mat_internal.h src/mat5.c src/mat5_check.c src/mat73.c \
    src/options.c src/options.h \
    src/options_help.c \
    src/parallel.c src/parallel.h \
    src/progress.h \
    src/provenance.c src/provenance.h \
    src/rng.c src/rng.h \
    src/stats.c src/stats.h
pkginclude_HEADERS += src/retcodec.h src/eigen.h src/error.h src/h5.h src/options.h src/parallel.h src/progress.h src/provenance.h src/rng.h
pkginclude_HEADERS += src/kernels/conv.h src/kernels/fftadjoint.h src/kernels/fftconv.h src/kernels/gather.h src/kernels/mapconv.h src/kernels/normal.h src/kernels/rows.h src/kernels/xcorr.h \
    src/fft.h src/stats.h
pkginclude_HEADERS += src/h5_make.h src/h5_object.h
pkginclude_HEADERS += src/mat.h

# The program.  A command is a source file here, a line in the table of src/command.c, and a manual page.
retcodec_SOURCES += \
    src/main.c \
    src/command.c src/command.h \
    src/command_kind.c \
    src/meter.c \
    src/fit_glm_arguments.c src/fit_glm_arguments.h \
    src/plot.c src/plot.h \
    src/recording_arguments.c src/recording_arguments.h \
    src/temporary.c src/temporary.h \
    src/run_config.c src/run_config.h \
    src/run_stages.c src/run_stages.h \
    src/sweep.c src/sweep.h \
    src/sweep_table.c src/sweep_table.h \
    src/cmd_import.c src/cmd_import.h \
    src/cmd_import_interneurons.c \
    src/cmd_import_join.c \
    src/cmd_import_matlab.c \
    src/cmd_import_nwb.c \
    src/cmd_import_open_retina.c \
    src/cmd_import_text.c \
    src/cmd_stimulus.c \
    src/cmd_simulate.c \
    src/cmd_quality.c \
    src/cmd_export.c \
    src/info.c src/info.h \
    src/cmd_figure.c \
    src/cmd_info.c \
    src/cmd_run.c \
    src/cmd_sweep.c \
    src/cmd_fit.c src/fit_members_arguments.c src/fit_members_arguments.h \
    src/fit_network_arguments.c src/fit_network_arguments.h src/fit_training_arguments.c src/fit_training_arguments.h \
    src/cmd_convert.c \
    src/cmd_predict.c \
    src/cmd_contribute.c \
    src/contribute_arguments.c src/contribute_arguments.h \
    src/contribute_baseline_arguments.c src/contribute_baseline_arguments.h \
    src/contribute_output_arguments.c src/contribute_output_arguments.h \
    src/cmd_modes.c \
    src/cmd_protocol.c \
    src/cmd_rf.c \
    src/cmd_rf_irf.c \
    src/cmd_help.c
man_MANS = man/retcodec.1 \
    man/retcodec-import.1 \
    man/retcodec-stimulus.1 \
    man/retcodec-simulate.1 \
    man/retcodec-quality.1 \
    man/retcodec-export.1 \
    man/retcodec-fit.1 \
    man/retcodec-convert.1 \
    man/retcodec-predict.1 \
    man/retcodec-contribute.1 \
    man/retcodec-modes.1 \
    man/retcodec-protocol.1 \
    man/retcodec-rf.1 \
    man/retcodec-figure.1 \
    man/retcodec-info.1 \
    man/retcodec-run.1 \
    man/retcodec-sweep.1 \
    man/retcodec-help.1

# Manual pages are what the program says of itself.
$(man_MANS): retcodec$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) man && \
	command=`echo $@ | sed -e 's,^man/retcodec-*,,' -e 's,\.1$$,,'` && \
	./retcodec$(EXEEXT) help --man $$command > $@.part && mv $@.part $@
CLEANFILES += $(man_MANS)
