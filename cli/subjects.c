/* SPDX-License-Identifier: Apache-2.0 */
/* All commands, by subject. */
#include "cli.h"

#include <string.h>

const struct cli_subject cli_subjects[] = {
    {"update a device", cli_update_commands},
    {NULL, cli_image_commands},
    {NULL, cli_upload_commands},
    {NULL, cli_image_state_commands},
    {NULL, cli_core_commands},
    {NULL, cli_station_commands},
    {"ask a device", cli_why_commands},
    {NULL, cli_doctor_commands},
    {NULL, cli_scan_commands},
    {NULL, cli_measured_commands},
    {NULL, cli_os_commands},
    {NULL, cli_params_commands},
    {NULL, cli_datetime_commands},
    {NULL, cli_reset_commands},
    {NULL, cli_tasks_commands},
    {NULL, cli_stat_commands},
    {NULL, cli_log_commands},
    {NULL, cli_enum_commands},
    {NULL, cli_settings_commands},
    {NULL, cli_fs_commands},
    {NULL, cli_shell_commands},
    {NULL, cli_transport_commands},
    {NULL, cli_basic_commands},
    {NULL, cli_crash_commands},
    {NULL, cli_trust_commands},
    {NULL, cli_access_commands},
    {"packets", cli_raw_commands},
    {NULL, cli_monitor_commands},
    {NULL, cli_decode_commands},
    {NULL, cli_replay_commands},
    {"images", cli_sign_commands},
    {NULL, cli_verify_commands},
    {NULL, cli_inspect_commands},
    {NULL, cli_dumpinfo_commands},
    {NULL, cli_layout_commands},
    {"keys", cli_keygen_commands},
    {NULL, cli_key_commands},
    {"bundles of images", cli_bundle_create_commands},
    {NULL, cli_bundle_commands},
    {NULL, cli_bundle_extract_commands},
    {"bootloaders for a first stage", cli_b0_commands},
    {"the tool itself", cli_profile_commands},
    {NULL, cli_completion_commands},
    {NULL, cli_man_commands},
    {NULL, cli_version_commands},
    {NULL, NULL},
};

const struct cli_command *cli_next_command(const struct cli_command *command)
{
    bool take = command == NULL;

    for (const struct cli_subject *subject = cli_subjects; subject->commands != NULL; subject++) {
        for (const struct cli_command *c = subject->commands; c->words != NULL; c++) {
            if (take) {
                return c;
            }
            take = c == command;
        }
    }
    return NULL;
}

const struct cli_command *cli_command_of(const char *words)
{
    const struct cli_command *command = NULL;

    while ((command = cli_next_command(command)) != NULL) {
        if (strcmp(command->words, words) == 0) {
            return command;
        }
    }
    return NULL;
}
