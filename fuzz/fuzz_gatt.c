/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: the callbacks of a Bluetooth stack in any order, with a server behind the service.
 * Input: byte 0 chooses permission, reassembly and how many links there is room for, byte 1 the
 * size of the packet; then steps: what happens (low four bits), to which link (the next two), and
 * for some of them one byte more.
 *
 * A model beside it knows what each link is and may do. Whatever comes, in whatever order:
 *   1. Every status is the one of ferry/gatt.h: who lacks the permission may neither subscribe nor
 *      write, nor who did not subscribe, nor whoever comes while another one has the service.
 *   2. A request is what that link wrote since it subscribed, as long as its header says, and no
 *      larger than the packet; without reassembly it is one write, and such a write is one.
 *   3. The server is told who asks as the model knows it; a peer's id is never used again.
 *   4. A notification goes to the link that has the service, has 1 to ATT_MTU - 3 bytes, and is
 *      the next part of the answer to what that very peer asked: nothing is left out, sent twice,
 *      or sent to another.
 *   5. What is told of an answer is true: all of it was taken, or the rest waits, or nothing more
 *      of it is ever sent.
 *   6. Behind anything, a link that is new, secured and subscribed is served. */
#include "check.h"

#include "ferry/gatt.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 8192
#define LINKS     3
#define NUMBERS   4 /* links of the stack: 1 .. 4, one more than there is ever room for */
#define CAP_MAX   600
#define TRANSPORT 5
#define GROUP     64

enum happens {
    CONNECTED,
    DISCONNECTED,
    MTU,     /* one byte: a quarter of it */
    SECURED, /* one byte */
    SUBSCRIBED,
    UNSUBSCRIBED,
    WRITTEN, /* one byte: how many; and they */
    ASKED,   /* a good request, in fragments; one byte: its payload, a quarter of it */
    HANDLE,  /* the request that waits */
    ANSWER,  /* what was handled */
    READY,
    ROOM,   /* one byte: notifications until the stack is busy */
    MEMORY, /* one byte: of a notification */
    BROKEN  /* the next notification fails */
};

struct link {
    bool connected;
    bool known; /* the service had room for it */
    uint32_t mtu;
    uint8_t security;
    const char *identity;
    uint32_t id; /* of the peer, once it was seen */
    uint8_t wrote[2 * INPUT_MAX];
    size_t wrote_len; /* since it subscribed */
};

struct stack {
    struct ferry_gatt gatt;
    struct ferry_gatt_config config;
    struct ferry_server server;
    struct link of[NUMBERS + 1];
    uint32_t served; /* 0 = nobody */
    uint32_t newest; /* id */
    size_t room;
    size_t memory;
    bool broken;
    /* the main loop's */
    uint8_t request[CAP_MAX];
    size_t request_len; /* 0 = none waits */
    struct ferry_server_peer asked;
    uint8_t answer[CAP_MAX];
    size_t answer_len; /* 0 = none */
    uint32_t answer_to;
    /* of the answer that is being sent */
    bool sending;
    size_t sent;
};

/* ---- The server ----------------------------------------------------------------------------- */

/* Tells whom it answers, in as many bytes as were asked for. */
static int echo(struct ferry_server_call *call)
{
    struct stack *stack = call->context;
    const struct link *link = &stack->of[stack->served];

    CHECK(call->peer->id == stack->asked.id && call->transport == TRANSPORT);
    CHECK(stack->served != 0 && link->id == call->peer->id);
    CHECK(stack->config.permission != FERRY_GATT_AUTHENTICATED ||
          call->peer->security == FERRY_PEER_AUTHENTICATED);
    CHECK(stack->config.permission != FERRY_GATT_ENCRYPTED ||
          call->peer->security >= FERRY_PEER_ENCRYPTED);
    ferry_cbor_pair_uint(&call->out, "peer", call->peer->id);
    ferry_cbor_pair_bytes(&call->out, "echo", call->payload.data, call->payload.len);
    return FERRY_RC_OK;
}

static const struct ferry_command commands[] = {{.read = echo, .write = echo}};
static const struct ferry_group group = {
    .id = GROUP, .name = "echo", .commands = commands, .command_count = 1};

/* ---- The stack's notifications -------------------------------------------------------------- */

static int notify(void *context, uint32_t number, struct ferry_bytes value)
{
    struct stack *stack = context;
    const struct link *link = &stack->of[stack->served];
    size_t most = link->mtu < 23 ? 20 : link->mtu - 3;

    CHECK(number == stack->served && number != 0 && link->connected);
    CHECK(value.len > 0 && value.len <= most);
    CHECK(stack->sending && stack->answer_to == link->id);
    CHECK(value.len <= stack->answer_len - stack->sent);
    CHECK(memcmp(value.data, stack->answer + stack->sent, value.len) == 0);
    if (stack->broken) {
        stack->broken = false;
        return FERRY_E_IO;
    }
    if (stack->room == 0) {
        return FERRY_E_BUSY;
    }
    if (value.len > stack->memory) {
        return FERRY_E_SPACE;
    }
    stack->room--;
    stack->sent += value.len;
    return FERRY_OK;
}

/* What was told of the answer that is being sent. */
static void check_sent(struct stack *stack, int error)
{
    if (error == FERRY_OK) {
        CHECK(!stack->sending || stack->sent == stack->answer_len);
    } else if (error == FERRY_E_BUSY) {
        CHECK(stack->sending && stack->sent < stack->answer_len && stack->room == 0);
        return;
    } else {
        CHECK(stack->sending && (error == FERRY_E_IO || error == FERRY_E_SPACE));
        CHECK(error != FERRY_E_SPACE || stack->memory < FERRY_BLE_FRAGMENT_LEAST);
    }
    stack->sending = false;
}

/* ---- The model ------------------------------------------------------------------------------ */

static int permitted(const struct stack *stack, const struct link *link)
{
    if (!link->known) {
        return FERRY_GATT_REFUSED;
    }
    if (stack->config.permission == FERRY_GATT_AUTHENTICATED &&
        link->security != FERRY_PEER_AUTHENTICATED) {
        return FERRY_GATT_AUTHENTICATION;
    }
    if (stack->config.permission == FERRY_GATT_ENCRYPTED && link->security == FERRY_PEER_OPEN) {
        return FERRY_GATT_ENCRYPTION;
    }
    return FERRY_GATT_OK;
}

static void leave(struct stack *stack, uint32_t number)
{
    if (stack->served == number) {
        stack->served = 0;
        stack->sending = false;
    }
}

static void check_peer(struct stack *stack)
{
    struct ferry_server_peer peer = ferry_gatt_peer(&stack->gatt);
    struct link *link = &stack->of[stack->served];

    CHECK(ferry_gatt_sending(&stack->gatt) == stack->sending);
    CHECK(peer.transport == TRANSPORT);
    CHECK((peer.id == 0) == (stack->served == 0));
    if (stack->served == 0) {
        CHECK(peer.security == FERRY_PEER_OPEN && peer.identity == NULL);
        return;
    }
    if (link->id == 0) {
        for (size_t i = 0; i <= NUMBERS; i++) {
            CHECK(stack->of[i].id != peer.id);
        }
        CHECK(peer.id != stack->asked.id || stack->request_len == 0);
        link->id = peer.id;
    }
    CHECK(peer.id == link->id && peer.security == link->security);
    CHECK(peer.identity == link->identity);
}

/* ---- What happens --------------------------------------------------------------------------- */

static void lose(struct stack *stack, uint32_t number)
{
    struct link *link = &stack->of[number];

    leave(stack, number);
    link->connected = false;
    link->known = false;
    link->id = 0;
}

static void connect(struct stack *stack, uint32_t number)
{
    struct link *link = &stack->of[number];
    size_t known = 0;

    ferry_gatt_connected(&stack->gatt, number);
    lose(stack, number);
    for (size_t i = 1; i <= NUMBERS; i++) {
        known += stack->of[i].known ? 1 : 0;
    }
    link->connected = true;
    link->known = known < stack->config.link_count;
    link->mtu = 23;
    link->security = FERRY_PEER_OPEN;
    link->identity = NULL;
}

static void set_mtu(struct stack *stack, uint32_t number, uint32_t mtu)
{
    ferry_gatt_mtu(&stack->gatt, number, mtu);
    stack->of[number].mtu = mtu;
}

static void secure(struct stack *stack, uint32_t number, uint8_t how)
{
    struct link *link = &stack->of[number];
    uint8_t security = how % 3;
    const char *identity = how & 4 ? "somebody" : NULL;

    ferry_gatt_secured(&stack->gatt, number, (enum ferry_peer_security)security, identity);
    link->security = security;
    link->identity = identity;
    if (permitted(stack, link) != FERRY_GATT_OK) {
        leave(stack, number);
    }
}

static void subscribe(struct stack *stack, uint32_t number, bool on)
{
    struct link *link = &stack->of[number];
    int status = ferry_gatt_subscribed(&stack->gatt, number, on);
    int wanted = on ? permitted(stack, link) : FERRY_GATT_OK;

    if (!on) {
        leave(stack, number);
    } else if (wanted == FERRY_GATT_OK && stack->served != 0 && stack->served != number) {
        wanted = FERRY_GATT_REFUSED;
    } else if (wanted == FERRY_GATT_OK && stack->served == 0) {
        stack->served = number;
        link->wrote_len = 0;
    }
    CHECK(status == wanted);
}

/* A request came of what the link wrote last. */
static void take_request(struct stack *stack, const struct link *link, struct ferry_bytes packet)
{
    CHECK(packet.len >= FERRY_SMP_HEADER_SIZE && packet.len <= stack->config.packet_cap);
    CHECK(packet.len == FERRY_SMP_HEADER_SIZE + (size_t)(packet.data[2] * 256 + packet.data[3]));
    CHECK(packet.len <= link->wrote_len);
    CHECK(memcmp(packet.data, link->wrote + link->wrote_len - packet.len, packet.len) == 0);
    if (stack->request_len == 0) {
        memcpy(stack->request, packet.data, packet.len);
        stack->request_len = packet.len;
        stack->asked = ferry_gatt_peer(&stack->gatt);
    }
}

/* Whether a write is a request for itself. */
static bool is_packet(const struct stack *stack, struct ferry_bytes value)
{
    return value.len >= FERRY_SMP_HEADER_SIZE && value.len <= stack->config.packet_cap &&
           value.len == FERRY_SMP_HEADER_SIZE + (size_t)(value.data[2] * 256 + value.data[3]);
}

static int write(struct stack *stack, uint32_t number, struct ferry_bytes value)
{
    struct link *link = &stack->of[number];
    struct ferry_bytes packet;
    uint8_t *copy = malloc(value.len + 1);

    CHECK(copy != NULL);
    if (value.len > 0) {
        memcpy(copy, value.data, value.len);
    }
    int status =
        ferry_gatt_written(&stack->gatt, number, (struct ferry_bytes){copy, value.len}, &packet);

    free(copy);
    if (permitted(stack, link) != FERRY_GATT_OK) {
        CHECK(status == permitted(stack, link) && packet.len == 0);
        return status;
    }
    if (stack->served != number) {
        CHECK(status == FERRY_GATT_REFUSED && packet.len == 0);
        return status;
    }
    CHECK(status == FERRY_GATT_OK || status == FERRY_GATT_LENGTH);
    if (value.len > 0) {
        CHECK(link->wrote_len + value.len <= sizeof(link->wrote));
        memcpy(link->wrote + link->wrote_len, value.data, value.len);
        link->wrote_len += value.len;
    }
    if (packet.len > 0) {
        CHECK(status == FERRY_GATT_OK);
        CHECK(!stack->config.whole || packet.len == value.len);
        take_request(stack, link, packet);
    }
    CHECK(!stack->config.whole || (status == FERRY_GATT_OK) == is_packet(stack, value));
    return status;
}

/* Everything of a request is written, if it may be. */
static void ask(struct stack *stack, uint32_t number, size_t payload)
{
    struct ferry_smp_header header = {
        .op = FERRY_SMP_WRITE, .version = 1, .length = (uint16_t)payload, .group = GROUP};
    uint8_t packet[CAP_MAX + FERRY_SMP_HEADER_SIZE];
    struct ferry_bytes rest = {packet, FERRY_SMP_HEADER_SIZE + payload};
    size_t fragment = stack->config.whole ? sizeof(packet) : 20;
    struct link *link = &stack->of[number];

    CHECK(rest.len <= sizeof(packet));
    if (link->wrote_len + rest.len > INPUT_MAX) {
        return;
    }
    ferry_smp_header_write(&header, packet);
    memset(packet + FERRY_SMP_HEADER_SIZE, (int)(payload & 0xff), payload);
    while (rest.len > 0 && write(stack, number, ferry_ble_cut(&rest, fragment)) == FERRY_GATT_OK) {
    }
}

/* As the header says: what somebody asked that has gone since belongs to nobody. */
static void handle(struct stack *stack)
{
    struct ferry_bytes pending = {stack->request, stack->request_len};

    if (stack->request_len == 0 || stack->sending) {
        return;
    }
    stack->request_len = 0;
    stack->answer_len = 0;
    if (stack->asked.id != ferry_gatt_peer(&stack->gatt).id) {
        return;
    }
    stack->answer_len = ferry_server_handle_from(&stack->server, &pending, &stack->asked,
                                                 stack->answer, sizeof(stack->answer));
    stack->answer_to = stack->asked.id;
}

/* Whoever has come or gone in between. */
static void answer(struct stack *stack)
{
    const struct ferry_bytes bytes = {stack->answer, stack->answer_len};
    bool may = stack->served != 0 && stack->of[stack->served].id == stack->answer_to;

    if (stack->answer_len == 0) {
        return;
    }
    if (stack->sending || !may) {
        CHECK(ferry_gatt_answer(&stack->gatt, stack->answer_to, bytes) == FERRY_E_STATE);
        return;
    }
    stack->sending = true;
    stack->sent = 0;
    check_sent(stack, ferry_gatt_answer(&stack->gatt, stack->answer_to, bytes));
}

static void step(struct stack *stack, uint8_t tag, struct ferry_bytes *rest)
{
    uint32_t number = 1 + (tag >> 4) % NUMBERS;
    uint8_t how = rest->len > 0 ? rest->data[0] : 0;
    struct ferry_bytes after = {rest->data + (rest->len > 0 ? 1 : 0),
                                rest->len - (rest->len > 0 ? 1 : 0)};

    switch (tag & 15) {
    case CONNECTED:
        connect(stack, number);
        return;
    case DISCONNECTED:
        ferry_gatt_disconnected(&stack->gatt, number);
        lose(stack, number);
        return;
    case MTU:
        set_mtu(stack, number, how * 4U);
        break;
    case SECURED:
        secure(stack, number, how);
        break;
    case SUBSCRIBED:
        subscribe(stack, number, true);
        return;
    case UNSUBSCRIBED:
        subscribe(stack, number, false);
        return;
    case WRITTEN:
        if (stack->of[number].wrote_len <= INPUT_MAX) {
            (void)write(stack, number, ferry_ble_cut(&after, how + 1U));
        }
        break;
    case ASKED:
        ask(stack, number, how * 2U);
        break;
    case HANDLE:
        handle(stack);
        return;
    case ANSWER:
        answer(stack);
        return;
    case READY:
        check_sent(stack, ferry_gatt_ready(&stack->gatt));
        return;
    case ROOM:
        stack->room = how;
        break;
    case MEMORY:
        stack->memory = how;
        break;
    case BROKEN:
        stack->broken = true;
        return;
    default:
        return;
    }
    *rest = after;
}

/* ---- At the end ----------------------------------------------------------------------------- */

static void check_recovery(struct stack *stack)
{
    for (uint32_t number = 1; number <= NUMBERS; number++) {
        ferry_gatt_disconnected(&stack->gatt, number);
        lose(stack, number);
    }
    CHECK(ferry_gatt_ready(&stack->gatt) == FERRY_OK);
    stack->room = SIZE_MAX;
    stack->memory = SIZE_MAX;
    stack->broken = false;
    stack->request_len = 0;
    stack->answer_len = 0;
    connect(stack, 1);
    secure(stack, 1, FERRY_PEER_AUTHENTICATED);
    subscribe(stack, 1, true);
    check_peer(stack);
    stack->of[1].wrote_len = 0;
    ask(stack, 1, stack->config.packet_cap - FERRY_SMP_HEADER_SIZE);
    CHECK(stack->request_len == stack->config.packet_cap);
    handle(stack);
    CHECK(stack->answer_len > 0);
    answer(stack);
    CHECK(!stack->sending && stack->sent == stack->answer_len);
}

static void begin(struct stack *stack, const uint8_t choice[2])
{
    memset(stack, 0, sizeof(*stack));
    stack->room = 4;
    stack->memory = SIZE_MAX;
    stack->config =
        (struct ferry_gatt_config){.permission = (enum ferry_gatt_permission)(choice[0] % 3),
                                   .transport = TRANSPORT,
                                   .whole = (choice[0] & 0x80) != 0,
                                   .packet_cap = FERRY_SMP_HEADER_SIZE + choice[1] * 2U,
                                   .link_count = 1 + (choice[0] >> 2) % LINKS,
                                   .notify = notify,
                                   .context = stack};
    /* Of their own sizes, so that the sanitizer sees what is beyond them. */
    stack->config.packet = malloc(stack->config.packet_cap);
    stack->config.links = malloc(stack->config.link_count * sizeof(*stack->config.links));
    CHECK(stack->config.packet != NULL && stack->config.links != NULL);
    CHECK(ferry_gatt_init(&stack->gatt, &stack->config) == FERRY_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct stack stack;
    const struct ferry_server_mount mount = {&group, &stack};
    const struct ferry_server_config config = {
        .groups = &mount, .group_count = 1, .buf_size = CAP_MAX, .buf_count = 1};

    if (size < 2 || size > INPUT_MAX) {
        return 0;
    }
    begin(&stack, data);
    CHECK(ferry_server_init(&stack.server, &config) == FERRY_OK);
    for (struct ferry_bytes rest = {data + 2, size - 2}; rest.len > 0;) {
        uint8_t tag = rest.data[0];

        rest.data++;
        rest.len--;
        step(&stack, tag, &rest);
        check_peer(&stack);
    }
    check_recovery(&stack);
    free(stack.config.packet);
    free(stack.config.links);
    return 0;
}
