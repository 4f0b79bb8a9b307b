/* SPDX-License-Identifier: Apache-2.0 */
/* sd-bus, of libsystemd, which is loaded when the first device of Bluetooth LE is asked for: with
 * all that it brings along it would make the start of every command a third longer, and a ferry
 * that never meets Bluetooth would not start without it. */
#ifndef PORT_BLUEZ_SDBUS_H
#define PORT_BLUEZ_SDBUS_H

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-bus.h>

/* The functions that are used, without sd_bus_. */
#define SDBUS_FUNCTIONS(X)                                                                         \
    X(add_object_vtable)                                                                           \
    X(call_async)                                                                                  \
    X(call_method)                                                                                 \
    X(flush_close_unref)                                                                           \
    X(get_events)                                                                                  \
    X(get_fd)                                                                                      \
    X(get_timeout)                                                                                 \
    X(match_signal)                                                                                \
    X(message_append)                                                                              \
    X(message_append_array)                                                                        \
    X(message_close_container)                                                                     \
    X(message_enter_container)                                                                     \
    X(message_exit_container)                                                                      \
    X(message_get_error)                                                                           \
    X(message_get_path)                                                                            \
    X(message_get_sender)                                                                          \
    X(message_new_method_call)                                                                     \
    X(message_open_container)                                                                      \
    X(message_peek_type)                                                                           \
    X(message_read)                                                                                \
    X(message_read_array)                                                                          \
    X(message_ref)                                                                                 \
    X(message_skip)                                                                                \
    X(message_unref)                                                                               \
    X(open_system)                                                                                 \
    X(process)                                                                                     \
    X(reply_method_errorf)                                                                         \
    X(reply_method_return)                                                                         \
    X(set_method_call_timeout)                                                                     \
    X(slot_unref)                                                                                  \
    X(wait)

struct sdbus {
#define SDBUS_MEMBER(name) __typeof__(sd_bus_##name) *name;
    SDBUS_FUNCTIONS(SDBUS_MEMBER)
#undef SDBUS_MEMBER
};

extern struct sdbus sdbus;

/* Load it, if that was not done before. why: room for cap characters. Returns whether all is
 * there. */
bool sdbus_load(char *why, size_t cap);

/* From here on their names stand for what was loaded. */
#define sd_bus_add_object_vtable       sdbus.add_object_vtable
#define sd_bus_call_async              sdbus.call_async
#define sd_bus_call_method             sdbus.call_method
#define sd_bus_flush_close_unref       sdbus.flush_close_unref
#define sd_bus_get_events              sdbus.get_events
#define sd_bus_get_fd                  sdbus.get_fd
#define sd_bus_get_timeout             sdbus.get_timeout
#define sd_bus_match_signal            sdbus.match_signal
#define sd_bus_message_append          sdbus.message_append
#define sd_bus_message_append_array    sdbus.message_append_array
#define sd_bus_message_close_container sdbus.message_close_container
#define sd_bus_message_enter_container sdbus.message_enter_container
#define sd_bus_message_exit_container  sdbus.message_exit_container
#define sd_bus_message_get_error       sdbus.message_get_error
#define sd_bus_message_get_path        sdbus.message_get_path
#define sd_bus_message_get_sender      sdbus.message_get_sender
#define sd_bus_message_new_method_call sdbus.message_new_method_call
#define sd_bus_message_open_container  sdbus.message_open_container
#define sd_bus_message_peek_type       sdbus.message_peek_type
#define sd_bus_message_read            sdbus.message_read
#define sd_bus_message_read_array      sdbus.message_read_array
#define sd_bus_message_ref             sdbus.message_ref
#define sd_bus_message_skip            sdbus.message_skip
#define sd_bus_message_unref           sdbus.message_unref
#define sd_bus_open_system             sdbus.open_system
#define sd_bus_process                 sdbus.process
#define sd_bus_reply_method_errorf     sdbus.reply_method_errorf
#define sd_bus_reply_method_return     sdbus.reply_method_return
#define sd_bus_set_method_call_timeout sdbus.set_method_call_timeout
#define sd_bus_slot_unref              sdbus.slot_unref
#define sd_bus_wait                    sdbus.wait

#endif
