/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: what `ferry decode` and `ferry replay` read, and CBOR as JSON and back. Input: byte
 * 0 chooses the form that the rest is read as; 0 modulo 6: what it is guessed to be.
 *
 * Whatever the bytes are:
 *   1. Each find lies at a place, and of a packet the header and the problem tell the truth: one
 *      without a problem is as long as its header says.
 *   2. The words and the JSON of a find are UTF-8 without control characters, and the JSON can be
 *      parsed.
 *   3. Text made plain has no control characters but line feed and tab.
 *   4. JSON made of CBOR becomes CBOR again that is the same JSON; but for texts that look like
 *      byte strings, and keys that come twice, which are refused. */
#include "check.h"

#include "cli/packet/cbor_json.h"
#include "cli/packet/exchange.h"
#include "cli/packet/plain.h"
#include "cli/packet/scan.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- Text ------------------------------------------------------------------------------------ */

static void check_harmless(const char *text, const char *but)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        CHECK(*at >= 0x20 || strchr(but, *at) != NULL);
        CHECK(*at != 0x7f);
        CHECK(!(at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0));
    }
}

static void check_plain(struct ferry_bytes bytes)
{
    char *text = plain_text(bytes);

    CHECK(text != NULL);
    check_harmless(text, "\n\t");
    free(text);
}

/* ---- Packets --------------------------------------------------------------------------------- */

static void check_json(const struct packet_view *view)
{
    cJSON *object = cJSON_CreateObject();

    packet_add_json(object, view);
    char *text = cbor_json_print(object, false);
    CHECK(text != NULL);
    check_harmless(text, "");
    cJSON *again = cJSON_Parse(text);
    CHECK(again != NULL);
    cJSON_Delete(again);
    cJSON_free(text);
    cJSON_Delete(object);
}

static void check_packet(const struct packet_view *view)
{
    char *line = packet_line(view, 8);

    CHECK(line != NULL);
    check_harmless(line, "");
    cJSON_free(line);
    CHECK(view->has_header || view->problem[0] != '\0');
    CHECK(view->problem[0] != '\0' ||
          view->bytes.len == FERRY_SMP_HEADER_SIZE + (size_t)view->header.length);
    check_json(view);
}

static void take(void *context, const struct scan_found *found)
{
    struct exchange *exchange = context;

    CHECK(found->place[0] != '\0');
    if (found->kind == SCAN_PACKET) {
        check_packet(found->view);
        (void)exchange_sent(exchange, 1, 0, found->view);
        (void)exchange_received(exchange, 1, 1, found->view);
        CHECK(exchange->answers + exchange->unanswered <= exchange->requests);
    } else if (found->kind == SCAN_TEXT) {
        check_plain(found->bytes);
    } else {
        CHECK(found->why[0] != '\0');
    }
}

/* ---- CBOR ------------------------------------------------------------------------------------ */

static void check_same(const char *text, struct ferry_bytes cbor)
{
    cJSON *json = cbor_json_read(cbor);

    CHECK(json != NULL);
    char *again = cJSON_PrintUnformatted(json);
    CHECK(again != NULL && strcmp(again, text) == 0);
    cJSON_free(again);
    cJSON_Delete(json);
}

static void check_both_ways(struct ferry_bytes bytes)
{
    static uint8_t buf[1 << 16];
    struct ferry_cbor_writer writer;
    size_t where;
    cJSON *json = cbor_json_read(bytes);
    char *text = json != NULL ? cJSON_PrintUnformatted(json) : NULL;
    cJSON *parsed = text != NULL ? cbor_json_parse(text, &where) : NULL;

    CHECK((json == NULL) == (parsed == NULL));
    ferry_cbor_writer_init(&writer, buf, sizeof buf);
    if (parsed != NULL && cbor_json_write(parsed, &writer) == FERRY_OK) {
        int len = ferry_cbor_writer_result(&writer);

        CHECK(len == FERRY_E_SPACE || len > 0);
        if (len > 0 && strstr(text, "h'") == NULL) {
            check_same(text, (struct ferry_bytes){buf, (size_t)len});
        }
    }
    cJSON_Delete(parsed);
    cJSON_free(text);
    cJSON_Delete(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct exchange exchange;
    struct scan scan;

    if (size == 0) {
        return 0;
    }
    struct ferry_bytes bytes = {data + 1, size - 1};
    enum scan_form form = (enum scan_form)(data[0] % 6);

    memset(&exchange, 0, sizeof exchange);
    scan_init(&scan, take, &exchange);
    scan_run(&scan, form == SCAN_NOTHING ? scan_guess(bytes) : form, bytes);
    check_both_ways(bytes);
    check_plain(bytes);
    return 0;
}
