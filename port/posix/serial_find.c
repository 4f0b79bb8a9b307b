/* SPDX-License-Identifier: Apache-2.0 */
#include "serial_find.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Folders from a port up to its device, at most. */
#define DEPTH_MAX 6

/* The first line of folder/name, or "". Returns whether there is such a file. */
static bool read_line(const char *folder, const char *name, char *out, size_t cap)
{
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    out[0] = '\0';
    if (file == NULL) {
        return false;
    }
    if (fgets(out, (int)cap, file) != NULL) {
        out[strcspn(out, "\n")] = '\0';
    }
    fclose(file);
    return true;
}

/* From the folder of a port up to that of the USB device, which has a vendor. */
static bool climb(char *folder, struct ferry_serial_id *id)
{
    for (int depth = 0; depth < DEPTH_MAX; depth++) {
        if (id->interface[0] == '\0') {
            (void)read_line(folder, "bInterfaceNumber", id->interface, sizeof id->interface);
        }
        if (read_line(folder, "idVendor", id->vendor, sizeof id->vendor)) {
            (void)read_line(folder, "idProduct", id->product, sizeof id->product);
            (void)read_line(folder, "serial", id->serial, sizeof id->serial);
            return id->vendor[0] != '\0';
        }
        char *up = strrchr(folder, '/');
        if (up == NULL || up == folder) {
            return false;
        }
        *up = '\0';
    }
    return false;
}

/* Identify a port by the name of its device file: "ttyACM0". */
static bool identify(const char *root, const char *tty, struct ferry_serial_id *id)
{
    char link[PATH_MAX];
    char folder[PATH_MAX];
    *id = (struct ferry_serial_id){0};
    int len = snprintf(link, sizeof link, "%s/sys/class/tty/%s/device", root, tty);
    if (len >= (int)sizeof link || realpath(link, folder) == NULL || !climb(folder, id) ||
        strlen(folder) >= sizeof id->place) {
        *id = (struct ferry_serial_id){0};
        return false;
    }
    memcpy(id->place, folder, strlen(folder) + 1);
    return true;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

bool ferry_serial_identify(const char *root, const char *path, struct ferry_serial_id *id)
{
    char real[PATH_MAX];
    return identify(root, last_part(path), id) ||
           (realpath(path, real) != NULL && identify(root, last_part(real), id));
}

static bool has_its_serial(const struct ferry_serial_id *a, const struct ferry_serial_id *b)
{
    return a->serial[0] != '\0' && strcmp(a->serial, b->serial) == 0 &&
           strcmp(a->vendor, b->vendor) == 0;
}

bool ferry_serial_is_same(const struct ferry_serial_id *a, const struct ferry_serial_id *b)
{
    return a->vendor[0] != '\0' && b->vendor[0] != '\0' &&
           (has_its_serial(a, b) || strcmp(a->place, b->place) == 0);
}

/* How well a port fits: by serial number, by interface. */
static int rank(const struct ferry_serial_id *id, const struct ferry_serial_id *found)
{
    return 2 * has_its_serial(id, found) + (strcmp(found->interface, id->interface) == 0);
}

/* Whether a port stands before the best one so far. */
static bool is_better(const struct ferry_serial_id *id, const struct ferry_serial_id *found,
                      const struct ferry_serial_id *best)
{
    if (best->vendor[0] == '\0' || rank(id, found) != rank(id, best)) {
        return best->vendor[0] == '\0' || rank(id, found) > rank(id, best);
    }
    return strcmp(found->interface, best->interface) < 0;
}

bool ferry_serial_find(const char *root, const struct ferry_serial_id *id, char *path, size_t cap)
{
    char folder[PATH_MAX];
    struct ferry_serial_id best = {0};
    snprintf(folder, sizeof folder, "%s/sys/class/tty", root);
    DIR *ports = opendir(folder);
    if (ports == NULL) {
        return false;
    }
    for (struct dirent *entry; (entry = readdir(ports)) != NULL;) {
        struct ferry_serial_id found;
        if (entry->d_name[0] != '.' && identify(root, entry->d_name, &found) &&
            ferry_serial_is_same(id, &found) && is_better(id, &found, &best)) {
            best = found;
            snprintf(path, cap, "%s/dev/%s", root, entry->d_name);
        }
    }
    closedir(ports);
    return best.vendor[0] != '\0';
}
