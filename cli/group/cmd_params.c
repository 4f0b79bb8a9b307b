/* SPDX-License-Identifier: Apache-2.0 */
/* ferry params */
#include "ask.h"
#include "cli/doctor/predict.h"

#define EXAMPLE_SIZE (256u << 10)

/* From the last byte of a small request to the first of its answer, in microseconds. */
static uint32_t turnaround(const struct session *session, const struct predict *predict)
{
    enum { REQUEST = 9, ANSWER = 33 }; /* bytes of packets like those that were measured */
    uint32_t us = ferry_client_rtt_ms(session->client) * 1000;
    uint32_t bytes =
        predict_wire_bytes(predict->link, REQUEST) + predict_wire_bytes(predict->link, ANSWER);
    uint32_t wire = predict->bytes_per_second > 0
                        ? (uint32_t)((uint64_t)bytes * 1000000 / predict->bytes_per_second)
                        : 0;
    return us > wire ? us - wire : 0;
}

/* What the numbers mean for an upload of EXAMPLE_SIZE over this wire. */
static void predict_example(const struct session *session,
                            const struct ferry_connection_facts *facts, struct predict *predict,
                            struct prediction *prediction)
{
    *predict = (struct predict){.link = facts->link,
                                .size = EXAMPLE_SIZE,
                                .packet_max = facts->packet_max,
                                .window = session->window,
                                .bytes_per_second = facts->bytes_per_second};
    predict->turnaround_us = turnaround(session, predict);
    predict_upload(predict, prediction);
}

/* ---- Printing ------------------------------------------------------------------------------ */

static void explain_wire(const struct session *session, const struct ferry_connection_facts *facts)
{
    static const char *const links[] = {
        [FERRY_LINK_CONSOLE] = "a serial console",
        [FERRY_LINK_RAW] = "a serial line of bare packets",
        [FERRY_LINK_UDP4] = "UDP over IPv4",
        [FERRY_LINK_UDP6] = "UDP over IPv6",
        [FERRY_LINK_STREAM] = "a stream",
        [FERRY_LINK_BLE] = "Bluetooth LE",
        [FERRY_LINK_DTLS4] = "DTLS over IPv4",
        [FERRY_LINK_DTLS6] = "DTLS over IPv6",
    };
    printf("\nThe device has %u buffers of %u bytes. A packet, and its answer, must fit one.\n",
           (unsigned)session->params.buf_count, (unsigned)session->params.buf_size);
    printf("The wire is %s", links[facts->link]);
    if (facts->bytes_per_second > 0) {
        printf(" that carries %u bytes a second", (unsigned)facts->bytes_per_second);
    }
    if (facts->fragment > 0) {
        printf(facts->reassembles ? ", in fragments of %u bytes that the device puts together"
                                  : ", a packet in one fragment of %u bytes at most",
               (unsigned)facts->fragment);
    }
    puts(facts->link == FERRY_LINK_CONSOLE
             ? "; its lines make 4 characters of 3 bytes, and take 4 bytes of the buffer."
             : ".");
}

static void explain_upload(const struct predict *predict, const struct prediction *prediction)
{
    printf("\nOn this wire the largest packet is %zu bytes, %u of them an image's.\n",
           predict->packet_max, (unsigned)prediction->chunk);
    printf("%u of them may be under way at once", (unsigned)predict->window);
    puts(predict->window > 1 ? ": one buffer is left for the answer."
                             : ": each waits for the answer to the one before.");
    printf(
        "An image of 256 KiB takes %u requests, about %.1f seconds, and what the device needs for "
        "its flash.\n",
        (unsigned)prediction->requests, prediction->seconds);
    if (prediction->limit != PREDICT_LINE) {
        printf("That is limited by %s.\n",
               prediction->limit == PREDICT_BUFFERS
                   ? "the device's buffers: larger ones, or more of them, would make it faster"
                   : "the time the device takes to answer");
    }
}

static cJSON *explain_json(const struct predict *predict, const struct prediction *prediction)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "packet_max", (double)predict->packet_max);
    cJSON_AddNumberToObject(object, "chunk", prediction->chunk);
    cJSON_AddNumberToObject(object, "window", predict->window);
    cJSON_AddNumberToObject(object, "requests", prediction->requests);
    cJSON_AddNumberToObject(object, "seconds", prediction->seconds);
    return object;
}

static void print_params(const struct session *session, const struct ferry_params *params,
                         bool explained)
{
    struct ferry_connection_facts facts;
    struct predict predict;
    struct prediction prediction;

    ferry_connection_facts(session->connection, &facts);
    predict_example(session, &facts, &predict, &prediction);
    if (session->cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddNumberToObject(object, "buf_size", params->buf_size);
        cJSON_AddNumberToObject(object, "buf_count", params->buf_count);
        if (explained) {
            cJSON_AddItemToObject(object, "explain", explain_json(&predict, &prediction));
        }
        cli_print_json(object);
        return;
    }
    printf("buf_size: %u\nbuf_count: %u\n", (unsigned)params->buf_size,
           (unsigned)params->buf_count);
    if (explained) {
        explain_wire(session, &facts);
        explain_upload(&predict, &prediction);
    }
}

static int ask_params(struct session *session, bool explained)
{
    struct ferry_client_answer answer;
    struct ferry_params params;
    int code = session_wait(session, ferry_command_params(session->client, NULL),
                            "read the parameters", &answer);
    if (code != CLI_OK) {
        return code;
    }
    int error = ferry_answer_params(answer.payload, &params);
    if (error != FERRY_OK) {
        return ask_unreadable(session->cli, error);
    }
    print_params(session, &params, explained);
    return CLI_OK;
}

static int run_params(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{"explain", no_argument, NULL, 'e'}, {0}};
    struct session session;
    bool explained = false;
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        explained = true;
    }
    if (optind != argc) {
        return cli_usage(cli, "params takes no argument");
    }
    int code = session_open(cli, &session);
    if (code == CLI_OK) {
        code = ask_params(&session, explained);
        session_close(&session);
    }
    return code;
}

const struct cli_command cli_params_commands[] = {
    {"params", "", "the device's SMP buffers",
     "      --explain        and what they mean for an upload over this wire\n", run_params},
    {0},
};
