/* SPDX-License-Identifier: Apache-2.0 */
/* A connection in a loop of events: what it does without waiting. */
#include "ferry/cbor.h"
#include "ferry/device.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
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
    const struct ferry_connection_config config = {.uri = uri, .timeout_ms = 100, .retries = 1};
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

/* ---- Requests that are not there, or have no place --------------------------------------------
 */

static void test_who_asks_for_what_is_not_in_flight_does_not_wait(void **state)
{
    struct wire *wire = *state;
    struct ferry_client *client = ferry_connection_client(wire->connection);
    struct ferry_client_answer answer;
    int32_t ticket = ferry_command_echo(client, "x", 1, NULL);

    assert_int_equal(ferry_connection_ask(wire->connection, 0, &answer), FERRY_E_NOT_FOUND);
    assert_int_equal(ferry_connection_ask(wire->connection, ticket + 1, &answer),
                     FERRY_E_NOT_FOUND);
    assert_int_equal(answer.error, FERRY_E_NOT_FOUND);
    ferry_client_cancel(client, ticket);
    assert_int_equal(ferry_connection_ask(wire->connection, ticket, &answer), FERRY_E_NOT_FOUND);
}

static void test_hello_waits_for_a_place_in_a_full_window(void **state)
{
    struct wire *wire = *state;
    struct ferry_client *client = ferry_connection_client(wire->connection);
    struct ferry_connection_facts facts;

    while (ferry_command_echo(client, "x", 1, NULL) > 0) {
    }
    assert_int_equal(ferry_connection_hello(wire->connection), FERRY_E_TIMEOUT);
    ferry_connection_facts(wire->connection, &facts);
    assert_int_equal(facts.window, 1); /* after a hello without an answer, too */
}

/* ---- Opening and closing ----------------------------------------------------------------------
 */

static void test_an_error_of_opening_has_words(void **state)
{
    const struct ferry_connection_config bad[] = {
        {.uri = "udp:127.0.0.1:1337", .packet_max = 63},
        {.uri = "udp:127.0.0.1:1337", .packet_max = 65536},
        {.uri = "unix:/nowhere/at/all"},
        {.uri = "quux:"},
    };
    struct ferry_connection *connection;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char why[200];

        memset(why, 'x', sizeof why);
        int error = ferry_connection_open(&connection, &bad[i], why, sizeof why);
        assert_true(error < 0);
        assert_null(connection);
        assert_in_range(strnlen(why, sizeof why), 5, sizeof why - 1);
        assert_int_not_equal(why[0], 'x');
        assert_int_equal(error == FERRY_E_CONFIG, i < 2);
    }
}

static void test_counts_go_on_over_a_reopen(void **state)
{
    struct wire *wire = *state;
    struct ferry_client *client = ferry_connection_client(wire->connection);
    struct ferry_connection_facts before, after;
    struct ferry_client_answer answer;
    char why[200];

    close(wire->server);
    assert_int_equal(
        ferry_connection_ask(wire->connection, ferry_command_echo(client, "x", 1, NULL), &answer),
        FERRY_E_TIMEOUT);
    ferry_connection_facts(wire->connection, &before);
    assert_true(before.refusals > 0);
    assert_int_equal(ferry_connection_reopen(wire->connection, why, sizeof why), FERRY_OK);
    ferry_connection_facts(wire->connection, &after);
    assert_int_equal(after.refusals, before.refusals);
    wire->server = dup(STDIN_FILENO);
}

/* A real serial port would be waited for up to 30 s. Of a pseudo terminal's bytes the other end has
 * a few thousand already; it is the rest that must be gone. */
static void test_what_nobody_takes_holds_up_no_close(void **state)
{
    static char text[8000];
    int line = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    struct ferry_connection *connection;
    struct ferry_client_answer answer;
    ssize_t got, all = 0;
    char uri[80];
    char why[200];

    (void)state;
    assert_true(line >= 0 && grantpt(line) == 0 && unlockpt(line) == 0);
    snprintf(uri, sizeof uri, "serial:%s", ptsname(line));
    const struct ferry_connection_config config = {.uri = uri};
    assert_int_equal(ferry_connection_open(&connection, &config, why, sizeof why), FERRY_OK);
    memset(text, 'x', sizeof text);
    for (int i = 0; i < 4; i++) {
        int32_t ticket =
            ferry_command_echo(ferry_connection_client(connection), text, sizeof text, NULL);
        assert_true(ticket > 0);
    }
    assert_int_equal(ferry_connection_work(connection, &answer), 0);
    ferry_connection_close(connection);
    while ((got = read(line, text, sizeof text)) > 0) {
        all += got;
    }
    assert_in_range(all, 0, 8000);
    close(line);
}

/* A program that is forked while a port is open has it open, too, until it runs another one. */
static void test_a_forked_child_keeps_no_port_taken(void **state)
{
    int line = posix_openpt(O_RDWR | O_NOCTTY);
    struct ferry_connection *connection;
    char uri[80];
    char why[200];
    char byte;
    int hold[2];

    (void)state;
    assert_true(line >= 0 && grantpt(line) == 0 && unlockpt(line) == 0 && pipe(hold) == 0);
    snprintf(uri, sizeof uri, "serial:%s", ptsname(line));
    const struct ferry_connection_config config = {.uri = uri};
    assert_int_equal(ferry_connection_open(&connection, &config, why, sizeof why), FERRY_OK);
    pid_t child = fork();
    if (child == 0) {
        close(hold[1]);
        _exit(read(hold[0], &byte, 1) == 0 ? 0 : 1); /* until the test is done, or has failed */
    }
    ferry_connection_let_go(connection);
    assert_int_equal(ferry_connection_reopen(connection, why, sizeof why), FERRY_OK);
    ferry_connection_close(connection);
    close(hold[1]);
    close(hold[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(line);
}

/* ---- A confirm that names its image ------------------------------------------------------------
 */

#define HASH_LEN 32

/* A device that loses confirms. */
struct device {
    int server;
    const uint8_t *hash;
    bool runs;      /* the image, as long as no confirm was lost */
    bool crashes;   /* … and then no more */
    unsigned loses; /* so many */
    unsigned confirms;
    bool confirmed;
};

static void put_list(const struct device *device, struct ferry_cbor_writer *w)
{
    ferry_cbor_open_map(w);
    ferry_cbor_put_text(w, "images");
    ferry_cbor_open_list(w);
    ferry_cbor_open_map(w);
    ferry_cbor_pair_uint(w, "slot", 0);
    ferry_cbor_pair_bytes(w, "hash", device->hash, HASH_LEN);
    ferry_cbor_pair_bool(w, "active", device->runs && !(device->crashes && device->confirms > 0));
    ferry_cbor_pair_bool(w, "confirmed", device->confirmed);
    ferry_cbor_close(w);
    ferry_cbor_close(w);
    ferry_cbor_close(w);
}

/* Serves until a packet comes that is no request. */
static void *serve(void *context)
{
    struct device *device = context;
    uint8_t packet[512];
    struct sockaddr_in from;
    socklen_t len = sizeof from;

    while (recvfrom(device->server, packet, sizeof packet, 0, (struct sockaddr *)&from, &len) > 8) {
        struct ferry_cbor_writer w;

        if ((packet[0] & 7) == FERRY_SMP_WRITE) {
            device->confirms++;
            if (device->confirms <= device->loses) {
                continue;
            }
            device->confirmed = true;
        }
        ferry_cbor_writer_init(&w, packet + 8, sizeof packet - 8);
        put_list(device, &w);
        packet[0]++;
        packet[2] = (uint8_t)(w.len >> 8);
        packet[3] = (uint8_t)w.len;
        (void)sendto(device->server, packet, 8 + w.len, 0, (struct sockaddr *)&from, len);
        len = sizeof from;
    }
    return NULL;
}

static int confirm(struct wire *wire, struct device *device, struct ferry_failure *failure)
{
    static const uint8_t hash[HASH_LEN] = {7};
    struct sockaddr_in self;
    socklen_t len = sizeof self;
    pthread_t thread;

    device->server = wire->server;
    device->hash = hash;
    assert_int_equal(pthread_create(&thread, NULL, serve, device), 0);
    int error =
        ferry_device_confirm(wire->connection, (struct ferry_bytes){hash, HASH_LEN}, failure);
    assert_int_equal(getsockname(wire->server, (struct sockaddr *)&self, &len), 0);
    assert_int_equal(sendto(wire->server, "", 1, 0, (struct sockaddr *)&self, len), 1);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return error;
}

static void test_a_confirm_that_is_lost_is_sent_again_to_what_runs(void **state)
{
    struct device device = {.runs = true, .loses = 2};
    struct ferry_failure failure;

    assert_int_equal(confirm(*state, &device, &failure), FERRY_OK);
    assert_int_equal(device.confirms, 3);
    assert_true(device.confirmed);
}

static void test_a_confirm_is_not_sent_twice_after_a_crash(void **state)
{
    struct device device = {.runs = true, .crashes = true, .loses = 1};
    struct ferry_failure failure;

    assert_int_equal(confirm(*state, &device, &failure), FERRY_E_TIMEOUT);
    assert_int_equal(device.confirms, 1);
    assert_false(device.confirmed);
    assert_non_null(strstr(failure.text, "not sent twice"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_flood_of_stale_answers_holds_up_nobody, open_wire,
                                        close_wire),
        cmocka_unit_test_setup_teardown(test_who_asks_for_what_is_not_in_flight_does_not_wait,
                                        open_wire, close_wire),
        cmocka_unit_test_setup_teardown(test_hello_waits_for_a_place_in_a_full_window, open_wire,
                                        close_wire),
        cmocka_unit_test(test_an_error_of_opening_has_words),
        cmocka_unit_test_setup_teardown(test_counts_go_on_over_a_reopen, open_wire, close_wire),
        cmocka_unit_test(test_what_nobody_takes_holds_up_no_close),
        cmocka_unit_test(test_a_forked_child_keeps_no_port_taken),
        cmocka_unit_test_setup_teardown(test_a_confirm_that_is_lost_is_sent_again_to_what_runs,
                                        open_wire, close_wire),
        cmocka_unit_test_setup_teardown(test_a_confirm_is_not_sent_twice_after_a_crash, open_wire,
                                        close_wire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
