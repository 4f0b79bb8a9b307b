/* SPDX-License-Identifier: Apache-2.0 */
#include "port_list.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Folders that are climbed from a port's device to that of USB. */
#define CLIMB_MAX 6

/* ---- sysfs
 * --------------------------------------------------------------------------------------- */

/* The first line of a file; "" when there is none. Returns whether there is one. */
static bool read_line(const char *folder, const char *name, char *out, size_t cap)
{
    char path[PATH_MAX];
    out[0] = '\0';
    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path) {
        return false;
    }
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return false;
    }
    if (fgets(out, (int)cap, file) != NULL) {
        out[strcspn(out, "\n")] = '\0';
    }
    fclose(file);
    return out[0] != '\0';
}

/* From a folder up to the one that has a USB device's numbers. */
static bool climb(char *folder)
{
    char number[16];
    for (int i = 0; i < CLIMB_MAX; i++) {
        if (read_line(folder, "idVendor", number, sizeof number)) {
            return true;
        }
        char *slash = strrchr(folder, '/');
        if (slash == NULL || slash == folder) {
            return false;
        }
        *slash = '\0';
    }
    return false;
}

static void look_at_usb(const char *folder, struct port_info *port)
{
    char vendor[8];
    char product[8];

    if (read_line(folder, "idVendor", vendor, sizeof vendor) &&
        read_line(folder, "idProduct", product, sizeof product)) {
        snprintf(port->usb_id, sizeof port->usb_id, "%.6s:%.6s", vendor, product);
    }
    read_line(folder, "manufacturer", port->vendor, sizeof port->vendor);
    read_line(folder, "product", port->product, sizeof port->product);
    read_line(folder, "serial", port->serial, sizeof port->serial);
}

static void look_at_driver(const char *device, struct port_info *port)
{
    char link[PATH_MAX];
    char target[PATH_MAX];

    if ((size_t)snprintf(link, sizeof link, "%s/driver", device) >= sizeof link) {
        return;
    }
    ssize_t len = readlink(link, target, sizeof target - 1);
    if (len > 0) {
        target[len] = '\0';
        const char *slash = strrchr(target, '/');
        snprintf(port->driver, sizeof port->driver, "%.31s", slash != NULL ? slash + 1 : target);
    }
}

/* ---- /dev/serial/by-id
 * ---------------------------------------------------------------------------- */

static void look_for_link(const char *root, struct port_info *port)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s/dev/serial/by-id", root);
    DIR *links = opendir(folder);
    if (links == NULL) {
        return;
    }
    for (struct dirent *entry; (entry = readdir(links)) != NULL;) {
        char path[PATH_MAX + 256];
        char target[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        ssize_t len = readlink(path, target, sizeof target - 1);
        if (len <= 0) {
            continue;
        }
        target[len] = '\0';
        const char *slash = strrchr(target, '/');
        if (strcmp(slash != NULL ? slash + 1 : target, port->name) == 0) {
            snprintf(port->by_id, sizeof port->by_id, "%.159s", entry->d_name);
        }
    }
    closedir(links);
}

/* ---- Ports
 * --------------------------------------------------------------------------------------- */

void port_look(const char *root, const char *name, struct port_info *port)
{
    char link[PATH_MAX];
    char device[PATH_MAX];

    *port = (struct port_info){.name = ""};
    snprintf(port->name, sizeof port->name, "%.31s", name);
    snprintf(link, sizeof link, "%s/sys/class/tty/%.31s/device", root, name);
    if (realpath(link, device) != NULL) {
        look_at_driver(device, port);
        if (climb(device)) {
            look_at_usb(device, port);
        }
    }
    look_for_link(root, port);
}

/* UARTs of a PC are listed whether they exist or not: only those with a type do. */
static bool is_there(const char *root, const char *name)
{
    char folder[PATH_MAX];
    char type[16];

    if (strncmp(name, "ttyACM", 6) == 0 || strncmp(name, "ttyUSB", 6) == 0 ||
        strncmp(name, "ttyAMA", 6) == 0) {
        return true;
    }
    snprintf(folder, sizeof folder, "%s/sys/class/tty/%.31s", root, name);
    return strncmp(name, "ttyS", 4) == 0 && read_line(folder, "type", type, sizeof type) &&
           strcmp(type, "0") != 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct port_info *)a)->name, ((const struct port_info *)b)->name);
}

size_t port_list(const char *root, struct port_info *ports, size_t cap)
{
    char folder[PATH_MAX];
    size_t count = 0;
    snprintf(folder, sizeof folder, "%s/sys/class/tty", root);
    DIR *names = opendir(folder);
    if (names == NULL) {
        return 0;
    }
    for (struct dirent *entry; (entry = readdir(names)) != NULL;) {
        if (!is_there(root, entry->d_name)) {
            continue;
        }
        if (count < cap) {
            port_look(root, entry->d_name, &ports[count]);
        }
        count++;
    }
    closedir(names);
    qsort(ports, count < cap ? count : cap, sizeof ports[0], by_name);
    return count;
}

void port_describe(const struct port_info *port, char *out, size_t cap)
{
    out[0] = '\0';
    if (port->usb_id[0] == '\0') {
        return;
    }
    snprintf(out, cap, "%s%s%s (%s)%s%s", port->vendor, port->vendor[0] != '\0' ? " " : "",
             port->product[0] != '\0' ? port->product : "USB device", port->usb_id,
             port->serial[0] != '\0' ? ", serial number " : "", port->serial);
}
