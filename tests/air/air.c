/* SPDX-License-Identifier: Apache-2.0 */
/* air: a stand-in for org.bluez on the bus that DBUS_SYSTEM_BUS_ADDRESS names. It is both ends of
 * every connection: a program that registers a GATT application and an advertisement is a device,
 * all others are programs of the central.
 *
 *   air [NAME=VALUE ...]
 *
 * NAMEs are those of `options` below. A line on standard input is a command:
 *
 *   drop               every connection is lost
 *   power on|off       of the adapters
 *   hide ADDRESS N     the device's next N advertisements that are looked for are not heard
 *   set NAME VALUE     an option: what begins from now on has it
 *
 * and is answered by "ok" or "what?". It ends with the bus, or at SIGTERM. */
#include "air.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct air air = {
    .powered = true,
    .options = {.interval_us = 30000,
                .slot_us = 2500,
                .packets = 6,
                .payload = 251,
                .queue = 12,
                .mtu = 247,
                .adv_ms = 50,
                .connect_ms = 50,
                .give_up_ms = 5000,
                .forget_ms = 30000,
                .passkey = AIR_NO_PASSKEY,
                .seed = 1},
};

static const struct {
    const char *name;
    uint32_t *value;
    uint32_t least, most;
} options[] = {
    {"interval-us", &air.options.interval_us, 1000, 4000000}, /* connection interval */
    {"slot-us", &air.options.slot_us, 100, 1000000},          /* a packet each way */
    {"packets", &air.options.packets, 1, 1000},               /* each way and interval */
    {"payload", &air.options.payload, 27, 251},               /* bytes of a packet */
    {"queue", &air.options.queue, 1, 1000},                   /* values that wait, each way */
    {"mtu", &air.options.mtu, AIR_MTU_LEAST, AIR_VALUE_MAX + 5},
    {"loss-bytes", &air.options.loss_bytes, 0,
     UINT32_MAX}, /* mean until the link is lost; 0: never */
    {"adv-ms", &air.options.adv_ms, 1, 10000},
    {"connect-ms", &air.options.connect_ms, 0, 100000},
    {"give-up-ms", &air.options.give_up_ms, 0, 100000},
    {"forget-ms", &air.options.forget_ms, 0, 1000000},
    {"passkey", &air.options.passkey, 0, UINT32_MAX},
    {"refuse-pairing", &air.options.refuse_pairing, 0, 1},
    {"deaf-agent", &air.options.deaf_agent, 0, 1},
    {"refuse-notify", &air.options.refuse_notify, 0, 1},
    {"no-service", &air.options.no_service, 0, 1},
    {"no-acquire", &air.options.no_acquire, 0, 1},
    {"empty", &air.options.empty, 0, 1},
    {"seed", &air.options.seed, 0, UINT32_MAX},
};

/* ---- What all need ------------------------------------------------------------------------------
 */

uint64_t air_now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void air_say(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)putchar('\n');
    (void)fflush(stdout);
}

void air_at(sd_event_source **timer, uint64_t at_us, sd_event_time_handler_t done, void *userdata)
{
    if (*timer == NULL) {
        sd_event_add_time(air.event, timer, CLOCK_MONOTONIC, at_us, 1, done, userdata);
    } else {
        sd_event_source_set_time(*timer, at_us);
        sd_event_source_set_enabled(*timer, SD_EVENT_ONESHOT);
    }
}

void air_after(sd_event_source **timer, uint64_t us, sd_event_time_handler_t done, void *userdata)
{
    air_at(timer, air_now_us() + us, done, userdata);
}

int air_error(sd_bus_message *call, const char *name, const char *text)
{
    char whole[64];

    (void)snprintf(whole, sizeof whole, "org.bluez.Error.%s", name);
    int r = sd_bus_reply_method_errorf(call, whole, "%s", text);
    return r < 0 ? r : 1;
}

bool air_option_set(const char *name, const char *value)
{
    char *end;
    unsigned long number = strtoul(value, &end, 10);

    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (strcmp(options[i].name, name) == 0 && *value != '\0' && *end == '\0' &&
            number >= options[i].least && number <= options[i].most) {
            *options[i].value = (uint32_t)number;
            return true;
        }
    }
    return false;
}

/* ---- Commands
 * -------------------------------------------------------------------------------------- */

static bool hide(const char *address, const char *count)
{
    for (struct air_device *device = air.devices; device != NULL; device = device->next) {
        if (!device->gone && strcmp(device->address, address) == 0) {
            device->hidden = (unsigned)strtoul(count, NULL, 10);
            return true;
        }
    }
    return false;
}

static bool run_command(char *line)
{
    char *word = strtok(line, " \n");

    if (word == NULL) {
        return false;
    }
    if (strcmp(word, "drop") == 0) {
        for (struct air_device *device = air.devices; device != NULL; device = device->next) {
            air_link_end(device, "dropped");
        }
        return true;
    }
    const char *first = strtok(NULL, " \n"), *second = strtok(NULL, " \n");
    if (strcmp(word, "power") == 0 && first != NULL) {
        air_adapter_power(strcmp(first, "on") == 0);
        return true;
    }
    if (strcmp(word, "hide") == 0 && first != NULL && second != NULL) {
        return hide(first, second);
    }
    return strcmp(word, "set") == 0 && first != NULL && second != NULL &&
           air_option_set(first, second);
}

static int command(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    static char line[256];
    static size_t len;

    (void)events, (void)userdata;
    ssize_t n = read(fd, line + len, sizeof line - 1 - len);
    if (n <= 0) {
        sd_event_source_set_enabled(source, SD_EVENT_OFF);
        return 0;
    }
    len += (size_t)n;
    for (char *end = memchr(line, '\n', len); end != NULL; end = memchr(line, '\n', len)) {
        *end = '\0';
        size_t used = (size_t)(end + 1 - line);
        air_say(run_command(line) ? "ok" : "what?");
        memmove(line, line + used, len - used);
        len -= used;
    }
    return 0;
}

/* ---- The bus
 * ------------------------------------------------------------------------------------------ */

static int owner_changed(sd_bus_message *signal, void *userdata, sd_bus_error *error)
{
    const char *name, *before, *after;

    (void)userdata, (void)error;
    if (sd_bus_message_read(signal, "sss", &name, &before, &after) < 0 || after[0] != '\0') {
        return 0;
    }
    struct air_device *device = air_device_of(name);
    if (device != NULL) {
        air_device_left(device);
    }
    air_agent_left(name);
    air_adapter_left(name);
    for (device = air.devices; device != NULL; device = device->next) {
        for (int i = 0; i < device->characteristic_count; i++) {
            air_gatt_left(&device->characteristics[i], name);
        }
    }
    return 0;
}

static int bus_gone(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    (void)message, (void)userdata, (void)error;
    return sd_event_exit(air.event, 0);
}

static int open_bus(void)
{
    int r = sd_bus_open_system(&air.bus);

    r = r < 0 ? r : sd_bus_attach_event(air.bus, air.event, SD_EVENT_PRIORITY_NORMAL);
    r = r < 0
            ? r
            : sd_bus_match_signal(air.bus, NULL, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                  "org.freedesktop.DBus", "NameOwnerChanged", owner_changed, NULL);
    r = r < 0 ? r
              : sd_bus_match_signal(air.bus, NULL, "org.freedesktop.DBus.Local",
                                    "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local",
                                    "Disconnected", bus_gone, NULL);
    r = r < 0 ? r : air_objects_begin();
    r = r < 0 ? r : air_app_begin();
    r = r < 0 ? r : air_adapter_begin();
    return r < 0 ? r : sd_bus_request_name(air.bus, "org.bluez", 0);
}

static int begin(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    int r = sd_event_default(&air.event);
    r = r < 0 ? r : sd_event_add_signal(air.event, NULL, SIGTERM, NULL, NULL);
    r = r < 0 ? r : sd_event_add_signal(air.event, NULL, SIGINT, NULL, NULL);
    r = r < 0 ? r : open_bus();
    /* What epoll does not take, a file say, has no commands. */
    (void)sd_event_add_io(air.event, NULL, STDIN_FILENO, EPOLLIN, command, NULL);
    return r;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (value != NULL) {
            *value++ = '\0';
        }
        if (value == NULL || !air_option_set(argv[i], value)) {
            fprintf(stderr, "air: %s: no such option, or a value that it cannot have\n", argv[i]);
            return 2;
        }
    }
    air.seed = air.options.seed;
    int r = begin();
    if (r < 0) {
        fprintf(stderr, "air: %s\n", strerror(-r));
        return 1;
    }
    air_say("ready");
    r = sd_event_loop(air.event);
    return r < 0 ? 1 : 0;
}
