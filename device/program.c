/* SPDX-License-Identifier: Apache-2.0 */
/* A program on the chip: a process of its own, made from bytes of flash. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Descriptors are first moved above those that the program finds. */
#define FD_HIGH 64

/* The channel holds this much in each direction. */
#define CHANNEL_BYTES (256 * 1024)

static int make_file(struct ferry_bytes elf)
{
    int fd = memfd_create("ferry-program", MFD_CLOEXEC);

    for (size_t at = 0; fd >= 0 && at < elf.len;) {
        ssize_t done = write(fd, elf.data + at, elf.len - at);
        if (done <= 0) {
            (void)close(fd);
            return -1;
        }
        at += (size_t)done;
    }
    return fd;
}

static void place(int fd, int where)
{
    if (fd < 0 || dup2(fd, where) < 0) {
        _exit(126);
    }
}

/* In the child: nothing of the chip remains but the channel, the memory and stderr. */
static void become(const char *name, int elf, int channel, const struct program_memory *memory)
{
    const rlim_t file_max = memory->files >= 0 ? FERRY_VCHIP_FILE_MAX : 0;
    const struct rlimit none = {0, 0};
    const struct rlimit files_limit = {file_max, file_max};
    char title[32];
    char *const argv[] = {title, NULL};
    char *const environment[] = {NULL};
    int high[FERRY_VCHIP_DEVICES];
    sigset_t all;

    (void)snprintf(title, sizeof(title), "%s", name);
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_UNBLOCK, &all, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)setrlimit(RLIMIT_FSIZE, &files_limit);
    int program = fcntl(elf, F_DUPFD_CLOEXEC, FD_HIGH);
    int end = fcntl(channel, F_DUPFD_CLOEXEC, FD_HIGH);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int ram = memory->ram >= 0 ? fcntl(memory->ram, F_DUPFD_CLOEXEC, FD_HIGH) : -1;
    int files = memory->files >= 0 ? fcntl(memory->files, F_DUPFD_CLOEXEC, FD_HIGH) : -1;
    int shared = fcntl(memory->shared, F_DUPFD_CLOEXEC, FD_HIGH);
    for (uint32_t i = 0; i < memory->flash_count; i++) {
        high[i] = fcntl(memory->flash[i], F_DUPFD_CLOEXEC, FD_HIGH);
    }
    place(null, STDIN_FILENO);
    place(null, STDOUT_FILENO);
    place(end, FERRY_VCHIP_FD_CHANNEL);
    for (uint32_t i = 0; i < memory->flash_count; i++) {
        place(high[i], FERRY_VCHIP_FD_FLASH + (int)i);
    }
    if (memory->ram >= 0) {
        place(ram, FERRY_VCHIP_FD_RAM);
    }
    place(shared, FERRY_VCHIP_FD_SHARED);
    if (memory->files >= 0) {
        place(files, FERRY_VCHIP_FD_FILES);
    }
    (void)fexecve(program, argv, environment);
    _exit(127);
}

static int spawn(struct program *program, const char *name, int elf,
                 const struct program_memory *memory)
{
    const int size = CHANNEL_BYTES;
    int ends[2];
    pid_t chip = getpid();

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return FERRY_E_IO;
    }
    (void)setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    (void)setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    program->pid = fork();
    if (program->pid == 0) {
        /* When the chip died before this line there is no signal to wait for. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != chip) {
            _exit(126);
        }
        become(name, elf, ends[1], memory);
    }
    (void)close(ends[1]);
    if (program->pid < 0) {
        (void)close(ends[0]);
        program->pid = 0;
        return FERRY_E_IO;
    }
    program->channel = ends[0];
    return FERRY_OK;
}

int program_start(struct program *program, const char *name, struct ferry_bytes elf,
                  const struct program_memory *memory)
{
    int file = make_file(elf);

    program->pid = 0;
    program->channel = -1;
    if (file < 0) {
        return FERRY_E_IO;
    }
    int result = spawn(program, name, file, memory);
    (void)close(file);
    return result;
}

static void forget(struct program *program)
{
    (void)close(program->channel);
    program->pid = 0;
    program->channel = -1;
}

void program_kill(struct program *program)
{
    if (program->pid == 0) {
        return;
    }
    (void)kill(program->pid, SIGKILL);
    while (waitpid(program->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    forget(program);
}

bool program_ended(struct program *program, char *how, size_t cap)
{
    int status = 0;

    if (program->pid == 0 || waitpid(program->pid, &status, WNOHANG) != program->pid) {
        return false;
    }
    if (WIFSIGNALED(status)) {
        (void)snprintf(how, cap, "signal %d, %s", WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else {
        (void)snprintf(how, cap, "it returned %d", WEXITSTATUS(status));
    }
    forget(program);
    return true;
}

int program_tell(const struct program *program, const struct ferry_vchip_message *message,
                 struct ferry_bytes bytes)
{
    struct ferry_vchip_message head = *message;
    const uint8_t *data = bytes.data;
    struct iovec parts[2] = {{&head, sizeof(head)}, {NULL, bytes.len}};
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = bytes.len > 0 ? 2 : 1};

    memcpy(&parts[1].iov_base, &data, sizeof(data)); /* iovec has no const */
    if (sendmsg(program->channel, &packet, MSG_NOSIGNAL) >= 0) {
        return FERRY_OK;
    }
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? FERRY_E_FULL : FERRY_E_IO;
}

int program_hear(const struct program *program, struct ferry_vchip_message *message, uint8_t *bytes,
                 size_t cap)
{
    struct iovec parts[2] = {{message, sizeof(*message)}, {bytes, cap}};
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t len = recvmsg(program->channel, &packet, 0);

    if (len <= 0) {
        return FERRY_E_NOT_FOUND;
    }
    if ((size_t)len < sizeof(*message) || (packet.msg_flags & MSG_TRUNC) != 0) {
        return FERRY_E_FORMAT;
    }
    return (int)((size_t)len - sizeof(*message));
}
