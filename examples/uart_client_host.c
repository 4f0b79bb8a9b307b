/* SPDX-License-Identifier: Apache-2.0 */
/* uart_client_port.h on a computer, to try uart_client.c: standard input and output are the UART,
 * the image is in the file that FERRY_IMAGE names. Its digest is looked up with the core. */
#include "uart_client_port.h"

#include "ferry/crypto.h"
#include "ferry/image.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

uint32_t port_image_size;
uint8_t port_image_sha[32];
uint8_t port_image_hash[32];
static uint8_t image[1 << 20];

/* Before main(), as a chip's image is there. */
__attribute__((constructor)) static void load(void)
{
    const char *path = getenv("FERRY_IMAGE");
    FILE *file = path != NULL ? fopen(path, "rb") : NULL;
    struct ferry_flash_ram rom;
    struct ferry_image_info info;
    struct ferry_sha256 sha;

    if (file == NULL) {
        fprintf(stderr, "uart_client: FERRY_IMAGE names no file\n");
        exit(EXIT_FAILURE);
    }
    port_image_size = (uint32_t)fread(image, 1, sizeof image, file);
    fclose(file);
    if (ferry_flash_rom_init(&rom, image, port_image_size) != FERRY_OK ||
        ferry_image_inspect(&rom.flash, &info) != FERRY_OK ||
        info.digest_len != sizeof port_image_hash) {
        fprintf(stderr, "uart_client: %s is no image with a SHA-256\n", path);
        exit(EXIT_FAILURE);
    }
    ferry_crypto_sha256_init(&sha);
    ferry_crypto_sha256_update(&sha, image, port_image_size);
    ferry_crypto_sha256_final(&sha, port_image_sha);
    memcpy(port_image_hash, info.digest, sizeof port_image_hash);
}

int port_image_read(void *context, uint32_t off, uint8_t *buf, size_t len)
{
    (void)context;
    memcpy(buf, image + off, len);
    return FERRY_OK;
}

/* A main loop on a chip sleeps until the next interrupt; this one a millisecond at most. */
bool port_uart_get(uint8_t *byte)
{
    struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN};

    return poll(&wait, 1, 1) == 1 && read(STDIN_FILENO, byte, 1) == 1;
}

void port_uart_put(uint8_t byte)
{
    if (write(STDOUT_FILENO, &byte, 1) != 1) {
        exit(EXIT_FAILURE);
    }
}

uint64_t port_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void port_done(int error)
{
    fprintf(stderr, "uart_client: %s\n", error == 0 ? "sent, marked for a test, reset" : "failed");
    exit(error == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
