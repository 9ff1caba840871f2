#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "export_csv.h"
#include "export_nwb.h"
#include "export_open_retina.h"
#include "recording_arguments.h"
#include "temporary.h"

/* ---- NWB ------------------------------------------------------------------------------------------------------------- */

typedef struct {
    const char *kind, *recording, *axes;
    retc_recording_arguments open;
    retc_export_nwb_options nwb;
    retc_common common;
} nwb_options;

static const retc_usage nwb_usage = {
    "export", "write a recording as NWB 2 file",
    "export nwb: a row of the table of units per cell with its spike times, the movie as series of pictures with the time of "
    "every frame, and a trial for every stretch of the train part and every repeat of the test part.  Times are those of the "
    "recording where it holds the onsets of all frames; else the train part and the repeats follow each other with pauses.  "
    "Where "
    "it holds counts and no spike times, the spikes of a frame are spread evenly inside it, and the file says so.\n\n"
    "retcodec import nwb reads it back: with --names cell_name --test part=test, and --grey 0:255 where grey levels are not "
    "bytes.",
    "retcodec export nwb recording.h5 --session-start 2015-10-07T14:00:00+02:00 -o recording.nwb"};

static int
export_nwb(int argc, char **argv) {
    nwb_options o = {.axes = "txy", .open = RETC_RECORDING_DEFAULT};
    const retc_option table[] = {
        {"kind", 0, RETC_OPTION_CHOICE, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.kind, 0, 0, "nwb", "format"},
        {"recording", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.recording, 0, 0, NULL,
         "recording"},
        {"session-start", 0, RETC_OPTION_TEXT, RETC_OPTION_REQUIRED, &o.nwb.session_start, 0, 0, NULL,
         "when the session began, with its time zone: 2015-10-07T14:00:00+02:00"},
        {"identifier", 0, RETC_OPTION_TEXT, 0, &o.nwb.identifier, 0, 0, NULL,
         "identifier of the session; without it the name of the recording"},
        {"description", 0, RETC_OPTION_TEXT, 0, &o.nwb.description, 0, 0, NULL, "description of the session"},
        {"axes", 0, RETC_OPTION_CHOICE, 0, &o.axes, 0, 0, "txy|tyx",
         "axes of pictures: t frame, x column, y row; NWB asks for txy"},
        RETC_RECORDING_CELLS(o.open),
        RETC_RECORDING_FRAMES(o.open),
        RETC_COMMON_OUTPUT(o.common, "NWB file to write"),
        RETC_COMMON_OPTIONS(o.common),
        RETC_OPTIONS_END,
    };
    retc_provenance *provenance = NULL;
    retc_recording *recording = NULL;
    retc_h5 *file = NULL;
    char *report = NULL, created[32];
    int status = retc_command_begin(&nwb_usage, table, &o.common, argc, argv, &provenance);
    if (status != RETC_OK)
        goto done;
    o.nwb.rows_first = strcmp(o.axes, "tyx") == 0;
    if (!o.common.no_provenance)
        o.nwb.created = retc_time_text(created);
    RETC_TRY(retc_recording_arguments_open(&o.open, &o.common, o.recording, &recording));
    RETC_TRY(RETC_GOT(file = retc_h5_create(o.common.output, o.common.force)));
    RETC_TRY(retc_export_nwb(recording, &o.nwb, retc_meter_start("export", o.common.quiet), file, &report));
    retc_meter_stop();
    RETC_TRY(retc_command_finish(file, &o.common, provenance));
    retc_say(&o.common, "%s", report);
done:
    retc_meter_stop();
    retc_h5_close(file);
    retc_free(report);
    retc_recording_close(recording);
    retc_command_end(table, provenance);
    return status;
}

/* ---- open-retina ----------------------------------------------------------------------------------------------------- */

typedef struct {
    const char *kind, *recording, *responses;
    retc_recording_arguments open;
    retc_export_open_retina_options session;
    retc_common common;
} session_options;

static const retc_usage session_usage = {"export", "write a recording as open-retina reads it",
                                         "export open-retina: a session file with responses_<stimulus> (cells, frames), "
                                         "stimulus_<stimulus> (1, frames, rows, columns) "
                                         "and session_info, and beside it in the folder stimuli the movies again as "
                                         "<stimulus>.npy, without which open-retina does not "
                                         "read them.  The test part's responses are means over repeats; single repeats stand "
                                         "in session_info.  The name of the output "
                                         "without its ending is the name of the session.",
                                         "retcodec export open-retina recording.h5 -o session.h5"};

/* The arrays beside a session, under temporary names until all is written. */
typedef struct {
    char *folder, *path[2], *temporary[2];
    int made_folder;
} arrays;

static int
arrays_begin(const session_options *o, const retc_recording *recording, arrays *a) {
    int status = RETC_OK;
    const char *output = o->common.output, *slash = strrchr(output, '/');
    size_t before = slash ? (size_t)(slash - output) + 1 : 0;
    RETC_TRY(RETC_GOT(a->folder = retc_strf("%.*sstimuli", (int)before, output)));
    a->made_folder = mkdir(a->folder, 0777) == 0;
    if (!a->made_folder && errno != EEXIST)
        RETC_TRY(RETC_FAIL(RETC_EIO, "%s: cannot be made: %s", a->folder, strerror(errno)));
    for (int part = 0; part < 2; ++part) {
        if (retc_recording_frames(recording, (retc_part)part) == 0)
            continue;
        RETC_TRY(RETC_GOT(a->path[part] = retc_strf("%s/%s.npy", a->folder, o->session.name[part])));
        if (!o->common.force && access(a->path[part], F_OK) == 0)
            RETC_TRY(RETC_FAIL(RETC_EIO, "%s exists already; --force replaces it, --%s-name gives another name", a->path[part],
                               part == RETC_TRAIN ? "train" : "test"));
        RETC_TRY(RETC_GOT(a->temporary[part] = retc_temporary_name(a->path[part])));
    }
done:
    return status;
}

static int
arrays_write(retc_recording *recording, const arrays *a, const retc_progress *progress) {
    int status = RETC_OK;
    for (int part = 0; part < 2; ++part)
        if (a->path[part])
            RETC_TRY(retc_export_npy(recording, (retc_part)part, progress, a->temporary[part]));
done:
    return status;
}

/* The session has its name by now; without its movies it must not keep it. */
static int
arrays_keep(const session_options *o, const arrays *a) {
    int status = RETC_OK;
    for (int part = 0; part < 2; ++part)
        if (a->path[part])
            RETC_TRY(retc_temporary_keep(a->temporary[part], a->path[part], o->common.force));
done:
    if (status < 0)
        unlink(o->common.output);
    return status;
}

static void
arrays_end(arrays *a, int failed) {
    for (int part = 0; part < 2; ++part) {
        retc_temporary_remove(a->temporary[part]);
        retc_free(a->temporary[part]);
        retc_free(a->path[part]);
    }
    if (failed && a->made_folder)
        rmdir(a->folder);
    retc_free(a->folder);
}

static int
check_session_name(const char *output) {
    const char *dot = strrchr(output, '.');
    if (!dot || (strcmp(dot, ".h5") != 0 && strcmp(dot, ".hdf5") != 0))
        return RETC_FAIL(RETC_EUSAGE, "--output: %s should end in .h5 or .hdf5, or open-retina does not find it", output);
    return RETC_OK;
}

static int
export_open_retina(int argc, char **argv) {
    session_options o = {.responses = "counts", .open = RETC_RECORDING_DEFAULT, .session = {.name = {"train", "test"}}};
    const retc_option table[] = {
        {"kind", 0, RETC_OPTION_CHOICE, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.kind, 0, 0, "open-retina", "format"},
        {"recording", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.recording, 0, 0, NULL,
         "recording"},
        {"responses", 0, RETC_OPTION_CHOICE, 0, &o.responses, 0, 0, "counts|rates",
         "spikes per frame, or per second: counts over the frame interval"},
        {"train-name", 0, RETC_OPTION_TEXT, 0, &o.session.name[RETC_TRAIN], 0, 0, NULL, "name of the train part's stimulus"},
        {"test-name", 0, RETC_OPTION_TEXT, 0, &o.session.name[RETC_TEST], 0, 0, NULL, "name of the test part's stimulus"},
        RETC_RECORDING_CELLS(o.open),
        RETC_RECORDING_FRAMES(o.open),
        RETC_COMMON_OUTPUT(o.common, "session file to write, ending in .h5 or .hdf5"),
        RETC_COMMON_OPTIONS(o.common),
        RETC_OPTIONS_END,
    };
    retc_provenance *provenance = NULL;
    retc_recording *recording = NULL;
    retc_h5 *file = NULL;
    arrays a = {0};
    int status = retc_command_begin(&session_usage, table, &o.common, argc, argv, &provenance);
    if (status != RETC_OK)
        goto done;
    o.session.rates = strcmp(o.responses, "rates") == 0;
    RETC_TRY(check_session_name(o.common.output));
    RETC_TRY(retc_recording_arguments_open(&o.open, &o.common, o.recording, &recording));
    RETC_TRY(RETC_GOT(file = retc_h5_create(o.common.output, o.common.force)));
    const retc_progress *progress = retc_meter_start("export", o.common.quiet);
    RETC_TRY(retc_export_open_retina(recording, &o.session, progress, file));
    RETC_TRY(arrays_begin(&o, recording, &a));
    RETC_TRY(arrays_write(recording, &a, progress));
    retc_meter_stop();
    RETC_TRY(retc_command_finish(file, &o.common, provenance));
    RETC_TRY(arrays_keep(&o, &a));
    retc_say(&o.common, "responses: %s\n", o.session.rates ? "spikes/s" : "spikes per frame");
    for (int part = 0; part < 2; ++part)
        if (a.path[part])
            retc_say(&o.common, "movie: %s\n", a.path[part]);
done:
    retc_meter_stop();
    arrays_end(&a, status < 0);
    retc_h5_close(file);
    retc_recording_close(recording);
    retc_command_end(table, provenance);
    return status;
}

/* ---- text ------------------------------------------------------------------------------------------------------------ */

typedef struct {
    const char *kind, *recording, *stimulus;
    retc_recording_arguments open;
    retc_export_csv_options csv;
    retc_common common;
} csv_options;

static const retc_usage csv_usage = {"export", "write a recording as text tables",
                                     "export csv: a folder of tables, values parted by commas: recording.csv, cells.csv, "
                                     "train.csv and test.csv with the counts of "
                                     "every cell in every frame, test_repeats.csv, spikes.csv and the onsets of frames where "
                                     "the recording holds spike times, and "
                                     "the movies, a line per frame, when they are small or asked for.  Numbers have a decimal "
                                     "point in every country, and as many "
                                     "digits as it takes to read back the very same number.",
                                     "retcodec export csv recording.h5 -o tables"};

static int
print_provenance(void *context, FILE *out) {
    return retc_provenance_print(context, out);
}

static int
export_csv(int argc, char **argv) {
    csv_options o = {.stimulus = "auto", .open = RETC_RECORDING_DEFAULT, .common = {.makes_folder = 1}};
    const retc_option table[] = {
        {"kind", 0, RETC_OPTION_CHOICE, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.kind, 0, 0, "csv", "format"},
        {"recording", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.recording, 0, 0, NULL,
         "recording"},
        {"stimulus", 0, RETC_OPTION_CHOICE, 0, &o.stimulus, 0, 0, "auto|yes|no",
         "whether movies are written; auto: up to 2 million values"},
        RETC_RECORDING_CELLS(o.open),
        RETC_RECORDING_FRAMES(o.open),
        RETC_COMMON_OUTPUT(o.common, "folder to write"),
        RETC_COMMON_OPTIONS(o.common),
        RETC_OPTIONS_END,
    };
    retc_provenance *provenance = NULL;
    retc_recording *recording = NULL;
    char *folder = NULL, *report = NULL;
    int status = retc_command_begin(&csv_usage, table, &o.common, argc, argv, &provenance);
    if (status != RETC_OK)
        goto done;
    o.csv.stimulus = !strcmp(o.stimulus, "auto")  ? RETC_CSV_WHEN_SMALL
                     : !strcmp(o.stimulus, "yes") ? RETC_CSV_ALWAYS
                                                  : RETC_CSV_NEVER;
    o.csv.head = o.common.no_provenance ? NULL : print_provenance;
    o.csv.context = provenance;
    RETC_TRY(retc_recording_arguments_open(&o.open, &o.common, o.recording, &recording));
    folder = retc_temporary_folder(o.common.output, retc_export_csv_files, o.common.force);
    RETC_TRY(folder ? RETC_OK : RETC_EIO);
    RETC_TRY(retc_export_csv(recording, &o.csv, retc_meter_start("export", o.common.quiet), folder, &report));
    retc_meter_stop();
    RETC_TRY(retc_temporary_keep_folder(o.common.output, o.common.force));
    retc_say(&o.common, "%s: %s", o.common.output, report);
done:
    retc_meter_stop();
    retc_temporary_remove_folder();
    retc_free(folder);
    retc_free(report);
    retc_recording_close(recording);
    retc_command_end(table, provenance);
    return status;
}

int
retc_cmd_export(int argc, char **argv) {
    static const retc_command_kind formats[] = {
        {"nwb", export_nwb}, {"open-retina", export_open_retina}, {"csv", export_csv}, {NULL, NULL}};
    return retc_command_run_kind(formats, "format", argc, argv);
}
