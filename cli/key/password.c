/* SPDX-License-Identifier: Apache-2.0 */
#include "password.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VARIABLE "FERRY_KEY_PASSWORD"

static int take(const struct cli *cli, const char *source, const void *bytes, size_t len,
                struct password *password)
{
    if (len == 0) {
        return cli_fail(cli, CLI_USAGE, "put the password into its first line",
                        "the password in %s is empty", source);
    }
    if (len > PASSWORD_MAX) {
        return cli_fail(cli, CLI_USAGE, "give one of at most 1023 bytes",
                        "the password in %s is too long", source);
    }
    memcpy(password->text, bytes, len);
    password->text[len] = '\0';
    password->len = len;
    return CLI_OK;
}

/* The first line, without its end: LF or CR LF. */
static size_t first_line(const struct cli_buffer *file)
{
    size_t len = 0;
    while (len < file->len && file->data[len] != '\n') {
        len++;
    }
    return len > 0 && file->data[len - 1] == '\r' ? len - 1 : len;
}

static int from_file(const struct cli *cli, struct password *password)
{
    struct cli_buffer file;
    cli_keep_file(cli->password_file);
    int code = cli_read_file(cli, cli->password_file, &file);
    if (code != CLI_OK) {
        return code;
    }
    code = take(cli, cli->password_file, file.data, first_line(&file), password);
    OPENSSL_cleanse(file.data, file.len);
    cli_buffer_free(&file);
    return code;
}

/* OpenSSL would read standard input without one. */
static bool has_terminal(void)
{
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

static int from_terminal(const struct cli *cli, const char *path, bool new,
                         struct password *password)
{
    char prompt[256];
    snprintf(prompt, sizeof prompt, "%s of %s: ", new ? "New password" : "Password", path);
    fflush(stdout);
    if (EVP_read_pw_string_min(password->text, 1, PASSWORD_MAX, prompt, new) != 0) {
        return cli_fail(cli, CLI_FAILED,
                        new ? "run it again and type the same password twice"
                            : "run it again and type the key's password",
                        "the terminal gave no password for %s", path);
    }
    password->len = strlen(password->text);
    return CLI_OK;
}

int password_get(const struct cli *cli, const char *path, bool new, struct password *password)
{
    const char *variable = getenv(VARIABLE);
    int code;

    *password = (struct password){0};
    if (cli->password_file != NULL) {
        code = from_file(cli, password);
    } else if (variable != NULL && variable[0] != '\0') {
        code = take(cli, VARIABLE, variable, strlen(variable), password);
    } else if (!cli->unattended && has_terminal()) {
        code = from_terminal(cli, path, new, password);
    } else {
        code = cli_fail_why(cli, CLI_USAGE,
                            cli->unattended ? "this command asks nothing on the terminal"
                                            : "there is no terminal to ask on",
                            "give --password-file FILE, or set " VARIABLE,
                            new ? "there is no password to encrypt %s with"
                                : "the key in %s is encrypted, and there is no password for it",
                            path);
    }
    if (code != CLI_OK) {
        password_wipe(password);
    }
    return code;
}

void password_wipe(struct password *password)
{
    OPENSSL_cleanse(password, sizeof *password);
}
