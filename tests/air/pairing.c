/* SPDX-License-Identifier: Apache-2.0 */
/* AgentManager1, and pairing between two agents, or an agent and a device that has none. */
#include "air.h"
#include "link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGENT "org.bluez.Agent1"

enum capability { DISPLAY_ONLY, DISPLAY_YES_NO, KEYBOARD_ONLY, NOTHING, KEYBOARD_DISPLAY };

struct agent {
    struct agent *next;
    char sender[AIR_PATH];
    char path[AIR_THEIR_PATH];
    enum capability capability;
    bool is_default;
};

struct pairing {
    struct air_device *device;
    struct agent *agent, *their_agent; /* the central's and the device's; NULL: none */
    sd_bus_slot *asked, *their_asked;  /* calls that are not answered yet */
    uint32_t passkey, entered;
    void (*done)(struct air_device *device, const char *error, void *context);
    void *context;
    sd_event_source *timer;
    const char *result;
    enum air_security security;
};

static struct agent *agents;

/* ---- AgentManager1 ------------------------------------------------------------------------------
 */

static struct agent *agent_of(const char *sender)
{
    for (struct agent *agent = agents; agent != NULL; agent = agent->next) {
        if (strcmp(agent->sender, sender) == 0) {
            return agent;
        }
    }
    return NULL;
}

static struct agent *default_agent(void)
{
    for (struct agent *agent = agents; agent != NULL; agent = agent->next) {
        if (agent->is_default && air_device_of(agent->sender) == NULL) {
            return agent;
        }
    }
    return NULL;
}

static int capability_of(const char *text)
{
    static const char *const names[] = {"DisplayOnly", "DisplayYesNo", "KeyboardOnly",
                                        "NoInputNoOutput", "KeyboardDisplay"};

    for (int i = 0; i < 5; i++) {
        if (strcmp(names[i], text) == 0) {
            return i;
        }
    }
    return text[0] == '\0' ? KEYBOARD_DISPLAY : -1;
}

static int register_agent(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    const char *path = "", *text = "", *sender = sd_bus_message_get_sender(call);

    (void)userdata, (void)error;
    sd_bus_message_read(call, "os", &path, &text);
    int capability = capability_of(text);
    if (capability < 0) {
        return air_error(call, "InvalidArguments", "Invalid arguments in method call");
    }
    if (agent_of(sender) != NULL) {
        return air_error(call, "AlreadyExists", "Already Exists");
    }
    struct agent *agent = calloc(1, sizeof *agent);
    (void)snprintf(agent->sender, sizeof agent->sender, "%s", sender);
    (void)snprintf(agent->path, sizeof agent->path, "%s", path);
    agent->capability = (enum capability)capability;
    agent->next = agents;
    agents = agent;
    return sd_bus_reply_method_return(call, "");
}

static int unregister_agent(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    (void)userdata, (void)error;
    if (agent_of(sd_bus_message_get_sender(call)) == NULL) {
        return air_error(call, "DoesNotExist", "Does Not Exist");
    }
    air_agent_left(sd_bus_message_get_sender(call));
    return sd_bus_reply_method_return(call, "");
}

static int request_default_agent(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    struct agent *agent = agent_of(sd_bus_message_get_sender(call));

    (void)userdata, (void)error;
    if (agent == NULL) {
        return air_error(call, "DoesNotExist", "Does Not Exist");
    }
    agent->is_default = true;
    return sd_bus_reply_method_return(call, "");
}

static const sd_bus_vtable agent_table[] = {
    SD_BUS_VTABLE_START(SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("RegisterAgent", "os", "", register_agent, 0),
    SD_BUS_METHOD("UnregisterAgent", "o", "", unregister_agent, 0),
    SD_BUS_METHOD("RequestDefaultAgent", "o", "", request_default_agent, 0),
    SD_BUS_VTABLE_END,
};

const struct air_interface air_agent_interface = {"org.bluez.AgentManager1", agent_table, NULL};

void air_agent_left(const char *sender)
{
    struct agent *agent = agent_of(sender);

    if (agent == NULL) {
        return;
    }
    for (struct air_device *device = air.devices; device != NULL; device = device->next) {
        struct pairing *pairing = device->pairing;
        if (pairing != NULL && (pairing->agent == agent || pairing->their_agent == agent)) {
            air_pair_cancel(device, "AuthenticationCanceled");
        }
    }
    struct agent **at = &agents;
    while (*at != agent) {
        at = &(*at)->next;
    }
    *at = agent->next;
    free(agent);
}

/* ---- How it ends
 * ----------------------------------------------------------------------------------- */

static void end(struct pairing *pairing, const char *error)
{
    struct air_device *device = pairing->device;

    device->pairing = NULL;
    sd_bus_slot_unref(pairing->asked);
    sd_bus_slot_unref(pairing->their_asked);
    sd_event_source_disable_unref(pairing->timer);
    if (error == NULL) {
        device->link->security = pairing->security;
        air_device_paired(device, pairing->security);
    }
    air_say("pairing: %s: %s", device->address, error == NULL ? "done" : error);
    pairing->done(device, error, pairing->context);
    if (error != NULL) {
        air_link_end(device, "pairing failed");
    }
    free(pairing);
}

/* Not within the call that began it. */
static int end_later(sd_event_source *timer, uint64_t now, void *userdata)
{
    struct pairing *pairing = userdata;

    (void)timer, (void)now;
    end(pairing, pairing->result);
    return 0;
}

static void tell_cancel(const struct agent *agent, const sd_bus_slot *asked)
{
    if (agent != NULL && asked != NULL) {
        sd_bus_call_method_async(air.bus, NULL, agent->sender, agent->path, AGENT, "Cancel", NULL,
                                 NULL, "");
    }
}

bool air_pair_cancel(struct air_device *device, const char *error)
{
    struct pairing *pairing = device->pairing;

    if (pairing == NULL) {
        return false;
    }
    tell_cancel(pairing->agent, pairing->asked);
    tell_cancel(pairing->their_agent, pairing->their_asked);
    end(pairing, error);
    return true;
}

/* ---- What the agents say
 * ------------------------------------------------------------------------------ */

static const char *why(sd_bus_message *reply)
{
    const sd_bus_error *error = sd_bus_message_get_error(reply);

    if (error == NULL) {
        return NULL;
    }
    if (strcmp(error->name, "org.bluez.Error.Canceled") == 0) {
        return "AuthenticationCanceled";
    }
    return strcmp(error->name, "org.bluez.Error.Rejected") == 0 ? "AuthenticationRejected"
                                                                : "AuthenticationFailed";
}

static int answered(sd_bus_message *reply, struct pairing *pairing, sd_bus_slot **slot)
{
    const char *refused = why(reply);

    *slot = sd_bus_slot_unref(*slot);
    if (refused != NULL) {
        air_pair_cancel(pairing->device, refused);
        return 1;
    }
    sd_bus_message_read(reply, "u", &pairing->entered); /* RequestPasskey; else there is nothing */
    if (pairing->asked == NULL && pairing->their_asked == NULL) {
        end(pairing, pairing->entered == pairing->passkey ? NULL : "AuthenticationFailed");
    }
    return 1;
}

static int ours_answered(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    struct pairing *pairing = userdata;

    (void)error;
    return answered(reply, pairing, &pairing->asked);
}

static int theirs_answered(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    struct pairing *pairing = userdata;

    (void)error;
    return answered(reply, pairing, &pairing->their_asked);
}

static void ask(struct pairing *pairing, bool ours, const char *method)
{
    const struct agent *agent = ours ? pairing->agent : pairing->their_agent;
    const struct air_device *device = pairing->device;
    const char *path = ours ? device->object.path : device->central.path;
    sd_bus_message *call = NULL;

    sd_bus_message_new_method_call(air.bus, &call, agent->sender, agent->path, AGENT, method);
    sd_bus_message_append(call, "o", path);
    if (strcmp(method, "RequestConfirmation") == 0) {
        sd_bus_message_append(call, "u", pairing->passkey);
    }
    sd_bus_call_async(air.bus, ours ? &pairing->asked : &pairing->their_asked, call,
                      ours ? ours_answered : theirs_answered, pairing, 0);
    sd_bus_message_unref(call);
}

/* To be shown: nothing waits for it. */
static void show(const struct pairing *pairing, bool ours)
{
    const struct agent *agent = ours ? pairing->agent : pairing->their_agent;
    const struct air_device *device = pairing->device;

    if (agent != NULL) {
        sd_bus_call_method_async(
            air.bus, NULL, agent->sender, agent->path, AGENT, "DisplayPasskey", NULL, NULL, "ouq",
            ours ? device->object.path : device->central.path, pairing->passkey, 0);
    }
}

/* ---- How it begins
 * ---------------------------------------------------------------------------------------- */

static bool displays(enum capability capability)
{
    return capability != KEYBOARD_ONLY && capability != NOTHING;
}

static bool types(enum capability capability)
{
    return capability == KEYBOARD_ONLY || capability == KEYBOARD_DISPLAY;
}

static bool compares(enum capability capability)
{
    return capability == DISPLAY_YES_NO || capability == KEYBOARD_DISPLAY;
}

static void finish_soon(struct pairing *pairing, const char *result)
{
    pairing->result = result;
    air_after(&pairing->timer, 2ULL * air.options.interval_us, end_later, pairing);
}

/* The method follows from what each can do. [Core Specification, Vol 3, Part H, §2.3.5.1] */
static void begin(struct pairing *pairing, enum capability ours, enum capability theirs)
{
    pairing->security = AIR_AUTHENTICATED;
    pairing->entered = pairing->passkey;
    if (pairing->their_agent != NULL && compares(ours) && compares(theirs)) {
        ask(pairing, true, "RequestConfirmation");
        ask(pairing, false, "RequestConfirmation");
    } else if (types(ours) && displays(theirs)) {
        show(pairing, false);
        ask(pairing, true, "RequestPasskey");
    } else if (displays(ours) && types(theirs) && pairing->their_agent != NULL) {
        show(pairing, true);
        ask(pairing, false, "RequestPasskey");
    } else {
        pairing->security = AIR_ENCRYPTED;
        finish_soon(pairing, NULL);
    }
}

void air_pair(struct air_device *device, const char *sender,
              void (*done)(struct air_device *device, const char *error, void *context),
              void *context)
{
    struct pairing *pairing = calloc(1, sizeof *pairing);

    pairing->device = device;
    pairing->done = done;
    pairing->context = context;
    pairing->agent = agent_of(sender) != NULL ? agent_of(sender) : default_agent();
    pairing->their_agent = agent_of(device->sender);
    pairing->passkey = air.options.passkey != AIR_NO_PASSKEY
                           ? air.options.passkey
                           : (uint32_t)(radio_random(&air.seed) % 1000000);
    device->pairing = pairing;
    if (air.options.refuse_pairing) {
        finish_soon(pairing, "AuthenticationFailed");
        return;
    }
    enum capability alone = air.options.passkey == AIR_NO_PASSKEY ? NOTHING : DISPLAY_ONLY;
    begin(pairing, pairing->agent != NULL ? pairing->agent->capability : NOTHING,
          pairing->their_agent != NULL ? pairing->their_agent->capability : alone);
}
