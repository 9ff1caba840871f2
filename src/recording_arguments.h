/* The options of every command that opens a recording. */
#ifndef RETC_RECORDING_ARGUMENTS_H
#define RETC_RECORDING_ARGUMENTS_H

#include "options.h"
#include "recording.h"

typedef struct {
    const char *cells, *experiment, *borders;
    size_t skip, blocks;
    size_t memory; /* MiB */
} retc_recording_arguments;

#define RETC_RECORDING_DEFAULT                                                                                                 \
    { .borders = "apart", .memory = 2048 }

/* Which cells: for commands that compare with the recording's responses. */
#define RETC_RECORDING_CELLS(arguments)                                                                                        \
    {                                                                                                                          \
        "cells", 0, RETC_OPTION_TEXT, 0, &(arguments).cells, 0, 0, NULL,                                                       \
            "cells to use: names, numbers from 0 and ranges, parted by commas; \"all\"; or \"good\", the published list"       \
    }
#define RETC_RECORDING_FRAMES(arguments)                                                                                       \
    {"experiment",                                                                                                             \
     0,                                                                                                                        \
     RETC_OPTION_TEXT,                                                                                                         \
     0,                                                                                                                        \
     &(arguments).experiment,                                                                                                  \
     0,                                                                                                                        \
     0,                                                                                                                        \
     NULL,                                                                                                                     \
     "published data set that the recording is of; without it the name of its folder"},                                        \
        {"nskip",                                                                                                              \
         0,                                                                                                                    \
         RETC_OPTION_SIZE,                                                                                                     \
         0,                                                                                                                    \
         &(arguments).skip,                                                                                                    \
         0,                                                                                                                    \
         1e9,                                                                                                                  \
         "frames",                                                                                                             \
         "left out at the start of each block of the train part"},                                                             \
        {"blocks",                                                                                                             \
         0,                                                                                                                    \
         RETC_OPTION_SIZE,                                                                                                     \
         0,                                                                                                                    \
         &(arguments).blocks,                                                                                                  \
         0,                                                                                                                    \
         1e6,                                                                                                                  \
         NULL,                                                                                                                 \
         "equal blocks of the train part; 0: as the file says or as published"},                                               \
        {"memory",                                                                                                             \
         0,                                                                                                                    \
         RETC_OPTION_SIZE,                                                                                                     \
         RETC_OPTION_NO_EFFECT,                                                                                                \
         &(arguments).memory,                                                                                                  \
         0,                                                                                                                    \
         1e9,                                                                                                                  \
         "MiB",                                                                                                                \
         "of movies and counts kept in memory; what is larger is read from the file where it is used"},                        \
    {                                                                                                                          \
        "borders", 0, RETC_OPTION_CHOICE, 0, &(arguments).borders, 0, 0, "apart|joined",                                       \
            "joined: windows run across the borders of blocks, as in deep-retina"                                              \
    }

/* Open `path` as the options say and print what is odd about it. */
/* What the arguments say to the library. */
retc_recording_options retc_recording_arguments_options(const retc_recording_arguments *arguments);

int retc_recording_arguments_open(const retc_recording_arguments *arguments, const retc_common *common, const char *path,
                                  retc_recording **recording) RETC_USED;

#endif
