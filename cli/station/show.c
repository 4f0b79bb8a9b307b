/* SPDX-License-Identifier: Apache-2.0 */
/* What people see of a station: what runs, redrawn on a terminal; a line for each device that
 * begins and ends otherwise; JSON lines for machines. */
#include "station.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DRAW_MS 150

/* ---- On a terminal --------------------------------------------------------------------------- */

static struct winsize window(void)
{
    struct winsize size = {0};

    (void)ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
    size.ws_col = size.ws_col > 20 ? size.ws_col : 80;
    size.ws_row = size.ws_row > 4 ? size.ws_row : 24;
    return size;
}

/* Take away what was drawn: what is printed next stands in its place and stays. */
static void wipe(struct station *station)
{
    for (; station->show.lines > 0; station->show.lines--) {
        fputs("\x1b[A\x1b[2K", stderr);
    }
}

static void draw_bar(const struct unit *unit, unsigned width)
{
    uint32_t size = unit_size(unit);
    unsigned full = (unsigned)((uint64_t)unit->acked * width / size);

    fputc('[', stderr);
    for (unsigned i = 0; i < width; i++) {
        fputc(i < full ? '#' : '-', stderr);
    }
    fprintf(stderr, "] %3u %%", (unsigned)((uint64_t)unit->acked * 100 / size));
}

static const char *doing(const struct unit *unit)
{
    if (unit->phase == UNIT_RESTING) {
        return "waits for another try";
    }
    if (unit->phase == UNIT_CHECKING) {
        return "--check";
    }
    return unit->phase == UNIT_AWAY ? "away" : ferry_update_step_name(unit->step);
}

/* Name and step, a bar where there is room for one. Of a long name the end says more. */
static void draw_unit(const struct unit *unit, unsigned columns)
{
    unsigned name = columns / 3 < 40 ? columns / 3 : 40;
    size_t len = strlen(unit->target->name);

    fprintf(stderr, "%-*s %-8.*s ", (int)name, unit->target->name + (len > name ? len - name : 0),
            (int)(columns - name - 3), doing(unit));
    if (unit->step == FERRY_UPDATE_UPLOAD && unit->phase == UNIT_RUNNING && columns >= name + 40) {
        draw_bar(unit, columns - name - 22 < 40 ? columns - name - 22 : 40);
    }
    fputs("\x1b[K\n", stderr);
}

/* No line may be longer than the terminal is wide: what is wiped is counted in lines. */
static void draw_totals(const struct station *station, unsigned columns)
{
    uint32_t ended = 0;
    char text[120];

    for (int verdict = UNIT_UPDATED; verdict <= UNIT_CANCELLED; verdict++) {
        ended += station->ended[verdict];
    }
    snprintf(text, sizeof text, "%u of %zu done, %u failed, %u running, %zu to come",
             (unsigned)ended, station->unit_count, (unsigned)station->ended[UNIT_FAILED],
             (unsigned)station->running, station->unit_count - station->begun);
    fprintf(stderr, "%.*s\x1b[K\n", (int)columns - 1, text);
}

static bool is_running(const struct unit *unit)
{
    return unit->phase != UNIT_QUEUED && unit->phase != UNIT_ENDED;
}

void show_draw(struct station *station, uint64_t now)
{
    struct winsize size = window();
    uint32_t rows = size.ws_row - 2U;

    if (!station->show.terminal || now < station->show.due) {
        return;
    }
    station->show.due = now + DRAW_MS;
    wipe(station);
    for (size_t i = 0; i < station->begun && station->show.lines < rows; i++) {
        if (is_running(station->units[i])) {
            draw_unit(station->units[i], size.ws_col);
            station->show.lines++;
        }
    }
    draw_totals(station, size.ws_col);
    station->show.lines++;
    fflush(stderr);
}

/* ---- Words ----------------------------------------------------------------------------------- */

/* "sensor 3 (A1B2)": how a device is named. */
static void say_name(FILE *out, const struct unit *unit)
{
    fputs(unit->target->name, out);
    if (unit->serial[0] != '\0') {
        fprintf(out, " (%s)", unit->serial);
    }
}

static void say_end(const struct unit *unit)
{
    say_name(stdout, unit);
    switch (unit->verdict) {
    case UNIT_UPDATED:
    case UNIT_ALREADY:
        printf(": %s", unit->verdict == UNIT_UPDATED ? "updated" : "already up to date");
        if (unit->proved[0]) {
            printf(", %s%s%s%s", unit->verdict == UNIT_UPDATED ? unit->old_version : "",
                   unit->verdict == UNIT_UPDATED && unit->old_version[0] != '\0' ? " -> " : "",
                   unit->proofs[0].version,
                   !unit->proofs[0].active     ? ", pending"
                   : unit->proofs[0].confirmed ? ""
                                               : ", UNCONFIRMED");
        }
        break;
    case UNIT_FAILED:
    case UNIT_CANCELLED:
        printf(": FAILED (%d): %s", unit->exit_code, unit->what != NULL ? unit->what : "");
        break;
    }
    printf(", %.1f s\n", (double)(unit->ended_at - unit->began_at) / 1000.0);
    fflush(stdout);
}

/* One line of JSON, freed. */
static void print_line(FILE *out, cJSON *object)
{
    char *text = cJSON_PrintUnformatted(object);

    fprintf(out, "%s\n", text != NULL ? text : "{}");
    fflush(out);
    cJSON_free(text);
    cJSON_Delete(object);
}

/* One whose cursor goes up. */
static bool is_terminal(void)
{
    const char *kind = getenv("TERM");

    return isatty(STDERR_FILENO) == 1 && kind != NULL && strcmp(kind, "dumb") != 0;
}

void show_begin(struct station *station)
{
    station->show.terminal = is_terminal() && (!station->cli->json || isatty(STDOUT_FILENO) == 0);
    if (station->options.wait && !station->cli->json) {
        fputs("every device is updated as it is plugged in; Ctrl-C ends\n", stderr);
    }
}

void show_unit_begin(struct station *station, const struct unit *unit)
{
    if (!station->show.terminal && !station->cli->json) {
        say_name(stderr, unit);
        fputs(": begins\n", stderr);
    }
}

void show_unit_end(struct station *station, const struct unit *unit)
{
    if (station->show.terminal) {
        wipe(station);
        fflush(stderr);
        station->show.due = 0;
    }
    if (station->cli->json) {
        print_line(stdout, unit_record(unit));
    } else {
        say_end(unit);
    }
    if (station->record != NULL) {
        print_line(station->record, unit_record(unit));
    }
}

void show_warning(struct station *station, const struct unit *unit, const char *text,
                  const char *remedy)
{
    wipe(station);
    fprintf(stderr, "ferry: %s: %s\n", unit->target->name, text);
    if (remedy[0] != '\0') {
        fprintf(stderr, "  next: %s\n", remedy);
    }
}

/* ---- The end --------------------------------------------------------------------------------- */

static void say_failure(const struct unit *unit)
{
    fputs("  ", stderr);
    say_name(stderr, unit);
    fprintf(stderr, ": %s\n", unit->what != NULL ? unit->what : "");
    if (unit->why != NULL && unit->why[0] != '\0') {
        fprintf(stderr, "    why:  %s\n", unit->why);
    }
    if (unit->remedy != NULL && unit->remedy[0] != '\0') {
        fprintf(stderr, "    next: %s\n", unit->remedy);
    }
}

void show_end(struct station *station, int exit_code)
{
    const uint32_t *ended = station->ended;

    wipe(station);
    if (station->record != NULL) {
        print_line(station->record, station_record(station, exit_code));
    }
    if (station->cli->json) {
        print_line(stdout, station_record(station, exit_code));
        return;
    }
    printf("%zu device%s: %u updated, %u already up to date, %u failed, %u cancelled, %.1f s\n",
           station->unit_count, station->unit_count == 1 ? "" : "s", (unsigned)ended[UNIT_UPDATED],
           (unsigned)ended[UNIT_ALREADY], (unsigned)ended[UNIT_FAILED],
           (unsigned)ended[UNIT_CANCELLED],
           (double)(ferry_connection_now() - station->began_at) / 1000.0);
    fflush(stdout);
    for (size_t i = 0; i < station->unit_count; i++) {
        if (station->units[i]->verdict == UNIT_FAILED ||
            station->units[i]->verdict == UNIT_CANCELLED) {
            say_failure(station->units[i]);
        }
    }
}
