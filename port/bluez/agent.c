/* SPDX-License-Identifier: Apache-2.0 */
/* Pairing: who is asked for the passkey. The user's answer comes from the program, by
 * ferry_connection_config.pair. [BlueZ doc/org.bluez.Agent.rst] */
#include "bluez.h"

#include <stdio.h>
#include <string.h>

#define AGENT_PATH "/ferry/agent"

/* Types in what the device shows, or shows what is to be typed in there, or compares. */
#define CAPABILITY "KeyboardDisplay"

static int reject(sd_bus_message *m)
{
    return sd_bus_reply_method_errorf(m, "org.bluez.Error.Rejected", "not by this program");
}

/* Only BlueZ asks, and only about the device that is being opened. The message stands behind the
 * device's path. */
static bool is_ours(struct bluez *bluez, sd_bus_message *m)
{
    const char *device;
    const char *sender = sd_bus_message_get_sender(m);

    return sender != NULL && strcmp(sender, bluez->owner) == 0 &&
           sd_bus_message_read(m, "o", &device) >= 0 && strcmp(device, bluez->device) == 0;
}

static bool ask(struct bluez *bluez, enum ferry_pairing question, uint32_t *passkey)
{
    const struct ferry_transport_address *address = bluez->address;
    bluez->asked = true;
    bool answered =
        address->pair != NULL && address->pair(address->pair_context, question, passkey);

    bluez->unanswered = bluez->unanswered || !answered;
    bluez->proven = answered;
    return answered;
}

static int on_passkey(sd_bus_message *m, void *context, sd_bus_error *error)
{
    struct bluez *bluez = context;
    uint32_t passkey = 0;

    (void)error;
    if (!is_ours(bluez, m) || !ask(bluez, FERRY_PAIRING_ENTER, &passkey)) {
        return reject(m);
    }
    return sd_bus_reply_method_return(m, "u", passkey);
}

/* To be typed in at the device. */
static int on_display(sd_bus_message *m, void *context, sd_bus_error *error)
{
    struct bluez *bluez = context;
    uint32_t passkey;
    uint16_t typed;

    (void)error;
    if (!is_ours(bluez, m) || sd_bus_message_read(m, "uq", &passkey, &typed) < 0) {
        return reject(m);
    }
    if (typed == 0) { /* called again for each digit */
        (void)ask(bluez, FERRY_PAIRING_SHOW, &passkey);
    }
    return sd_bus_reply_method_return(m, NULL);
}

static int on_compare(sd_bus_message *m, void *context, sd_bus_error *error)
{
    struct bluez *bluez = context;
    uint32_t passkey;

    (void)error;
    if (!is_ours(bluez, m) || sd_bus_message_read(m, "u", &passkey) < 0 ||
        !ask(bluez, FERRY_PAIRING_COMPARE, &passkey)) {
        return reject(m);
    }
    return sd_bus_reply_method_return(m, NULL);
}

/* Whether a question has to be answered. */
static bool must_prove(const struct bluez *bluez)
{
    return bluez->address->proves || bluez->address->security == FERRY_SECURITY_AUTHENTICATED;
}

/* Without any question: the user wants this device, and has named it. */
static int on_permit(sd_bus_message *m, void *context, sd_bus_error *error)
{
    struct bluez *bluez = context;

    (void)error;
    if (!is_ours(bluez, m) || (must_prove(bluez) && !bluez->proven)) {
        return reject(m);
    }
    return sd_bus_reply_method_return(m, NULL);
}

/* A PIN is of the other Bluetooth. */
static int on_pin(sd_bus_message *m, void *context, sd_bus_error *error)
{
    (void)context;
    (void)error;
    return reject(m);
}

static int on_end(sd_bus_message *m, void *context, sd_bus_error *error)
{
    (void)context;
    (void)error;
    return sd_bus_reply_method_return(m, NULL);
}

#define METHOD(name, in, out, handler)                                                             \
    SD_BUS_METHOD(name, in, out, handler, SD_BUS_VTABLE_UNPRIVILEGED)

static const sd_bus_vtable agent[] = {
    SD_BUS_VTABLE_START(0),
    METHOD("Release", NULL, NULL, on_end),
    METHOD("RequestPinCode", "o", "s", on_pin),
    METHOD("DisplayPinCode", "os", NULL, on_pin),
    METHOD("RequestPasskey", "o", "u", on_passkey),
    METHOD("DisplayPasskey", "ouq", NULL, on_display),
    METHOD("RequestConfirmation", "ou", NULL, on_compare),
    METHOD("RequestAuthorization", "o", NULL, on_permit),
    METHOD("AuthorizeService", "os", NULL, on_permit),
    METHOD("Cancel", NULL, NULL, on_end),
    SD_BUS_VTABLE_END,
};

/* The default one, too: the kernel pairs by itself when an attribute asks for it, and then with
 * what the default agent can do. */
int bluez_add_agent(struct bluez *bluez)
{
    static const char manager[] = "org.bluez.AgentManager1";
    int r =
        sd_bus_add_object_vtable(bluez->bus, NULL, AGENT_PATH, "org.bluez.Agent1", agent, bluez);
    sd_bus_message *call = bluez_begin(bluez, "/org/bluez", manager, "RegisterAgent");

    r = r < 0 || call == NULL ? -1 : sd_bus_message_append(call, "os", AGENT_PATH, CAPABILITY);
    if (r < 0) {
        sd_bus_message_unref(call);
        return bluez_fail(bluez, FERRY_E_IO, "out of memory; close other programs");
    }
    if (bluez_call(bluez, call, BLUEZ_CALL_MS, NULL) != FERRY_OK) {
        return bluez_fail(bluez, FERRY_E_IO,
                          "BlueZ lets nobody be asked for passkeys: %s; systemctl restart "
                          "bluetooth",
                          bluez->refused);
    }
    /* Where another program stays the default one, pairing that we ask for still comes to us. */
    call = bluez_begin(bluez, "/org/bluez", manager, "RequestDefaultAgent");
    if (call == NULL || sd_bus_message_append(call, "o", AGENT_PATH) < 0) {
        sd_bus_message_unref(call);
    } else {
        (void)bluez_call(bluez, call, BLUEZ_CALL_MS, NULL);
    }
    return FERRY_OK;
}

bool bluez_nobody_answered(struct bluez *bluez)
{
    if (bluez->unanswered) {
        (void)bluez_fail(
            bluez, FERRY_E_CONFIG,
            "the device is not paired, and wants a passkey; set FERRY_BLE_PASSKEY to its "
            "six digits, or type them in on a terminal");
    }
    return bluez->unanswered;
}

int bluez_fail_paired(struct bluez *bluez)
{
    return bluez_fail(bluez, FERRY_E_CONFIG,
                      "the device is paired, and wants more (to see a passkey, say), or knows this "
                      "computer no more; pair anew after: bluetoothctl remove %s",
                      bluez_address(bluez));
}

int bluez_fail_pairing(struct bluez *bluez, const char *what)
{
    bool final = bluez->asked || bluez_refused(bluez, "AuthenticationFailed") ||
                 bluez_refused(bluez, "AuthenticationRejected");

    return bluez_fail(bluez, final ? FERRY_E_CONFIG : FERRY_E_IO,
                      "the device is not paired, and pairing failed: %s; see whether the passkey "
                      "is right, and the device permits to be paired now",
                      what);
}

/* BlueZ asks nothing where this end began: what was not asked shows when it is done. */
void bluez_check_proof(struct bluez *bluez)
{
    bluez->unproven = bluez->unproven || (must_prove(bluez) && !bluez->proven);
}

int bluez_fail_unproven(struct bluez *bluez)
{
    return bluez_fail(bluez, FERRY_E_CONFIG,
                      "the device was paired without a passkey, as somebody between might have it; "
                      "leave passkey and security=authenticated out if it has none, else see who "
                      "answers in its name: ferry scan");
}

int bluez_pair(struct bluez *bluez)
{
    bluez->unanswered = false;
    bluez->proven = false;
    if (bluez_ask(bluez, bluez->device, BLUEZ_DEVICE, "Pair", BLUEZ_PAIR_MS) == FERRY_OK) {
        bluez_check_proof(bluez);
        return bluez->unproven ? FERRY_E_IO : FERRY_OK; /* open() says why */
    }
    if (bluez_refused(bluez, "AlreadyExists")) {
        return bluez_fail_paired(bluez);
    }
    if (bluez_nobody_answered(bluez)) {
        return FERRY_E_CONFIG;
    }
    return bluez_fail_pairing(bluez, bluez->refused);
}
