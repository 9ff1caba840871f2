/* Which frames, of all that were shown, belong to which part of a recording. */
#include <string.h>

#include "import_build.h"

static size_t
total_frames(const retc_span *span, size_t n) {
    size_t frames = 0;
    for (size_t i = 0; i < n; ++i)
        frames += span[i].count;
    return frames;
}

size_t
retc_import_part_frames(const retc_import_parts *parts, retc_part part) {
    return part == RETC_TRAIN ? total_frames(parts->train, parts->stretches) : total_frames(parts->test, parts->test_stretches);
}

retc_span
retc_import_part_span(const retc_import_parts *parts, retc_part part, size_t r, size_t t) {
    const retc_span *span = part == RETC_TRAIN ? parts->train : parts->test + r * parts->test_stretches;
    while (t >= span->count)
        t -= span++->count;
    return (retc_span){span->first + t, span->count - t};
}

int
retc_import_parts_split(retc_import_parts *parts, const retc_span *stretch, size_t stretches, double fraction) {
    int status = RETC_OK;
    *parts = (retc_import_parts){0};
    if (!(fraction >= 0 && fraction <= 0.9))
        return RETC_FAIL(RETC_EINVAL, "a test fraction of %g is not between 0 and 0.9", fraction);
    size_t frames = total_frames(stretch, stretches), left = frames - (size_t)((double)frames * fraction);
    RETC_TRY(RETC_ALLOC(parts->train, stretches));
    RETC_TRY(RETC_ALLOC(parts->test, stretches));
    for (size_t b = 0; b < stretches; ++b) {
        size_t first = stretch[b].first, count = stretch[b].count, train = count < left ? count : left;
        if (train > 0)
            parts->train[parts->stretches++] = (retc_span){first, train};
        if (train < count)
            parts->test[parts->test_stretches++] = (retc_span){first + train, count - train};
        left -= train;
    }
    parts->repeats = parts->test_stretches > 0;

done:
    return status;
}

void
retc_import_parts_clear(retc_import_parts *parts) {
    retc_free(parts->train);
    retc_free(parts->test);
    *parts = (retc_import_parts){0};
}
