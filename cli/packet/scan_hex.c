/* SPDX-License-Identifier: Apache-2.0 */
/* Packets in hexadecimal digits: as logs, xxd, hexdump -C, od, C arrays and ferry -vv write them.
 */
#include "scan.h"
#include "cli/cli.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX (4u << 20)
#define STAR_MAX  (1u << 16) /* bytes that all "*" together may stand for */

enum line_kind { LINE_HEX, LINE_BLANK, LINE_TEXT, LINE_STAR };

struct line {
    enum line_kind kind;
    bool offset;     /* a dump's, which goes on in the next line */
    size_t place;    /* that offset */
    const char *way; /* "tx", "rx", or "" */
    size_t number;
    struct ferry_bytes text; /* without its line feed */
    size_t start;            /* of its bytes in all */
    size_t len;
};

/* ---- One line -------------------------------------------------------------------------------- */

/* What is left of it. */
struct rest {
    const char *at;
    const char *end;
    bool gap_ends; /* two blanks: behind them stand other columns */
};

static size_t skip(struct rest *rest, const char *these)
{
    const char *from = rest->at;

    while (rest->at < rest->end && *rest->at != '\0' && strchr(these, *rest->at) != NULL) {
        rest->at++;
    }
    return (size_t)(rest->at - from);
}

static size_t digits(const struct rest *rest)
{
    size_t n = 0;

    while (rest->at + n < rest->end && isxdigit((unsigned char)rest->at[n])) {
        n++;
    }
    return n;
}

static bool starts_with(const struct rest *rest, const char *word)
{
    size_t len = strlen(word);

    return (size_t)(rest->end - rest->at) >= len && strncasecmp(rest->at, word, len) == 0;
}

/* "-> ", "tx: " and the like say which way it went. */
static const char *take_way(struct rest *rest)
{
    static const char *const words[][2] = {{"->", "tx"}, {"<-", "rx"}, {"tx", "tx"}, {"rx", "rx"}};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (starts_with(rest, words[i][0])) {
            rest->at += 2;
            rest->gap_ends = true;
            skip(rest, ": \t");
            return words[i][1];
        }
    }
    return "";
}

/* od counts in octal, with seven digits; the others in hex, with any other number of them. */
static size_t offset_value(const char *at, size_t n)
{
    char text[20];

    snprintf(text, sizeof text, "%.*s", (int)(n < 16 ? n : 16), at);
    return strtoull(text, NULL, n == 7 ? 8 : 16);
}

/* "00000010:" of xxd; "00000010  06 09" of hexdump -C, od and Wireshark; and the last line of such
 * a dump, which is an offset only. */
static bool take_offset(struct rest *rest, bool in_dump, size_t *place)
{
    size_t n = digits(rest);
    struct rest next = {rest->at + n, rest->end, false};
    bool colon = next.at < next.end && *next.at == ':';
    bool gap = skip(&next, ": \t") > 0;
    bool pair = gap && digits(&next) == 2 &&
                (next.at + 2 == next.end || isspace((unsigned char)next.at[2]));

    if (n < 4 || !(colon || pair || (in_dump && next.at == next.end))) {
        return false;
    }
    *place = offset_value(rest->at, n);
    rest->at = next.at;
    rest->gap_ends = colon;
    return true;
}

/* Digits, in pairs, or one behind 0x. Returns the bytes, or -1. */
static int take_token(struct rest *rest, uint8_t *out)
{
    bool prefixed = starts_with(rest, "0x") || starts_with(rest, "\\x");
    char text[3] = "0";
    int got = 0;

    rest->at += prefixed ? 2 : 0;
    size_t n = digits(rest);
    if (n == 0 || (n % 2 != 0 && !(prefixed && n == 1))) {
        return -1;
    }
    while (n > 0) {
        size_t take = n == 1 ? 1 : 2;

        memcpy(n == 1 ? text + 1 : text, rest->at, take);
        if (cli_unhex(text, out + got, 1) != 1) {
            return -1;
        }
        got++;
        rest->at += take;
        n -= take;
    }
    return got;
}

/* The bytes of a line, or -1 when it is no hex. out has room for half its characters. */
static int line_bytes(struct rest *rest, uint8_t *out)
{
    int len = 0;

    while (rest->at < rest->end && *rest->at != '|') {
        int got = take_token(rest, out + len);
        size_t blanks;

        if (got < 0) {
            return -1;
        }
        len += got;
        blanks = skip(rest, " \t\r");
        if (blanks >= 2 && (rest->gap_ends || blanks >= 3)) {
            break;
        }
        skip(rest, ",;{}()\"' \t\r");
    }
    return len;
}

/* in_dump: the line before has an offset */
static struct line read_line(struct ferry_bytes text, size_t number, bool in_dump, uint8_t *out)
{
    struct line line = {.kind = LINE_TEXT, .text = text, .way = "", .number = number};
    struct rest rest = {(const char *)text.data, (const char *)text.data + text.len, false};

    skip(&rest, " \t\r{}\"'");
    if (rest.at == rest.end) {
        line.kind = LINE_BLANK;
        return line;
    }
    if (in_dump && *rest.at == '*') {
        line.kind = LINE_STAR;
        line.offset = true;
        return line;
    }
    line.way = take_way(&rest);
    line.offset = take_offset(&rest, in_dump, &line.place);
    int len = line_bytes(&rest, out);
    if (len > 0 || (len == 0 && line.offset)) {
        line.kind = LINE_HEX;
        line.len = (size_t)len;
    }
    return line;
}

/* ---- All lines ------------------------------------------------------------------------------- */

struct hex {
    struct line *lines;
    size_t count;
    uint8_t *data;
    size_t len;
    size_t cap;
    size_t filled;            /* of it, in place of a "*" */
    struct scan_line *starts; /* of the lines that are scanned together */
};

static void hex_free(struct hex *hex)
{
    free(hex->lines);
    free(hex->data);
    free(hex->starts);
}

static size_t count_lines(struct ferry_bytes bytes)
{
    size_t lines = 1;

    for (size_t i = 0; i < bytes.len; i++) {
        lines += bytes.data[i] == '\n';
    }
    return lines;
}

/* hexdump and od write "*" for lines that are like the one before; the next offset says how many.
 * Put them into the line of the "*". Returns false without memory. */
static bool fill_star(struct hex *hex, const struct line *next, size_t next_len)
{
    struct line *star = &hex->lines[hex->count - 1];
    const struct line *before = star - 1;
    size_t end = before->place + before->len;
    size_t fill = next->place > end ? next->place - end : 0;

    if (before->len == 0 || fill > STAR_MAX - hex->filled) {
        return true;
    }
    uint8_t *larger = realloc(hex->data, hex->cap + fill);
    if (larger == NULL) {
        return false;
    }
    hex->data = larger;
    hex->cap += fill;
    hex->filled += fill;
    memmove(hex->data + hex->len + fill, hex->data + hex->len, next_len);
    for (size_t i = 0; i < fill; i++) {
        hex->data[hex->len + i] = hex->data[before->start + i % before->len];
    }
    star->kind = LINE_HEX;
    star->len = fill;
    star->place = end;
    hex->len += fill;
    return true;
}

static bool add_line(struct hex *hex, struct ferry_bytes text)
{
    const struct line *before = hex->count > 0 ? &hex->lines[hex->count - 1] : NULL;
    struct line line =
        read_line(text, hex->count + 1, before != NULL && before->offset, hex->data + hex->len);

    if (before != NULL && before->kind == LINE_STAR && line.offset &&
        !fill_star(hex, &line, line.len)) {
        return false;
    }
    line.start = hex->len;
    hex->len += line.len;
    hex->lines[hex->count++] = line;
    return true;
}

static bool hex_read(struct ferry_bytes bytes, struct hex *hex)
{
    size_t lines = count_lines(bytes);

    *hex = (struct hex){.lines = calloc(lines, sizeof *hex->lines),
                        .data = malloc(bytes.len + 1),
                        .cap = bytes.len + 1,
                        .starts = calloc(lines, sizeof *hex->starts)};
    bool good = lines < LINES_MAX && hex->lines != NULL && hex->data != NULL && hex->starts != NULL;
    while (good && bytes.len > 0) {
        const uint8_t *end = memchr(bytes.data, '\n', bytes.len);
        size_t len = end != NULL ? (size_t)(end - bytes.data) : bytes.len;

        good = add_line(hex, (struct ferry_bytes){bytes.data, len});
        len += end != NULL;
        bytes = (struct ferry_bytes){bytes.data + len, bytes.len - len};
    }
    if (!good) {
        hex_free(hex);
    }
    return good;
}

bool scan_is_hex(struct ferry_bytes bytes)
{
    struct hex hex;
    bool enough;

    if (memchr(bytes.data, '\0', bytes.len) != NULL || !hex_read(bytes, &hex)) {
        return false;
    }
    enough = hex.len >= FERRY_SMP_HEADER_SIZE;
    hex_free(&hex);
    return enough;
}

/* ---- Scanning -------------------------------------------------------------------------------- */

static struct ferry_bytes bytes_of(const struct hex *hex, size_t first, size_t end)
{
    size_t start = hex->lines[first].start;
    const struct line *last = &hex->lines[end - 1];

    return (struct ferry_bytes){hex->data + start, last->start + last->len - start};
}

/* The lines first .. end are one stream. */
static void scan_lines(struct scan *scan, struct hex *hex, size_t first, size_t end)
{
    struct ferry_bytes bytes = bytes_of(hex, first, end);

    for (size_t i = first; i < end; i++) {
        hex->starts[i - first] =
            (struct scan_line){hex->lines[i].start - hex->lines[first].start, hex->lines[i].number};
    }
    scan->lines = hex->starts;
    scan->line_count = end - first;
    scan->about.way = hex->lines[first].way;
    if (scan_has_frame(bytes)) {
        scan_console(scan, bytes);
    } else {
        scan_bare(scan, bytes);
    }
    scan->lines = NULL;
    scan->about.way = "";
}

static void note_damage(void *context, const struct scan_found *found)
{
    bool *whole = context;

    *whole = *whole && found->kind == SCAN_PACKET && found->view->problem[0] == '\0';
}

/* Whether they are whole packets, one after the other. */
static bool are_packets(struct ferry_bytes bytes)
{
    struct scan scan;
    bool whole = bytes.len > 0;

    scan_init(&scan, note_damage, &whole);
    scan_bare(&scan, bytes);
    return whole;
}

/* Lines that stand together and have no offsets: a packet over several of them, or one in each. A
 * line that is whole packets is one; what stands between such lines is taken together. */
static void scan_block(struct scan *scan, struct hex *hex, size_t first, size_t end)
{
    if (scan_has_frame(bytes_of(hex, first, end)) || are_packets(bytes_of(hex, first, end))) {
        scan_lines(scan, hex, first, end);
        return;
    }
    size_t begun = first;
    for (size_t i = first; i < end; i++) {
        if (!are_packets(bytes_of(hex, i, i + 1))) {
            continue;
        }
        if (begun < i) {
            scan_lines(scan, hex, begun, i);
        }
        scan_lines(scan, hex, i, i + 1);
        begun = i + 1;
    }
    if (begun < end) {
        scan_lines(scan, hex, begun, end);
    }
}

/* How many lines from first on belong together. */
static size_t block_end(const struct hex *hex, size_t first)
{
    const struct line *line = &hex->lines[first];
    size_t end = first + 1;

    if (line->way[0] != '\0') {
        return end;
    }
    while (end < hex->count && hex->lines[end].kind == LINE_HEX && hex->lines[end].way[0] == '\0' &&
           hex->lines[end].offset == line->offset &&
           !(line->offset && hex->lines[end].place == 0)) {
        end++;
    }
    return end;
}

static void tell_text(struct scan *scan, const struct line *line)
{
    struct scan_line place = {0, line->number};

    scan->lines = &place;
    scan->line_count = 1;
    scan_tell_text(scan, 0, line->text);
    scan->lines = NULL;
}

void scan_hex(struct scan *scan, struct ferry_bytes bytes)
{
    struct hex hex;

    if (!hex_read(bytes, &hex)) {
        return;
    }
    for (size_t i = 0; i < hex.count;) {
        size_t end = i + 1;

        if (hex.lines[i].kind == LINE_TEXT || hex.lines[i].kind == LINE_STAR) {
            tell_text(scan, &hex.lines[i]);
        } else if (hex.lines[i].kind == LINE_HEX) {
            end = block_end(&hex, i);
            if (hex.lines[i].offset) {
                scan_lines(scan, &hex, i, end);
            } else {
                scan_block(scan, &hex, i, end);
            }
        }
        i = end;
    }
    hex_free(&hex);
}
