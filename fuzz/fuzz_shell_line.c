/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: bytes from a serial line that is a shell and carries frames become lines that run,
 * and packets. Input: byte 0 chooses the room of the line, the rest is what came over the line. A
 * line that runs is printed, as it is and with the bytes of a marker around it.
 *
 * Whatever the bytes are:
 *   1. A line that runs is not empty, fits its room, ends with a NUL and has no control character.
 *   2. No marker is ever sent, in one piece or in two.
 *   3. Where an answer is sent, its frame begins a line.
 *   4. What stands on the terminal behind the prompt is what would run, where both are ASCII.
 *   5. Behind any bytes, once an unfinished frame is given up, Ctrl-C and a line run that line, and
 *      a good packet is found. */
#include "check.h"

#include "ferry/console.h"
#include "ferry/shell_line.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PROMPT      "> "
#define SCREEN      512
#define PACKET_ROOM 256

struct bench {
    struct ferry_console_decoder decoder;
    struct ferry_shell_line shell;
    struct ferry_shell_line_config config;
    uint8_t buf[PACKET_ROOM];
    char *line;
    uint8_t last; /* byte sent */
    bool sent;    /* anything at all */
    bool ascii;
    char screen[SCREEN]; /* the line the cursor is in */
    size_t column, width;
    size_t packets, runs;
    const char *expected; /* the line that is to run next, if any */
};

/* ---- The terminal -----------------------------------------------------------------------------
 */

static void show(struct bench *bench, uint8_t c)
{
    switch (c) {
    case '\r':
        bench->column = 0;
        break;
    case '\n':
        bench->column = 0;
        bench->width = 0;
        break;
    case '\b':
        CHECK(bench->column > 0);
        bench->column--;
        break;
    case '\a':
        break;
    default:
        CHECK(bench->column < SCREEN);
        bench->screen[bench->column++] = (char)c;
        bench->width = bench->column > bench->width ? bench->column : bench->width;
        break;
    }
}

static void put(void *context, const uint8_t *bytes, size_t len)
{
    struct bench *bench = context;

    CHECK(len > 0);
    for (size_t i = 0; i < len; i++) {
        CHECK(!(bench->last == 0x06 && bytes[i] == 0x09));
        CHECK(!(bench->last == 0x04 && bytes[i] == 0x14));
        bench->last = bytes[i];
        bench->sent = true;
        show(bench, bytes[i]);
    }
}

static void check_screen(const struct bench *bench)
{
    const struct ferry_shell_line *shell = &bench->shell;
    size_t prompt = sizeof(PROMPT) - 1;

    if (!bench->ascii || !shell->shown) {
        return;
    }
    CHECK(bench->column == prompt + shell->len);
    CHECK(memcmp(bench->screen, PROMPT, prompt) == 0);
    CHECK(memcmp(bench->screen + prompt, bench->line, shell->len) == 0);
    for (size_t i = bench->column; i < bench->width; i++) {
        CHECK(bench->screen[i] == ' ');
    }
}

/* ---- The line ---------------------------------------------------------------------------------
 */

static void run(void *context, const char *line, size_t len)
{
    struct bench *bench = context;

    CHECK(len > 0 && len < bench->config.line_size && line[len] == '\0');
    for (size_t i = 0; i < len; i++) {
        CHECK((uint8_t)line[i] >= ' ' && line[i] != 0x7f);
    }
    CHECK(bench->expected == NULL || strcmp(bench->expected, line) == 0);
    bench->runs++;
    ferry_shell_line_print(&bench->shell, line, len);
    ferry_shell_line_print(&bench->shell, "\x06", 1);
    ferry_shell_line_print(&bench->shell, "\t\x04\x14\n", len % 2 == 0 ? 4 : 3);
}

/* What a server does with a request. */
static void answer(struct bench *bench)
{
    bench->packets++;
    ferry_shell_line_clear(&bench->shell);
    CHECK(!bench->sent || bench->last == '\n');
}

static void take(struct bench *bench, const struct ferry_console_event *event)
{
    if (event->kind == FERRY_CONSOLE_TEXT) {
        ferry_shell_line_take(&bench->shell, event->bytes);
        check_screen(bench);
    }
    if (event->kind == FERRY_CONSOLE_PACKET) {
        answer(bench);
    }
}

static void listen(struct bench *bench, const uint8_t *data, size_t len)
{
    struct ferry_console_event event;

    for (size_t i = 0; i < len; i++) {
        bench->ascii = bench->ascii && data[i] < 0x80;
        CHECK(ferry_console_feed(&bench->decoder, data + i, 1, &event) == 1);
        take(bench, &event);
        if (ferry_console_flush(&bench->decoder, &event)) {
            take(bench, &event);
        }
    }
}

static void check_recovery(struct bench *bench)
{
    static const uint8_t typed[] = "\x03probe\r";
    const uint8_t packet = 0x5a;
    uint8_t frame[FERRY_CONSOLE_LINE_MAX];
    struct ferry_console_encoder encoder;
    struct ferry_console_event event;
    size_t runs = bench->runs;
    size_t packets = bench->packets;

    if (ferry_console_give_up(&bench->decoder, &event)) {
        CHECK(event.kind == FERRY_CONSOLE_DROPPED && event.error == FERRY_E_TIMEOUT);
    }
    bench->expected = "probe";
    listen(bench, typed, sizeof(typed) - 1);
    CHECK(bench->runs == runs + (bench->config.line_size > 5 ? 1 : 0));
    CHECK(ferry_console_encode(&encoder, (struct ferry_bytes){&packet, 1}, FERRY_CONSOLE_CUT_124) ==
          FERRY_OK);
    listen(bench, frame, ferry_console_next_line(&encoder, frame));
    CHECK(bench->packets == packets + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bench bench;

    if (size < 1) {
        return 0;
    }
    memset(&bench, 0, sizeof(bench));
    bench.ascii = true;
    bench.config = (struct ferry_shell_line_config){.prompt = PROMPT,
                                                    .line_size = 1 + (size_t)data[0],
                                                    .put = put,
                                                    .run = run,
                                                    .context = &bench};
    bench.line = malloc(bench.config.line_size);
    CHECK(bench.line != NULL);
    bench.config.line = bench.line;
    ferry_console_decoder_init(&bench.decoder, bench.buf, sizeof(bench.buf));
    ferry_shell_line_init(&bench.shell, &bench.config);
    listen(&bench, data + 1, size - 1);
    check_recovery(&bench);
    free(bench.line);
    return 0;
}
