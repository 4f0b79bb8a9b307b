/* SPDX-License-Identifier: Apache-2.0 */
/* Is the serial port there, may it be used, and is it free? */
#include "doctor.h"
#include "holder.h"
#include "permission.h"
#include "port_list.h"
#include "cli/device/usb.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Major numbers of pseudo terminals: no line is behind them. */
#define PTY_MAJOR_FIRST 136
#define PTY_MAJOR_LAST  143

#define PORTS_SHOWN 8

/* ---- Is it there? -------------------------------------------------------------------------------
 */

/* Returns how many there are. */
static size_t name_ports(char *out, size_t cap)
{
    static struct port_info ports[PORTS_SHOWN];
    size_t count = port_list(usb_root(), ports, PORTS_SHOWN);
    size_t len = 0;

    if (count == 0) {
        snprintf(out, cap, "this machine has no USB serial port and no UART now");
    }
    for (size_t i = 0; i < count && i < PORTS_SHOWN && len < cap; i++) {
        char device[256];
        port_describe(&ports[i], device, sizeof device);
        len +=
            (size_t)snprintf(out + len, cap - len, "%s/dev/%s%s%s%s",
                             i > 0 ? ", " : "the serial ports are: ", ports[i].name,
                             device[0] != '\0' ? " (" : "", device, device[0] != '\0' ? ")" : "");
    }
    return count;
}

void doctor_name_ports(char *out, size_t cap)
{
    (void)name_ports(out, cap);
}

static void not_there(const struct doctor *doctor, struct doctor_finding *finding)
{
    const char *path = doctor->address.path;
    char why[400];
    struct stat link;
    size_t count = name_ports(why, sizeof why);
    bool leads_nowhere = lstat(path, &link) == 0 && S_ISLNK(link.st_mode);

    doctor_fail(finding, CLI_OPEN, why,
                count == 0
                    ? "plug the device in, with a cable that carries data (many only charge)"
                    : "give one of these, or plug the device in; /dev/serial/by-id has names "
                      "that stay",
                leads_nowhere ? "%s is a link that leads to nothing: what was there is gone"
                              : "there is no %s",
                path);
}

static bool is_pty(const struct stat *port)
{
    unsigned number = major(port->st_rdev);
    return number >= PTY_MAJOR_FIRST && number <= PTY_MAJOR_LAST;
}

/* Its name below /dev; "" when that cannot be found out. */
static void name_of(const char *path, char out[32])
{
    char real_path[PATH_MAX];
    const char *slash = realpath(path, real_path) != NULL ? strrchr(real_path, '/') : NULL;
    snprintf(out, 32, "%.31s", slash != NULL ? slash + 1 : "");
}

/* Whether the system has it among its terminals; where it does not tell, opening it will. */
static bool is_terminal(const char *name)
{
    char entry[64];
    snprintf(entry, sizeof entry, "/sys/class/tty/%.31s", name);
    return access("/sys/class/tty", F_OK) != 0 || access(entry, F_OK) == 0;
}

/* What sysfs knows of the port. */
static void describe(struct doctor *doctor, const char *name, struct doctor_finding *finding)
{
    char device[256];
    struct port_info info;

    port_look(usb_root(), name, &info);
    port_describe(&info, device, sizeof device);
    doctor->has_rate = strcmp(info.driver, "cdc_acm") != 0;
    doctor_ok(finding, "%s: %s%s", doctor->address.path,
              device[0] != '\0' ? device : "a serial port",
              doctor->has_rate ? "" : "; USB itself, so that its baud rate means nothing");
}

void doctor_port(struct doctor *doctor, struct doctor_finding *finding)
{
    const char *path = doctor->address.path;
    char name[32];
    struct stat port;

    if (stat(path, &port) != 0) {
        if (errno == EACCES) {
            doctor_fail(finding, CLI_OPEN, "a folder on the way may not be entered",
                        "check the path, and the permissions of its folders", "cannot look at %s",
                        path);
        } else {
            not_there(doctor, finding);
        }
        return;
    }
    name_of(path, name);
    if (!S_ISCHR(port.st_mode) || (!is_pty(&port) && !is_terminal(name))) {
        doctor_fail(finding, CLI_OPEN,
                    S_ISCHR(port.st_mode) ? "it is another kind of device"
                                          : "it is a file or a folder",
                    "give a device such as /dev/ttyACM0", "%s is no serial port", path);
        return;
    }
    if (is_pty(&port)) {
        doctor_ok(finding, "%s: a pseudo terminal", path);
    } else {
        describe(doctor, name, finding);
    }
    doctor->has |= DOCTOR_HAS_PORT;
}

/* ---- May it be used?
 * ------------------------------------------------------------------------------- */

static const char *user_name(uid_t id, char out[64])
{
    const struct passwd *entry = getpwuid(id);
    snprintf(out, 64, "%s", entry != NULL ? entry->pw_name : "");
    if (entry == NULL) {
        snprintf(out, 64, "user %u", (unsigned)id);
    }
    return out;
}

static const char *group_name(gid_t id, char out[64])
{
    const struct group *entry = getgrgid(id);
    snprintf(out, 64, "%s", entry != NULL ? entry->gr_name : "");
    if (entry == NULL) {
        snprintf(out, 64, "%u", (unsigned)id);
    }
    return out;
}

void doctor_permission(struct doctor *doctor, struct doctor_finding *finding)
{
    static gid_t groups[256];
    char owner[64];
    char group[64];
    char user[64];
    struct stat port;
    struct permission_words words;

    if (stat(doctor->address.path, &port) != 0) {
        not_there(doctor, finding);
        return;
    }
    int count = getgroups(256, groups);
    struct permission permission = {
        .path = doctor->address.path,
        .mode = port.st_mode,
        .owner = port.st_uid,
        .group = port.st_gid,
        .owner_name = user_name(port.st_uid, owner),
        .group_name = group_name(port.st_gid, group),
        .user = geteuid(),
        .user_name = user_name(geteuid(), user),
        .groups = groups,
        .group_count = count > 0 ? (size_t)count : 0,
    };
    /* The kernel has the last word: an access list may grant what the mode does not. */
    if (faccessat(AT_FDCWD, permission.path, R_OK | W_OK, AT_EACCESS) == 0) {
        doctor_ok(finding, "%s may read and write it", permission.user_name);
        doctor->has |= DOCTOR_HAS_ACCESS;
        return;
    }
    permission_explain(&permission, &words);
    doctor_fail(finding, CLI_OPEN, words.why, words.next, "%s", words.fact);
}

/* ---- Is it free?
 * ----------------------------------------------------------------------------------- */

static void cannot_open(const struct doctor *doctor, int error, const char *why,
                        struct doctor_finding *finding)
{
    if (error == FERRY_E_BUSY) {
        struct holder_words words = holder_explain(doctor->holders);
        doctor_fail(finding, CLI_OPEN, words.why, words.next, "another program has taken it%s%s",
                    doctor->holders[0] != '\0' ? ": " : "", doctor->holders);
    } else if (error == FERRY_E_FORMAT) {
        doctor_fail(finding, CLI_OPEN, why, "give the device's rate: -d 'serial:PORT?baud=115200'",
                    "it cannot be set to %u baud", (unsigned)doctor->address.baud);
    } else {
        doctor_fail(finding, CLI_OPEN, "the system does not open it",
                    "plug the device out and in, and look at `dmesg`", "cannot open it: %s", why);
    }
}

void doctor_free(struct doctor *doctor, struct doctor_finding *finding)
{
    static struct ferry_transport transport;
    char why[320];

    ferry_serial_holders(doctor->address.path, doctor->holders, sizeof doctor->holders);
    int error = ferry_transport_open(&transport, &doctor->address, why, sizeof why);
    if (error != FERRY_OK) {
        cannot_open(doctor, error, why, finding);
        return;
    }
    ferry_transport_close(&transport);
    doctor->has |= DOCTOR_HAS_WIRE;
    if (doctor->holders[0] != '\0') {
        struct holder_words words = holder_explain(doctor->holders);
        doctor_warn(finding, words.why, words.next, "it can be opened, but is open in %s, too",
                    doctor->holders);
    } else {
        doctor_ok(finding, "no other program uses it");
    }
}
