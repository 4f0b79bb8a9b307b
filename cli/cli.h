/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of the `ferry` command: options, commands, messages, exit codes. */
#ifndef CLI_H
#define CLI_H

#include "ferry/bytes.h"
#include "ferry/error.h"

#include <cjson/cJSON.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What `ferry` exits with. Documented in docs/CLI.md; numbers are kept for good. */
enum cli_exit {
    CLI_OK = 0,        /* done, and where a device was asked: the device said so */
    CLI_FAILED = 1,    /* a file or the machine failed */
    CLI_USAGE = 2,     /* the command line is wrong */
    CLI_OPEN = 3,      /* the port or socket cannot be opened */
    CLI_NO_ANSWER = 4, /* the device does not answer */
    CLI_REFUSED = 5,   /* the device said no */
    CLI_VERIFY = 6,    /* an image does not verify, or does not fit */
    CLI_REVERTED = 7,  /* the device runs the old image again */
    CLI_SOME = 8       /* of many devices some failed, or not all in the same way */
};

/* What failed, why, and what to do next. */
struct cli_failure {
    int exit_code;
    const char *what;
    const char *why;  /* may be "" */
    const char *next; /* may be "" */
};

struct cli_dtls;

/* One run of the command. */
struct cli {
    const char *device; /* -d, a profile's or FERRY_DEVICE's; NULL = none given */
    const char
        *conn_type; /* --conntype and --connstring, as Go's mcumgr has them, until both are */
    const char *conn_string;     /* known; NULL = not given */
    const struct cli_dtls *dtls; /* keys that a profile names; NULL = the environment's */
    const char *passkey_file;    /* of a profile, for Bluetooth LE; NULL = the environment's */
    int profile_code; /* what the file of profiles failed with, for the exit code; 0 = it did not */
    bool json;
    uint32_t timeout_ms; /* --timeout; 0 = computed */
    uint8_t retries;     /* --tries less one; 0 = the client's own */
    int verbose;
    bool piped; /* standard output is taken by a file's bytes: all words go to standard error */
    const char *password_file;         /* --password-file; NULL = none given */
    const char *unlock_path;           /* --unlock; NULL = none given */
    const char *trace_path;            /* --trace; NULL = none given */
    const char *text_path;             /* --text; NULL = none given */
    bool unattended;                   /* the command asks nothing on the terminal */
    bool lines;                        /* with --json: JSON lines, so a message is one line, too */
    const cJSON *answer;               /* with --json: what a device said, beside a message */
    const struct cli_command *command; /* for messages about its usage */
    const char *called;                /* its name on the command line: words, or an alias */
    /* Given what failed, in place of standard error: for a command that talks to many devices.
     * NULL = said. The texts are valid during the call only. */
    void (*told)(void *context, const struct cli_failure *failure);
    void *told_context;
};

struct cli_command {
    const char *words;     /* "image list" */
    const char *arguments; /* "FILE", or "" */
    const char *help;      /* one line; "" = not shown */
    const char *options;   /* its own options, one a line, or "" */
    /* argv[0] is the command's last word. Returns an enum cli_exit. */
    int (*run)(struct cli *cli, int argc, char **argv);
};

/* Another name of a command. Where a command's defaults differ with the name, it asks called. */
struct cli_alias {
    const char *words;      /* "getpub" */
    const char *stands_for; /* the words of the command */
};

/* Ends with a row whose words are NULL. */
extern const struct cli_alias cli_aliases[];

/* The commands, by subject; each list ends with a row whose words are NULL. */
extern const struct cli_command cli_keygen_commands[];
extern const struct cli_command cli_key_commands[];
extern const struct cli_command cli_trust_commands[];
extern const struct cli_command cli_access_commands[];
extern const struct cli_command cli_sign_commands[];
extern const struct cli_command cli_verify_commands[];
extern const struct cli_command cli_inspect_commands[];
extern const struct cli_command cli_dumpinfo_commands[];
extern const struct cli_command cli_version_commands[];
extern const struct cli_command cli_image_commands[];
extern const struct cli_command cli_upload_commands[];
extern const struct cli_command cli_image_state_commands[];
extern const struct cli_command cli_core_commands[];
extern const struct cli_command cli_os_commands[];
extern const struct cli_command cli_reset_commands[];
extern const struct cli_command cli_params_commands[];
extern const struct cli_command cli_datetime_commands[];
extern const struct cli_command cli_update_commands[];
extern const struct cli_command cli_why_commands[];
extern const struct cli_command cli_b0_commands[];
extern const struct cli_command cli_bundle_create_commands[];
extern const struct cli_command cli_bundle_commands[];
extern const struct cli_command cli_bundle_extract_commands[];
extern const struct cli_command cli_layout_commands[];
extern const struct cli_command cli_measured_commands[];
extern const struct cli_command cli_fs_commands[];
extern const struct cli_command cli_settings_commands[];
extern const struct cli_command cli_stat_commands[];
extern const struct cli_command cli_log_commands[];
extern const struct cli_command cli_shell_commands[];
extern const struct cli_command cli_enum_commands[];
extern const struct cli_command cli_tasks_commands[];
extern const struct cli_command cli_basic_commands[];
extern const struct cli_command cli_crash_commands[];
extern const struct cli_command cli_transport_commands[];
extern const struct cli_command cli_raw_commands[];
extern const struct cli_command cli_decode_commands[];
extern const struct cli_command cli_monitor_commands[];
extern const struct cli_command cli_replay_commands[];
extern const struct cli_command cli_doctor_commands[];
extern const struct cli_command cli_scan_commands[];
extern const struct cli_command cli_station_commands[];
extern const struct cli_command cli_profile_commands[];
extern const struct cli_command cli_completion_commands[];
extern const struct cli_command cli_man_commands[];

/* What `ferry --help` shows under one title; a row without one goes on with the subject before it.
 */
struct cli_subject {
    const char *title;
    const struct cli_command *commands;
};

/* Ends with a row without commands. */
extern const struct cli_subject cli_subjects[];

/* The command after this one, in the order of the help; NULL: the first. NULL after the last. */
const struct cli_command *cli_next_command(const struct cli_command *command);

/* The command with exactly these words, or NULL. */
const struct cli_command *cli_command_of(const char *words);

/* The options that every command takes, one a line, in the form of struct cli_command. */
extern const char cli_global_options[];

/* getopt_long() for a command: its own options first, then the global ones, which are handled
 * here. Options and arguments may stand in any order.
 *
 * own  ends with a row of zeroes; val above 0. shorts as in getopt, without a leading sign
 *
 * Returns an option of the command (optarg is set); -1 at the end (optind is the first argument);
 * '?' after a message for a wrong option: return CLI_USAGE then. */
int cli_getopt(struct cli *cli, int argc, char **argv, const char *shorts,
               const struct option *own);

/* Say what went wrong, why and what to do next; on standard error, and with --json as an object
 * on standard output too. why and next may be NULL. Returns exit_code. */
int cli_fail(const struct cli *cli, int exit_code, const char *next, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same with the cause. */
int cli_fail_why(const struct cli *cli, int exit_code, const char *why, const char *next,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The same with the text and remedy of a library error. */
int cli_fail_error(const struct cli *cli, int exit_code, int error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The last thing a command does: returns exit_code when all that was printed was written, else,
 * after a message, one that is no success. */
int cli_finish(const struct cli *cli, int exit_code);

/* From here on, heard is told what the user is told, and at the end the exit code with what NULL.
 * The text is valid during the call only. */
void cli_listen(void (*heard)(int exit_code, const char *what));

/* "usage: ferry image upload FILE" and CLI_USAGE. why says what is wrong. */
int cli_usage(const struct cli *cli, const char *why);

/* "ferry 0.1.0". */
#define CLI_VERSION "0.1.0"
void cli_print_version(void);

/* Make a device's text harmless for a terminal: control characters but line feed and tab become
 * '.', in place. */
void cli_printable(char *text);

/* Print a result object on standard output, indented, and free it. */
void cli_print_json(cJSON *object);

/* The same on the stream that cli_text() names. */
void cli_print_json_to(FILE *text, cJSON *object);

/* The same in one line, and flushed: an event of a JSON-lines stream. */
void cli_print_json_line(cJSON *object);

/* hex has room for 2 * len + 1 characters. */
void cli_hex(const uint8_t *data, size_t len, char *hex);

/* Read hex digits. Returns the number of bytes, or FERRY_E_FORMAT, FERRY_E_SPACE. */
FERRY_MUST_CHECK
int cli_unhex(const char *hex, uint8_t *out, size_t cap);

/* A number in decimal or with 0x, up to max. Returns FERRY_OK or FERRY_E_RANGE. */
FERRY_MUST_CHECK
int cli_number(const char *text, uint32_t max, uint32_t *value);

/* ---- Files ------------------------------------------------------------------------- */

/* Bytes on the heap; free with cli_buffer_free(). */
struct cli_buffer {
    uint8_t *data;
    size_t len;
};

/* What is read into memory, at most. */
#define CLI_FILE_MAX (64u << 20)

/* Read a whole file, at most CLI_FILE_MAX; "-" is standard input, which can be read once. After a
 * message returns an enum cli_exit. */
FERRY_MUST_CHECK
int cli_read_file(const struct cli *cli, const char *path, struct cli_buffer *buffer);

/* The same for larger ones, which hold less than they are long. */
FERRY_MUST_CHECK
int cli_read_up_to(const struct cli *cli, const char *path, uint32_t mebibytes,
                   struct cli_buffer *buffer);

/* Write a file through a temporary one beside it, so that a failure leaves the old file; "-" is
 * standard output. mode: permissions of a new file; one that only its owner may read is on the disk
 * when this returns. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int cli_write_file(const struct cli *cli, const char *path, const uint8_t *data, size_t len,
                   unsigned mode);

/* From here on cli_write_file() refuses to write over this file: a key, say, that somebody named as
 * the output too. What is no regular file may be written all the same. */
void cli_keep_file(const char *path);

/* Whether a path is "-": standard input or output. */
bool cli_is_stream(const char *path);

/* Where a command that writes out_path prints what it says of it, JSON too: standard output, or,
 * when that takes the bytes, standard error. A command whose out_path is "-" also sets cli->piped
 * before it can fail. */
FILE *cli_text(const struct cli *cli, const char *out_path);

void cli_buffer_free(struct cli_buffer *buffer);

#endif
