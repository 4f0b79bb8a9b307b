/* SPDX-License-Identifier: Apache-2.0 */
/* DTLS sessions, both ends against each other in memory: what a bad path does, what an attacker
 * tries. */
#include "certificates.h"
#include "dtls_pair.h"
#include "port/dtls-openssl/inside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define KEY "0123456789abcdef"

static const struct ferry_dtls_psk alice = {"alice", {(const uint8_t *)KEY, sizeof KEY - 1}};
static const struct ferry_dtls_config psk_client = {.psks = &alice, .psk_count = 1};
static const struct ferry_dtls_config psk_server = {.server = true, .psks = &alice, .psk_count = 1};

static struct certificate ca, server_cert, client_cert;

static int make_certificates(void **state)
{
    (void)state;
    certificates_begin();
    certificate_make(&ca, "ca", (struct certificate_wish){.name = "the CA", .is_ca = 1});
    certificate_make(&server_cert, "server",
                     (struct certificate_wish){.name = "device.example", .by = &ca});
    certificate_make(&client_cert, "client",
                     (struct certificate_wish){.name = "station-7", .by = &ca});
    return 0;
}

static int remove_certificates(void **state)
{
    (void)state;
    certificates_end();
    return 0;
}

static struct ferry_dtls_config cert_client(void)
{
    return (struct ferry_dtls_config){.ca_file = ca.cert,
                                      .cert_file = client_cert.cert,
                                      .key_file = client_cert.key,
                                      .name = "device.example"};
}

static struct ferry_dtls_config cert_server(void)
{
    return (struct ferry_dtls_config){.server = true,
                                      .ca_file = ca.cert,
                                      .cert_file = server_cert.cert,
                                      .key_file = server_cert.key};
}

/* ---- Sessions ------------------------------------------------------------------------ */

static void test_psk_carries_packets(void **state)
{
    struct pair pair;

    (void)state;
    pair_begin(&pair, &psk_client, &psk_server);
    pair_open(&pair);
    assert_string_equal(ferry_dtls_identity(pair.ends[PAIR_SERVER]), "psk:alice");
    assert_string_equal(ferry_dtls_identity(pair.ends[PAIR_CLIENT]), "psk:alice");
    assert_string_equal(ferry_dtls_cipher(pair.ends[PAIR_CLIENT]), "ECDHE-PSK-CHACHA20-POLY1305");
    assert_true(pair_send(&pair, PAIR_CLIENT, "question") && pair_send(&pair, PAIR_CLIENT, "2nd"));
    assert_true(pair_send(&pair, PAIR_SERVER, "answer"));
    pair_run(&pair, pair.now);
    assert_true(pair_got(&pair, PAIR_SERVER, 0, "question") &&
                pair_got(&pair, PAIR_SERVER, 1, "2nd"));
    assert_true(pair_got(&pair, PAIR_CLIENT, 0, "answer"));
    pair_end(&pair);
}

static void test_certificates_name_both_ends(void **state)
{
    struct ferry_dtls_config client = cert_client();
    struct ferry_dtls_config server = cert_server();
    struct pair pair;

    (void)state;
    pair_begin(&pair, &client, &server);
    pair_open(&pair);
    assert_string_equal(ferry_dtls_identity(pair.ends[PAIR_SERVER]), "cert:station-7");
    assert_string_equal(ferry_dtls_identity(pair.ends[PAIR_CLIENT]), "cert:device.example");
    assert_string_equal(ferry_dtls_cipher(pair.ends[PAIR_CLIENT]), "ECDHE-ECDSA-AES256-GCM-SHA384");
    pair_end(&pair);
}

static void test_a_server_that_demands_none_knows_nobody(void **state)
{
    struct ferry_dtls_config client = cert_client();
    struct ferry_dtls_config server = cert_server();
    struct pair pair;

    (void)state;
    server.ca_file = NULL;
    pair_begin(&pair, &client, &server);
    pair_open(&pair);
    assert_string_equal(ferry_dtls_identity(pair.ends[PAIR_SERVER]), "");
    pair_end(&pair);
}

#define X5  "xxxxx"
#define X95 X5 X5 X5 X5 X5 X5 X5 X5 X5 X5 X5 X5 X5 X5 X5 X5 X5 X5 X5

/* Nobody is taken for whom his name begins with, or for one of two. */
static void test_common_names_that_could_be_anothers(void **state)
{
    static const struct {
        struct certificate_wish wish;
        const char *identity;
    } cases[] = {
        {{.name = "station-7\n"}, ""},     {{.name = "station-7\0.example", .name_len = 18}, ""},
        {{.name = "st\xc3\xa4tion"}, ""},  {{.name = "station-7", .second = "station-8"}, ""},
        {{.name = X95 "x"}, ""},           {{.name = X95}, "cert:" X95},
        {{.name = "alice"}, "cert:alice"}, {{.name = "psk:alice"}, "cert:psk:alice"},
    };
    struct ferry_dtls_config client = cert_client();
    struct ferry_dtls_config server = cert_server();
    struct certificate odd;
    struct pair pair;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct certificate_wish wish = cases[i].wish;

        wish.by = &ca;
        certificate_make(&odd, "odd", wish);
        client.cert_file = odd.cert;
        client.key_file = odd.key;
        pair_begin(&pair, &client, &server);
        pair_open(&pair);
        assert_string_equal(ferry_dtls_identity(pair.ends[PAIR_SERVER]), cases[i].identity);
        pair_end(&pair);
    }
}

static void test_a_server_may_have_both_kinds_of_keys(void **state)
{
    struct ferry_dtls_config client = cert_client();
    struct ferry_dtls_config server = cert_server();
    struct pair pair;

    (void)state;
    server.psks = &alice;
    server.psk_count = 1;
    pair_begin(&pair, &client, &server);
    pair_open(&pair);
    assert_string_equal(ferry_dtls_identity(pair.ends[PAIR_SERVER]), "cert:station-7");
    pair_end(&pair);
    pair_begin(&pair, &psk_client, &server);
    pair_open(&pair);
    assert_string_equal(ferry_dtls_identity(pair.ends[PAIR_SERVER]), "psk:alice");
    pair_end(&pair);
}

static void test_the_largest_packet(void **state)
{
    static uint8_t packet[FERRY_DTLS_PACKET_MAX + 1];
    struct pair pair;

    (void)state;
    pair_begin(&pair, &psk_client, &psk_server);
    pair_open(&pair);
    memset(packet, 0x5a, sizeof packet);
    assert_int_equal(ferry_dtls_send(pair.ends[0], (struct ferry_bytes){packet, sizeof packet}),
                     FERRY_E_TOO_LARGE);
    assert_int_equal(ferry_dtls_send(pair.ends[0], (struct ferry_bytes){packet, sizeof packet - 1}),
                     FERRY_OK);
    pair_run(&pair, pair.now);
    assert_int_equal(pair.got[PAIR_SERVER].count, 1);
    assert_int_equal(pair.got[PAIR_SERVER].items[0].len, FERRY_DTLS_PACKET_MAX);
    assert_memory_equal(pair.got[PAIR_SERVER].items[0].data, packet, FERRY_DTLS_PACKET_MAX);
    pair_end(&pair);
}

static void test_either_end_closes(void **state)
{
    struct pair pair;
    bool by_peer;

    (void)state;
    for (int end = 0; end < 2; end++) {
        pair_begin(&pair, &psk_client, &psk_server);
        pair_open(&pair);
        ferry_dtls_close(pair.ends[end]);
        assert_false(pair_send(&pair, (enum pair_end)end, "too late"));
        pair_run(&pair, pair.now);
        assert_int_equal(ferry_dtls_cause(pair.ends[end], &by_peer), FERRY_DTLS_CLOSED);
        assert_false(by_peer);
        assert_int_equal(ferry_dtls_cause(pair.ends[!end], &by_peer), FERRY_DTLS_CLOSED);
        assert_true(by_peer);
        pair_end(&pair);
    }
}

static void test_handshakes_are_cut_to_the_mtu(void **state)
{
    struct ferry_dtls_config client = cert_client();
    struct ferry_dtls_config server = cert_server();
    struct pair pair;

    (void)state;
    for (uint16_t mtu = FERRY_DTLS_MTU_LEAST; mtu < 1500; mtu = (uint16_t)(mtu + 97)) {
        client.mtu = server.mtu = mtu;
        pair_begin(&pair, &client, &server);
        pair_open(&pair);
        for (int end = 0; end < 2; end++) {
            for (size_t i = 0; i < pair.all[end].count; i++) {
                assert_true(pair.all[end].items[i].len <= mtu);
            }
        }
        pair_end(&pair);
    }
}

static void test_nothing_is_renegotiated(void **state)
{
    struct pair pair;
    bool by_peer;

    (void)state;
    pair_begin(&pair, &psk_client, &psk_server);
    pair_open(&pair);
    size_t before = pair.all[PAIR_CLIENT].count;
    SSL_clear_options(pair.ends[PAIR_CLIENT]->ssl, SSL_OP_NO_RENEGOTIATION);
    assert_int_equal(SSL_renegotiate(pair.ends[PAIR_CLIENT]->ssl), 1);
    (void)SSL_do_handshake(pair.ends[PAIR_CLIENT]->ssl);
    pair_run(&pair, pair.now);
    assert_int_equal(pair.all[PAIR_CLIENT].count, before + 1);
    const struct pair_datagram *said = &pair.all[PAIR_CLIENT].items[before];
    assert_int_equal(said->data[0], SSL3_RT_ALERT); /* no_renegotiation, and no hello */
    assert_int_equal(ferry_dtls_cause(pair.ends[PAIR_SERVER], &by_peer), FERRY_DTLS_REFUSED);
    assert_true(by_peer); /* this client gives up for it */
    pair_end(&pair);
}

/* OpenSSL ends a session for a record that is shorter than its tag, which anybody can send. */
static void test_short_records_are_dropped(void **state)
{
    struct pair pair;

    (void)state;
    pair_begin(&pair, &psk_client, &psk_server);
    pair_open(&pair);
    pair.loss = 100;
    assert_true(pair_send(&pair, PAIR_CLIENT, "upload"));
    struct pair_datagram *sent = &pair.all[PAIR_SERVER].items[pair.all[PAIR_SERVER].count - 1];
    size_t whole = ferry_load_be16(sent->data + 11);
    for (size_t len = 0; len < whole; len++) {
        ferry_store_be16(sent->data + 11, (uint16_t)len);
        pair_deliver(&pair, PAIR_SERVER, sent->data, sent->len);
        pair_deliver(&pair, PAIR_SERVER, sent->data, 13 + len);
        assert_int_equal(ferry_dtls_state(pair.ends[PAIR_SERVER]), FERRY_DTLS_OPEN);
    }
    ferry_store_be16(sent->data + 11, (uint16_t)whole);
    pair_deliver(&pair, PAIR_SERVER, sent->data, sent->len);
    assert_true(pair_got(&pair, PAIR_SERVER, 0, "upload"));
    pair_end(&pair);
}

/* ---- A bad path ---------------------------------------------------------------------- */

/* Every handshake ends well, and packets come at most once and as they were sent. */
static void try_path(const struct ferry_dtls_config *client, const struct ferry_dtls_config *server,
                     unsigned seed)
{
    struct pair pair;
    char text[32];
    size_t came = 0;

    pair_begin(&pair, client, server);
    pair.loss = 20;
    pair.doubling = 20;
    pair.swapping = 30;
    pair.random = seed;
    pair_connect(&pair);
    pair_run(&pair, pair.now + FERRY_DTLS_HANDSHAKE_MS - 1);
    assert_true(pair_is_open(&pair));
    for (unsigned i = 0; i < 50; i++) {
        snprintf(text, sizeof text, "packet %u", i);
        assert_true(pair_send(&pair, PAIR_CLIENT, text));
    }
    pair_run(&pair, pair.now);
    for (unsigned i = 0; i < 50; i++) {
        unsigned times = 0;
        snprintf(text, sizeof text, "packet %u", i);
        for (size_t at = 0; at < pair.got[PAIR_SERVER].count; at++) {
            times += pair_got(&pair, PAIR_SERVER, at, text);
        }
        assert_true(times <= 1);
        came += times;
    }
    assert_int_equal(came, pair.got[PAIR_SERVER].count);
    assert_true(came >= 20);
    pair_end(&pair);
}

static void test_loss_doubling_and_disorder(void **state)
{
    struct ferry_dtls_config client = cert_client();
    struct ferry_dtls_config server = cert_server();
    struct ferry_dtls_config patient_client = psk_client;
    struct ferry_dtls_config patient_server = psk_server;

    (void)state;
    client.retransmit_ms = server.retransmit_ms = 100;
    client.mtu = server.mtu = FERRY_DTLS_MTU_LEAST; /* more datagrams to lose */
    patient_client.retransmit_ms = patient_server.retransmit_ms = 100;
    for (unsigned seed = 1; seed <= 40; seed++) {
        try_path(&patient_client, &patient_server, seed);
        try_path(&client, &server, seed);
    }
}

/* Bits of a handshake are changed: it ends, well or with a cause, and never as somebody else's. */
static void test_damage_in_a_handshake(void **state)
{
    struct ferry_dtls_config client = cert_client();
    struct ferry_dtls_config server = cert_server();
    unsigned open = 0;
    unsigned ended = 0;

    (void)state;
    for (unsigned seed = 1; seed <= 200; seed++) {
        struct pair pair;
        pair_begin(&pair, seed % 2 == 0 ? &psk_client : &client,
                   seed % 2 == 0 ? &psk_server : &server);
        pair.damage = 20;
        pair.random = seed;
        pair_connect(&pair);
        pair_run(&pair, pair.now + 2 * FERRY_DTLS_HANDSHAKE_MS);
        if (pair_is_open(&pair)) {
            assert_string_equal(ferry_dtls_identity(pair.ends[PAIR_SERVER]),
                                seed % 2 == 0 ? "psk:alice" : "cert:station-7");
            open++;
        }
        for (int end = 0; end < 2 && pair.ends[end] != NULL; end++) {
            assert_int_not_equal(ferry_dtls_state(pair.ends[end]), FERRY_DTLS_HANDSHAKE);
            ended += ferry_dtls_state(pair.ends[end]) == FERRY_DTLS_ENDED;
        }
        pair_end(&pair);
    }
    assert_true(open > 20 && ended > 20);
}

static void test_a_server_that_is_not_there(void **state)
{
    struct pair pair;
    bool by_peer;

    (void)state;
    pair_begin(&pair, &psk_client, &psk_server);
    pair.loss = 100;
    pair_connect(&pair);
    uint64_t since = pair.now;
    pair_run(&pair, pair.now + 10 * FERRY_DTLS_HANDSHAKE_MS);
    assert_int_equal(ferry_dtls_cause(pair.ends[0], &by_peer), FERRY_DTLS_TIMEOUT);
    assert_int_equal(pair.now - since, FERRY_DTLS_HANDSHAKE_MS);
    assert_int_equal(pair.all[PAIR_SERVER].count, 4); /* at 0, 1, 3 and 7 s */
    pair_end(&pair);
}

/* ---- An attacker --------------------------------------------------------------------- */

static void count_datagram(void *context, struct ferry_bytes datagram)
{
    *(size_t *)context += datagram.len;
}

/* The datagram of a conversation that was overheard, offered as a first one. */
static struct ferry_dtls *offer(struct pair *pair, const char *peer, size_t at, size_t *answered)
{
    const struct ferry_dtls_out out = {count_datagram, answered};
    const struct ferry_bytes who = {(const uint8_t *)peer, strlen(peer)};
    const struct pair_datagram *item = &pair->all[PAIR_SERVER].items[at];

    *answered = 0;
    return ferry_dtls_listen(pair->contexts[PAIR_SERVER], who,
                             (struct ferry_bytes){item->data, item->len}, out, pair->now);
}

static void test_replayed_packets_are_dropped(void **state)
{
    struct pair pair;

    (void)state;
    pair_begin(&pair, &psk_client, &psk_server);
    pair_open(&pair);
    assert_true(pair_send(&pair, PAIR_CLIENT, "once"));
    pair_run(&pair, pair.now);
    assert_int_equal(pair.got[PAIR_SERVER].count, 1);
    for (size_t i = 0; i < pair.all[PAIR_SERVER].count; i++) {
        pair_deliver(&pair, PAIR_SERVER, pair.all[PAIR_SERVER].items[i].data,
                     pair.all[PAIR_SERVER].items[i].len);
    }
    assert_int_equal(pair.got[PAIR_SERVER].count, 1);
    assert_true(pair_send(&pair, PAIR_CLIENT, "twice"));
    pair_run(&pair, pair.now);
    assert_true(pair_got(&pair, PAIR_SERVER, 1, "twice"));
    pair_end(&pair);
}

static void test_a_hello_is_answered_by_a_cookie_and_forgotten(void **state)
{
    struct pair pair;
    size_t answered;

    (void)state;
    pair_begin(&pair, &psk_client, &psk_server);
    pair_open(&pair);
    for (int i = 0; i < 1000; i++) {
        char peer[32];
        snprintf(peer, sizeof peer, "198.51.100.9:%d", i);
        assert_null(offer(&pair, peer, 0, &answered));
        assert_true(answered > 0 && answered <= pair.all[PAIR_SERVER].items[0].len);
    }
    pair_end(&pair);
}

static void test_a_cookie_is_good_for_its_peer_only(void **state)
{
    struct pair pair;
    size_t answered;

    (void)state;
    pair_begin(&pair, &psk_client, &psk_server);
    pair_open(&pair);
    assert_null(offer(&pair, "192.0.2.2:4711", 1, &answered));
    assert_true(answered > 0 && answered <= pair.all[PAIR_SERVER].items[1].len);
    struct ferry_dtls *again = offer(&pair, PAIR_PEER, 1, &answered);
    assert_non_null(again); /* the same peer may have lost its session */
    ferry_dtls_free(again);
    pair_end(&pair);
}

static void test_a_cookie_gets_old(void **state)
{
    struct pair pair;
    size_t answered;

    (void)state;
    pair_begin(&pair, &psk_client, &psk_server);
    pair_open(&pair);
    pair.now += 120000;
    assert_null(offer(&pair, PAIR_PEER, 1, &answered));
    assert_true(answered > 0);
    pair_end(&pair);
}

static void test_what_is_no_hello_is_not_answered(void **state)
{
    struct pair pair;
    size_t answered;

    (void)state;
    pair_begin(&pair, &psk_client, &psk_server);
    pair_open(&pair);
    assert_true(pair_send(&pair, PAIR_CLIENT, "to a server that has forgotten"));
    for (size_t i = 2; i < pair.all[PAIR_SERVER].count; i++) {
        assert_null(offer(&pair, PAIR_PEER, i, &answered));
        assert_int_equal(answered, 0);
    }
    /* A hello that ends early, at any byte. */
    for (size_t len = 0; len < pair.all[PAIR_SERVER].items[0].len; len++) {
        struct pair_datagram *hello = &pair.all[PAIR_SERVER].items[0];
        size_t whole = hello->len;
        hello->len = len;
        assert_null(offer(&pair, PAIR_PEER, 0, &answered));
        hello->len = whole;
        assert_int_equal(answered, 0);
    }
    assert_null(offer(&pair, PAIR_PEER, 0, &answered));
    assert_true(answered > 0);
    pair_end(&pair);
}

/* Every byte of an open session's datagram wrong in turn: dropped, and the session goes on. */
static void test_forged_records_are_dropped(void **state)
{
    struct pair pair;

    (void)state;
    pair_begin(&pair, &psk_client, &psk_server);
    pair_open(&pair);
    pair.loss = 100;
    assert_true(pair_send(&pair, PAIR_CLIENT, "upload"));
    struct pair_datagram *sent = &pair.all[PAIR_SERVER].items[pair.all[PAIR_SERVER].count - 1];
    for (size_t i = 0; i < sent->len; i++) {
        sent->data[i] ^= 0x11;
        pair_deliver(&pair, PAIR_SERVER, sent->data, sent->len);
        sent->data[i] ^= 0x11;
        assert_int_equal(pair.got[PAIR_SERVER].count, 0);
        assert_int_equal(ferry_dtls_state(pair.ends[PAIR_SERVER]), FERRY_DTLS_OPEN);
    }
    pair_deliver(&pair, PAIR_SERVER, sent->data, sent->len);
    assert_true(pair_got(&pair, PAIR_SERVER, 0, "upload"));
    pair_end(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_psk_carries_packets),
        cmocka_unit_test(test_certificates_name_both_ends),
        cmocka_unit_test(test_a_server_that_demands_none_knows_nobody),
        cmocka_unit_test(test_common_names_that_could_be_anothers),
        cmocka_unit_test(test_a_server_may_have_both_kinds_of_keys),
        cmocka_unit_test(test_the_largest_packet),
        cmocka_unit_test(test_either_end_closes),
        cmocka_unit_test(test_handshakes_are_cut_to_the_mtu),
        cmocka_unit_test(test_nothing_is_renegotiated),
        cmocka_unit_test(test_loss_doubling_and_disorder),
        cmocka_unit_test(test_damage_in_a_handshake),
        cmocka_unit_test(test_a_server_that_is_not_there),
        cmocka_unit_test(test_replayed_packets_are_dropped),
        cmocka_unit_test(test_a_hello_is_answered_by_a_cookie_and_forgotten),
        cmocka_unit_test(test_a_cookie_is_good_for_its_peer_only),
        cmocka_unit_test(test_a_cookie_gets_old),
        cmocka_unit_test(test_what_is_no_hello_is_not_answered),
        cmocka_unit_test(test_short_records_are_dropped),
        cmocka_unit_test(test_forged_records_are_dropped),
    };
    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
