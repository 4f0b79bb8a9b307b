/* SPDX-License-Identifier: Apache-2.0 */
#include "secret.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* Who else may read it. */
#define OTHERS (S_IRWXG | S_IRWXO)

FILE *secret_open(const char *path, const char **wrong)
{
    FILE *file = fopen(path, "re");
    struct stat there;

    if (file == NULL || fstat(fileno(file), &there) != 0) {
        *wrong = strerror(errno);
    } else if ((there.st_mode & OTHERS) != 0) {
        *wrong = "can be read or written by others; chmod 600 it";
    } else {
        setvbuf(file, NULL, _IONBF, 0);
        return file;
    }
    if (file != NULL) {
        fclose(file);
    }
    return NULL;
}
