/* SPDX-License-Identifier: Apache-2.0 */
#include "signature_file.h"

#include "ferry/base64.h"
#include "ferry/image.h"

#include <ctype.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int signature_read(const struct cli *cli, const char *path, struct cli_buffer *signature)
{
    size_t chars = 0;
    int code = cli_read_file(cli, path, signature);
    if (code != CLI_OK) {
        return code;
    }
    for (size_t i = 0; i < signature->len; i++) {
        if (!isspace(signature->data[i])) {
            signature->data[chars++] = signature->data[i];
        }
    }
    int len = chars > 0 ? ferry_base64_decode((const char *)signature->data, chars, signature->data,
                                              signature->len)
                        : FERRY_E_FORMAT;
    if (len >= 0 && len <= FERRY_IMAGE_SIGNATURE_MAX) {
        signature->len = (size_t)len;
        return CLI_OK;
    }
    cli_buffer_free(signature);
    return cli_fail(cli, CLI_VERIFY, "write it as `base64 -w0 SIGNATURE` does",
                    "%s has no signature in base64", path);
}

static bool is_file(const char *path)
{
    struct stat st;
    return !cli_is_stream(path) && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

int signature_put(const struct cli *cli, const char *path, const uint8_t *data, size_t len,
                  struct signature_file *file)
{
    char text[FERRY_BASE64_LEN(FERRY_IMAGE_SIGNATURE_MAX)];
    *file = (struct signature_file){.path = path, .existed = is_file(path)};
    int code = file->existed ? cli_read_file(cli, path, &file->before) : CLI_OK;
    if (code == CLI_OK) {
        size_t chars = ferry_base64_encode(data, len, text);
        code = cli_write_file(cli, path, (const uint8_t *)text, chars, 0644);
    }
    if (code != CLI_OK) {
        cli_buffer_free(&file->before);
    }
    return code;
}

void signature_settle(const struct cli *cli, struct signature_file *file, bool keep)
{
    if (!keep && file->existed) {
        int code = cli_write_file(cli, file->path, file->before.data, file->before.len, 0644);
        (void)code; /* its message says that the file is not what it was */
    } else if (!keep && is_file(file->path)) {
        unlink(file->path);
    }
    cli_buffer_free(&file->before);
}
