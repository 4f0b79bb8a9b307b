/* SPDX-License-Identifier: Apache-2.0 */
#include "usb.h"

#include <ctype.h>
#include <dirent.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORTS_MAX 1024

/* The first line of folder/name. Returns whether there is one. */
static bool read_line(const char *folder, const char *name, char *out, size_t cap)
{
    char path[PATH_MAX + 32];
    bool good = false;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        good = fgets(out, (int)cap, file) != NULL;
        out[good ? strcspn(out, "\n") : 0] = '\0';
        (void)fclose(file);
    }
    return good;
}

/* From the port's interface up to the device that has a vendor. */
static bool find_device(char *folder, struct usb_port *port)
{
    for (int depth = 0; depth < 6; depth++) {
        if (port->interface[0] == '\0') {
            (void)read_line(folder, "bInterfaceNumber", port->interface, sizeof port->interface);
        }
        if (read_line(folder, "idVendor", port->vendor, sizeof port->vendor)) {
            (void)read_line(folder, "idProduct", port->product, sizeof port->product);
            (void)read_line(folder, "serial", port->serial, sizeof port->serial);
            return true;
        }
        char *up = strrchr(folder, '/');
        if (up == NULL || up == folder) {
            return false;
        }
        *up = '\0';
    }
    return false;
}

const char *usb_root(void)
{
    const char *root = getenv("FERRY_ROOT");

    return root != NULL ? root : "";
}

static bool read_port(const char *root, const char *tty, struct usb_port *port)
{
    char link[PATH_MAX];
    char folder[PATH_MAX];

    *port = (struct usb_port){0};
    if (strlen(tty) >= sizeof port->tty) {
        return false;
    }
    snprintf(port->tty, sizeof port->tty, "%s", tty);
    snprintf(link, sizeof link, "%s/sys/class/tty/%s/device", root, tty);
    return realpath(link, folder) != NULL && find_device(folder, port);
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

bool usb_port_of(const char *root, const char *path, struct usb_port *port)
{
    char real[PATH_MAX];
    bool found = read_port(root, last_part(path), port) ||
                 (realpath(path, real) != NULL && read_port(root, last_part(real), port));

    if (!found) {
        *port = (struct usb_port){0};
    }
    return found;
}

/* ---- By a pattern ---------------------------------------------------------------------------- */

enum { VENDOR, PRODUCT, SERIAL, INTERFACE, PARTS };

struct pattern {
    char text[160];
    const char *parts[PARTS]; /* NULL = any */
};

static bool read_pattern(const char *text, struct pattern *pattern)
{
    char *rest = pattern->text;
    int count = 0;

    *pattern = (struct pattern){.parts = {NULL}};
    if (strlen(text) >= sizeof pattern->text) {
        return false;
    }
    snprintf(pattern->text, sizeof pattern->text, "%s", text);
    for (char *part; (part = strsep(&rest, ":")) != NULL; count++) {
        if (count == PARTS) {
            return false;
        }
        pattern->parts[count] = *part != '\0' ? part : NULL;
    }
    return count >= 2 && pattern->parts[VENDOR] != NULL && pattern->parts[PRODUCT] != NULL;
}

static bool fits_part(const char *part, const char *text)
{
    return part == NULL || fnmatch(part, text, FNM_CASEFOLD) == 0;
}

static bool fits(const struct pattern *pattern, const struct usb_port *port)
{
    return fits_part(pattern->parts[VENDOR], port->vendor) &&
           fits_part(pattern->parts[PRODUCT], port->product) &&
           fits_part(pattern->parts[SERIAL], port->serial) &&
           fits_part(pattern->parts[INTERFACE], port->interface);
}

static bool is_same_device(const struct usb_port *a, const struct usb_port *b)
{
    return a->serial[0] != '\0' && strcmp(a->serial, b->serial) == 0 &&
           strcmp(a->vendor, b->vendor) == 0 && strcmp(a->product, b->product) == 0;
}

static int by_device(const void *a, const void *b)
{
    const struct usb_port *first = a;
    const struct usb_port *second = b;
    int order = strcmp(first->serial, second->serial);

    order = order != 0 ? order : strcmp(first->interface, second->interface);
    return order != 0 ? order : strverscmp(first->tty, second->tty);
}

/* Returns how many were found. */
static size_t collect(const char *root, DIR *folder, const struct pattern *pattern,
                      struct usb_port *ports)
{
    size_t count = 0;

    for (struct dirent *entry; count < PORTS_MAX && (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] != '.' && read_port(root, entry->d_name, &ports[count]) &&
            fits(pattern, &ports[count])) {
            count++;
        }
    }
    qsort(ports, count, sizeof ports[0], by_device);
    return count;
}

int usb_find(const char *root, const char *text,
             void (*take)(void *context, const struct usb_port *port), void *context)
{
    struct pattern pattern;
    char path[PATH_MAX];

    if (!read_pattern(text, &pattern)) {
        return FERRY_E_FORMAT;
    }
    snprintf(path, sizeof path, "%s/sys/class/tty", root);
    DIR *folder = opendir(path);
    struct usb_port *ports = folder != NULL ? calloc(PORTS_MAX, sizeof *ports) : NULL;
    size_t count = ports != NULL ? collect(root, folder, &pattern, ports) : 0;

    for (size_t i = 0; i < count; i++) {
        if (pattern.parts[INTERFACE] != NULL || i == 0 ||
            !is_same_device(&ports[i], &ports[i - 1])) {
            take(context, &ports[i]);
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    free(ports);
    return folder == NULL || ports != NULL ? FERRY_OK : FERRY_E_IO;
}

/* ---- By what it was -------------------------------------------------------------------------- */

struct search {
    const struct usb_port *port;
    char *tty;
};

static bool is_same_port(const struct usb_port *a, const struct usb_port *b)
{
    return is_same_device(a, b) && strcmp(a->interface, b->interface) == 0;
}

static void compare_port(void *context, const struct usb_port *port)
{
    const struct search *search = context;

    if (is_same_port(search->port, port)) {
        snprintf(search->tty, sizeof port->tty, "%s", port->tty);
    }
}

bool usb_find_again(const char *root, const struct usb_port *port, char tty[64])
{
    struct search search = {.port = port, .tty = tty};
    struct usb_port now;

    tty[0] = '\0';
    if (read_port(root, port->tty, &now) && is_same_port(&now, port)) {
        snprintf(tty, sizeof port->tty, "%s", port->tty);
        return true;
    }
    return usb_find(root, "*:*::*", compare_port, &search) == FERRY_OK && tty[0] != '\0';
}
