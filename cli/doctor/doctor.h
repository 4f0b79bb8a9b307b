/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the command doctor: one examination, its stages, and what they find. A stage asks one
 * question and disturbs nothing: no stage erases, uploads, resets or changes a setting. */
#ifndef CLI_DOCTOR_DOCTOR_H
#define CLI_DOCTOR_DOCTOR_H

#include "cli/device/session.h"
#include "silence.h"
#include "port/posix/transport.h"

enum doctor_status { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_FAILED, DOCTOR_SKIPPED };

/* What one stage found. */
struct doctor_finding {
    enum doctor_status status;
    int exit;      /* of a failure */
    bool is_cause; /* of a failure: the reason of one before it */
    char fact[480];
    char why[400];
    char next[400];
};

/* What is established, as bits: a stage that needs more is skipped. */
enum doctor_has {
    DOCTOR_HAS_PORT = 1, /* the device file is there, the name resolves */
    DOCTOR_HAS_ACCESS = 2,
    DOCTOR_HAS_WIRE = 4, /* it can be opened */
    DOCTOR_HAS_ANSWER = 8
};

/* Kinds of wires, as bits. */
enum doctor_wire { DOCTOR_TTY = 1, DOCTOR_UDP = 2, DOCTOR_STREAM = 4, DOCTOR_RADIO = 8 };

#define DOCTOR_IMAGES_MAX 16

struct doctor {
    struct cli *cli;
    const char *file; /* NULL = none given */
    struct ferry_transport_address address;
    enum doctor_wire wire;
    bool raw;      /* how packets are framed, as asked; then as found */
    bool has_rate; /* the port has a baud rate that means something */
    unsigned has;  /* bits of enum doctor_has */
    char uri[320]; /* of the conversation */
    char holders[160];
    struct cli quick; /* the conversation's: no long waits */
    struct session session;
    bool open;
    struct silence silence; /* when nothing answered */
    char silence_text[80];

    /* Found out of a server. */
    const char *kind; /* "zephyr", "mcuboot-recovery", … */
    uint8_t version;  /* of SMP: 1, 2 */
    bool has_params;
    size_t packet_max;
    bool timed; /* the turnaround is known */
    uint32_t turnaround_us;
    uint32_t
        long_us; /* a request of packet_max bytes and its answer of the same size; 0 = not timed */
    uint32_t bytes_per_second; /* that the wire carries; 0 = no limit is known */
    struct ferry_image_state images[DOCTOR_IMAGES_MAX];
    size_t image_count;
    bool has_images;
    struct ferry_slot_info slots[DOCTOR_IMAGES_MAX];
    size_t slot_count;
    size_t file_size; /* 0 = no file */

    cJSON *facts; /* of the result */
};

/* One question. finding is all zero before it. */
struct doctor_stage {
    const char *name;
    unsigned wires; /* bits of enum doctor_wire: where it makes sense */
    unsigned needs; /* bits of enum doctor_has */
    void (*run)(struct doctor *doctor, struct doctor_finding *finding);
};

/* Fill a finding. why and next may be "". */
void doctor_ok(struct doctor_finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void doctor_skip(struct doctor_finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void doctor_warn(struct doctor_finding *finding, const char *why, const char *next,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));
void doctor_fail(struct doctor_finding *finding, int exit_code, const char *why, const char *next,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The URI of the same wire with another framing or rate, into uri of cap characters. */
void doctor_uri(const struct doctor *doctor, bool raw, uint32_t baud, char *uri, size_t cap);

/* Open a conversation over doctor->uri, and end it. Returns as session_dial(). */
int doctor_dial(struct doctor *doctor, char *why, size_t cap);
void doctor_hang_up(struct doctor *doctor);

/* Send one read request without arguments, or with a text under a key; NULL: none.
 * Returns answer->error. */
int doctor_read(struct doctor *doctor, uint16_t group, uint8_t id, const char *key,
                const char *text, struct ferry_client_answer *answer);

/* Send len bytes of text to be sent back. retries as ferry_client_command.retries; took_us may be
 * NULL. Returns answer->error. */
int doctor_echo(struct doctor *doctor, size_t len, uint8_t retries,
                struct ferry_client_answer *answer, uint32_t *took_us);

/* "the serial ports are: /dev/ttyACM0: …", or that there are none. */
void doctor_name_ports(char *out, size_t cap);

/* The stages, by file. */
void doctor_port(struct doctor *doctor, struct doctor_finding *finding); /* port.c */
void doctor_permission(struct doctor *doctor, struct doctor_finding *finding);
void doctor_free(struct doctor *doctor, struct doctor_finding *finding);
void doctor_name(struct doctor *doctor, struct doctor_finding *finding); /* net.c */
void doctor_route(struct doctor *doctor, struct doctor_finding *finding);
void doctor_connect(struct doctor *doctor, struct doctor_finding *finding);
void doctor_bytes(struct doctor *doctor, struct doctor_finding *finding);  /* listen.c */
void doctor_answer(struct doctor *doctor, struct doctor_finding *finding); /* answer.c */
void doctor_framing(struct doctor *doctor, struct doctor_finding *finding);
void doctor_baud(struct doctor *doctor, struct doctor_finding *finding);    /* baud.c */
void doctor_server(struct doctor *doctor, struct doctor_finding *finding);  /* server.c */
void doctor_buffers(struct doctor *doctor, struct doctor_finding *finding); /* buffers.c */
void doctor_lines(struct doctor *doctor, struct doctor_finding *finding);
void doctor_turnaround(struct doctor *doctor, struct doctor_finding *finding); /* speed.c */
void doctor_speed(struct doctor *doctor, struct doctor_finding *finding);
void doctor_slots(struct doctor *doctor, struct doctor_finding *finding); /* slots.c */
void doctor_file(struct doctor *doctor, struct doctor_finding *finding);  /* file.c */

#endif
