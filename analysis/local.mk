# files of this folder
libretcodec_internal_la_SOURCES += \
    analysis/figure_filters.c analysis/figure_filters.h \
    analysis/figure_irf.c analysis/figure_irf.h analysis/figure_irf_shape.c analysis/figure_irf_shape.h \
    analysis/figure_irf_sta.c analysis/figure_irf_sta.h \
    analysis/figure_kernels.c analysis/figure_kernels.h \
    analysis/figure_learning.c analysis/figure_learning.h \
    analysis/figure_network.c analysis/figure_network.h \
    analysis/figure_psth.c analysis/figure_psth.h \
    analysis/figure_scores.c analysis/figure_scores.h \
    analysis/figure_stimulus.c analysis/figure_stimulus.h \
    analysis/figure_strip.c analysis/figure_strip.h \
    analysis/figure_sweep.c analysis/figure_sweep.h \
    analysis/figure_table.c analysis/figure_table.h
pkginclude_HEADERS += analysis/figure_filters.h analysis/figure_irf.h analysis/figure_irf_sta.h analysis/figure_kernels.h analysis/figure_learning.h \
    analysis/figure_network.h \
    analysis/figure_psth.h analysis/figure_scores.h analysis/figure_stimulus.h analysis/figure_strip.h analysis/figure_sweep.h analysis/figure_table.h
libretcodec_internal_la_SOURCES += \
    analysis/attribution.c analysis/attribution.h analysis/attribution_cam.c analysis/attribution_internal.h \
    analysis/attribution_knock.c \
    analysis/baseline.c analysis/baseline.h analysis/baseline_movie.c \
    analysis/contribute.c analysis/contribute.h analysis/contribute_attributes.c analysis/contribute_internal.h \
    analysis/contribute_file.c analysis/contribute_file.h \
    analysis/gaussian.c analysis/gaussian.h \
    analysis/irf.c analysis/irf.h analysis/irf_cell.c analysis/irf_change.c analysis/irf_change.h analysis/irf_compact.c \
    analysis/irf_compact.h analysis/irf_file.c analysis/irf_internal.h analysis/irf_shape.c analysis/irf_shape.h \
    analysis/separate.c analysis/separate.h \
    analysis/line.c analysis/line.h \
    analysis/path.c analysis/path.h \
    analysis/refine.c analysis/refine.h analysis/refine_choose.c analysis/refine_internal.h \
    analysis/target.c analysis/target.h analysis/target_value.c \
    analysis/predict.c analysis/predict.h \
    analysis/predict_ensemble.c analysis/predict_ensemble.h \
    analysis/predict_file.c analysis/predict_file.h analysis/predict_score.c \
    analysis/scores.c analysis/scores.h
pkginclude_HEADERS += analysis/attribution.h analysis/baseline.h analysis/contribute.h analysis/contribute_file.h analysis/predict.h \
    analysis/predict_ensemble.h analysis/predict_file.h analysis/scores.h analysis/irf.h \
    analysis/irf_change.h analysis/irf_compact.h analysis/irf_shape.h analysis/line.h analysis/path.h analysis/refine.h analysis/separate.h analysis/target.h
libretcodec_internal_la_SOURCES += \
    analysis/modes.c analysis/modes.h analysis/modes_file.c \
    analysis/sae.c analysis/sae.h analysis/sae_fit.c analysis/sae_reference.c \
    analysis/sta.c analysis/sta.h
pkginclude_HEADERS += analysis/modes.h analysis/sae.h analysis/sta.h
libretcodec_internal_la_SOURCES += \
    analysis/figure_quality.c analysis/figure_quality.h \
    analysis/quality.c analysis/quality.h analysis/quality_internal.h \
    analysis/quality_clock.c analysis/quality_file.c analysis/quality_judge.c analysis/quality_latency.c \
    analysis/quality_rates.c analysis/quality_repeats.c analysis/quality_stimulus.c analysis/quality_text.c \
    analysis/reliability.c analysis/reliability.h
pkginclude_HEADERS += analysis/figure_quality.h analysis/quality.h analysis/reliability.h
libretcodec_internal_la_SOURCES += \
    analysis/figure_protocol.c analysis/figure_protocol.h \
    analysis/protocol_adaptation.c analysis/protocol_file.c analysis/protocol_internal.h \
    analysis/protocol_index.c analysis/protocol_index.h analysis/protocol_peak.c \
    analysis/protocol_response.c analysis/protocol_response.h
pkginclude_HEADERS += analysis/figure_protocol.h analysis/protocol_index.h analysis/protocol_response.h
libretcodec_internal_la_SOURCES += analysis/figure_circuit.c analysis/figure_circuit.h
pkginclude_HEADERS += analysis/figure_circuit.h
libretcodec_internal_la_SOURCES += analysis/predict_spikes.c analysis/predict_spikes.h
pkginclude_HEADERS += analysis/predict_spikes.h
libretcodec_internal_la_SOURCES += \
    analysis/figure_input.c analysis/figure_input.h \
    analysis/figure_layers.c analysis/figure_layers.h \
    analysis/figure_paths.c analysis/figure_paths.h \
    analysis/input.c analysis/input.h analysis/input_file.c \
    analysis/layer_statistics.c analysis/layer_statistics.h \
    analysis/pairs.c analysis/pairs.h \
    analysis/figure_truth.c analysis/figure_truth.h \
    analysis/reduction.c analysis/reduction.h \
    analysis/truth_match.c analysis/truth_match.h
pkginclude_HEADERS += analysis/figure_input.h analysis/figure_layers.h analysis/figure_paths.h analysis/layer_statistics.h analysis/figure_truth.h analysis/input.h analysis/pairs.h analysis/reduction.h analysis/truth_match.h
