libretcodec_internal_la_SOURCES += \
    stimuli/circuit.c stimuli/circuit.h \
    stimuli/coverage.c stimuli/coverage.h \
    stimuli/events.c stimuli/events.h \
    stimuli/experiments.c stimuli/experiments.h \
    stimuli/crop.c stimuli/crop.h \
    stimuli/dead_leaves.c \
    stimuli/eye_path.c stimuli/eye_path.h \
    stimuli/export_csv.c stimuli/export_csv.h \
    stimuli/export_nwb.c stimuli/export_nwb.h \
    stimuli/export_open_retina.c stimuli/export_open_retina.h \
    stimuli/export_timeline.c stimuli/export_timeline.h \
    stimuli/frame_clock.c stimuli/frame_clock.h \
    stimuli/gallery.c stimuli/gallery.h \
    stimuli/grating.c stimuli/grating.h \
    stimuli/frozen.c stimuli/frozen.h \
    stimuli/log_polar.c stimuli/log_polar.h \
    stimuli/import_build.c stimuli/import_build.h \
    stimuli/import_columns.c stimuli/import_columns.h \
    stimuli/import_ensemble.c stimuli/import_fixations.c \
    stimuli/import_join.c stimuli/import_join.h \
    stimuli/import_matlab.c stimuli/import_matlab.h stimuli/import_matlab_internal.h stimuli/import_matlab_variables.c \
    stimuli/import_nwb.c stimuli/import_nwb.h stimuli/import_nwb_data.h \
    stimuli/import_nwb_movie.c \
    stimuli/import_nwb_parts.c \
    stimuli/import_open_retina.c stimuli/import_open_retina.h \
    stimuli/import_parts.c \
    stimuli/image.c stimuli/image.h stimuli/image_rows.h \
    stimuli/image_jpeg.c stimuli/image_png.c stimuli/image_pnm.c stimuli/image_tiff.c \
    stimuli/image_set.c stimuli/image_set.h \
    stimuli/import_report.c \
    stimuli/import_text.c stimuli/import_text.h \
    stimuli/levels.c stimuli/levels.h \
    stimuli/movie.c stimuli/movie.h \
    stimuli/movie_input.c stimuli/movie_input.h \
    stimuli/movie_kinds.c stimuli/movie_kinds.h \
    stimuli/movie_spectrum.c stimuli/movie_spectrum.h \
    stimuli/natural_kinds.c \
    stimuli/interneurons.c stimuli/interneurons.h \
    stimuli/natural_movie.c stimuli/natural_movie.h \
    stimuli/npy.c stimuli/npy.h \
    stimuli/nwb.c stimuli/nwb.h \
    stimuli/nwb_series.c \
    stimuli/nwb_table.c \
    stimuli/recipe.c stimuli/recipe.h \
    stimuli/protocol.c stimuli/protocol.h stimuli/protocol_kinds.h \
    stimuli/protocol_flashes.c stimuli/protocol_gratings.c stimuli/protocol_motion.c \
    stimuli/protocol_noise_steps.c stimuli/protocol_object.c \
    stimuli/recording.c stimuli/recording.h \
    stimuli/recording_choice.c stimuli/recording_clock.c stimuli/recording_repeats.c \
    stimuli/recording_open.c stimuli/recording_data.h \
    stimuli/recording_write.c stimuli/recording_write.h \
    stimuli/scene.c stimuli/scene.h stimuli/scene_grid.h \
    stimuli/resize.c stimuli/resize.h \
    stimuli/simulate.c stimuli/simulate.h \
    stimuli/spectral_noise.c stimuli/spectral_noise.h \
    stimuli/spikes.c stimuli/spikes.h \
    stimuli/stimulus_file.c stimuli/stimulus_file.h \
    stimuli/text.c stimuli/text.h \
    stimuli/texture.c stimuli/texture.h \
    stimuli/trials.c stimuli/trials.h stimuli/trials_text.c \
    stimuli/video.c stimuli/video.h \
    stimuli/white_noise.c stimuli/white_noise.h
pkginclude_HEADERS += stimuli/circuit.h stimuli/coverage.h stimuli/crop.h stimuli/events.h stimuli/experiments.h \
    stimuli/export_csv.h stimuli/export_nwb.h stimuli/export_open_retina.h stimuli/export_timeline.h \
    stimuli/eye_path.h stimuli/frame_clock.h stimuli/frozen.h stimuli/gallery.h stimuli/grating.h stimuli/image.h \
    stimuli/image_set.h stimuli/import_build.h stimuli/import_join.h stimuli/import_matlab.h stimuli/import_nwb.h \
    stimuli/import_open_retina.h stimuli/import_text.h stimuli/log_polar.h stimuli/movie.h stimuli/movie_input.h \
    stimuli/movie_kinds.h stimuli/movie_spectrum.h stimuli/natural_movie.h stimuli/npy.h stimuli/nwb.h \
    stimuli/protocol.h stimuli/protocol_kinds.h stimuli/recipe.h stimuli/recording.h stimuli/recording_write.h \
    stimuli/resize.h stimuli/scene.h stimuli/simulate.h stimuli/spectral_noise.h stimuli/spikes.h \
    stimuli/stimulus_file.h stimuli/text.h stimuli/texture.h stimuli/trials.h stimuli/video.h stimuli/white_noise.h
pkginclude_HEADERS += stimuli/interneurons.h
# the simulated retina
libretcodec_internal_la_SOURCES += \
    stimuli/circuit_config.c stimuli/circuit_config.h stimuli/circuit_data.h \
    stimuli/circuit_file.c stimuli/circuit_file.h \
    stimuli/circuit_local.c stimuli/circuit_local.h \
    stimuli/circuit_path.c stimuli/circuit_preset.c stimuli/circuit_steps.c \
    stimuli/circuit_calibrate.c stimuli/circuit_play.c stimuli/circuit_rf.c stimuli/circuit_state.h \
    stimuli/circuit_truth.c stimuli/circuit_truth.h stimuli/circuit_explain.h \
    stimuli/mosaic.c stimuli/mosaic.h \
    stimuli/simulate_explain.c stimuli/simulate_explain.h \
    stimuli/spike_train.c stimuli/spike_train.h
pkginclude_HEADERS += stimuli/circuit_config.h stimuli/circuit_file.h stimuli/circuit_truth.h stimuli/mosaic.h stimuli/spike_train.h
