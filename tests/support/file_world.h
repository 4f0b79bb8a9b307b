/* SPDX-License-Identifier: Apache-2.0 */
/* A model of a server of files behind a line that loses, doubles and reorders, in virtual time; and
 * the two transfers of ferry/files.h run against it. */
#ifndef FILE_WORLD_H
#define FILE_WORLD_H

#include "ferry/files.h"

#define FILE_WORLD_SIZE 200000

struct file_world {
    /* The server; its file may be looked at and filled. */
    bool ferry;       /* Ferry's rules for uploads; else Zephyr's */
    bool fills;       /* a download's answers are filled to the last byte; else `chunk` */
    uint32_t chunk;   /* data of a download's answer, or the room for it */
    bool version_1;   /* has no `len` beside a refused offset */
    bool no_status;   /* knows only the transfers */
    uint32_t buffers; /* requests that it can hold */
    /* Script: the n-th request from 1; 0 = none */
    uint32_t lose_request;
    uint32_t lose_answer;
    uint32_t lose_answers; /* … and so many more */
    uint32_t short_at;     /* a download's answer has 10 bytes only */
    uint32_t shifted_at;   /* … is that of another offset */
    uint32_t empty_from;   /* from this offset on a download has no data; 0 = off */
    uint32_t refuse_at;    /* group error 10 */
    uint32_t passing_rc;   /* so many chunks are refused with … */
    uint32_t passing;
    uint32_t forget_at; /* the file is cut to `forget_size`, and closed */
    uint32_t forget_size;
    uint32_t stuck_at;  /* an upload never goes beyond this offset; 0 = off */
    uint32_t write_max; /* bytes of an upload's chunk that it takes; 0 = all */
    uint32_t longer;    /* foreign bytes of the file behind the start of an upload */
    bool fails_close;
    bool no_len;       /* a download's first answer has none */
    uint64_t said_len; /* … or this one; 0 = the file's */
    bool chunked;      /* data come in two strings of an indefinite one */
    uint8_t file[FILE_WORLD_SIZE];
    uint32_t size;
    bool exists;
    bool open;
    uint32_t count; /* bytes of the upload that is open */
    uint32_t len;
    uint32_t requests;
    uint32_t statuses;
    uint32_t closes;
    uint32_t firsts;
    /* The line */
    uint32_t loss_permille;
    uint32_t double_permille;
    uint32_t jitter_ms; /* reorders */
    uint32_t random;
    /* What was received */
    uint8_t got[FILE_WORLD_SIZE];
    uint32_t write_fails_at; /* the caller's write; 0 = never */
    struct ferry_file_event last;
    char warnings[1024];
    uint64_t now;
    uint32_t packet_max;
    uint32_t window;
    uint32_t deepest; /* requests on the way to the server or in it, most at a time */
};

/* A device with an empty name space, buffers for four requests, fast and without loss. */
void file_world_init(struct file_world *world);

/* What byte a file of the tests has at an offset. */
uint8_t file_world_byte(uint32_t off);

/* Transfer a file of size bytes; what happened is in last. */
void file_world_download(struct file_world *world, uint32_t size);
void file_world_upload(struct file_world *world, uint32_t size, uint32_t start);

#endif
