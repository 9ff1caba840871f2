libretcodec_internal_la_SOURCES += \
    models/adam.c models/adam.h \
    models/architecture.c models/architecture.h models/architecture_config.c models/architecture_preset.c \
    models/centres.c models/centres.h \
    models/describe.c models/describe.h \
    models/field.c models/field.h \
    models/ensemble.c models/ensemble.h models/ensemble_file.c models/ensemble_internal.h \
    models/fit.c models/fit.h models/fit_internal.h models/fit_average.c models/fit_checkpoint.c models/fit_diverge.c \
    models/fit_epoch.c models/fit_network.c \
    models/checkpoint.c \
    models/derived.c \
    models/infer.c models/infer.h \
    models/layer.c models/layer_internal.h models/layer_pool.c \
    models/keras.c models/keras.h models/keras_config.c models/keras_config.h \
    models/ln.c models/ln.h \
    models/loss.c models/loss.h \
    models/model_file.c models/model_file.h models/model_internal.h models/model_layers.c models/model_read.c \
    models/network.c models/network.h models/network_init.c models/network_internal.h \
    models/penalty.c models/penalty.h \
    models/reference.c models/reference.h \
    models/reverse_correlation.c models/reverse_correlation.h \
    models/schedule.c models/schedule.h \
    models/split.c models/split.h \
    models/stacked.c models/stacked.h \
    models/stream.c models/stream.h \
    models/tape.c models/tape.h \
    models/trainer.c models/trainer.h models/trainer_internal.h models/trainer_layout.c models/trainer_layout.h \
    models/trainer_make.c \
    models/window.c models/window.h
pkginclude_HEADERS += models/architecture.h models/centres.h models/describe.h models/ensemble.h models/field.h
pkginclude_HEADERS += models/adam.h models/fit.h models/keras.h models/ln.h models/loss.h models/model_file.h models/network.h \
    models/penalty.h models/reference.h models/reverse_correlation.h models/schedule.h models/split.h models/stacked.h \
    models/stream.h models/tape.h models/trainer.h models/window.h
# Regression: LN and GLM by solvers of their own.
libretcodec_internal_la_SOURCES += \
    models/bases.c models/bases.h \
    models/coupling.c models/coupling.h \
    models/glm.c models/glm.h models/glm_file.c \
    models/glm_simulate.c models/glm_simulate.h \
    models/lowrank.c models/lowrank.h \
    models/regression.c models/regression.h models/regression_internal.h \
    models/regression_choose.c models/regression_condition.c models/regression_limit.c models/regression_newton.c \
    models/regression_project.c
pkginclude_HEADERS += models/bases.h models/coupling.h models/glm.h models/glm_simulate.h models/lowrank.h models/regression.h
