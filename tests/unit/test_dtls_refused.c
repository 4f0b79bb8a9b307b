/* SPDX-License-Identifier: Apache-2.0 */
/* DTLS sessions that must not be: each has a cause that somebody can act on, at both ends. */
#include "certificates.h"
#include "dtls_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define KEY       "0123456789abcdef"
#define OTHER_KEY "0123456789abcdeF"

#define BYTES(text)                                                                                \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

static const struct ferry_dtls_psk alice = {"alice", BYTES(KEY)};
static const struct ferry_dtls_psk wrong = {"alice", BYTES(OTHER_KEY)};
static const struct ferry_dtls_psk bob = {"bob", BYTES(KEY)};

static struct certificate ca, other_ca, good, expired, early, self_signed, stranger, client_cert,
    wildcard, partial;

static int make_certificates(void **state)
{
    (void)state;
    certificates_begin();
    certificate_make(&ca, "ca", (struct certificate_wish){.name = "the CA", .is_ca = 1});
    certificate_make(&other_ca, "other", (struct certificate_wish){.name = "other", .is_ca = 1});
    certificate_make(&good, "good", (struct certificate_wish){.name = "device", .by = &ca});
    certificate_make(
        &expired, "expired",
        (struct certificate_wish){.name = "device", .by = &ca, .from_days = -10, .to_days = -2});
    certificate_make(
        &early, "early",
        (struct certificate_wish){.name = "device", .by = &ca, .from_days = 2, .to_days = 10});
    certificate_make(&self_signed, "self", (struct certificate_wish){.name = "device"});
    certificate_make(&stranger, "stranger",
                     (struct certificate_wish){.name = "device", .by = &other_ca});
    certificate_make(&client_cert, "client",
                     (struct certificate_wish){.name = "station", .by = &ca});
    certificate_make(&wildcard, "wildcard",
                     (struct certificate_wish){.name = "*.example.com", .by = &ca});
    certificate_make(&partial, "partial",
                     (struct certificate_wish){.name = "pump*.example.com", .by = &ca});
    return 0;
}

static int remove_certificates(void **state)
{
    (void)state;
    certificates_end();
    return 0;
}

/* What both ends say of it. Datagrams may be lost no more than the test says: time does not pass.
 */
static void expect(const struct ferry_dtls_config *client, const struct ferry_dtls_config *server,
                   enum ferry_dtls_cause here, bool here_by_peer, enum ferry_dtls_cause there,
                   bool there_by_peer)
{
    struct pair pair;
    bool by_peer[2];

    pair_begin(&pair, client, server);
    pair_connect(&pair);
    pair_run(&pair, pair.now);
    assert_non_null(pair.ends[PAIR_SERVER]);
    assert_int_equal(ferry_dtls_cause(pair.ends[PAIR_CLIENT], &by_peer[0]), here);
    assert_int_equal(ferry_dtls_cause(pair.ends[PAIR_SERVER], &by_peer[1]), there);
    assert_int_equal(by_peer[0], here_by_peer);
    assert_int_equal(by_peer[1], there_by_peer);
    assert_string_equal(ferry_dtls_identity(pair.ends[PAIR_CLIENT]), "");
    assert_string_equal(ferry_dtls_identity(pair.ends[PAIR_SERVER]), "");
    pair_end(&pair);
}

static struct ferry_dtls_config psk(bool server, const struct ferry_dtls_psk *key)
{
    return (struct ferry_dtls_config){.server = server, .psks = key, .psk_count = 1};
}

static struct ferry_dtls_config shows(const struct certificate *own)
{
    return (struct ferry_dtls_config){.server = true, .cert_file = own->cert, .key_file = own->key};
}

static struct ferry_dtls_config trusts(const struct certificate *its)
{
    return (struct ferry_dtls_config){.ca_file = its->cert, .name = "device"};
}

static void test_a_wrong_key_is_told_to_both_ends_at_once(void **state)
{
    struct ferry_dtls_config client = psk(false, &wrong);
    struct ferry_dtls_config server = psk(true, &alice);

    (void)state;
    expect(&client, &server, FERRY_DTLS_WRONG_PSK, true, FERRY_DTLS_WRONG_PSK, false);
}

/* OpenSSL's own server says nothing: nor does one whose alert is lost. */
static void test_a_wrong_key_shows_when_nobody_tells(void **state)
{
    struct ferry_dtls_config client = psk(false, &wrong);
    struct ferry_dtls_config server = psk(true, &alice);
    struct pair pair;
    bool by_peer;

    (void)state;
    pair_begin(&pair, &client, &server);
    pair_connect(&pair);
    pair.no_alerts = true;
    pair_run(&pair, pair.now);
    pair.loss = 100;
    pair_run(&pair, pair.now + FERRY_DTLS_HANDSHAKE_MS);
    assert_int_equal(ferry_dtls_cause(pair.ends[PAIR_CLIENT], &by_peer), FERRY_DTLS_WRONG_PSK);
    assert_false(by_peer);
    pair_end(&pair);
}

static void test_an_unknown_identity(void **state)
{
    struct ferry_dtls_config client = psk(false, &bob);
    struct ferry_dtls_config server = psk(true, &alice);

    (void)state;
    expect(&client, &server, FERRY_DTLS_UNKNOWN_IDENTITY, true, FERRY_DTLS_UNKNOWN_IDENTITY, false);
}

/* A key opens its whole identity, not what that begins with. */
static void test_a_part_of_an_identity(void **state)
{
    const struct ferry_dtls_psk parts[] = {{"alic", alice.key}, {"alice2", alice.key}};
    struct ferry_dtls_config server = psk(true, &alice);

    (void)state;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct ferry_dtls_config client = psk(false, &parts[i]);

        expect(&client, &server, FERRY_DTLS_UNKNOWN_IDENTITY, true, FERRY_DTLS_UNKNOWN_IDENTITY,
               false);
    }
}

static void test_certificates_of_a_server(void **state)
{
    static const struct {
        const struct certificate *shown, *trusted;
        enum ferry_dtls_cause here, there;
    } rows[] = {
        {&expired, &ca, FERRY_DTLS_EXPIRED, FERRY_DTLS_EXPIRED},
        {&early, &ca, FERRY_DTLS_NOT_YET_VALID, FERRY_DTLS_BAD_CERTIFICATE},
        {&self_signed, &ca, FERRY_DTLS_SELF_SIGNED, FERRY_DTLS_UNKNOWN_CA},
        {&stranger, &ca, FERRY_DTLS_UNKNOWN_CA, FERRY_DTLS_UNKNOWN_CA},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ferry_dtls_config client = trusts(rows[i].trusted);
        struct ferry_dtls_config server = shows(rows[i].shown);
        expect(&client, &server, rows[i].here, false, rows[i].there, true);
    }
}

static void test_a_certificate_for_another_name(void **state)
{
    struct ferry_dtls_config client = trusts(&ca);
    struct ferry_dtls_config server = shows(&good);

    (void)state;
    client.name = "other-device";
    expect(&client, &server, FERRY_DTLS_WRONG_NAME, false, FERRY_DTLS_BAD_CERTIFICATE, true);
    client.name = "192.0.2.1";
    expect(&client, &server, FERRY_DTLS_WRONG_NAME, false, FERRY_DTLS_BAD_CERTIFICATE, true);
}

static void test_a_wildcard_stands_for_a_whole_label(void **state)
{
    struct ferry_dtls_config client = trusts(&ca);
    struct ferry_dtls_config server = shows(&partial);
    struct pair pair;

    (void)state;
    client.name = "pump7.example.com";
    expect(&client, &server, FERRY_DTLS_WRONG_NAME, false, FERRY_DTLS_BAD_CERTIFICATE, true);
    server = shows(&wildcard);
    pair_begin(&pair, &client, &server);
    pair_connect(&pair);
    pair_run(&pair, pair.now);
    assert_int_equal(ferry_dtls_state(pair.ends[PAIR_CLIENT]), FERRY_DTLS_OPEN);
    pair_end(&pair);
}

static void test_certificates_of_a_client(void **state)
{
    static const struct {
        const struct certificate *shown;
        enum ferry_dtls_cause here, there;
    } rows[] = {
        {NULL, FERRY_DTLS_NO_CERTIFICATE, FERRY_DTLS_NO_CERTIFICATE},
        {&expired, FERRY_DTLS_EXPIRED, FERRY_DTLS_EXPIRED},
        {&self_signed, FERRY_DTLS_UNKNOWN_CA, FERRY_DTLS_SELF_SIGNED},
        {&stranger, FERRY_DTLS_UNKNOWN_CA, FERRY_DTLS_UNKNOWN_CA},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ferry_dtls_config client = trusts(&ca);
        struct ferry_dtls_config server = shows(&good);
        client.cert_file = rows[i].shown != NULL ? rows[i].shown->cert : NULL;
        client.key_file = rows[i].shown != NULL ? rows[i].shown->key : NULL;
        server.ca_file = ca.cert;
        expect(&client, &server, rows[i].here, true, rows[i].there, false);
    }
}

static void test_a_pinned_certificate_needs_no_ca(void **state)
{
    struct ferry_dtls_config client = trusts(&self_signed);
    struct ferry_dtls_config server = shows(&self_signed);
    struct pair pair;

    (void)state;
    pair_begin(&pair, &client, &server);
    pair_open(&pair);
    pair_end(&pair);
    client = trusts(&good); /* signed by a CA that is not in the file */
    server = shows(&good);
    pair_begin(&pair, &client, &server);
    pair_open(&pair);
    pair_end(&pair);
}

static void test_keys_of_different_kinds(void **state)
{
    struct ferry_dtls_config client = psk(false, &alice);
    struct ferry_dtls_config server = shows(&good);

    (void)state;
    expect(&client, &server, FERRY_DTLS_NO_CIPHER, true, FERRY_DTLS_NO_CIPHER, false);
    client = trusts(&ca);
    server = psk(true, &alice);
    expect(&client, &server, FERRY_DTLS_NO_CIPHER, true, FERRY_DTLS_NO_CIPHER, false);
}

/* ---- Configurations ------------------------------------------------------------------ */

static void expect_error(struct ferry_dtls_config config, int error, const char *word)
{
    struct ferry_dtls_context *context;
    char why[256] = "";

    assert_int_equal(ferry_dtls_context_new(&context, &config, why, sizeof why), error);
    assert_null(context);
    if (strstr(why, word) == NULL || strstr(why, KEY) != NULL) {
        fail_msg("'%s' says nothing of '%s'", why, word);
    }
}

static void test_configurations_that_cannot_be(void **state)
{
    const struct ferry_dtls_psk no_name = {"", BYTES(KEY)};
    const struct ferry_dtls_psk short_key = {"alice", BYTES("123456789012345")};
    const struct ferry_dtls_psk two[] = {alice, bob};
    struct ferry_dtls_config config;

    (void)state;
    expect_error((struct ferry_dtls_config){0}, FERRY_E_CONFIG, "a client needs a PSK");
    expect_error((struct ferry_dtls_config){.server = true}, FERRY_E_CONFIG, "a server needs");
    expect_error(psk(false, &no_name), FERRY_E_CONFIG, "identity");
    expect_error(psk(false, &short_key), FERRY_E_CONFIG, "16 to 64 bytes");
    config = psk(false, two);
    config.psk_count = 2;
    expect_error(config, FERRY_E_CONFIG, "one PSK");
    config = psk(false, &alice);
    config.mtu = FERRY_DTLS_MTU_LEAST - 1;
    expect_error(config, FERRY_E_CONFIG, "MTU");
    config = trusts(&ca);
    config.name = ""; /* which is not any */
    expect_error(config, FERRY_E_CONFIG, "name");
    config = shows(&good);
    config.key_file = NULL;
    expect_error(config, FERRY_E_CONFIG, "its key");
    config.key_file = stranger.key;
    expect_error(config, FERRY_E_MISMATCH, stranger.key);
    config.key_file = good.cert;
    expect_error(config, FERRY_E_FORMAT, good.cert);
    config.key_file = "/nowhere/key.pem";
    expect_error(config, FERRY_E_NOT_FOUND, "/nowhere/key.pem: No such file");
    config = trusts(&ca);
    config.ca_file = good.key;
    expect_error(config, FERRY_E_FORMAT, good.key);
}

static void test_every_cause_has_words(void **state)
{
    (void)state;
    for (int cause = FERRY_DTLS_NONE; cause <= FERRY_DTLS_REFUSED; cause++) {
        assert_true(strlen(ferry_dtls_cause_text((enum ferry_dtls_cause)cause, false)) > 10);
        assert_true(strlen(ferry_dtls_cause_text((enum ferry_dtls_cause)cause, true)) > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_wrong_key_is_told_to_both_ends_at_once),
        cmocka_unit_test(test_a_wrong_key_shows_when_nobody_tells),
        cmocka_unit_test(test_an_unknown_identity),
        cmocka_unit_test(test_a_part_of_an_identity),
        cmocka_unit_test(test_certificates_of_a_server),
        cmocka_unit_test(test_a_certificate_for_another_name),
        cmocka_unit_test(test_a_wildcard_stands_for_a_whole_label),
        cmocka_unit_test(test_certificates_of_a_client),
        cmocka_unit_test(test_a_pinned_certificate_needs_no_ca),
        cmocka_unit_test(test_keys_of_different_kinds),
        cmocka_unit_test(test_configurations_that_cannot_be),
        cmocka_unit_test(test_every_cause_has_words),
    };
    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
