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

const char *usb_root(void)
{
    const char *root = getenv("FERRY_ROOT");

    return root != NULL ? root : "";
}

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
    return fits_part(pattern->parts[VENDOR], port->id.vendor) &&
           fits_part(pattern->parts[PRODUCT], port->id.product) &&
           fits_part(pattern->parts[SERIAL], port->id.serial) &&
           fits_part(pattern->parts[INTERFACE], port->id.interface);
}

static int by_device(const void *a, const void *b)
{
    const struct usb_port *first = a;
    const struct usb_port *second = b;
    int order = strcmp(first->id.serial, second->id.serial);

    order = order != 0 ? order : strcmp(first->id.place, second->id.place);
    order = order != 0 ? order : strcmp(first->id.interface, second->id.interface);
    return order != 0 ? order : strverscmp(first->tty, second->tty);
}

/* Returns how many were found. */
static size_t collect(const char *root, DIR *folder, const struct pattern *pattern,
                      struct usb_port *ports)
{
    size_t count = 0;

    for (struct dirent *entry; count < PORTS_MAX && (entry = readdir(folder)) != NULL;) {
        int len = snprintf(ports[count].tty, sizeof ports[count].tty, "%s", entry->d_name);
        if (entry->d_name[0] != '.' && len < (int)sizeof ports[count].tty &&
            ferry_serial_identify(root, entry->d_name, &ports[count].id) &&
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
            !ferry_serial_is_same(&ports[i].id, &ports[i - 1].id)) {
            take(context, &ports[i]);
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    free(ports);
    return folder == NULL || ports != NULL ? FERRY_OK : FERRY_E_IO;
}
