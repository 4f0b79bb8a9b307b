/* SPDX-License-Identifier: Apache-2.0 */
/* What a client does with answers about files, whatever they are.
 *
 * The first byte chooses a download or an upload, the second the window. Then each step is a byte
 * and what it takes: a length and so many bytes are the payload of an answer to the oldest request
 * or to another one; or time passes.
 *
 * 1. No answer makes a reader or a flow touch what is not there.
 * 2. A download writes only inside the length it was told; done means that every byte was written.
 * 3. An upload reads only inside the file.
 * 4. A flow ends within so many steps, and says so once. */
#include "check.h"

#include "ferry/files.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PACKET   256
#define REQUESTS 9
#define FILE_MAX 4096
#define STEPS    600
#define UP_SIZE  3000

struct input {
    const uint8_t *data;
    size_t len;
};

struct rig {
    struct ferry_client client;
    struct ferry_client_request requests[REQUESTS];
    uint8_t buffers[REQUESTS * PACKET];
    uint8_t sent[REQUESTS][FERRY_SMP_HEADER_SIZE]; /* headers of requests not answered */
    size_t sent_count;
    uint64_t now;
    uint8_t written[FILE_MAX];
    union {
        struct ferry_file_upload up;
        struct ferry_file_download down;
    };
};

static uint8_t take(struct input *input)
{
    if (input->len == 0) {
        return 0;
    }
    input->len--;
    return *input->data++;
}

static int write_file(void *context, uint32_t off, const uint8_t *data, size_t len, uint32_t total)
{
    struct rig *rig = context;

    CHECK(len > 0 && off <= total && len <= total - off);
    if (total > FILE_MAX) {
        return FERRY_E_FULL;
    }
    for (size_t i = 0; i < len; i++) {
        rig->written[off + i] = (uint8_t)(1 | data[i]);
    }
    return FERRY_OK;
}

static int read_file(void *context, uint32_t off, uint8_t *buf, size_t len)
{
    (void)context;
    CHECK(off <= UP_SIZE && len <= UP_SIZE - off);
    memset(buf, (int)off & 0xff, len);
    return FERRY_OK;
}

static bool next_event(struct rig *rig, bool up, struct ferry_file_event *event)
{
    return up ? ferry_file_upload_next(&rig->up, rig->now, event)
              : ferry_file_download_next(&rig->down, rig->now, event);
}

static void take_answer(struct rig *rig, bool up, const struct ferry_client_answer *answer)
{
    if (up) {
        (void)ferry_file_upload_answer(&rig->up, answer, rig->now);
    } else {
        (void)ferry_file_download_answer(&rig->down, answer, rig->now);
    }
}

/* Let the flow and the client do what is due. Returns whether the flow is over. */
static bool run(struct rig *rig, bool up)
{
    struct ferry_client_answer answer;
    struct ferry_file_event event;
    struct ferry_bytes packet;
    uint64_t deadline;

    while (ferry_client_expire(&rig->client, rig->now, &answer)) {
        take_answer(rig, up, &answer);
    }
    while (next_event(rig, up, &event)) {
        if (event.kind == FERRY_FILE_DONE && !up) {
            for (uint32_t i = 0; i < event.total; i++) {
                CHECK(rig->written[i] != 0);
            }
        }
        if (event.kind == FERRY_FILE_DONE || event.kind == FERRY_FILE_FAILED) {
            CHECK(!next_event(rig, up, &event));
            return true;
        }
    }
    while (ferry_client_poll(&rig->client, rig->now, &packet, &deadline)) {
        if (rig->sent_count == REQUESTS) {
            memmove(rig->sent[0], rig->sent[1], sizeof rig->sent - sizeof rig->sent[0]);
            rig->sent_count--;
        }
        memcpy(rig->sent[rig->sent_count++], packet.data, FERRY_SMP_HEADER_SIZE);
    }
    return false;
}

/* Answer one of the requests with what the input has. */
static void answer_one(struct rig *rig, bool up, struct input *input, uint8_t step)
{
    uint8_t packet[FERRY_SMP_HEADER_SIZE + 255];
    struct ferry_client_answer answer;
    size_t which = rig->sent_count > 0 ? step % rig->sent_count : 0;
    size_t len = take(input);

    if (rig->sent_count == 0) {
        return;
    }
    len = len < input->len ? len : input->len;
    memcpy(packet, rig->sent[which], FERRY_SMP_HEADER_SIZE);
    memmove(rig->sent[which], rig->sent[which + 1],
            (rig->sent_count - which - 1) * sizeof rig->sent[0]);
    rig->sent_count--;
    packet[0]++;
    ferry_store_be16(packet + 2, (uint16_t)len);
    memcpy(packet + FERRY_SMP_HEADER_SIZE, input->data, len);
    input->data += len;
    input->len -= len;
    if (ferry_client_receive(&rig->client,
                             (struct ferry_bytes){packet, FERRY_SMP_HEADER_SIZE + len}, rig->now,
                             &answer) == FERRY_OK) {
        take_answer(rig, up, &answer);
    }
}

static void start(struct rig *rig, bool up, uint32_t window)
{
    const struct ferry_client_config config = {.requests = rig->requests,
                                               .request_count = REQUESTS,
                                               .buffers = rig->buffers,
                                               .buffer_size = PACKET};
    const struct ferry_file_upload_config to = {
        .client = &rig->client, .name = "a", .read = read_file, .size = UP_SIZE, .window = window};
    const struct ferry_file_download_config from = {
        .client = &rig->client, .name = "a", .write = write_file, .context = rig, .window = window};

    memset(rig, 0, sizeof *rig);
    CHECK(ferry_client_init(&rig->client, &config) == FERRY_OK);
    CHECK((up ? ferry_file_upload_start(&rig->up, &to)
              : ferry_file_download_start(&rig->down, &from)) == FERRY_OK);
}

static void read_answers(struct ferry_bytes payload)
{
    struct ferry_file_type types[2];
    struct ferry_file_hash hash;
    uint32_t size;

    (void)!ferry_answer_file_status(payload, &size);
    if (ferry_answer_file_hash(payload, &hash) == FERRY_OK) {
        CHECK(strlen(hash.type) < sizeof hash.type && hash.bytes_len <= sizeof hash.bytes);
    }
    if (ferry_answer_file_types(payload, types, 2) > 0) {
        CHECK(strlen(types[0].name) < sizeof types[0].name);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rig rig;
    struct input input = {data, size};
    bool up = (take(&input) & 1) != 0;
    uint32_t window = take(&input) % 10U;
    bool over = false;

    read_answers((struct ferry_bytes){input.data, input.len});
    start(&rig, up, window);
    for (uint32_t step = 0; !over; step++) {
        CHECK(step < STEPS + size);
        over = run(&rig, up);
        uint8_t what = take(&input);

        if (input.len > 0 && what < 0xc0) {
            answer_one(&rig, up, &input, what);
        } else {
            rig.now += input.len == 0 ? 1000U : 100U + (what & 0x3f) * 50U;
        }
    }
    return 0;
}
