/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"
#include "cli/packet/cbor_json.h"
#include "cli/packet/plain.h"
#include "cli/packet/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* One run of the program has one record. */
static struct {
    bool started;
    FILE *trace; /* NULL = none */
    const char *trace_path;
    struct plain text; /* out NULL = none */
    const char *text_path;
    double began; /* ms */
    unsigned connections;
} record;

/* ---- The files ------------------------------------------------------------------------------- */

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* A crash of this program, or of the machine's disk, loses nothing but what comes after. */
static void flush(FILE **file, const char *path)
{
    if (*file != NULL && (fflush(*file) != 0 || ferror(*file))) {
        fprintf(stderr, "ferry: cannot write %s: %s; going on without it\n", path, strerror(errno));
        fclose(*file);
        *file = NULL;
    }
}

static void end_line(void)
{
    fputs("}\n", record.trace);
    flush(&record.trace, record.trace_path);
}

/* Whether a file is something else than an old trace: an image that was named by mistake, say. */
static bool is_no_trace(const char *path)
{
    uint8_t head[512];
    struct stat found;
    int fd = stat(path, &found) == 0 && S_ISREG(found.st_mode) ? open(path, O_RDONLY) : -1;
    ssize_t len = fd >= 0 ? read(fd, head, sizeof head) : 0;

    if (fd >= 0) {
        close(fd);
    }
    static const char begin[] = "{\"ferry_trace\":";
    return len > 0 && ((size_t)len < sizeof begin || memcmp(head, begin, sizeof begin - 1) != 0);
}

/* Only its owner may read it: what is sent to a device is in it. */
static int open_file(const struct cli *cli, const char *path, int mode, FILE **file)
{
    if (cli_is_stream(path)) {
        return cli_fail(cli, CLI_USAGE, "give a file; -v shows text, -vv packets",
                        "--trace and --text write to a file");
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | mode, 0600);

    *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (*file == NULL) {
        return cli_fail_why(cli, CLI_FAILED, strerror(errno), "name a file that can be written",
                            "cannot write %s", path);
    }
    return CLI_OK;
}

static void put_string(const char *key, const char *text)
{
    cJSON *string = cJSON_CreateString(text);
    char *quoted = string != NULL ? cbor_json_print(string, false) : NULL;

    fprintf(record.trace, ",\"%s\":%s", key, quoted != NULL ? quoted : "\"\"");
    cJSON_free(quoted);
    cJSON_Delete(string);
}

/* The command line as it was given; where that cannot be found out, the command's name. */
static void put_command(const struct cli *cli)
{
    char text[1024];
    FILE *file = fopen("/proc/self/cmdline", "r");
    size_t len = file != NULL ? fread(text, 1, sizeof text - 1, file) : 0;

    if (file != NULL) {
        fclose(file);
    }
    while (len > 0 && text[len - 1] == '\0') {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        text[i] = text[i] == '\0' ? ' ' : text[i];
    }
    char *utf8 = cbor_json_utf8((struct ferry_bytes){(const uint8_t *)text, len});
    put_string("command", utf8 != NULL && len > 0 ? utf8 : cli->called);
    free(utf8);
}

static void begin_trace(const struct cli *cli)
{
    struct timespec now;
    struct tm utc;
    char text[40];
    char time[64];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(time, sizeof time, "%s.%03uZ", text, (unsigned)(now.tv_nsec / 1000000) % 1000);
    fprintf(record.trace, "{\"ferry_trace\":%d,\"t\":0,\"dir\":\"begin\",\"ferry\":\"%s\"",
            TRACE_VERSION, CLI_VERSION);
    put_string("time", time);
    put_command(cli);
    end_line();
}

/* Begin an event's line; false when nothing is traced. */
static bool begin_event(unsigned number, const char *what)
{
    if (record.trace == NULL) {
        return false;
    }
    fprintf(record.trace, "{\"t\":%.3f,\"dir\":\"%s\"", now_ms() - record.began, what);
    if (number > 1) {
        fprintf(record.trace, ",\"n\":%u", number);
    }
    return true;
}

/* What the user was told; what is NULL at the end. */
static void heard(int exit_code, const char *what)
{
    if (what != NULL && begin_event(0, "say")) {
        put_string("text", what);
        end_line();
    } else if (what == NULL && begin_event(0, "end")) {
        fprintf(record.trace, ",\"exit\":%d", exit_code);
        end_line();
    }
}

int record_start(const struct cli *cli)
{
    int code = CLI_OK;

    if (record.started) {
        return CLI_OK;
    }
    record.started = true;
    record.began = now_ms();
    if (cli->trace_path != NULL) {
        record.trace_path = cli->trace_path;
        if (is_no_trace(cli->trace_path)) {
            return cli_fail(cli, CLI_USAGE, "name another file",
                            "%s is no trace: it is not written over", cli->trace_path);
        }
        code = open_file(cli, cli->trace_path, O_TRUNC, &record.trace);
    }
    if (code == CLI_OK && cli->text_path != NULL) {
        record.text_path = cli->text_path;
        code = open_file(cli, cli->text_path, O_APPEND, &record.text.out);
    }
    if (code == CLI_OK && record.trace != NULL) {
        begin_trace(cli);
        cli_listen(heard);
    }
    return code;
}

/* ---- What happens ---------------------------------------------------------------------------- */

unsigned record_open(const char *uri)
{
    record.connections++;
    if (begin_event(record.connections, "open")) {
        put_string("uri", uri);
        end_line();
    }
    return record.connections;
}

void record_event(unsigned number, const char *what)
{
    if (begin_event(number, what)) {
        end_line();
    }
}

void record_packet(unsigned number, enum ferry_connection_way way, struct ferry_bytes packet)
{
    char *hex = record.trace != NULL ? malloc(2 * packet.len + 1) : NULL;

    if (hex != NULL && begin_event(number, way == FERRY_CONNECTION_SENT ? "tx" : "rx")) {
        cli_hex(packet.data, packet.len, hex);
        fprintf(record.trace, ",\"hex\":\"%s\"", hex);
        end_line();
    }
    free(hex);
}

void record_text(unsigned number, struct ferry_bytes text)
{
    char *utf8 = record.trace != NULL ? cbor_json_utf8(text) : NULL;

    if (utf8 != NULL && begin_event(number, "text")) {
        put_string("text", utf8);
        end_line();
    }
    free(utf8);
    if (record.text.out != NULL) {
        plain_write(&record.text, text);
        flush(&record.text.out, record.text_path);
    }
}

void record_damaged(unsigned number, size_t count)
{
    if (begin_event(number, "damaged")) {
        fprintf(record.trace, ",\"count\":%zu", count);
        end_line();
    }
}
