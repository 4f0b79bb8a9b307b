/* SPDX-License-Identifier: Apache-2.0 */
/* The device behind the fuzzed server: two slots, a store, every group there is, a gate. */
#ifndef FUZZ_SERVER_DEVICE_H
#define FUZZ_SERVER_DEVICE_H

#include "server_flash.h"
#include "server_groups.h"

#include "ferry/group_access.h"
#include "ferry/group_image.h"
#include "ferry/group_os.h"
#include "ferry/group_shell.h"
#include "ferry/group_trust.h"

#define SERVER_GROUPS     12
#define SERVER_TRANSPORTS 4
#define SERVER_PEERS      4 /* of each transport */

/* What an input chooses of a device. */
struct server_choice {
    uint8_t strategy; /* and which slot runs, where that can be chosen */
    uint8_t second;   /* what is in the slot that does not run */
    uint8_t options;
    uint8_t buffers; /* size of packets; what the gate does */
};

/* What was sent of the upload that is open, to be compared with what is in the slot. */
struct server_shadow {
    uint8_t bytes[SERVER_AREA];
    uint32_t len;
};

struct server_device {
    struct server_choice choice;
    uint64_t now_ms;
    struct server_faults faults;
    struct server_flash slot[2];
    struct server_flash scratch;
    struct server_flash area; /* of the store */
    struct ferry_store store;
    struct ferry_slots slots;
    struct server_shadow shadow;

    struct ferry_os_group_config os_config;
    struct ferry_os_group os;
    struct ferry_image_options image_options;
    struct ferry_image_group_config image_config;
    struct ferry_image_group image;
    struct ferry_keys keys;
    struct ferry_keys_config keys_config;
    struct ferry_trust_group_config trust_config;
    uint8_t keys_buf[64];
    bool button; /* somebody who may change keys is there */
    struct ferry_shell_group_config shell_config;
    char shell_line[64];

    struct ferry_server_mount mounts[SERVER_GROUPS];
    struct ferry_server_config config;
    struct ferry_server server;
    struct server_groups groups;
    struct ferry_gate_config gate_config;
    struct ferry_gate gate;
    struct ferry_gate_wire gate_wires[SERVER_TRANSPORTS];
    uint8_t granted[SERVER_TRANSPORTS][SERVER_PEERS]; /* how far somebody who may unlocked each */
    bool refused;                                     /* the gate refused the last command */
};

/* Make a device as the choice says: image 1.2.3+4 runs. It is always the same memory. */
void server_device_make(struct server_device *device, const struct server_choice *choice);

/* A reset: RAM is lost, flash stays. */
void server_device_reset(struct server_device *device);

/* What a main loop does between packets. */
void server_device_idle(struct server_device *device);

static inline struct ferry_server_peer server_peer(uint8_t transport, unsigned which)
{
    return (struct ferry_server_peer){.transport = transport, .id = which % SERVER_PEERS};
}

/* Somebody who may unlocks a peer, or locks it. how: server_input.h. */
void server_device_unlock(struct server_device *device, uint8_t how);
void server_device_lock(struct server_device *device, uint8_t how);

/* Nothing the server may have done broke it; and at the end, nor its store. */
void server_device_check(struct server_device *device);
void server_device_check_store(const struct server_device *device);

#endif
