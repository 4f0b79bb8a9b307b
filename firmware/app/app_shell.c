/* SPDX-License-Identifier: Apache-2.0 */
/* Group shell of the example, and the commands it has. */
#include "app.h"
#include "firmware/common/text.h"

#include "ferry/group_shell.h"

#include <string.h>

#define LINE_MAX 256 /* characters of a line, its NUL included */

typedef const struct ferry_shell_output writer;

struct command {
    const char *name;
    const char *help;
    /* Returns the command's result. words: what stands behind its name, a NUL behind it. */
    int (*run)(const struct app *app, const char *words, writer *out);
};

static void say(writer *out, const char *words)
{
    out->write(out, words, strlen(words));
}

static void say_line(writer *out, struct text *line)
{
    say(out, text_add(line, "\n")->chars);
}

/* ---- Commands
 * ---------------------------------------------------------------------------------- */

static int help(const struct app *app, const char *words, writer *out);

static int version(const struct app *app, const char *words, writer *out)
{
    (void)app;
    (void)words;
    say(out, "app " APP_VERSION "\n");
    return FERRY_SHELL_DONE;
}

static int uptime(const struct app *app, const char *words, writer *out)
{
    struct text line = {0};

    (void)words;
    text_number(&line, (uint32_t)(vchip_now_ms() - app->started_ms));
    say_line(out, text_add(&line, " ms"));
    return FERRY_SHELL_DONE;
}

static int echo(const struct app *app, const char *words, writer *out)
{
    (void)app;
    say(out, words);
    say(out, "\n");
    return FERRY_SHELL_DONE;
}

static void say_slot(const struct ferry_slots *slots, uint32_t slot, writer *out)
{
    struct ferry_flash_slice view;
    struct ferry_image_info info;
    struct text line = {0};

    if (ferry_slots_view(slots, slot, &view, NULL) != FERRY_OK) {
        return;
    }
    text_number(text_add(&line, "image "), slots->number);
    text_add(text_number(text_add(&line, " slot "), slot), ": ");
    if (ferry_image_inspect(&view.flash, &info) == FERRY_OK) {
        text_version(&line, &info.header.version);
    } else {
        text_add(&line, "none");
    }
    say_line(out, text_add(&line, slot == slots->active ? ", runs" : ""));
}

static int images(const struct app *app, const char *words, writer *out)
{
    (void)words;
    for (uint32_t image = 0; image < app->chip.start.image_count; image++) {
        for (uint32_t slot = 0; slot < 2; slot++) {
            say_slot(&app->images.slots[image], slot, out);
        }
    }
    return FERRY_SHELL_DONE;
}

static const struct command commands[] = {
    {"help", "this list", help},
    {"version", "what runs", version},
    {"uptime", "milliseconds since the start", uptime},
    {"echo", "what stands behind it", echo},
    {"images", "what is in the slots", images},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int help(const struct app *app, const char *words, writer *out)
{
    (void)app;
    (void)words;
    for (size_t i = 0; i < COMMANDS; i++) {
        struct text line = {0};

        text_add(text_add(&line, commands[i].name), ": ");
        say_line(out, text_add(&line, commands[i].help));
    }
    return FERRY_SHELL_DONE;
}

/* ---- Lines
 * ---------------------------------------------------------------------------------- */

int app_shell_run(struct app *app, const char *line, size_t len, writer *output)
{
    size_t name = 0;

    while (len > 0 && *line == ' ') {
        line++;
        len--;
    }
    while (name < len && line[name] != ' ') {
        name++;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strlen(commands[i].name) == name && memcmp(commands[i].name, line, name) == 0) {
            return commands[i].run(app, line + name + (name < len ? 1 : 0), output);
        }
    }
    output->write(output, line, name);
    say(output, ": command not found; help lists them\n");
    return FERRY_SHELL_NO_COMMAND;
}

static int run(void *context, const char *line, size_t len, writer *output)
{
    return app_shell_run(context, line, len, output);
}

int app_shell_open(struct app *app, struct ferry_server_mount *mount)
{
    static char line[LINE_MAX];
    static struct ferry_shell_group_config config = {
        .run = run, .line = line, .line_size = sizeof(line)};

    config.context = app;
    *mount = (struct ferry_server_mount){&ferry_shell_group_table, &config};
    return app_has(app, FERRY_VCHIP_SHELL) ? FERRY_OK : FERRY_E_NOT_FOUND;
}
