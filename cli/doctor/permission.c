/* SPDX-License-Identifier: Apache-2.0 */
#include "permission.h"

#include <stdio.h>
#include <sys/stat.h>

static bool in_group(const struct permission *permission)
{
    for (size_t i = 0; i < permission->group_count; i++) {
        if (permission->groups[i] == permission->group) {
            return true;
        }
    }
    return false;
}

/* The first of owner, group and others that fits decides, as the kernel does it. */
bool permission_granted(const struct permission *permission)
{
    mode_t wanted = S_IROTH | S_IWOTH;

    if (permission->user == 0) {
        return true;
    }
    if (permission->user == permission->owner) {
        wanted = S_IRUSR | S_IWUSR;
    } else if (in_group(permission)) {
        wanted = S_IRGRP | S_IWGRP;
    }
    return (permission->mode & wanted) == wanted;
}

void permission_explain(const struct permission *permission, struct permission_words *words)
{
    bool group_may = (permission->mode & (S_IRGRP | S_IWGRP)) == (S_IRGRP | S_IWGRP);

    snprintf(words->fact, sizeof words->fact, "%s is not allowed to use %s", permission->user_name,
             permission->path);
    snprintf(words->why, sizeof words->why, "it belongs to %s, group %s, mode %04o; %s is %s",
             permission->owner_name, permission->group_name, (unsigned)(permission->mode & 07777),
             permission->user_name, in_group(permission) ? "in that group" : "not in that group");
    if (group_may && permission->group != 0) {
        snprintf(words->next, sizeof words->next,
                 "sudo usermod -aG %s %s, then log out and in again (or: newgrp %s)",
                 permission->group_name, permission->user_name, permission->group_name);
    } else {
        snprintf(words->next, sizeof words->next,
                 "give the group of serial ports access by a udev rule (MODE=\"0660\", "
                 "GROUP=\"dialout\"), or once: sudo chmod a+rw %s",
                 permission->path);
    }
}
