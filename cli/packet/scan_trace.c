/* SPDX-License-Identifier: Apache-2.0 */
/* The packets and the text of a trace. */
#include "scan.h"
#include "trace.h"

#include <string.h>

bool scan_is_trace(struct ferry_bytes bytes)
{
    return trace_begins(bytes);
}

static void take_event(struct scan *scan, const struct trace_event *event)
{
    struct ferry_bytes text = {(const uint8_t *)event->text, strlen(event->text)};

    scan->about.at = event->line;
    scan->about.time = event->t;
    scan->about.way = event->bytes.len > 0 ? event->dir : "";
    if (event->problem != NULL) {
        scan_tell_damage(scan, 0, event->bytes, event->problem);
    } else if (event->bytes.len > 0) {
        scan_tell_packets(scan, 0, event->bytes);
    } else if (strcmp(event->dir, "text") == 0) {
        scan_tell_text(scan, 0, text);
    }
}

void scan_trace(struct scan *scan, struct ferry_bytes bytes)
{
    struct trace_reader reader = {bytes, 0};
    struct scan_found about = scan->about;
    struct trace_event event;

    scan->fixed = true;
    scan->about.place = "line";
    while (trace_next(&reader, &event)) {
        take_event(scan, &event);
        trace_event_free(&event);
    }
    scan->about = about;
    scan->fixed = false;
}
