/* SPDX-License-Identifier: Apache-2.0 */
/* Objects on the bus. sd-bus calls methods by the tables and describes them; which properties are
 * there is asked here, since sd-bus knows none that come and go. */
#include "air.h"

#include <stdio.h>
#include <string.h>

#define MANAGER    "org.freedesktop.DBus.ObjectManager"
#define PROPERTIES "org.freedesktop.DBus.Properties"

static struct air_object *objects;

static bool has(const struct air_object *object, const struct air_interface *interface,
                const char *property)
{
    return interface->has == NULL || interface->has(object->userdata, property);
}

static bool is_property(const sd_bus_vtable *row)
{
    return row->type == _SD_BUS_VTABLE_PROPERTY || row->type == _SD_BUS_VTABLE_WRITABLE_PROPERTY;
}

static int append_value(sd_bus_message *to, const struct air_object *object,
                        const struct air_interface *interface, const sd_bus_vtable *row)
{
    sd_bus_message_open_container(to, 'v', row->x.property.signature);
    int r = row->x.property.get(air.bus, object->path, interface->name, row->x.property.member, to,
                                object->userdata, NULL);
    sd_bus_message_close_container(to);
    return r;
}

/* a{sv} */
static void append_properties(sd_bus_message *to, const struct air_object *object,
                              const struct air_interface *interface)
{
    sd_bus_message_open_container(to, 'a', "{sv}");
    for (const sd_bus_vtable *row = interface->vtable; row->type != _SD_BUS_VTABLE_END; row++) {
        if (!is_property(row) || !has(object, interface, row->x.property.member)) {
            continue;
        }
        sd_bus_message_open_container(to, 'e', "sv");
        sd_bus_message_append(to, "s", row->x.property.member);
        append_value(to, object, interface, row);
        sd_bus_message_close_container(to);
    }
    sd_bus_message_close_container(to);
}

/* a{sa{sv}} */
static void append_interfaces(sd_bus_message *to, const struct air_object *object)
{
    sd_bus_message_open_container(to, 'a', "{sa{sv}}");
    for (int i = 0; i < AIR_INTERFACES && object->interfaces[i] != NULL; i++) {
        sd_bus_message_open_container(to, 'e', "sa{sv}");
        sd_bus_message_append(to, "s", object->interfaces[i]->name);
        append_properties(to, object, object->interfaces[i]);
        sd_bus_message_close_container(to);
    }
    sd_bus_message_close_container(to);
}

static int answer_managed(sd_bus_message *call)
{
    sd_bus_message *reply = NULL;

    sd_bus_message_new_method_return(call, &reply);
    sd_bus_message_open_container(reply, 'a', "{oa{sa{sv}}}");
    for (const struct air_object *object = objects; object != NULL; object = object->next) {
        sd_bus_message_open_container(reply, 'e', "oa{sa{sv}}");
        sd_bus_message_append(reply, "o", object->path);
        append_interfaces(reply, object);
        sd_bus_message_close_container(reply);
    }
    sd_bus_message_close_container(reply);
    int r = sd_bus_send(air.bus, reply, NULL);
    sd_bus_message_unref(reply);
    return r < 0 ? r : 1;
}

static const struct air_object *find_object(const char *path)
{
    for (const struct air_object *object = objects; object != NULL; object = object->next) {
        if (path != NULL && strcmp(object->path, path) == 0) {
            return object;
        }
    }
    return NULL;
}

static const struct air_interface *find_interface(const struct air_object *object, const char *name)
{
    for (int i = 0; i < AIR_INTERFACES && object->interfaces[i] != NULL; i++) {
        if (strcmp(object->interfaces[i]->name, name) == 0) {
            return object->interfaces[i];
        }
    }
    return NULL;
}

static int answer_get_all(sd_bus_message *call, const struct air_object *object)
{
    const char *name = "";
    sd_bus_message *reply = NULL;

    sd_bus_message_read(call, "s", &name);
    const struct air_interface *interface = find_interface(object, name);
    if (interface == NULL) {
        sd_bus_message_rewind(call, true);
        return 0; /* sd-bus knows what to say */
    }
    sd_bus_message_new_method_return(call, &reply);
    append_properties(reply, object, interface);
    int r = sd_bus_send(air.bus, reply, NULL);
    sd_bus_message_unref(reply);
    return r < 0 ? r : 1;
}

/* A property that is not there now; all else is sd-bus's. */
static int answer_get(sd_bus_message *call, const struct air_object *object)
{
    const char *name = "", *property = "";

    sd_bus_message_read(call, "ss", &name, &property);
    sd_bus_message_rewind(call, true);
    const struct air_interface *interface = find_interface(object, name);
    if (interface == NULL || has(object, interface, property)) {
        return 0;
    }
    return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_INVALID_ARGS, "No such property '%s'",
                                      property);
}

static int before_objects(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    (void)userdata, (void)error;
    const char *path = sd_bus_message_get_path(message);
    if (sd_bus_message_is_method_call(message, MANAGER, "GetManagedObjects") > 0 &&
        strcmp(path, "/") == 0) {
        return answer_managed(message);
    }
    const struct air_object *object = find_object(path);
    if (object == NULL) {
        return 0;
    }
    if (sd_bus_message_is_method_call(message, PROPERTIES, "GetAll") > 0) {
        return answer_get_all(message, object);
    }
    if (sd_bus_message_is_method_call(message, PROPERTIES, "Get") > 0) {
        return answer_get(message, object);
    }
    return 0;
}

int air_objects_begin(void)
{
    return sd_bus_add_filter(air.bus, NULL, before_objects, NULL);
}

/* ---- One object ----------------------------------------------------------------------------- */

static void say_added(const struct air_object *object)
{
    sd_bus_message *signal = NULL;

    sd_bus_message_new_signal(air.bus, &signal, "/", MANAGER, "InterfacesAdded");
    sd_bus_message_append(signal, "o", object->path);
    append_interfaces(signal, object);
    sd_bus_send(air.bus, signal, NULL);
    sd_bus_message_unref(signal);
}

static void say_removed(const struct air_object *object)
{
    sd_bus_message *signal = NULL;

    sd_bus_message_new_signal(air.bus, &signal, "/", MANAGER, "InterfacesRemoved");
    sd_bus_message_append(signal, "o", object->path);
    sd_bus_message_open_container(signal, 'a', "s");
    for (int i = 0; i < AIR_INTERFACES && object->interfaces[i] != NULL; i++) {
        sd_bus_message_append(signal, "s", object->interfaces[i]->name);
    }
    sd_bus_message_close_container(signal);
    sd_bus_send(air.bus, signal, NULL);
    sd_bus_message_unref(signal);
}

bool air_object_exported(const struct air_object *object)
{
    return object->interfaces[0] != NULL;
}

void air_object_export(struct air_object *object, const char *path, void *userdata,
                       const struct air_interface *const *interfaces)
{
    struct air_object **end = &objects;

    *object = (struct air_object){.userdata = userdata};
    (void)snprintf(object->path, sizeof object->path, "%s", path);
    for (int i = 0; interfaces[i] != NULL; i++) {
        object->interfaces[i] = interfaces[i];
        int r = sd_bus_add_object_vtable(air.bus, &object->slots[i], path, interfaces[i]->name,
                                         interfaces[i]->vtable, userdata);
        if (r < 0) {
            air_say("%s: %s: %s", path, interfaces[i]->name, strerror(-r));
        }
    }
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = object;
    say_added(object);
}

void air_object_withdraw(struct air_object *object)
{
    struct air_object **at = &objects;

    if (!air_object_exported(object)) {
        return;
    }
    say_removed(object);
    while (*at != object) {
        at = &(*at)->next;
    }
    *at = object->next;
    for (int i = 0; i < AIR_INTERFACES; i++) {
        sd_bus_slot_unref(object->slots[i]);
    }
    *object = (struct air_object){0};
}

static void say_not_there(const struct air_object *object, const char *interface,
                          const char *property)
{
    sd_bus_message *signal = NULL;

    sd_bus_message_new_signal(air.bus, &signal, object->path, PROPERTIES, "PropertiesChanged");
    sd_bus_message_append(signal, "sa{sv}as", interface, 0, 1, property);
    sd_bus_send(air.bus, signal, NULL);
    sd_bus_message_unref(signal);
}

void air_object_changed(const struct air_object *object, const char *interface,
                        const char *property)
{
    if (!air_object_exported(object)) {
        return;
    }
    const struct air_interface *table = find_interface(object, interface);
    if (table != NULL && !has(object, table, property)) {
        say_not_there(object, interface, property);
        return;
    }
    sd_bus_emit_properties_changed(air.bus, object->path, interface, property, NULL);
}
