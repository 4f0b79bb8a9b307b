/* SPDX-License-Identifier: Apache-2.0 */
/* The serial console as a shell: what is typed between frames is run by the shell's own commands.
 */
#include "app.h"

#include "ferry/shell_line.h"

#define LINE_MAX  256 /* characters of a line, its NUL included */
#define TYPED_MAX 1024

/* Characters typed while a request is worked on. More than fit are lost, as on every UART. */
struct typed {
    uint8_t bytes[TYPED_MAX];
    size_t first, count;
};

static struct typed typed;
static struct ferry_shell_line shell;

static void take(void *context, struct ferry_bytes text)
{
    (void)context;
    for (size_t i = 0; i < text.len && typed.count < TYPED_MAX; i++) {
        typed.bytes[(typed.first + typed.count) % TYPED_MAX] = text.data[i];
        typed.count++;
    }
}

static void before_answer(void *context)
{
    (void)context;
    ferry_shell_line_clear(&shell);
}

static void put(void *context, const uint8_t *bytes, size_t len)
{
    struct app *app = context;

    vchip_send(&app->chip, FERRY_VCHIP_SERIAL, 0, bytes, len);
}

static void print(const struct ferry_shell_output *output, const char *text, size_t len)
{
    (void)output;
    ferry_shell_line_print(&shell, text, len);
}

static void run(void *context, const char *line, size_t len)
{
    const struct ferry_shell_output output = {print, NULL};

    (void)app_shell_run(context, line, len, &output);
}

void app_line_open(struct app *app)
{
    static char line[LINE_MAX];
    static struct ferry_shell_line_config config = {
        .prompt = "ferry> ", .line = line, .line_size = sizeof(line), .put = put, .run = run};

    if (!app_has(app, FERRY_VCHIP_SHELL_SERIAL)) {
        return;
    }
    config.context = app;
    ferry_shell_line_init(&shell, &config);
    app->wires.shell = (struct wires_shell){take, before_answer, NULL};
    ferry_shell_line_show(&shell);
}

void app_line_serve(struct app *app)
{
    if (app->wires.shell.typed == NULL) {
        return;
    }
    while (typed.count > 0) {
        const struct ferry_bytes key = {typed.bytes + typed.first, 1};

        typed.first = (typed.first + 1) % TYPED_MAX;
        typed.count--;
        ferry_shell_line_take(&shell, key);
    }
}
