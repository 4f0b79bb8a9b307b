/* SPDX-License-Identifier: Apache-2.0 */
/* Who may use a device file. */
#ifndef CLI_DOCTOR_PERMISSION_H
#define CLI_DOCTOR_PERMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct permission {
    const char *path;
    mode_t mode;
    uid_t owner;
    gid_t group;
    const char *owner_name;
    const char *group_name;
    uid_t user;
    const char *user_name;
    const gid_t *groups; /* the user's, all of them */
    size_t group_count;
};

/* Whether the mode lets the user read and write. Root may always. */
bool permission_granted(const struct permission *permission);

struct permission_words {
    char fact[300];
    char why[300];
    char next[300];
};

/* What the file says, why that keeps the user out, and how to get in. */
void permission_explain(const struct permission *permission, struct permission_words *words);

#endif
