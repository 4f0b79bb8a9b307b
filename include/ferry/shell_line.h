/* SPDX-License-Identifier: Apache-2.0 */
/* The line of a shell on a serial console that carries SMP frames too: what is typed between frames
 * is edited, echoed and run; what is printed stands between frames, never in one.  [smp.md §2.1]
 *
 * ferry/console.h tells text and frames apart. After each piece that was fed to it,
 * ferry_console_flush() hands on what was typed, before a line feed comes, and all
 * FERRY_CONSOLE_TEXT goes to ferry_shell_line_take(). */
#ifndef FERRY_SHELL_LINE_H
#define FERRY_SHELL_LINE_H

#include "ferry/bytes.h"

struct ferry_shell_line_config {
    const char *prompt; /* a text without line feed */
    char *line;         /* line_size bytes, this shell's alone */
    size_t line_size;   /* longest line and its NUL, at least 1 */
    /* Send bytes on the console; not kept. */
    void (*put)(void *context, const uint8_t *bytes, size_t len);
    /* Run a line, once Enter ended it; it may call ferry_shell_line_print(), nothing else here.
     * line has len characters, none of them a control character, and a NUL behind them; not kept.
     * Lines of no characters are not run. */
    void (*run)(void *context, const char *line, size_t len);
    void *context;
};

/* Do not rely on the contents. */
struct ferry_shell_line {
    const struct ferry_shell_line_config *config;
    size_t len;   /* characters typed and kept */
    size_t over;  /* … and not kept: the line is full */
    bool shown;   /* prompt and typed characters stand on the line where the cursor is */
    bool column0; /* the cursor is at the beginning of a line */
    bool after_cr;
    uint8_t escape; /* of a key that sends several characters: which one is awaited */
};

/* Begin with an empty line. config must outlive it. Nothing is sent. */
void ferry_shell_line_init(struct ferry_shell_line *shell,
                           const struct ferry_shell_line_config *config);

/* Take what was typed, any bytes. CR, LF or both end a line; backspace, Ctrl-U (clears the line)
 * and Ctrl-C (gives it up) work; arrows and other control characters are passed over. Characters
 * beyond the longest line are answered by a bell, and such a line is not run but refused. */
void ferry_shell_line_take(struct ferry_shell_line *shell, struct ferry_bytes typed);

/* Send text to the console, a line that is being typed out of its way; prompt and typed characters
 * come back with the next key, or at the end of the line that runs.
 *
 * text  len bytes; LF is sent as CR LF; bytes of which a marker could be made are sent as '?' */
void ferry_shell_line_print(struct ferry_shell_line *shell, const char *text, size_t len);

/* Call it before a frame is sent: some clients find a frame at the beginning of a line only. */
void ferry_shell_line_clear(struct ferry_shell_line *shell);

/* Send prompt and typed characters, if they do not stand there. */
void ferry_shell_line_show(struct ferry_shell_line *shell);

#endif
