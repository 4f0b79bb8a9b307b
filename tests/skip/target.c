/* SPDX-License-Identifier: Apache-2.0 */
/* A bootloader as a product has it, for a Cortex-M0 that is interpreted: the real core/, and a
 * firmware that acts on its report. Flash and cryptography are the host's, by SVC. */
#include "ferry/boot.h"
#include "skip.h"

extern uint32_t stack_top[];
extern const uint32_t stubs_begin[], stubs_end[];
void reset(void);
_Noreturn void halt(void);
_Noreturn void jump(uint32_t slot);

/* Behind stack and entry, where no instruction is skipped; then, as on every Cortex-M0, the table
 * of exceptions and 32 interrupts: below it there is no code that a wild call to a small number,
 * the length of a signature say, could hit. */
#define VECTORS 48
__attribute__((section(".vectors"), used)) static const void *const vectors[VECTORS] = {
    stack_top, (const void *)reset, stubs_begin, stubs_end,
    [4 ... VECTORS - 1] = (const void *)halt};

/* ---- The host's part ------------------------------------------------------------------------ */

#define TEXT_OF(number) #number
#define DIGITS(number)  TEXT_OF(number)
#define STUB(name, number)                                                                         \
    __asm__(".section .stubs,\"ax\"\n.thumb_func\n.global " #name "\n" #name                       \
            ":\n svc #" DIGITS(number) "\n bx lr\n.text\n")

/* No code runs into them: an endless loop stands before each that must not return. */
__asm__(".section .stubs,\"ax\"\n b .\n b .\n.text\n");
STUB(host_read, SKIP_READ);
STUB(host_program, SKIP_PROGRAM);
STUB(host_erase, SKIP_ERASE);
STUB(host_key, SKIP_KEY);
STUB(ferry_crypto_sha256_init, SKIP_HASH);
STUB(ferry_crypto_sha256_update, SKIP_MORE);
STUB(ferry_crypto_sha256_final, SKIP_DIGEST);
STUB(ferry_crypto_p256_verify, SKIP_VERIFY);
__asm__(".section .stubs,\"ax\"\n.thumb_func\n.global halt\nhalt:\n svc #" DIGITS(
    SKIP_HALT) "\n b .\n b .\n.thumb_func\n.global jump\njump:\n svc #" DIGITS(SKIP_JUMP) "\n b "
                                                                                          ".\n."
                                                                                          "text\n");

int host_read(uint32_t slot, uint32_t offset, uint8_t *data, size_t len);
int host_program(uint32_t slot, uint32_t offset, const uint8_t *data, size_t len);
int host_erase(uint32_t slot, uint32_t offset, size_t len);
void host_key(uint8_t *key, uint8_t *hash);

static uint32_t slot_of(const struct ferry_flash *flash)
{
    return (uint32_t)(uintptr_t)flash->context;
}

static int read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    return host_read(slot_of(flash), offset, data, len);
}

static int program(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                   size_t len)
{
    return host_program(slot_of(flash), offset, data, len);
}

static int erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    return host_erase(slot_of(flash), offset, len);
}

static const struct ferry_flash_ops ops = {.read = read, .program = program, .erase = erase};

#define SLOT(number)                                                                               \
    {                                                                                              \
        .ops = &ops, .context = (void *)(uintptr_t)(number), .size = SKIP_SECTORS * SKIP_SECTOR,   \
        .write_size = SKIP_WRITE_SIZE, .erased_value = 0xff, .run_count = 1, .runs = {             \
            {SKIP_SECTORS, SKIP_SECTOR}                                                            \
        }                                                                                          \
    }

static const struct ferry_flash slots[2] = {SLOT(0), SLOT(1)};

/* ---- The C library's ------------------------------------------------------------------------ */

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    while (len-- > 0) {
        *t++ = *f++;
    }
    return to;
}

void *memset(void *to, int value, size_t len)
{
    uint8_t *t = to;

    while (len-- > 0) {
        *t++ = (uint8_t)value;
    }
    return to;
}

int memcmp(const void *one, const void *other, size_t len)
{
    const uint8_t *a = one;
    const uint8_t *b = other;

    for (; len > 0; len--, a++, b++) {
        if (*a != *b) {
            return *a - *b;
        }
    }
    return 0;
}

void *memmove(void *to, const void *from, size_t len)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    if (t <= f) {
        return memcpy(to, from, len);
    }
    while (len-- > 0) {
        t[len] = f[len];
    }
    return to;
}

/* ---- The bootloader ------------------------------------------------------------------------- */

static uint8_t key_der[SKIP_KEY_SIZE];
static uint8_t revoked_hash[1][FERRY_SHA256_SIZE];
static uint8_t buf[SKIP_BUF];
static struct ferry_boot_report report;

static const struct ferry_image_key key = {key_der, sizeof(key_der)};
static const struct ferry_key_list revoked = {revoked_hash, 1, ferry_key_list_has};
static const struct ferry_image_verifier *const verifiers[] = {&ferry_verify_ecdsa_p256};
static const struct ferry_image_digest_kind *const digests[] = {&ferry_digest_sha256};
static const struct ferry_boot_image image = {
    .slots = {.primary = &slots[0],
              .secondary = &slots[1],
              .strategy = &SKIP_TRAITS,
              .max_align = 8,
              .max_sectors = SKIP_SECTORS},
    .strategy = &SKIP_STRATEGY,
};
static const struct ferry_boot_config config = {
    .images = &image,
    .image_count = 1,
    .trust = {.keys = &key,
              .key_count = 1,
              .verifiers = verifiers,
              .verifier_count = 1,
              .digests = digests,
              .digest_count = 1,
              .revoked = &revoked},
    .buf = buf,
    .buf_size = sizeof(buf),
};

/* The seeded defect leaves it out. */
static const bool asks_again = !SKIP_WEAK;

/* Asks once more, far from where the result was looked at. */
__attribute__((noinline)) static void start(const struct ferry_boot_report *what)
{
    if (asks_again && !ferry_boot_may_start(what)) {
        halt();
    }
    jump(what->images[0].slot);
}

void reset(void)
{
    host_key(key_der, revoked_hash[0]);
    if (ferry_boot_run(&config, &report) != FERRY_OK) {
        halt();
    }
    start(&report);
    halt();
}
