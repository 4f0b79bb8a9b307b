/* SPDX-License-Identifier: Apache-2.0 */
/* A device's folder: layout.json, flash.bin (and flash-NAME.bin), lock, files. */
#include "board.h"
#include "core/image/ed25519_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATH_MAX_LEN    4096
#define LAYOUT_TEXT_MAX 65536

/* How long to wait for a device that was just killed to be gone. */
#define WAIT_MS 2000

__attribute__((format(printf, 2, 3))) static int fail(char *why, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(why, BOARD_WHY_MAX, format, arguments);
    va_end(arguments);
    return FERRY_E_CONFIG;
}

static void path_in(const struct options *options, const char *name, char *path)
{
    (void)snprintf(path, PATH_MAX_LEN, "%s/%s", options->dir, name);
}

/* flash.bin, and flash-NAME.bin for every device behind the first. */
static void flash_path(const struct options *options, const struct layout *layout, uint32_t device,
                       const char *suffix, char *path)
{
    char name[64];

    if (device == 0) {
        (void)snprintf(name, sizeof(name), "flash.bin%s", suffix);
    } else {
        (void)snprintf(name, sizeof(name), "flash-%s.bin%s", layout->devices[device].name, suffix);
    }
    path_in(options, name, path);
}

/* ---- Files ------------------------------------------------------------------------------- */

/* Read a whole file of at most max bytes; a NUL is put behind it. The caller frees it. */
static uint8_t *read_file(const char *path, size_t max, size_t *len)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = file != NULL ? malloc(max + 2) : NULL;

    if (bytes == NULL) {
        if (file != NULL) {
            (void)fclose(file);
        }
        return NULL;
    }
    errno = 0;
    *len = fread(bytes, 1, max + 1, file);
    if (ferror(file) != 0 || *len > max) {
        errno = *len > max ? EFBIG : errno;
        free(bytes);
        bytes = NULL;
    } else {
        bytes[*len] = 0;
    }
    (void)fclose(file);
    return bytes;
}

static int write_bytes(const char *path, const void *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");

    if (file == NULL) {
        return FERRY_E_IO;
    }
    bool good = fwrite(bytes, 1, len, file) == len;
    return fclose(file) == 0 && good ? FERRY_OK : FERRY_E_IO;
}

/* ---- The folder --------------------------------------------------------------------------- */

static int take_folder(struct board *board, const struct options *options, char *why)
{
    const struct timespec pause = {0, 10 * 1000 * 1000};
    char path[PATH_MAX_LEN];

    if (mkdir(options->dir, 0755) != 0 && errno != EEXIST) {
        return fail(why, "--dir %s: cannot make this folder (%s); name one that you may write to",
                    options->dir, strerror(errno));
    }
    path_in(options, "lock", path);
    board->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (board->lock < 0) {
        return fail(why, "--dir %s: cannot write in this folder (%s); name another one",
                    options->dir, strerror(errno));
    }
    for (int waited = 0; flock(board->lock, LOCK_EX | LOCK_NB) != 0; waited += 10) {
        if (errno != EWOULDBLOCK || waited >= WAIT_MS) {
            return fail(why,
                        "--dir %s: a ferry-device is running there; end it, or name another "
                        "folder",
                        options->dir);
        }
        (void)nanosleep(&pause, NULL);
    }
    return FERRY_OK;
}

/* The layout to use, the caller's to free: --layout, else the folder's, else the built-in one. */
static char *layout_text(const struct options *options, bool made, char *source, char *why)
{
    char path[PATH_MAX_LEN];
    size_t len = 0;

    path_in(options, "layout.json", path);
    (void)snprintf(source, PATH_MAX_LEN, "%s", options->layout != NULL ? options->layout : path);
    if (options->layout == NULL && made) {
        (void)snprintf(source, PATH_MAX_LEN, "the built-in layout");
        return strdup(layout_default_text);
    }
    uint8_t *text = read_file(source, LAYOUT_TEXT_MAX, &len);
    if (text == NULL) {
        (void)fail(why, "%s: cannot read the layout (%s); name a JSON file below 64 KiB", source,
                   strerror(errno));
    }
    return (char *)text;
}

/* A device keeps the layout it was made with. */
static int check_same(const struct options *options, const char *text, char *why)
{
    char path[PATH_MAX_LEN];
    size_t len = 0;

    if (options->layout == NULL) {
        return FERRY_OK;
    }
    path_in(options, "layout.json", path);
    char *kept = (char *)read_file(path, LAYOUT_TEXT_MAX, &len);
    bool same = kept != NULL && strcmp(kept, text) == 0;
    free(kept);
    return same ? FERRY_OK
                : fail(why,
                       "--layout %s: %s was made with another layout; leave --layout out, or "
                       "give --new to make the device again (its flash is lost)",
                       options->layout, options->dir);
}

/* ---- Programming by debugger ---------------------------------------------------------------- */

static int slice_of(struct board *board, const char *name, struct ferry_flash_slice *slice)
{
    const struct ferry_vchip_area *area = layout_area(&board->layout, name);

    if (area == NULL) {
        return FERRY_E_NOT_FOUND;
    }
    return ferry_flash_slice_init(slice, &board->nor[area->device].flash, area->offset, area->size);
}

/* Program bytes at an offset that is a multiple of the write size, the last unit padded. */
static int program_bytes(const struct ferry_flash *flash, uint32_t offset, const uint8_t *bytes,
                         size_t len)
{
    size_t whole = len - len % flash->write_size;
    int result = ferry_flash_program(flash, offset, bytes, whole);

    if (result == FERRY_OK && whole < len) {
        result =
            ferry_flash_program_padded(flash, offset + (uint32_t)whole, bytes + whole, len - whole);
    }
    return result;
}

static int program_file(struct board *board, const struct options_file *file, char *why)
{
    struct ferry_flash_slice slice;
    size_t len = 0;

    if (slice_of(board, file->area, &slice) != FERRY_OK) {
        return fail(why, "%s=%s: the layout has no area \"%s\"; name one of its areas", file->area,
                    file->path, file->area);
    }
    uint8_t *bytes = read_file(file->path, slice.flash.size, &len);
    if (bytes == NULL) {
        return fail(why,
                    errno == EFBIG
                        ? "%s=%s: the file is too large for the area (%s, %u "
                          "bytes); give a smaller one or enlarge the area"
                        : "%s=%s: cannot read the file (%s, %u bytes fit); check its path",
                    file->area, file->path, strerror(errno), slice.flash.size);
    }
    int result = ferry_flash_erase(&slice.flash, 0, slice.flash.size);
    if (result == FERRY_OK) {
        result = program_bytes(&slice.flash, 0, bytes, len);
    }
    free(bytes);
    return result == FERRY_OK ? FERRY_OK
                              : fail(why, "%s=%s: programming failed (%s); give --new", file->area,
                                     file->path, ferry_error_text(result));
}

static int program_files(struct board *board, const struct options_file *files, uint32_t count,
                         char *why)
{
    int result = FERRY_OK;

    for (uint32_t i = 0; i < count && result == FERRY_OK; i++) {
        result = program_file(board, &files[i], why);
    }
    return result;
}

/* What a row of records holds, and how its files are read. */
struct row {
    const char *area;
    const char *what;
    uint32_t magic;
    int (*read)(const char *path, uint8_t *bytes);
    const char *kinds; /* that it takes */
};

static const struct row keys_row = {
    "keys", "key", FERRY_VCHIP_KEY_MAGIC, key_read,
    "an RSA (2048, 3072), ECDSA (P-256, P-384) or Ed25519 key as PEM or DER, without a password"};
static const struct row secrets_row = {"secrets", "secret", FERRY_VCHIP_SECRET_MAGIC, secret_read,
                                       "a private key (RSA-2048, P-256, X25519) as PEM or DER, "
                                       "without a password, or a file of 16 or 32 "
                                       "bytes"};

static int program_record(struct board *board, const struct row *row, const char *path,
                          uint32_t *offset, char *why)
{
    struct ferry_flash_slice slice;
    uint8_t entry[FERRY_VCHIP_KEY_HEAD + FERRY_VCHIP_SECRET_MAX]; /* the longer of both */
    int len = row->read(path, entry + FERRY_VCHIP_KEY_HEAD);

    if (slice_of(board, row->area, &slice) != FERRY_OK) {
        return fail(why, "%s %s: the layout has no area \"%s\"; add one", row->what, path,
                    row->area);
    }
    if (len == FERRY_E_IO) {
        return fail(why, "%s %s: cannot read the file (%s); check its path", row->what, path,
                    strerror(errno));
    }
    if (len < 0) {
        return fail(why, "%s %s: %s; give %s", row->what, path,
                    len == FERRY_E_FORMAT ? "this is no key" : "keys of this kind do not work",
                    row->kinds);
    }
    ferry_store_le32(entry, row->magic);
    ferry_store_le32(entry + 4, (uint32_t)len);
    size_t total = FERRY_VCHIP_KEY_HEAD + (size_t)len;
    int result = program_bytes(&slice.flash, *offset, entry, total);
    ferry_wipe(entry, sizeof(entry));
    if (result != FERRY_OK) {
        return fail(why, "%s %s: the area \"%s\" is full; enlarge it or give fewer", row->what,
                    path, row->area);
    }
    *offset += ferry_align_up((uint32_t)total, FERRY_VCHIP_KEY_ALIGN);
    return FERRY_OK;
}

/* Keys of the layout are named relative to it. */
static void key_path(const struct options *options, const char *key, char *path)
{
    const char *layout = options->layout != NULL ? options->layout : "";
    const char *slash = strrchr(layout, '/');
    int folder = slash != NULL && key[0] != '/' ? (int)(slash - layout) + 1 : 0;

    (void)snprintf(path, PATH_MAX_LEN, "%.*s%s", folder, layout, key);
}

/* The files that the layout names, then those of the command line. */
static int program_row(struct board *board, const struct options *options, const struct row *row,
                       char named[][LAYOUT_PATH_MAX], uint32_t named_count,
                       const char *const *given, uint32_t given_count, char *why)
{
    char path[PATH_MAX_LEN];
    uint32_t offset = 0;
    int result = FERRY_OK;

    for (uint32_t i = 0; i < named_count && result == FERRY_OK; i++) {
        key_path(options, named[i], path);
        result = program_record(board, row, path, &offset, why);
    }
    for (uint32_t i = 0; i < given_count && result == FERRY_OK; i++) {
        result = program_record(board, row, given[i], &offset, why);
    }
    return result;
}

static int program_keys(struct board *board, const struct options *options, char *why)
{
    struct layout *layout = &board->layout;
    int result = program_row(board, options, &keys_row, layout->keys, layout->key_count,
                             options->keys, options->key_count, why);

    return result != FERRY_OK
               ? result
               : program_row(board, options, &secrets_row, layout->secrets, layout->secret_count,
                             options->secrets, options->secret_count, why);
}

/* ---- Fuses --------------------------------------------------------------------------------- */

static int read_unlock_key(const struct options *options, const char *name, uint8_t *raw, char *why)
{
    static const char next[] = "give an Ed25519 key as PEM or DER, without a password";
    uint8_t der[FERRY_VCHIP_KEY_MAX];
    char path[PATH_MAX_LEN];
    struct ferry_image_key key = {.der = der};

    key_path(options, name, path);

    int len = key_read(path, der);

    if (len == FERRY_E_IO) {
        return fail(why, "server: unlock_key %s: cannot read the file (%s); %s", path,
                    strerror(errno), next);
    }
    key.len = len > 0 ? (size_t)len : 0;
    if (!ferry_ed25519_fits(&key)) {
        return fail(why, "server: unlock_key %s: %s; %s", path,
                    len == FERRY_E_FORMAT ? "this is no key" : "keys of this kind do not unlock",
                    next);
    }
    memcpy(raw, ferry_ed25519_key(&key), FERRY_ED25519_KEY_SIZE);
    return FERRY_OK;
}

static int burn_fuses(struct board *board, const struct options *options, char *why)
{
    struct board_fuses *fuses = &board->fuses;
    char path[PATH_MAX_LEN];
    int result = FERRY_OK;

    if (board->layout.server.unlock_key[0] != '\0') {
        result = read_unlock_key(options, board->layout.server.unlock_key, fuses->unlock_key, why);
    }
    if (result != FERRY_OK) {
        return result;
    }
    path_in(options, "fuses", path);
    if (getrandom(fuses->chip_id, sizeof(fuses->chip_id), 0) != sizeof(fuses->chip_id) ||
        write_bytes(path, fuses, sizeof(*fuses)) != FERRY_OK) {
        return fail(why, "%s: cannot write it (%s); make room, or name another --dir", path,
                    strerror(errno));
    }
    return FERRY_OK;
}

/* A chip made before there were fuses has none: nobody unlocks it. */
static void read_fuses(struct board *board, const struct options *options)
{
    char path[PATH_MAX_LEN];
    size_t len = 0;

    path_in(options, "fuses", path);
    uint8_t *bytes = read_file(path, sizeof(board->fuses), &len);
    if (bytes != NULL && len == sizeof(board->fuses)) {
        memcpy(&board->fuses, bytes, len);
    }
    free(bytes);
}

/* ---- Opening ------------------------------------------------------------------------------------
 */

static void close_flash(struct board *board)
{
    for (uint32_t i = 0; i < FERRY_VCHIP_DEVICES; i++) {
        ferry_nor_file_close(&board->nor[i]);
    }
}

static int open_flash(struct board *board, const struct options *options, const char *suffix,
                      char *why)
{
    char path[PATH_MAX_LEN];

    for (uint32_t i = 0; i < board->layout.device_count; i++) {
        board->nor[i].flash = board->layout.devices[i].geometry;
        board->nor[i].no_second_write = board->layout.devices[i].no_second_write;
        flash_path(options, &board->layout, i, suffix, path);
        int result = ferry_nor_file_open(&board->nor[i], path, WAIT_MS);
        if (result != FERRY_OK) {
            return fail(
                why, "%s: %s (%s); give --new to make the device again (its flash is lost)", path,
                result == FERRY_E_MISMATCH ? "its size is not the layout's" : "cannot open it",
                result == FERRY_E_IO ? strerror(errno) : ferry_error_text(result));
        }
    }
    return FERRY_OK;
}

static int create_flash(struct board *board, const struct options *options, char *why)
{
    char path[PATH_MAX_LEN];

    for (uint32_t i = 0; i < board->layout.device_count; i++) {
        flash_path(options, &board->layout, i, ".new", path);
        if (ferry_nor_file_create(path, &board->layout.devices[i].geometry) != FERRY_OK) {
            return fail(why, "%s: cannot write it (%s); make room, or name another --dir", path,
                        strerror(errno));
        }
    }
    return FERRY_OK;
}

/* From here on the device is there. flash.bin comes last: it is what makes a device. */
static int name_flash(struct board *board, const struct options *options, char *why)
{
    char from[PATH_MAX_LEN];
    char to[PATH_MAX_LEN];

    for (uint32_t i = board->layout.device_count; i-- > 0;) {
        flash_path(options, &board->layout, i, ".new", from);
        flash_path(options, &board->layout, i, "", to);
        if (rename(from, to) != 0) {
            return fail(why, "%s: cannot name it (%s); name another --dir", to, strerror(errno));
        }
    }
    return FERRY_OK;
}

static int make(struct board *board, const struct options *options, const char *text, char *why)
{
    char path[PATH_MAX_LEN];
    int result = create_flash(board, options, why);

    if (result == FERRY_OK) {
        result = open_flash(board, options, ".new", why);
    }
    if (result == FERRY_OK) {
        result = program_files(board, options->flash, options->flash_count, why);
    }
    if (result == FERRY_OK) {
        result = program_keys(board, options, why);
    }
    if (result == FERRY_OK) {
        result = burn_fuses(board, options, why);
    }
    if (result != FERRY_OK) {
        return result;
    }
    path_in(options, "layout.json", path);
    if (write_bytes(path, text, strlen(text)) != FERRY_OK) {
        return fail(why, "%s: cannot write it (%s); make room, or name another --dir", path,
                    strerror(errno));
    }
    return name_flash(board, options, why);
}

/* The file system: a folder, with one in it of the name that Zephyr's samples mount theirs at. */
static int open_files(struct board *board, const struct options *options, char *why)
{
    char path[PATH_MAX_LEN];

    if ((board->layout.flags & FERRY_VCHIP_FILES) == 0) {
        return FERRY_OK;
    }
    path_in(options, "files", path);
    (void)mkdir(path, 0755);
    board->files = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (board->files < 0) {
        return fail(why, "%s: cannot make or open this folder (%s); remove what has its name", path,
                    strerror(errno));
    }
    (void)mkdirat(board->files, "lfs1", 0755);
    return FERRY_OK;
}

static int open_with(struct board *board, const struct options *options, const char *text,
                     char *why)
{
    int result = board->made ? make(board, options, text, why) : check_same(options, text, why);

    if (result == FERRY_OK && !board->made) {
        result = open_flash(board, options, "", why);
        read_fuses(board, options);
    }
    if (result == FERRY_OK) {
        result = open_files(board, options, why);
    }
    return result == FERRY_OK ? program_files(board, options->reflash, options->reflash_count, why)
                              : result;
}

static int open_board(struct board *board, const struct options *options, char *why)
{
    char path[PATH_MAX_LEN];
    char source[PATH_MAX_LEN];
    char detail[LAYOUT_WHY_MAX];

    path_in(options, "flash.bin", path);
    board->made = options->fresh || access(path, F_OK) != 0;
    char *text = layout_text(options, board->made, source, why);
    if (text == NULL) {
        return FERRY_E_IO;
    }
    int result = layout_parse(text, &board->layout, detail);
    if (result == FERRY_OK) {
        result = open_with(board, options, text, why);
    } else {
        (void)fail(why, "%.512s: %s", source, detail);
    }
    free(text);
    return result;
}

int board_open(struct board *board, const struct options *options, char why[BOARD_WHY_MAX])
{
    memset(board, 0, sizeof(*board));
    board->lock = -1;
    board->files = -1;
    for (uint32_t i = 0; i < FERRY_VCHIP_DEVICES; i++) {
        board->nor[i].fd = -1;
    }
    int result = take_folder(board, options, why);
    if (result == FERRY_OK) {
        result = open_board(board, options, why);
    }
    if (result != FERRY_OK) {
        board_close(board);
    }
    return result;
}

void board_close(struct board *board)
{
    close_flash(board);
    if (board->files >= 0) {
        (void)close(board->files);
        board->files = -1;
    }
    if (board->lock >= 0) {
        (void)close(board->lock);
        board->lock = -1;
    }
}
