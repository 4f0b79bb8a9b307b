/* SPDX-License-Identifier: Apache-2.0 */
/* A connection in a loop of events: what it does without waiting. */
#include "ferry/connection.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* A server's socket, and a connection to it. */
struct wire {
    int server;
    struct ferry_connection *connection;
};

static int open_wire(void **state)
{
    static struct wire wire;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    char uri[40];
    char why[200];

    wire.server = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(wire.server, (struct sockaddr *)&address, len) != 0 ||
        getsockname(wire.server, (struct sockaddr *)&address, &len) != 0) {
        return -1;
    }
    snprintf(uri, sizeof uri, "udp:127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    const struct ferry_connection_config config = {.uri = uri};
    *state = &wire;
    return ferry_connection_open(&wire.connection, &config, why, sizeof why);
}

static int close_wire(void **state)
{
    struct wire *wire = *state;

    ferry_connection_close(wire->connection);
    return close(wire->server);
}

/* Take the request of an echo. The server answers to the sender from then on. */
static void take_request(struct wire *wire, uint8_t *request)
{
    struct sockaddr_in from;
    socklen_t len = sizeof from;

    assert_true(recvfrom(wire->server, request, 64, 0, (struct sockaddr *)&from, &len) > 8);
    assert_int_equal(connect(wire->server, (struct sockaddr *)&from, len), 0);
}

static void test_a_flood_of_stale_answers_holds_up_nobody(void **state)
{
    struct wire *wire = *state;
    struct ferry_client *client = ferry_connection_client(wire->connection);
    struct ferry_client_answer answer;
    struct ferry_connection_facts facts;
    uint8_t request[64];
    uint8_t reply[] = {3, 0, 0, 1, 0, 0, 0, 0, 0xa0};
    int got = 0;

    assert_true(ferry_command_echo(client, "x", 1, NULL) > 0);
    assert_int_equal(ferry_connection_work(wire->connection, &answer), 0);
    take_request(wire, request);
    reply[0] = request[0] + 1;
    reply[6] = (uint8_t)(request[6] + 1); /* of another request */
    for (int i = 0; i < 100; i++) {
        assert_int_equal(send(wire->server, reply, sizeof reply, 0), sizeof reply);
    }
    reply[6] = request[6];
    assert_int_equal(send(wire->server, reply, sizeof reply, 0), sizeof reply);

    assert_int_equal(ferry_connection_work(wire->connection, &answer), 0);
    ferry_connection_facts(wire->connection, &facts);
    assert_in_range(facts.packets_received, 1, 99);
    assert_true(ferry_connection_deadline(wire->connection) <= ferry_connection_now());
    for (int i = 0; i < 5 && got == 0; i++) {
        got = ferry_connection_work(wire->connection, &answer);
    }
    assert_int_equal(got, 1);
    assert_int_equal(answer.error, FERRY_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_flood_of_stale_answers_holds_up_nobody, open_wire,
                                        close_wire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
