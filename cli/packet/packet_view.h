/* SPDX-License-Identifier: Apache-2.0 */
/* One SMP packet as words and JSON: what decode, replay, monitor and -vv show. */
#ifndef CLI_PACKET_PACKET_VIEW_H
#define CLI_PACKET_PACKET_VIEW_H

#include "ferry/bytes.h"
#include "ferry/smp.h"

#include <cjson/cJSON.h>

struct packet_view {
    struct ferry_bytes bytes; /* all of it */
    bool has_header;
    struct ferry_smp_header header;
    struct ferry_bytes payload; /* as much of it as there is */
    cJSON *map;                 /* NULL when there is none that can be read */
    size_t behind;              /* bytes of the payload behind the map, which nobody reads */
    char problem[120];          /* what is wrong with it; "" = nothing */
};

/* Look at the first packet of several that stand back to back.
 *
 * rest  what stands behind it; all is taken when it is damaged. May be NULL.
 *
 * The bytes must outlive the view. Free it with packet_view_free(). */
void packet_look(struct ferry_bytes bytes, struct packet_view *view, struct ferry_bytes *rest);

void packet_view_free(struct packet_view *view);

/* Whether an answer refuses, and with what words. */
bool packet_refuses(const struct packet_view *view, struct ferry_smp_status *status,
                    struct ferry_smp_words *words);

/* Add to object what is known of the packet (docs/CLI.md, "Packets"). */
void packet_add_json(cJSON *object, const struct packet_view *view);

/* It in one line, without a line feed: "write image/upload #17 {"off":0,…".
 *
 * limit  bytes of a byte string, and of a text, that are shown; 0 = all
 *
 * Returns text that the caller frees with cJSON_free(); NULL without memory. */
char *packet_line(const struct packet_view *view, size_t limit);

/* Cut byte strings h'…' and texts inside json to limit bytes, and say how many they had. */
void packet_shorten(cJSON *json, size_t limit);

#endif
