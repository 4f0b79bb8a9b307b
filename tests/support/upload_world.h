/* SPDX-License-Identifier: Apache-2.0 */
/* An upload in virtual time: model servers (Zephyr's rules and MCUboot recovery's), a simulated
 * line that loses, doubles and reorders, and the flow under test. */
#ifndef UPLOAD_WORLD_H
#define UPLOAD_WORLD_H

#include "ferry/upload.h"

#define WORLD_NS_PER_MS   1000000ULL
#define WORLD_FLASH_SIZE  (320 * 1024)
#define WORLD_PACKET_SIZE 2048
#define WORLD_HASH_LEN    32
#define WORLD_TRANSIT     64

extern uint8_t world_file[WORLD_FLASH_SIZE];
extern const uint8_t world_sha[32];
extern const uint8_t world_hash[WORLD_HASH_LEN];

enum world_kind { ZEPHYR, MCUBOOT };

struct world_server {
    enum world_kind kind;
    uint32_t write_size;  /* MCUBOOT cuts chunks to it */
    uint32_t erase_ms;    /* of the first chunk */
    uint32_t chunk_us;    /* of every chunk */
    uint32_t last_ms;     /* of the chunk that ends the file */
    uint32_t write_us;    /* of every chunk that is stored */
    uint32_t stall_every; /* chunks, one of which takes stall_ms longer; 0 = none */
    uint32_t stall_ms;
    uint32_t buf_count;
    bool image_check;  /* Zephyr's option: match, and off = len when it is there already */
    bool lists;        /* answers the list of images */
    bool lists_old;    /* … and shows the image though it is not whole: an older copy's rest */
    size_t packet_max; /* larger ones are dropped; 0 = none are */
    bool echoes;       /* answers echo, with an empty map */
    /* Script */
    uint32_t lose_request; /* the n-th request to come, from 1; 0 = none */
    uint32_t lose_answer;
    uint32_t busy;      /* so many upload requests get rc 10 first */
    uint32_t no_memory; /* so many requests after the first chunk get rc 2 */
    uint32_t reset_at;  /* the n-th request finds the state forgotten */
    uint32_t resets;    /* … so often, at every such number of requests */
    uint32_t stuck_at;  /* never stores beyond this offset; 0 = off */
    uint32_t lie;       /* answers this offset to the 3rd request; 0 = off */
    uint32_t refuse_at; /* err {1, 12} to the n-th request */
    bool no_off;        /* success without an offset */
    bool says_no_match;
    /* State */
    uint8_t flash[WORLD_FLASH_SIZE];
    bool open;
    bool done;
    uint32_t len;
    uint32_t off;
    bool has_sha;
    uint8_t sha[32];
    /* What happened */
    uint32_t requests;
    uint32_t erases;
    uint32_t firsts; /* chunks at offset 0 */
    uint32_t first_with_sha;
    uint32_t first_with_len;
    uint32_t first_len;  /* data of the last first chunk */
    uint32_t misaligned; /* chunks before the last that are no multiple of write_size */
    uint32_t lists_asked;
    uint32_t echoes_asked;
    uint32_t too_large;
    uint32_t overflows; /* packets dropped because all buffers were taken */
    uint32_t image;
    bool upgrade;
};

struct world_packet {
    bool used;
    bool up; /* to the server */
    uint64_t at;
    uint32_t order;
    size_t len;
    uint8_t bytes[WORLD_PACKET_SIZE];
};

struct world {
    struct world_server server;
    struct ferry_client client;
    struct ferry_client_request requests[FERRY_UPLOAD_WINDOW_MAX + 1];
    uint8_t buffers[(FERRY_UPLOAD_WINDOW_MAX + 1) * WORLD_PACKET_SIZE];
    struct ferry_upload upload;
    struct ferry_upload_config config;
    struct ferry_upload_event last;
    char warnings[1024];
    uint32_t warning_count;
    /* The line */
    uint64_t ns_per_byte;      /* 0 = fast */
    uint64_t told_ns_per_byte; /* what the client believes; 0 = the truth */
    uint64_t fifo_bytes;       /* kept while the server works; the rest is lost. 0 = all are kept */
    uint64_t latency_ns;
    uint32_t loss_permille;
    uint32_t double_permille;
    uint64_t jitter_ns; /* reorders */
    uint32_t random;
    uint64_t up_free;
    uint64_t down_free;
    uint32_t order;
    struct world_packet transit[WORLD_TRANSIT];
    /* The server's queue */
    struct world_packet queue[16];
    uint32_t queued;
    uint64_t busy_until;
    uint64_t now;     /* ns */
    uint32_t damaged; /* packets of which bytes were lost */
    uint32_t deepest; /* requests on their way or in the server, most at a time */
    uint32_t stop_at; /* stop the run when the server has this offset; 0 = never */
};

/* ---- Server ---------------------------------------------------------------------------------- */

/* Handle one packet into answer, which has WORLD_PACKET_SIZE bytes.
 *
 * cost  ns of work are added
 *
 * Returns the answer's size; 0 = none. */
size_t world_server_handle(struct world_server *server, struct ferry_bytes packet, uint8_t *answer,
                           uint64_t *cost);

/* ---- World ----------------------------------------------------------------------------------- */

/* Fill world_file; once in a program. */
void world_fill_file(void);

uint32_t world_random(uint32_t *state);

/* Bytes of an SMP packet on a console line. */
uint64_t world_wire_size(size_t len);

/* A fast clean line, a server with window + 1 buffers that erases for half a second. The one world
 * there is. */
struct world *world_set_up(enum world_kind kind, uint32_t size, size_t packet_max, uint32_t window);

/* Set the client up anew, for the line as it is. */
void world_set_client(struct world *world, size_t packet_max, uint8_t seq);

/* Start an upload and run it to its end. */
void world_start(struct world *world);

/* Go on to the end, or to stop_at. */
void world_run(struct world *world);

/* The upload ended well, and the flash holds the file. */
void world_expect_done(struct world *world);

/* It ended with that error, and words. */
void world_expect_failed(struct world *world, int error);

/* Whether a warning has that part. */
bool world_warned(const struct world *world, const char *part);

#endif
