/* SPDX-License-Identifier: Apache-2.0 */
/* The end of an update: what is printed of success and of failure. */
#include "update_fail.h"
#include "update_run.h"

#include "cli/device/speed.h"

#include <string.h>

/* A flow is through; what is said waits until all are. */
void update_done(struct update_run *run, const struct ferry_update_event *event)
{
    struct update_item *item = run->item;
    item->proved = event->proof != NULL;
    if (event->proof != NULL) {
        item->proof = *event->proof;
    }
    item->worked = item->worked || (!event->already && !run->config.dry_run);
    item->planned = item->proved ? FERRY_UPDATE_END : event->step;
    item->limit = event->limit;
    if (item->previous[0] == '\0' && event->running != NULL && !item->worked) {
        snprintf(item->previous, sizeof item->previous, "%s", event->running->version);
    }
}

/* ---- A dry run ---------------------------------------------------------------------------- */

/* What would be done, from the first change on. */
static size_t plan_of(const struct update_run *run, const struct update_item *item,
                      const char *steps[8])
{
    bool recovery = run->told_recovery || item->planned == FERRY_UPDATE_ENTER;
    bool uploads = item->planned <= FERRY_UPDATE_UPLOAD;
    size_t n = 0;

    if (!item->looked) {
        return 0;
    }
    if (item->planned < FERRY_UPDATE_UPLOAD) {
        steps[n++] = ferry_update_step_name(item->planned);
    }
    if (uploads) {
        steps[n++] = "upload";
    }
    if (!recovery && item->planned <= FERRY_UPDATE_TEST) {
        steps[n++] = run->config.permanent ? "install" : "test";
    }
    if (run->test_only) {
        return n;
    }
    if (item->planned <= FERRY_UPDATE_RESET) {
        steps[n++] = "reset";
        steps[n++] = "compare";
    }
    if (!recovery && !run->no_confirm && !run->config.permanent) {
        if (run->check != NULL) {
            steps[n++] = "check";
        }
        steps[n++] = "confirm";
    }
    return n;
}

static void add_plan(cJSON *object, const struct update_run *run, const struct update_item *item)
{
    const char *steps[8];
    size_t count = plan_of(run, item, steps);
    cJSON *list = cJSON_AddArrayToObject(object, "plan");
    for (size_t i = 0; i < count; i++) {
        cJSON_AddItemToArray(list, cJSON_CreateString(steps[i]));
    }
    cJSON_AddNumberToObject(object, "limit", item->limit);
}

static void print_plan(const struct update_run *run, const struct update_item *item)
{
    const char *steps[8];
    char name[16];
    size_t count = plan_of(run, item, steps);
    update_name(run, item, name);
    printf("%s%s", name, count > 0 ? "would: " : "nothing to do");
    for (size_t i = 0; i < count; i++) {
        printf("%s%s", i > 0 ? ", " : "", steps[i]);
        if (strcmp(steps[i], "upload") == 0 && item->limit > 0) {
            printf(" %zu bytes (%u fit)", item->file.bytes.len, (unsigned)item->limit);
        }
    }
    putchar('\n');
}

/* ---- The result --------------------------------------------------------------------------- */

static cJSON *item_as_json(const struct update_run *run, const struct update_item *item)
{
    const struct ferry_image_state *proof = &item->proof;
    const struct ferry_image_info *info = &item->file.info;
    char hash[2 * FERRY_STATE_HASH_MAX + 1];
    char version[FERRY_VERSION_TEXT_MAX];
    const char *steps[8];
    cJSON *object = cJSON_CreateObject();
    bool already = run->dry_run ? plan_of(run, item, steps) == 0 : !item->worked;
    cli_hex(item->proved ? proof->hash : info->digest,
            item->proved ? proof->hash_len : info->digest_len, hash);
    ferry_version_text(&info->header.version, version);
    if (run->count > 1) {
        cJSON_AddNumberToObject(object, "image", item->image);
    }
    cJSON_AddStringToObject(object, "version", item->proved ? proof->version : version);
    cJSON_AddStringToObject(object, "hash", hash);
    cJSON_AddBoolToObject(object, "already", already);
    cJSON_AddBoolToObject(object, "active", item->proved && proof->active);
    cJSON_AddBoolToObject(object, "confirmed", item->proved && proof->confirmed);
    cJSON_AddBoolToObject(object, "pending", item->proved && proof->pending);
    cJSON_AddBoolToObject(object, "recovery", run->told_recovery);
    cJSON_AddStringToObject(object, "previous", item->previous);
    cJSON_AddNumberToObject(object, "size", (double)item->file.bytes.len);
    cJSON_AddNumberToObject(object, "sent", item->uploaded);
    cJSON_AddNumberToObject(object, "resumed_at", item->resumed_at);
    if (run->dry_run) {
        add_plan(object, run, item);
    }
    return object;
}

/* What is known of the run as a whole. */
static void add_run(cJSON *object, const struct update_run *run)
{
    uint64_t ms = ferry_connection_now() - run->begin_ms;
    cJSON_AddNumberToObject(object, "seconds", (double)ms / 1000.0);
    cJSON_AddNumberToObject(object, "retransmissions", run->session.client->stats.retransmitted);
    if (run->check_status != CHECK_NOT_RUN) {
        cJSON_AddNumberToObject(object, "check", run->check_status);
    }
}

static void print_json(const struct update_run *run)
{
    if (run->count == 1) {
        cJSON *only = item_as_json(run, &run->items[0]);
        add_run(only, run);
        if (run->items[0].uploaded > 0) {
            speed_add(only, &run->flow.upload);
        }
        cli_print_json(only);
        return;
    }
    cJSON *object = cJSON_CreateObject();
    cJSON *images = cJSON_AddArrayToObject(object, "images");
    for (size_t i = 0; i < run->count; i++) {
        cJSON_AddItemToArray(images, item_as_json(run, &run->items[i]));
    }
    add_run(object, run);
    cli_print_json(object);
}

static void print_human(const struct update_run *run, const struct update_item *item)
{
    const struct ferry_image_state *proof = &item->proof;
    char name[16];
    update_name(run, item, name);
    if (!item->proved) {
        printf("%sdone\n", name);
        return;
    }
    printf("%s%s: version %s %s\n", name, item->worked ? "done" : "already done, nothing sent",
           proof->version,
           !proof->active     ? "is pending: it starts at the next reset"
           : proof->confirmed ? "runs and is confirmed"
                              : "runs UNCONFIRMED: it is taken back when its trial ends");
}

void update_print_end(const struct update_run *run)
{
    if (run->cli->json) {
        print_json(run);
        return;
    }
    for (size_t i = 0; i < run->count; i++) {
        if (run->dry_run) {
            print_plan(run, &run->items[i]);
        } else {
            print_human(run, &run->items[i]);
        }
    }
}

/* The check of --check did not pass. */
static int rejected(struct update_run *run, const struct ferry_update_event *event)
{
    char words[64];
    const char *version = event->running != NULL ? event->running->version : "";
    update_check_words(run, words, sizeof words);
    if (event->error == FERRY_E_REVERTED) {
        return cli_fail_why(run->cli, CLI_REVERTED, "the command of --check did not accept it",
                            "find out why the check fails; the device is as it was",
                            "REVERTED: the check failed (%s); the device went back to version %s",
                            words, version);
    }
    return cli_fail_why(run->cli, CLI_FAILED, event->text, event->remedy,
                        "the check failed (%s), and the device did not go back", words);
}

int update_failed(struct update_run *run, const struct ferry_update_event *event)
{
    struct ferry_client_answer answer;
    struct ferry_why why;

    if (event->rejected) {
        return rejected(run, event);
    }
    bool knows = update_fail_asks(event) &&
                 why_ask(&run->session, run->config.image, &why, &answer) == FERRY_OK;
    const struct update_failure failure = {.session = &run->session,
                                           .event = event,
                                           .flow = &run->flow,
                                           .version = &run->item->file.info.header.version,
                                           .size = run->config.size,
                                           .why = knows ? &why : NULL};

    return update_fail(&failure);
}

int update_stopped(const struct update_run *run)
{
    const struct ferry_update *flow = &run->flow;
    const char *name = run->cli->command->words;
    char where[64];
    snprintf(where, sizeof where, "at step %s", ferry_update_step_name(flow->step));
    if (flow->step == FERRY_UPDATE_UPLOAD && run->config.size > 0) {
        snprintf(where, sizeof where, "at %u %% of the upload",
                 (unsigned)((uint64_t)run->acked * 100 / run->config.size));
    }
    return cli_fail_why(run->cli, 128 + update_signal(),
                        flow->was_reset ? "the new image may run, and is not confirmed"
                        : flow->worked  ? "the running image was not touched"
                                        : "nothing was changed on the device",
                        "run the same again: it goes on where the device stands",
                        "%s was interrupted %s", name, where);
}
