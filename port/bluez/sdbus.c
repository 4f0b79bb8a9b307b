/* SPDX-License-Identifier: Apache-2.0 */
#include "sdbus.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* By the name that its binary interface has. */
#define LIBRARY "libsystemd.so.0"

struct sdbus sdbus;

/* Tables of methods point to it, so that nothing older than their form can be linked. */
const unsigned sd_bus_object_vtable_format = 242;

static const struct {
    const char *name;
    size_t at;
} functions[] = {
#define SDBUS_ROW(name) {"sd_bus_" #name, offsetof(struct sdbus, name)},
    SDBUS_FUNCTIONS(SDBUS_ROW)
#undef SDBUS_ROW
};

bool sdbus_load(char *why, size_t cap)
{
    static void *library;

    if (library != NULL) {
        return true;
    }
    void *loaded = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; loaded != NULL && i < sizeof functions / sizeof functions[0]; i++) {
        void *function = dlsym(loaded, functions[i].name);
        if (function == NULL) {
            dlclose(loaded);
            loaded = NULL;
        } else {
            memcpy((char *)&sdbus + functions[i].at, &function, sizeof function);
        }
    }
    if (loaded == NULL) {
        const char *cause = dlerror();
        snprintf(why, cap, "%s", cause != NULL ? cause : LIBRARY " is too old");
    }
    library = loaded;
    return library != NULL;
}
