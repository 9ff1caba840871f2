/* Movies that others made: video files, decoded by the program ffmpeg, and bare frames from a pipe or a file.
 *
 * Frames come one after the other, and how many there are shows only at their end. */
#ifndef RETC_VIDEO_H
#define RETC_VIDEO_H

#include "movie.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *path;     /* a video file; NULL: raw */
    const char *raw;      /* a file or FIFO of bare frames, "-": standard input */
    size_t depth;         /* bits of a raw pixel, 8 or 16 (lower byte first) */
    size_t height, width; /* pixels */
    size_t frames;        /* at most; 0: all */
    double duration;      /* s of a video file, at most; 0: all */
    double frame_rate;    /* Hz */
    int keep_rate;        /* the frame rate of a video file stays; else frames are repeated or left out to give `frame_rate` */
    double gamma;         /* light = (level / largest level)^gamma; 0: sRGB */
} retc_video_options;

typedef struct retc_video retc_video;

/* Start to read.  A video is made grey, scaled by averaging over areas until it fills the frame, and cut at its longer sides;
 * raw frames are rows of pixels without anything between.  The options' names must outlive it.  NULL with a recorded reason. */
retc_video *retc_video_open(const retc_video_options *options);
void retc_video_close(retc_video *video);

/* Hz */
double retc_video_frame_rate(const retc_video *video);

/* Up to n frames more, (n,H,W): a retc_stimulus_stream whose context is a retc_video.  Fails when there is not one frame, when
 * raw data end within a frame, and when ffmpeg does. */
int retc_video_frames(void *context, size_t n, float *out, size_t *got) RETC_USED;

/* What ffmpeg complained of when it decoded all frames none the less, as a file that was cut short may make it: one line
 * (retc_free), or NULL. */
char *retc_video_report(void *context);

/* SHA-256 of the raw bytes read so far, in hexadecimal. */
void retc_video_digest(const retc_video *video, char digest[65]);

extern const retc_movie_kind retc_video_kind;

#ifdef __cplusplus
}
#endif

#endif
