/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the command station: many devices, one image, one thread. */
#ifndef CLI_STATION_STATION_H
#define CLI_STATION_STATION_H

#include "cli/update/update_run.h"
#include "heap.h"
#include "targets.h"

#include "ferry/update.h"

#include <sys/types.h>

enum unit_phase {
    UNIT_QUEUED,   /* not begun */
    UNIT_RUNNING,  /* the flow asks and is answered */
    UNIT_ASKING,   /* a question of the station's own is under way */
    UNIT_AWAY,     /* its wire is opened again: it was reset, or broke */
    UNIT_CHECKING, /* the command of --check has the wire */
    UNIT_RESTING,  /* before another try */
    UNIT_ENDED
};

enum unit_verdict {
    UNIT_UPDATED,
    UNIT_ALREADY, /* it had the image: nothing was sent */
    UNIT_FAILED,
    UNIT_CANCELLED
};

struct station;

/* What is needed only while a unit is at work. */
struct unit_work {
    struct session session;
    struct ferry_update flow;
    struct ferry_update_event failure; /* whose cause the bootloader is asked for */
    int32_t ticket;                    /* of the station's own question */
    bool asks_serial;                  /* else what the bootloader says */
    uint64_t ask_by;
    uint64_t reopen_by;
    uint64_t reopened_at; /* 0 = never */
    pid_t child;          /* of --check; 0 = none */
    uint64_t check_by;
    int check_status;
    bool checked;    /* it was run */
    bool check_late; /* … and ended, for it took too long */
    int registered;  /* descriptor in the epoll set, -1 = none */
    uint32_t events;
};

/* One device. */
struct unit {
    struct heap_entry timer; /* first: found from the heap */
    struct station *station;
    const struct target *target;
    struct cli cli;         /* whose messages are the unit's */
    struct unit_work *work; /* NULL unless it is at work */
    enum unit_phase phase;
    enum ferry_update_step step;
    uint32_t leg;     /* flows that were begun in this try */
    uint32_t item;    /* the image of the present one */
    uint32_t waiting; /* the image whose flow resets the device */
    bool worked;      /* something was changed on the device */
    uint32_t acked;
    uint32_t tries;
    uint64_t began_at; /* of the first try */
    uint64_t try_at;   /* when the next step of AWAY or RESTING is due */
    uint64_t ended_at;
    uint32_t retransmitted;
    uint64_t bytes; /* of the image, that were sent and acknowledged */
    bool serial_asked;
    char serial[128]; /* by --serial-setting or USB */
    char old_version[FERRY_STATE_VERSION_MAX];

    /* Once ENDED. */
    enum unit_verdict verdict;
    int exit_code;
    char *what; /* NULL = "" */
    char *why;
    char *remedy;
    struct ferry_image_state proofs[ITEMS_MAX]; /* of each image, what the device listed last */
    bool proved[ITEMS_MAX];
};

struct station_options {
    uint32_t jobs;     /* at once */
    uint32_t retries;  /* of one device, after a failure that may pass */
    uint32_t limit_ms; /* for one device; 0 = none */
    const char *serial_setting;
    const char *check; /* a command; NULL = none */
    uint32_t check_ms;
    const char *record_path;
    bool list;
    bool wait;      /* for devices that are still to come */
    uint32_t count; /* so many in all; 0 = until the user ends it */
};

struct station {
    struct cli *cli;
    struct station_options options;
    struct update_run file;            /* the image, as update checks it */
    struct ferry_update_config config; /* of every flow: its switches */
    struct targets targets;
    struct unit **units; /* of the targets, in their order */
    size_t unit_count;
    size_t begun;     /* so many of them, from the first */
    uint64_t look_at; /* when new devices are looked for */
    struct heap timers;
    int epoll;
    int signals;
    FILE *record;
    uint32_t running;
    uint32_t ended[UNIT_CANCELLED + 1]; /* by verdict */
    int cancelled;                      /* the signal that ended it; 0 = none */
    uint64_t began_at;

    struct {
        bool terminal;
        uint32_t lines; /* that stand there */
        uint64_t due;
    } show;
};

/* ---- The loop -------------------------------------------------------------------------------- */

/* Serve all targets. Returns an enum cli_exit. */
int station_run(struct station *station);

/* ---- One device ------------------------------------------------------------------------------ */

/* A unit that is queued. target and station must outlive it; it may not be moved. */
void unit_init(struct unit *unit, struct station *station, const struct target *target);
void unit_free(struct unit *unit);

/* Begin, or begin again. */
void unit_begin(struct unit *unit, uint64_t now);

/* Do what is due: bytes have come, or its time. */
void unit_work(struct unit *unit, uint64_t now);

/* Give up: the user wants to. */
void unit_cancel(struct unit *unit, uint64_t now);

/* Set when unit_work() is to be called, and for what of the wire. */
void unit_arm(struct unit *unit);

/* Between the files of a unit: an event of the flow that failed it; and its end by a code whose
 * message is in the unit. */
void unit_fail(struct unit *unit, const struct ferry_update_event *event, uint64_t now);
void unit_end(struct unit *unit, enum unit_verdict verdict, int exit_code, uint64_t now);
void unit_tell_failure(struct unit *unit, const struct ferry_update_event *event,
                       const struct ferry_why *why, uint64_t now);
void unit_overdue(struct unit *unit, uint64_t now);

/* The image of the present flow, and its size in bytes. */
struct update_item *unit_item(const struct unit *unit);
uint32_t unit_size(const struct unit *unit);
/* What the next flow of this try is to do, the connection apart. Returns false when all is done. */
bool unit_next_flow(struct unit *unit, struct ferry_update_config *config);

/* Begin the command of --check, with the wire closed. Returns false when there is none to run. */
bool unit_check_begin(struct unit *unit, uint64_t now);
/* Whether it has ended; unit->try_at says when to look again. */
bool unit_check_ended(struct unit *unit, uint64_t now);
/* End it, if it runs. */
void unit_check_stop(struct unit_work *work);
/* Tell that it failed. Returns an enum cli_exit. */
int unit_check_fail(struct unit *unit, const struct ferry_update_event *event);

/* Ask for what the unit's serial number is kept under. Returns whether an answer is to come. */
bool unit_ask_serial(struct unit *unit);
/* What was found under it. */
void unit_take_serial(struct unit *unit, const struct ferry_client_answer *answer);

/* ---- What is said ---------------------------------------------------------------------------- */

const char *unit_verdict_name(enum unit_verdict verdict);

/* A device's record, or that of the whole run. */
cJSON *unit_record(const struct unit *unit);
cJSON *station_record(const struct station *station, int exit_code);

void show_begin(struct station *station);
void show_unit_begin(struct station *station, const struct unit *unit);
void show_unit_end(struct station *station, const struct unit *unit);
void show_warning(struct station *station, const struct unit *unit, const char *text,
                  const char *remedy);
/* On a terminal: draw what runs, where it is time. */
void show_draw(struct station *station, uint64_t now);
void show_end(struct station *station, int exit_code);

#endif
