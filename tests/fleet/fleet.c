/* SPDX-License-Identifier: Apache-2.0 */
/* fleet: very many devices in one process, for clients that talk to very many.
 *
 *   fleet HOST PORT COUNT KEY.der IMAGE [SILENT ...]
 *
 * COUNT devices answer SMP at UDP ports PORT, PORT + 1, … of HOST, 127.0.0.1 or a neighbour. Each
 * has flash of its own in RAM, runs IMAGE, and at each reset Ferry's bootloader on it: it swaps,
 * verifies by the public KEY and reverts. The devices with the numbers SILENT hear nothing. One
 * epoll loop.
 *
 * "ready" is printed when all have booted. At SIGTERM each is booted once more, which takes back
 * what is not confirmed, and what runs then is said: {"devices", "swaps", "running": {VERSION:
 * COUNT}}. */
#include "member.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX 256

/* From a reset's answer to the reset, and from there to the start, as on a chip. */
#define RESET_MS 50
#define BOOT_MS  100

struct reset {
    struct member *member;
    uint64_t at;
};

static struct fleet fleet;
static struct member *members;
static uint32_t member_count;
/* All take as long: who is asked first is done first. Each member is in it once at most. */
static struct reset *resets;
static uint32_t reset_first, reset_count;

__attribute__((noreturn)) static void die(const char *what)
{
    fprintf(stderr, "fleet: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- Set-up -------------------------------------------------------------------------------- */

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(MEMBER_SLOT);

    if (file == NULL || bytes == NULL) {
        die(path);
    }
    *size = fread(bytes, 1, MEMBER_SLOT, file);
    if (fgetc(file) != EOF) {
        errno = EFBIG;
        die(path);
    }
    (void)fclose(file);
    return bytes;
}

static void set_up_fleet(const char *key_path)
{
    static const struct ferry_image_verifier *const verifiers[] = {&ferry_verify_ecdsa_p256,
                                                                   &ferry_verify_ed25519};
    static const struct ferry_image_digest_kind *const digests[] = {&ferry_digest_sha256};
    static uint8_t work[4096];
    size_t size;
    const uint8_t *der = read_file(key_path, &size);

    fleet.key = (struct ferry_image_key){der, size};
    fleet.trust = (struct ferry_image_trust){.keys = &fleet.key,
                                             .key_count = 1,
                                             .verifiers = verifiers,
                                             .verifier_count = 2,
                                             .digests = digests,
                                             .digest_count = 1};
    fleet.os =
        (struct ferry_os_group_config){.bootloader_mode = (int8_t)ferry_traits_swap_move.mode};
    fleet.options = ferry_image_options_default;
    fleet.options.slot_info_always = true;
    fleet.options.erase_pending = false; /* a slot that waits for a reset is kept */
    fleet.work = work;
    fleet.work_size = sizeof work;
}

static int open_port(const char *host, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

    if (inet_pton(AF_INET, host, &address.sin_addr) != 1 || strncmp(host, "127.", 4) != 0) {
        fprintf(stderr, "fleet: %s is no address of this machine alone (127.…)\n", host);
        exit(2);
    }
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        die("cannot open a UDP port");
    }
    return fd;
}

static void make_members(const char *host, uint32_t port, const char *image_path, int epoll)
{
    size_t size;
    uint8_t *image = read_file(image_path, &size);
    struct rlimit files = {member_count + 32, member_count + 32};

    (void)setrlimit(RLIMIT_NOFILE, &files);
    members = calloc(member_count, sizeof *members);
    resets = calloc(member_count, sizeof *resets);
    if (members == NULL || resets == NULL) {
        die("memory");
    }
    for (uint32_t i = 0; i < member_count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &members[i]};
        int error = member_init(&members[i], &fleet, image, size);
        if (error != FERRY_OK) {
            fprintf(stderr, "fleet: the image does not run: %s\n", ferry_error_text(error));
            exit(1);
        }
        members[i].fd = open_port(host, (uint16_t)(port + i));
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, members[i].fd, &event) != 0) {
            die("epoll");
        }
    }
    free(image);
}

/* ---- Work ----------------------------------------------------------------------------------- */

static void put_reset(struct member *member, uint64_t at)
{
    resets[(reset_first + reset_count++) % member_count] = (struct reset){member, at};
}

static void serve(struct member *member)
{
    uint8_t in[MEMBER_BUF_SIZE];
    uint8_t out[MEMBER_BUF_SIZE];
    struct sockaddr_in peer;
    socklen_t peer_len = sizeof peer;
    ssize_t got =
        recvfrom(member->fd, in, sizeof in, MSG_TRUNC, (struct sockaddr *)&peer, &peer_len);

    if (got <= 0 || (size_t)got > sizeof in || member->off || member->is_dead) {
        return; /* too large a datagram is lost, as on a chip */
    }
    bool wanted = member_wants_reset(member);
    size_t len = member_answer(member, (struct ferry_bytes){in, (size_t)got}, out, sizeof out);
    if (len > 0) {
        (void)sendto(member->fd, out, len, 0, (const struct sockaddr *)&peer, peer_len);
    }
    if (!wanted && member_wants_reset(member)) {
        put_reset(member, now_ms() + RESET_MS + BOOT_MS);
    }
}

/* Those whose time has come; a member hears nothing for the last part of it. */
static void do_resets(void)
{
    uint64_t now = now_ms();

    for (uint32_t i = 0; i < reset_count; i++) {
        struct reset *reset = &resets[(reset_first + i) % member_count];
        if (reset->at > now + BOOT_MS) {
            break;
        }
        reset->member->off = true;
    }
    while (reset_count > 0 && resets[reset_first].at <= now) {
        struct member *member = resets[reset_first].member;
        reset_first = (reset_first + 1) % member_count;
        reset_count--;
        int error = member_boot(member, &fleet);
        if (error != FERRY_OK) {
            fprintf(stderr, "fleet: device %td starts nothing: %s\n", member - members,
                    ferry_error_text(error));
        }
    }
}

static void run(int epoll)
{
    struct epoll_event events[EVENTS_MAX];

    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS_MAX, reset_count > 0 ? 10 : 1000);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL) {
                return;
            }
            serve(events[i].data.ptr);
        }
        do_resets();
    }
}

/* ---- The end -------------------------------------------------------------------------------- */

/* How many run a version. */
struct running {
    struct ferry_version version;
    uint32_t count;
};

static void count_running(struct running *running, uint32_t kinds, const struct member *member)
{
    const struct ferry_version *version = &member->report.images[0].info.header.version;

    for (uint32_t i = 0; i < kinds; i++) {
        if (running[i].count == 0 ||
            ferry_version_compare(version, &running[i].version, true) == 0) {
            running[i].version = *version;
            running[i].count++;
            return;
        }
    }
}

/* What really is in the flash: each is booted once more, and what runs then is what stays. */
static void report(void)
{
    struct running running[4] = {{.count = 0}};
    uint32_t swaps = 0;

    for (uint32_t i = 0; i < member_count; i++) {
        swaps += members[i].swaps;
        if (member_boot(&members[i], &fleet) == FERRY_OK) {
            count_running(running, 4, &members[i]);
        }
    }
    printf("{\"devices\": %u, \"swaps\": %u, \"running\": {", (unsigned)member_count,
           (unsigned)swaps);
    for (uint32_t i = 0; i < 4 && running[i].count > 0; i++) {
        char text[FERRY_VERSION_TEXT_MAX];
        ferry_version_text(&running[i].version, text);
        printf("%s\"%s\": %u", i > 0 ? ", " : "", text, (unsigned)running[i].count);
    }
    puts("}}");
}

static void take_signals(int epoll)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, signalfd(-1, &set, SFD_CLOEXEC), &event) != 0) {
        die("signals");
    }
}

int main(int argc, char **argv)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    uint32_t port = argc > 5 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;

    member_count = argc > 5 ? (uint32_t)strtoul(argv[3], NULL, 10) : 0;
    if (port == 0 || member_count == 0 || port + member_count > 65536) {
        fputs("usage: fleet HOST PORT COUNT KEY.der IMAGE [SILENT ...]\n", stderr);
        return 2;
    }
    take_signals(epoll);
    set_up_fleet(argv[4]);
    make_members(argv[1], port, argv[5], epoll);
    for (int i = 6; i < argc; i++) {
        members[strtoul(argv[i], NULL, 10) % member_count].is_dead = true;
    }
    puts("ready");
    (void)fflush(stdout);
    run(epoll);
    report();
    return 0;
}
