libretcodec_internal_la_SOURCES += \
    stimuli/frame_clock.c stimuli/frame_clock.h \
    stimuli/recording.c stimuli/recording.h \
    stimuli/recording_open.c stimuli/recording_data.h \
    stimuli/spikes.c stimuli/spikes.h \
    stimuli/text.c stimuli/text.h
pkginclude_HEADERS += stimuli/frame_clock.h stimuli/recording.h stimuli/spikes.h stimuli/text.h
