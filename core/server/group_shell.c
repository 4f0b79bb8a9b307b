/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 9, shell. [smp.md §3.7] */
#include "ferry/group_shell.h"

#include <string.h>

/* ---- The line ---------------------------------------------------------------- */

/* Length of the elements joined by blanks, or -1 when one is no text. */
static int64_t measure(const struct ferry_cbor_item *argv)
{
    struct ferry_cbor_reader in = ferry_cbor_enter(argv);
    struct ferry_cbor_item element;
    int64_t len = 0;

    while (!ferry_cbor_at_end(&in)) {
        if (ferry_cbor_read(&in, &element) != FERRY_OK || element.kind != FERRY_CBOR_TEXT ||
            element.chunked) {
            return -1;
        }
        len += (int64_t)element.bytes.len + (len > 0 ? 1 : 0);
    }
    return len;
}

/* Join the elements, which measure() found to fit, and end them with a NUL. */
static void join(const struct ferry_cbor_item *argv, char *line)
{
    struct ferry_cbor_reader in = ferry_cbor_enter(argv);
    struct ferry_cbor_item element;
    size_t len = 0;

    while (!ferry_cbor_at_end(&in) && ferry_cbor_read(&in, &element) == FERRY_OK) {
        if (len > 0) {
            line[len++] = ' ';
        }
        if (element.bytes.len > 0) {
            memcpy(line + len, element.bytes.data, element.bytes.len);
        }
        len += element.bytes.len;
    }
    line[len] = '\0';
}

/* ---- The output -------------------------------------------------------------- */

/* What stands behind the text at most: "ret" (or "rc"), a 32-bit number, the map's end. */
#define TAIL 10

struct output {
    uint8_t *text; /* in the answer */
    size_t cap;
    size_t len;
    bool cut;
};

static void write_output(const struct ferry_shell_output *to, const char *text, size_t len)
{
    struct output *output = to->context;
    size_t room = output->cap - output->len;

    if (output->cut || len == 0) {
        return;
    }
    output->cut = len > room;
    len = output->cut ? room : len;
    memcpy(output->text + output->len, text, len);
    output->len += len;
}

/* Take a character off the end of a text that was cut, if not all of it is there. */
static void end_whole(struct output *output)
{
    size_t behind = 0; /* bytes of the last character behind its first */

    while (output->cut && behind < 3 && behind < output->len &&
           (output->text[output->len - 1 - behind] & 0xc0) == 0x80) {
        behind++;
    }
    if (!output->cut || behind == output->len) {
        return;
    }

    uint8_t first = output->text[output->len - 1 - behind];
    size_t wanted = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;

    if (behind < wanted) {
        output->len -= behind + 1;
    }
}

/* ---- The command ------------------------------------------------------------- */

/* Run the line in config->line, its output straight into the answer. */
static int run(struct ferry_server_call *call, size_t len)
{
    const struct ferry_shell_group_config *config = call->context;
    struct output output = {0};
    const struct ferry_shell_output to = {write_output, &output};

    ferry_cbor_put_text(&call->out, "o");
    output.text = ferry_cbor_reserve(&call->out, TAIL, &output.cap);
    if (output.text == NULL) {
        return FERRY_RC_MESSAGE_SIZE; /* before anything is done */
    }

    int result = config->run(config->context, config->line, len, &to);

    end_whole(&output);
    ferry_cbor_put_reserved(&call->out, FERRY_CBOR_TEXT, output.len);
    ferry_cbor_pair_int(&call->out, config->legacy_rc ? "rc" : "ret", result);
    return FERRY_RC_OK;
}

static int exec(struct ferry_server_call *call)
{
    const struct ferry_shell_group_config *config = call->context;
    struct ferry_cbor_field argv = {.key = "argv", .kind = FERRY_CBOR_LIST};
    int rc = ferry_server_read(call, &argv, 1);

    if (rc != FERRY_RC_OK) {
        return rc;
    }

    int64_t len = argv.present ? measure(&argv.item) : -1;

    if (len < 0) {
        return FERRY_RC_INVALID;
    }
    if ((uint64_t)len >= config->line_size) {
        return ferry_server_fail(call, FERRY_SHELL_ERR_COMMAND_TOO_LONG, "the line is too long");
    }
    join(&argv.item, config->line);
    if (ferry_all_equal((const uint8_t *)config->line, (size_t)len, ' ')) {
        return ferry_server_fail(call, FERRY_SHELL_ERR_EMPTY_COMMAND, "no command");
    }
    return run(call, (size_t)len);
}

/* ---- The group --------------------------------------------------------------- */

static const struct ferry_command commands[] = {
    [FERRY_SMP_SHELL_EXEC] = {.write = exec},
};

/* [smp.md §1.7] */
static const uint8_t v1_rc[] = {
    [FERRY_SHELL_ERR_UNKNOWN] = FERRY_RC_UNKNOWN,
    [FERRY_SHELL_ERR_COMMAND_TOO_LONG] = FERRY_RC_INVALID,
    [FERRY_SHELL_ERR_EMPTY_COMMAND] = FERRY_RC_INVALID,
};

const struct ferry_group ferry_shell_group_table = {
    .id = FERRY_SMP_GROUP_SHELL,
    .name = "shell mgmt",
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
    .v1_rc = v1_rc,
    .v1_rc_count = sizeof(v1_rc),
};
