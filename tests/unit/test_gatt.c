/* SPDX-License-Identifier: Apache-2.0 */
/* The GATT service, with a stack of the test's: links, permissions, requests in and answers out. */
#include "ferry/gatt.h"
#include "test_server_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define CAP       512
#define LINKS     3
#define TRANSPORT 7
#define A         1 /* numbers of the stack */
#define B         2
#define C         3
#define D         4

struct rig {
    struct ferry_gatt gatt;
    struct ferry_gatt_config config;
    struct ferry_gatt_link links[LINKS];
    uint8_t packet[CAP];
    /* the stack's side */
    size_t room;    /* notifications it takes until it is busy */
    size_t memory;  /* bytes it has for one */
    int broken;     /* an error it answers with */
    size_t calls;   /* of notify */
    size_t longest; /* notification */
    uint32_t link;  /* the last one went to */
    uint8_t out[4096];
    size_t out_len;
};

static int notify(void *context, uint32_t link, struct ferry_bytes value)
{
    struct rig *rig = context;

    rig->calls++;
    assert_true(value.len > 0);
    if (rig->broken != FERRY_OK) {
        return rig->broken;
    }
    if (rig->room == 0) {
        return FERRY_E_BUSY;
    }
    if (value.len > rig->memory) {
        return FERRY_E_SPACE;
    }
    rig->room--;
    rig->link = link;
    rig->longest = value.len > rig->longest ? value.len : rig->longest;
    assert_true(rig->out_len + value.len <= sizeof(rig->out));
    memcpy(rig->out + rig->out_len, value.data, value.len);
    rig->out_len += value.len;
    return FERRY_OK;
}

static void begin_with(struct rig *rig, enum ferry_gatt_permission permission, bool whole)
{
    memset(rig, 0, sizeof(*rig));
    rig->room = SIZE_MAX;
    rig->memory = SIZE_MAX;
    rig->config = (struct ferry_gatt_config){.permission = permission,
                                             .transport = TRANSPORT,
                                             .whole = whole,
                                             .packet = rig->packet,
                                             .packet_cap = CAP,
                                             .links = rig->links,
                                             .link_count = LINKS,
                                             .notify = notify,
                                             .context = rig};
    assert_int_equal(ferry_gatt_init(&rig->gatt, &rig->config), FERRY_OK);
}

static void begin(struct rig *rig)
{
    begin_with(rig, FERRY_GATT_AUTHENTICATED, false);
}

static void connect(struct rig *rig, uint32_t link, enum ferry_peer_security security)
{
    ferry_gatt_connected(&rig->gatt, link);
    if (security != FERRY_PEER_OPEN) {
        ferry_gatt_secured(&rig->gatt, link, security, "somebody");
    }
}

/* Connected, authenticated and subscribed. */
static void use(struct rig *rig, uint32_t link)
{
    connect(rig, link, FERRY_PEER_AUTHENTICATED);
    assert_int_equal(ferry_gatt_subscribed(&rig->gatt, link, true), FERRY_GATT_OK);
}

static size_t make(uint8_t *out, size_t len, uint8_t seq)
{
    const struct ferry_smp_header header = {.op = FERRY_SMP_WRITE,
                                            .version = 1,
                                            .length = (uint16_t)(len - FERRY_SMP_HEADER_SIZE),
                                            .seq = seq};

    ferry_smp_header_write(&header, out);
    for (size_t i = FERRY_SMP_HEADER_SIZE; i < len; i++) {
        out[i] = (uint8_t)(i * 5 + seq);
    }
    return len;
}

/* Write and expect this status; returns the length of the packet that came of it. */
static size_t put(struct rig *rig, uint32_t link, const uint8_t *data, size_t len, int status)
{
    struct ferry_bytes packet = {(const uint8_t *)"x", 1};

    assert_int_equal(ferry_gatt_written(&rig->gatt, link, (struct ferry_bytes){data, len}, &packet),
                     status);
    assert_true(status == FERRY_GATT_OK || packet.len == 0);
    return packet.len;
}

static int reply(struct rig *rig, const uint8_t *data, size_t len)
{
    return ferry_gatt_answer(&rig->gatt, ferry_gatt_peer(&rig->gatt).id,
                             (struct ferry_bytes){data, len});
}

static void expect_out(struct rig *rig, const uint8_t *data, size_t len)
{
    assert_int_equal(rig->out_len, len);
    assert_memory_equal(rig->out, data, len);
    rig->out_len = 0;
    rig->longest = 0;
    rig->calls = 0;
}

/* ---- Configuration -------------------------------------------------------------------------- */

static void a_configuration_that_cannot_be_is_refused(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    rig.config.notify = NULL;
    assert_int_equal(ferry_gatt_init(&rig.gatt, &rig.config), FERRY_E_CONFIG);
    begin(&rig);
    rig.config.packet = NULL;
    assert_int_equal(ferry_gatt_init(&rig.gatt, &rig.config), FERRY_E_CONFIG);
    begin(&rig);
    rig.config.packet_cap = FERRY_SMP_HEADER_SIZE - 1;
    assert_int_equal(ferry_gatt_init(&rig.gatt, &rig.config), FERRY_E_CONFIG);
    begin(&rig);
    rig.config.links = NULL;
    assert_int_equal(ferry_gatt_init(&rig.gatt, &rig.config), FERRY_E_CONFIG);
    begin(&rig);
    rig.config.link_count = 0;
    assert_int_equal(ferry_gatt_init(&rig.gatt, &rig.config), FERRY_E_CONFIG);
    begin(&rig);
    rig.config.packet_cap = FERRY_SMP_HEADER_SIZE;
    assert_int_equal(ferry_gatt_init(&rig.gatt, &rig.config), FERRY_OK);
}

/* ---- Permissions ---------------------------------------------------------------------------- */

/* Of every permission and every security: subscribing and writing are asked the same. */
static void what_a_link_needs_to_subscribe_and_to_write(void **state)
{
    static const int expected[3][3] = {
        /* open, encrypted, authenticated link */
        [FERRY_GATT_AUTHENTICATED] = {FERRY_GATT_AUTHENTICATION, FERRY_GATT_AUTHENTICATION,
                                      FERRY_GATT_OK},
        [FERRY_GATT_ENCRYPTED] = {FERRY_GATT_ENCRYPTION, FERRY_GATT_OK, FERRY_GATT_OK},
        [FERRY_GATT_OPEN] = {FERRY_GATT_OK, FERRY_GATT_OK, FERRY_GATT_OK},
    };
    struct rig rig;
    uint8_t packet[20];

    (void)state;
    make(packet, sizeof(packet), 1);
    for (int permission = 0; permission < 3; permission++) {
        for (int security = 0; security < 3; security++) {
            int status = expected[permission][security];
            bool good = status == FERRY_GATT_OK;

            begin_with(&rig, (enum ferry_gatt_permission)permission, false);
            connect(&rig, A, (enum ferry_peer_security)security);
            put(&rig, A, packet, sizeof(packet), good ? FERRY_GATT_REFUSED : status);
            assert_int_equal(ferry_gatt_subscribed(&rig.gatt, A, true), status);
            assert_int_equal(put(&rig, A, packet, sizeof(packet), status),
                             good ? sizeof(packet) : 0);
            assert_true((ferry_gatt_peer(&rig.gatt).id != 0) == good);
        }
    }
}

static void the_default_is_an_authenticated_key(void **state)
{
    const struct ferry_gatt_config config = {.notify = notify};

    (void)state;
    assert_int_equal(config.permission, FERRY_GATT_AUTHENTICATED);
    assert_false(config.whole);
}

/* A key was refreshed with a weaker one: nothing that was collected or is on its way stays. */
static void less_security_ends_the_subscription(void **state)
{
    struct rig rig;
    uint8_t packet[40];

    (void)state;
    make(packet, sizeof(packet), 1);
    begin(&rig);
    use(&rig, A);
    rig.room = 1;
    assert_int_equal(reply(&rig, packet, sizeof(packet)), FERRY_E_BUSY);
    put(&rig, A, packet, 20, FERRY_GATT_OK);
    ferry_gatt_secured(&rig.gatt, A, FERRY_PEER_ENCRYPTED, NULL);
    assert_int_equal(ferry_gatt_peer(&rig.gatt).id, 0);
    rig.room = 10;
    assert_int_equal(ferry_gatt_ready(&rig.gatt), FERRY_OK);
    assert_int_equal(rig.out_len, 20);
    put(&rig, A, packet + 20, 20, FERRY_GATT_AUTHENTICATION);
    ferry_gatt_secured(&rig.gatt, A, FERRY_PEER_AUTHENTICATED, NULL);
    put(&rig, A, packet + 20, 20, FERRY_GATT_REFUSED);
    assert_int_equal(ferry_gatt_subscribed(&rig.gatt, A, true), FERRY_GATT_OK);
    assert_int_equal(put(&rig, A, packet, 20, FERRY_GATT_OK), 0);
    assert_int_equal(put(&rig, A, packet + 20, 20, FERRY_GATT_OK), 40);
}

static void more_security_leaves_it(void **state)
{
    struct rig rig;
    uint8_t packet[40];

    (void)state;
    make(packet, sizeof(packet), 1);
    begin_with(&rig, FERRY_GATT_OPEN, false);
    connect(&rig, A, FERRY_PEER_OPEN);
    assert_int_equal(ferry_gatt_subscribed(&rig.gatt, A, true), FERRY_GATT_OK);
    put(&rig, A, packet, 20, FERRY_GATT_OK);
    ferry_gatt_secured(&rig.gatt, A, FERRY_PEER_AUTHENTICATED, "AA:BB:CC:DD:EE:FF");
    assert_int_equal(put(&rig, A, packet + 20, 20, FERRY_GATT_OK), 40);
    assert_int_equal(ferry_gatt_peer(&rig.gatt).security, FERRY_PEER_AUTHENTICATED);
    assert_string_equal(ferry_gatt_peer(&rig.gatt).identity, "AA:BB:CC:DD:EE:FF");
}

/* ---- Links ---------------------------------------------------------------------------------- */

static void the_first_that_subscribes_has_the_service(void **state)
{
    struct rig rig;
    uint8_t packet[20];

    (void)state;
    make(packet, sizeof(packet), 1);
    begin(&rig);
    connect(&rig, A, FERRY_PEER_AUTHENTICATED); /* there for something else */
    use(&rig, B);
    assert_int_equal(ferry_gatt_subscribed(&rig.gatt, A, true), FERRY_GATT_REFUSED);
    put(&rig, A, packet, sizeof(packet), FERRY_GATT_REFUSED);
    assert_int_equal(ferry_gatt_subscribed(&rig.gatt, A, false), FERRY_GATT_OK);
    assert_int_equal(put(&rig, B, packet, sizeof(packet), FERRY_GATT_OK), sizeof(packet));
    assert_int_equal(reply(&rig, packet, sizeof(packet)), FERRY_OK);
    assert_int_equal(rig.link, B);

    ferry_gatt_disconnected(&rig.gatt, B);
    assert_int_equal(ferry_gatt_subscribed(&rig.gatt, A, true), FERRY_GATT_OK);
    assert_int_equal(put(&rig, A, packet, sizeof(packet), FERRY_GATT_OK), sizeof(packet));
}

/* What somebody else does changes nothing for who has the service. */
static void others_disturb_nothing(void **state)
{
    struct rig rig;
    uint8_t packet[40];
    uint8_t junk[20] = {0xff, 0xff, 0xff};

    (void)state;
    make(packet, sizeof(packet), 1);
    begin(&rig);
    use(&rig, A);
    rig.room = 1;
    assert_int_equal(reply(&rig, packet, sizeof(packet)), FERRY_E_BUSY);
    put(&rig, A, packet, 20, FERRY_GATT_OK);

    connect(&rig, B, FERRY_PEER_AUTHENTICATED);
    ferry_gatt_mtu(&rig.gatt, B, 247);
    put(&rig, B, junk, sizeof(junk), FERRY_GATT_REFUSED);
    assert_int_equal(ferry_gatt_subscribed(&rig.gatt, B, true), FERRY_GATT_REFUSED);
    assert_int_equal(ferry_gatt_subscribed(&rig.gatt, B, false), FERRY_GATT_OK);
    ferry_gatt_secured(&rig.gatt, B, FERRY_PEER_OPEN, NULL);
    ferry_gatt_disconnected(&rig.gatt, B);
    ferry_gatt_disconnected(&rig.gatt, D);
    assert_int_equal(ferry_gatt_subscribed(&rig.gatt, D, false), FERRY_GATT_OK);
    ferry_gatt_mtu(&rig.gatt, D, 247);
    ferry_gatt_secured(&rig.gatt, D, FERRY_PEER_OPEN, NULL);

    assert_int_equal(put(&rig, A, packet + 20, 20, FERRY_GATT_OK), 40);
    rig.room = 1;
    assert_int_equal(ferry_gatt_ready(&rig.gatt), FERRY_OK);
    expect_out(&rig, packet, sizeof(packet));
}

static void a_link_that_is_not_known_is_refused(void **state)
{
    struct rig rig;
    uint8_t packet[20];

    (void)state;
    make(packet, sizeof(packet), 1);
    begin_with(&rig, FERRY_GATT_OPEN, false);
    assert_int_equal(ferry_gatt_subscribed(&rig.gatt, A, true), FERRY_GATT_REFUSED);
    put(&rig, A, packet, sizeof(packet), FERRY_GATT_REFUSED);
    ferry_gatt_connected(&rig.gatt, 0); /* no link's number */
    assert_int_equal(ferry_gatt_subscribed(&rig.gatt, 0, true), FERRY_GATT_REFUSED);

    for (uint32_t link = A; link <= D; link++) {
        ferry_gatt_connected(&rig.gatt, link);
    }
    assert_int_equal(ferry_gatt_subscribed(&rig.gatt, D, true), FERRY_GATT_REFUSED); /* no room */
    ferry_gatt_disconnected(&rig.gatt, B);
    ferry_gatt_connected(&rig.gatt, D);
    assert_int_equal(ferry_gatt_subscribed(&rig.gatt, D, true), FERRY_GATT_OK);
}

static void a_number_that_comes_again_is_another_peer(void **state)
{
    struct rig rig;
    uint8_t packet[40];

    (void)state;
    make(packet, sizeof(packet), 1);
    begin(&rig);
    use(&rig, A);
    ferry_gatt_mtu(&rig.gatt, A, 247);
    put(&rig, A, packet, 20, FERRY_GATT_OK);

    struct ferry_server_peer asked = ferry_gatt_peer(&rig.gatt);

    assert_int_equal(asked.transport, TRANSPORT);
    assert_int_equal(ferry_gatt_subscribed(&rig.gatt, A, false), FERRY_GATT_OK);
    assert_int_equal(ferry_gatt_id(&rig.gatt, A), asked.id); /* it may still be told from others */
    ferry_gatt_disconnected(&rig.gatt, A);
    assert_int_equal(ferry_gatt_id(&rig.gatt, A), 0);
    assert_int_equal(ferry_gatt_peer(&rig.gatt).id, 0);
    assert_int_equal(ferry_gatt_peer(&rig.gatt).transport, TRANSPORT);
    ferry_gatt_connected(&rig.gatt, A);
    assert_int_equal(ferry_gatt_subscribed(&rig.gatt, A, true), FERRY_GATT_AUTHENTICATION);
    ferry_gatt_secured(&rig.gatt, A, FERRY_PEER_AUTHENTICATED, NULL);
    assert_int_equal(ferry_gatt_subscribed(&rig.gatt, A, true), FERRY_GATT_OK);

    struct ferry_server_peer now = ferry_gatt_peer(&rig.gatt);

    assert_int_not_equal(now.id, asked.id);
    assert_null(now.identity);
    /* what the first one asked is answered to nobody */
    assert_int_equal(ferry_gatt_answer(&rig.gatt, asked.id, (struct ferry_bytes){packet, 20}),
                     FERRY_E_STATE);
    assert_int_equal(rig.calls, 0);
    /* the partial packet and the MTU are gone */
    assert_int_equal(put(&rig, A, packet, 20, FERRY_GATT_OK), 0);
    assert_int_equal(put(&rig, A, packet + 20, 20, FERRY_GATT_OK), 40);
    assert_int_equal(reply(&rig, packet, sizeof(packet)), FERRY_OK);
    assert_int_equal(rig.longest, 20);
}

/* The same where the stack did not tell of the end. */
static void a_link_that_connects_twice_was_lost(void **state)
{
    struct rig rig;
    uint8_t packet[40];

    (void)state;
    make(packet, sizeof(packet), 1);
    begin(&rig);
    use(&rig, A);
    rig.room = 1;
    assert_int_equal(reply(&rig, packet, sizeof(packet)), FERRY_E_BUSY);
    ferry_gatt_connected(&rig.gatt, A);
    assert_int_equal(ferry_gatt_peer(&rig.gatt).id, 0);
    rig.room = 10;
    assert_int_equal(ferry_gatt_ready(&rig.gatt), FERRY_OK);
    assert_int_equal(rig.out_len, 20);
    for (uint32_t link = B; link <= C; link++) { /* it takes one place, not two */
        connect(&rig, link, FERRY_PEER_AUTHENTICATED);
        assert_int_equal(ferry_gatt_subscribed(&rig.gatt, link, true), FERRY_GATT_OK);
        assert_int_equal(ferry_gatt_subscribed(&rig.gatt, link, false), FERRY_GATT_OK);
    }
}

static void no_peer_ever_has_the_id_of_nobody(void **state)
{
    struct rig rig;

    (void)state;
    begin_with(&rig, FERRY_GATT_OPEN, false);
    rig.gatt.last_id = UINT32_MAX - 1;
    for (int i = 0; i < 3; i++) {
        ferry_gatt_connected(&rig.gatt, A);
        assert_int_equal(ferry_gatt_subscribed(&rig.gatt, A, true), FERRY_GATT_OK);
        assert_int_not_equal(ferry_gatt_peer(&rig.gatt).id, 0);
    }
}

/* ---- Requests ------------------------------------------------------------------------------- */

static void requests_are_put_together(void **state)
{
    struct rig rig;
    uint8_t packet[CAP];

    (void)state;
    begin(&rig);
    use(&rig, A);
    for (size_t len = FERRY_SMP_HEADER_SIZE; len <= CAP; len++) {
        struct ferry_bytes rest = {packet, make(packet, len, (uint8_t)len)};
        struct ferry_bytes whole = {NULL, 0};

        while (rest.len > 0) {
            assert_int_equal(whole.len, 0);
            assert_int_equal(ferry_gatt_written(&rig.gatt, A, ferry_ble_cut(&rest, 20), &whole),
                             FERRY_GATT_OK);
        }
        assert_int_equal(whole.len, len);
        assert_memory_equal(whole.data, packet, len);
    }
}

static void what_is_no_request_is_refused(void **state)
{
    struct rig rig;
    uint8_t packet[CAP + 1];

    (void)state;
    begin(&rig);
    use(&rig, A);
    make(packet, 40, 1);
    put(&rig, A, packet, 7, FERRY_GATT_LENGTH);
    assert_int_equal(put(&rig, A, packet, 20, FERRY_GATT_OK), 0);
    put(&rig, A, packet, 21, FERRY_GATT_LENGTH); /* one byte more than is missing */
    make(packet, CAP + 1, 1);
    put(&rig, A, packet, 20, FERRY_GATT_LENGTH); /* too large: told once, then passed over */
    for (size_t at = 20; at < CAP + 1; at += 20) {
        size_t left = CAP + 1 - at;

        assert_int_equal(put(&rig, A, packet + at, left < 20 ? left : 20, FERRY_GATT_OK), 0);
    }
    make(packet, 40, 2);
    assert_int_equal(put(&rig, A, packet, 40, FERRY_GATT_OK), 40);
}

static void without_a_subscription_nothing_is_taken(void **state)
{
    struct rig rig;
    uint8_t packet[20];

    (void)state;
    make(packet, sizeof(packet), 1);
    begin(&rig);
    connect(&rig, A, FERRY_PEER_AUTHENTICATED);
    put(&rig, A, packet, sizeof(packet), FERRY_GATT_REFUSED);
    assert_int_equal(reply(&rig, packet, sizeof(packet)), FERRY_E_STATE);
    assert_int_equal(rig.calls, 0);
}

static void ending_the_subscription_drops_both_ways(void **state)
{
    struct rig rig;
    uint8_t packet[60];

    (void)state;
    make(packet, sizeof(packet), 1);
    begin(&rig);
    use(&rig, A);
    rig.room = 1;
    assert_int_equal(reply(&rig, packet, sizeof(packet)), FERRY_E_BUSY);
    put(&rig, A, packet, 20, FERRY_GATT_OK);
    assert_int_equal(ferry_gatt_subscribed(&rig.gatt, A, false), FERRY_GATT_OK);
    rig.room = 10;
    assert_int_equal(ferry_gatt_ready(&rig.gatt), FERRY_OK);
    assert_int_equal(rig.out_len, 20);
    put(&rig, A, packet + 20, 20, FERRY_GATT_REFUSED);
    assert_int_equal(ferry_gatt_subscribed(&rig.gatt, A, true), FERRY_GATT_OK);
    assert_int_equal(put(&rig, A, packet, 60, FERRY_GATT_OK), 60);
}

static void subscribing_again_changes_nothing(void **state)
{
    struct rig rig;
    uint8_t packet[40];

    (void)state;
    make(packet, sizeof(packet), 1);
    begin(&rig);
    use(&rig, A);
    put(&rig, A, packet, 20, FERRY_GATT_OK);
    assert_int_equal(ferry_gatt_subscribed(&rig.gatt, A, true), FERRY_GATT_OK);
    assert_int_equal(put(&rig, A, packet + 20, 20, FERRY_GATT_OK), 40);
}

static void one_write_is_one_packet_without_reassembly(void **state)
{
    struct rig rig;
    uint8_t packet[CAP + 1];

    (void)state;
    begin_with(&rig, FERRY_GATT_AUTHENTICATED, true);
    use(&rig, A);
    make(packet, 60, 1);
    assert_int_equal(put(&rig, A, packet, 60, FERRY_GATT_OK), 60);
    put(&rig, A, packet, 59, FERRY_GATT_LENGTH); /* the header says 60 */
    put(&rig, A, packet, 61, FERRY_GATT_LENGTH);
    put(&rig, A, packet, 7, FERRY_GATT_LENGTH);
    put(&rig, A, packet, 0, FERRY_GATT_LENGTH);
    make(packet, CAP + 1, 2);
    put(&rig, A, packet, CAP + 1, FERRY_GATT_LENGTH);
    put(&rig, A, packet, 20, FERRY_GATT_LENGTH); /* nothing of it is waited for or passed over */
    make(packet, CAP, 3);
    assert_int_equal(put(&rig, A, packet, CAP, FERRY_GATT_OK), CAP);
    assert_memory_equal(rig.packet, packet, CAP);
}

/* ---- Answers -------------------------------------------------------------------------------- */

static void answers_are_cut_by_the_mtu(void **state)
{
    static const uint32_t mtus[] = {0, 23, 65, 247, 498, 515, 65535};
    struct rig rig;
    uint8_t packet[1200];

    (void)state;
    begin(&rig);
    use(&rig, A);
    for (size_t i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
        ferry_gatt_mtu(&rig.gatt, A, mtus[i]);
        make(packet, sizeof(packet), (uint8_t)i);
        assert_int_equal(reply(&rig, packet, sizeof(packet)), FERRY_OK);
        assert_int_equal(rig.longest, ferry_ble_fragment_max(mtus[i]));
        expect_out(&rig, packet, sizeof(packet));
    }
}

static void answers_of_every_size(void **state)
{
    struct rig rig;
    uint8_t packet[100];

    (void)state;
    begin(&rig);
    use(&rig, A);
    make(packet, sizeof(packet), 1);
    for (size_t len = 1; len <= sizeof(packet); len++) {
        assert_int_equal(reply(&rig, packet, len), FERRY_OK);
        expect_out(&rig, packet, len);
    }
}

static void an_empty_answer_is_none(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    use(&rig, A);
    assert_int_equal(reply(&rig, NULL, 0), FERRY_OK);
    assert_int_equal(ferry_gatt_ready(&rig.gatt), FERRY_OK);
    assert_int_equal(rig.calls, 0);
}

static void nobody_is_answered(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    assert_int_equal(reply(&rig, (const uint8_t *)"12345678", 8), FERRY_E_STATE);
    use(&rig, A);
    assert_int_equal(ferry_gatt_answer(&rig.gatt, 0, (struct ferry_bytes){rig.out, 8}),
                     FERRY_E_STATE);
    assert_int_equal(rig.calls, 0);
}

/* However few the stack takes at a time. */
static void a_busy_stack_gets_the_rest_later(void **state)
{
    struct rig rig;
    uint8_t packet[333];

    (void)state;
    make(packet, sizeof(packet), 1);
    for (size_t room = 1; room < 20; room++) {
        begin(&rig);
        use(&rig, A);
        rig.room = room;

        int error = reply(&rig, packet, sizeof(packet));

        while (error == FERRY_E_BUSY) {
            assert_true(ferry_gatt_sending(&rig.gatt));
            assert_true(rig.out_len < sizeof(packet) && rig.out_len % 20 == 0);
            rig.room = room;
            error = ferry_gatt_ready(&rig.gatt);
        }
        assert_int_equal(error, FERRY_OK);
        assert_false(ferry_gatt_sending(&rig.gatt));
        expect_out(&rig, packet, sizeof(packet));
        assert_int_equal(ferry_gatt_ready(&rig.gatt), FERRY_OK);
        assert_int_equal(rig.calls, 0);
    }
}

static void an_answer_waits_for_the_one_before_it(void **state)
{
    struct rig rig;
    uint8_t packet[40];

    (void)state;
    make(packet, sizeof(packet), 1);
    begin(&rig);
    use(&rig, A);
    rig.room = 1;
    assert_int_equal(reply(&rig, packet, sizeof(packet)), FERRY_E_BUSY);
    assert_int_equal(reply(&rig, packet, 20), FERRY_E_STATE);
    rig.room = 1;
    assert_int_equal(ferry_gatt_ready(&rig.gatt), FERRY_OK);
    expect_out(&rig, packet, sizeof(packet));
}

static void too_many_bytes_are_halved(void **state)
{
    static const struct {
        size_t memory;
        size_t longest;
    } rows[] = {{244, 244}, {243, 122}, {122, 122}, {121, 61}, {60, 30}, {29, 20}, {20, 20}};
    struct rig rig;
    uint8_t packet[500];

    (void)state;
    make(packet, sizeof(packet), 1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin(&rig);
        use(&rig, A);
        ferry_gatt_mtu(&rig.gatt, A, 247);
        rig.memory = rows[i].memory;
        assert_int_equal(reply(&rig, packet, sizeof(packet)), FERRY_OK);
        assert_int_equal(rig.longest, rows[i].longest);
        expect_out(&rig, packet, sizeof(packet));
        /* the next one tries the whole again */
        rig.memory = SIZE_MAX;
        assert_int_equal(reply(&rig, packet, sizeof(packet)), FERRY_OK);
        assert_int_equal(rig.longest, 244);
    }
}

static void without_memory_for_20_bytes_the_answer_is_given_up(void **state)
{
    struct rig rig;
    uint8_t packet[100];

    (void)state;
    make(packet, sizeof(packet), 1);
    begin(&rig);
    use(&rig, A);
    rig.memory = 19;
    assert_int_equal(reply(&rig, packet, sizeof(packet)), FERRY_E_SPACE);
    rig.memory = SIZE_MAX;
    assert_int_equal(ferry_gatt_ready(&rig.gatt), FERRY_OK);
    assert_int_equal(rig.out_len, 0);
    assert_int_equal(reply(&rig, packet, sizeof(packet)), FERRY_OK);
    expect_out(&rig, packet, sizeof(packet));
}

static void an_error_of_the_stack_gives_the_rest_up(void **state)
{
    struct rig rig;
    uint8_t packet[100];

    (void)state;
    make(packet, sizeof(packet), 1);
    begin(&rig);
    use(&rig, A);
    rig.room = 2;
    assert_int_equal(reply(&rig, packet, sizeof(packet)), FERRY_E_BUSY);
    rig.broken = FERRY_E_IO;
    assert_int_equal(ferry_gatt_ready(&rig.gatt), FERRY_E_IO);
    rig.broken = FERRY_OK;
    rig.room = 10;
    assert_int_equal(ferry_gatt_ready(&rig.gatt), FERRY_OK);
    assert_int_equal(rig.out_len, 40);
}

static void an_mtu_counts_from_the_next_answer_on(void **state)
{
    struct rig rig;
    uint8_t packet[100];

    (void)state;
    make(packet, sizeof(packet), 1);
    begin(&rig);
    use(&rig, A);
    rig.room = 1;
    assert_int_equal(reply(&rig, packet, sizeof(packet)), FERRY_E_BUSY);
    ferry_gatt_mtu(&rig.gatt, A, 65);
    rig.room = 10;
    assert_int_equal(ferry_gatt_ready(&rig.gatt), FERRY_OK);
    assert_int_equal(rig.longest, 20);
    expect_out(&rig, packet, sizeof(packet));
    rig.room = 1;
    assert_int_equal(reply(&rig, packet, sizeof(packet)), FERRY_E_BUSY);
    assert_int_equal(rig.longest, 62);
    rig.longest = 0;
    ferry_gatt_mtu(&rig.gatt, A, 23); /* less at once */
    rig.room = 10;
    assert_int_equal(ferry_gatt_ready(&rig.gatt), FERRY_OK);
    assert_int_equal(rig.longest, 20);
    expect_out(&rig, packet, sizeof(packet));
}

/* ---- With a server behind it ---------------------------------------------------------------- */

static const char *seen_identity;
static uint8_t seen_security;
static uint32_t seen_id;

static int look(void *context, struct ferry_server_call *call)
{
    (void)context;
    seen_identity = call->peer->identity;
    seen_security = call->peer->security;
    seen_id = call->peer->id;
    assert_int_equal(call->transport, TRANSPORT);
    return FERRY_RC_OK;
}

static void the_gate_sees_who_asks(void **state)
{
    struct rig rig;
    struct server_rig behind;
    uint8_t request[64];
    uint8_t answer[128];
    struct ferry_bytes pending;

    (void)state;
    begin(&rig);
    server_rig_set_up(&behind);
    behind.config.gate = look;
    use(&rig, A);

    size_t len = rig_request(0, 1, GROUP, C_COUNT, "{}", request, sizeof(request));

    assert_int_equal(ferry_gatt_written(&rig.gatt, A, (struct ferry_bytes){request, len}, &pending),
                     FERRY_GATT_OK);
    struct ferry_server_peer asked = ferry_gatt_peer(&rig.gatt);

    len = ferry_server_handle_from(&behind.server, &pending, &asked, answer, sizeof(answer));
    assert_true(len > 0);
    assert_int_equal(ferry_gatt_answer(&rig.gatt, asked.id, (struct ferry_bytes){answer, len}),
                     FERRY_OK);
    expect_out(&rig, answer, len);
    assert_string_equal(seen_identity, "somebody");
    assert_int_equal(seen_security, FERRY_PEER_AUTHENTICATED);
    assert_int_equal(seen_id, asked.id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_configuration_that_cannot_be_is_refused),
        cmocka_unit_test(what_a_link_needs_to_subscribe_and_to_write),
        cmocka_unit_test(the_default_is_an_authenticated_key),
        cmocka_unit_test(less_security_ends_the_subscription),
        cmocka_unit_test(more_security_leaves_it),
        cmocka_unit_test(the_first_that_subscribes_has_the_service),
        cmocka_unit_test(others_disturb_nothing),
        cmocka_unit_test(a_link_that_is_not_known_is_refused),
        cmocka_unit_test(a_number_that_comes_again_is_another_peer),
        cmocka_unit_test(a_link_that_connects_twice_was_lost),
        cmocka_unit_test(no_peer_ever_has_the_id_of_nobody),
        cmocka_unit_test(requests_are_put_together),
        cmocka_unit_test(what_is_no_request_is_refused),
        cmocka_unit_test(without_a_subscription_nothing_is_taken),
        cmocka_unit_test(ending_the_subscription_drops_both_ways),
        cmocka_unit_test(subscribing_again_changes_nothing),
        cmocka_unit_test(one_write_is_one_packet_without_reassembly),
        cmocka_unit_test(answers_are_cut_by_the_mtu),
        cmocka_unit_test(answers_of_every_size),
        cmocka_unit_test(an_empty_answer_is_none),
        cmocka_unit_test(nobody_is_answered),
        cmocka_unit_test(a_busy_stack_gets_the_rest_later),
        cmocka_unit_test(an_answer_waits_for_the_one_before_it),
        cmocka_unit_test(too_many_bytes_are_halved),
        cmocka_unit_test(without_memory_for_20_bytes_the_answer_is_given_up),
        cmocka_unit_test(an_error_of_the_stack_gives_the_rest_up),
        cmocka_unit_test(an_mtu_counts_from_the_next_answer_on),
        cmocka_unit_test(the_gate_sees_who_asks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
