/* SPDX-License-Identifier: Apache-2.0 */
/* ferry image test, confirm, state-write */
#include "ask.h"
#include "image_list.h"

#include <string.h>

/* What the device is to do with an image. */
struct wish {
    const char *hash; /* beginning of it; NULL: what runs */
    bool confirm;
    struct ferry_image_state image; /* found by hash */
};

/* ---- Whether it was done ------------------------------------------------------------------- */

static bool same_hash(const struct ferry_image_state *a, const struct ferry_image_state *b)
{
    return a->hash_len == b->hash_len && memcmp(a->hash, b->hash, a->hash_len) == 0;
}

/* Whether a state is what the wish leads to. */
static bool is_as_wished(const struct ferry_image_state *state, const struct wish *wish)
{
    if (!wish->confirm) {
        return state->pending;
    }
    return state->confirmed || (state->pending && state->permanent);
}

/* A device may say yes and have done nothing; then the list shows it. */
static bool was_done(const struct image_list *list, const struct wish *wish)
{
    bool any_active = false;
    for (size_t i = 0; i < list->count; i++) {
        any_active = any_active || list->states[i].active;
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct ferry_image_state *state = &list->states[i];
        bool meant = wish->hash != NULL ? same_hash(state, &wish->image)
                                        : (state->active || !any_active) && state->image == 0;
        if (meant && is_as_wished(state, wish)) {
            return true;
        }
    }
    return false;
}

static int not_done(struct session *session, const struct wish *wish)
{
    const struct cli *cli = session->cli;
    struct session_bootloader bootloader;

    if (session_is_bootloader(session, &bootloader)) {
        return session_fail_bootloader(session, wish->confirm ? "confirm the image"
                                                              : "mark the image for a test");
    }
    return cli_fail_why(cli, CLI_REFUSED,
                        wish->confirm
                            ? "the image is neither confirmed nor to be installed for good"
                            : "the image is not pending: the next reset does not start it",
                        "see `ferry image list` and `ferry why`; the device's firmware has a fault",
                        "the device said yes and did not do it");
}

/* ---- The commands ---------------------------------------------------------------------------- */

/* The list in the answer; some servers send none, and are asked for it. */
static int take_list(struct session *session, const struct ferry_client_answer *answer,
                     struct image_list *list)
{
    struct ferry_answer_items items;
    if (ferry_answer_list(answer->payload, "images", &items) == FERRY_E_NOT_FOUND) {
        return image_list_read(session, list);
    }
    return image_list_take(session, answer, list);
}

static int not_sent_twice(const struct cli *cli)
{
    return cli_fail(cli, CLI_NO_ANSWER,
                    "look: ferry image list; then confirm it again if that is still wanted",
                    "cannot confirm the image: no answer, and it does not run: the request is not "
                    "sent twice");
}

/* The image of the wish, of equals the one that runs; NULL when it is not listed. */
static const struct ferry_image_state *find_wished(const struct image_list *list,
                                                   const struct wish *wish)
{
    const struct ferry_image_state *found = NULL;
    for (size_t i = 0; i < list->count; i++) {
        const struct ferry_image_state *state = &list->states[i];
        if (same_hash(state, &wish->image) && (found == NULL || state->active)) {
            found = state;
        }
    }
    return found;
}

/* A confirm that names its image is sent once. Should a trial image crash now and the old one
 * answer, a second one would install what crashed for good: so the list is read before it. */
static int confirm_hash(struct session *session, const struct wish *wish, struct image_list *list)
{
    const struct ferry_bytes hash = {wish->image.hash, wish->image.hash_len};
    struct ferry_client_answer answer;
    for (uint32_t tries = 0;; tries++) {
        int32_t ticket = ferry_command_image_state(session->client, hash, true, NULL);
        ferry_client_last_try(session->client, ticket);
        int error = session_ask(session, ticket, &answer);
        if (error != FERRY_E_TIMEOUT || tries == session->client->config.retries) {
            int code = session_judge(session, ticket, error, "confirm the image", &answer);
            return code == CLI_OK ? take_list(session, &answer, list) : code;
        }
        int code = image_list_read(session, list);
        if (code != CLI_OK || was_done(list, wish)) {
            return code;
        }
        const struct ferry_image_state *now = find_wished(list, wish);
        if (now == NULL || !now->active) {
            return not_sent_twice(session->cli);
        }
    }
}

/* Returns an exit code; list is filled after CLI_OK. */
static int send_wish(struct session *session, const struct wish *wish, struct image_list *list)
{
    const struct ferry_bytes hash = {wish->image.hash, wish->image.hash_len};
    struct ferry_client_answer answer;
    if (wish->confirm && hash.len > 0) {
        return confirm_hash(session, wish, list);
    }
    int32_t ticket = ferry_command_image_state(session->client, hash, wish->confirm, NULL);
    int code =
        session_wait(session, ticket,
                     wish->confirm ? "confirm the image" : "mark the image for a test", &answer);
    return code == CLI_OK ? take_list(session, &answer, list) : code;
}

static int set_state(struct session *session, struct wish *wish)
{
    struct image_list list;
    int code = CLI_OK;

    if (wish->hash != NULL) {
        const struct ferry_image_state *found;
        code = image_list_read(session, &list);
        code = code == CLI_OK ? image_list_find(session, &list, wish->hash, &found) : code;
        if (code != CLI_OK) {
            return code;
        }
        wish->image = *found;
    }
    code = send_wish(session, wish, &list);
    if (code == CLI_OK && !was_done(&list, wish)) {
        return not_done(session, wish);
    }
    if (code == CLI_OK) {
        image_list_print(session->cli, &list);
    }
    return code;
}

static int run_wish(struct cli *cli, struct wish *wish)
{
    struct session session;
    int code = session_open(cli, &session);
    if (code == CLI_OK) {
        code = set_state(&session, wish);
        session_close(&session);
    }
    return code;
}

static int run_test(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{"confirm", required_argument, NULL, 'c'}, {0}};
    struct wish wish = {0};
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        wish.confirm = strcmp(optarg, "true") == 0;
        if (!wish.confirm && strcmp(optarg, "false") != 0) {
            return cli_usage(cli, "--confirm takes true or false");
        }
    }
    if (argc - optind != 1) {
        return cli_usage(cli, "test needs one HASH");
    }
    wish.hash = argv[optind];
    return run_wish(cli, &wish);
}

static int run_confirm(struct cli *cli, int argc, char **argv)
{
    struct wish wish = {.confirm = true};
    int code = ask_words(cli, argc, argv, 0, 1);
    if (code != CLI_OK) {
        return code;
    }
    wish.hash = optind < argc ? argv[optind] : NULL;
    return run_wish(cli, &wish);
}

/* smpmgr's and mcumgrctl's word for both. */
static int run_state(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {
        {"confirm", no_argument, NULL, 'c'}, {"hash", required_argument, NULL, 'H'}, {0}};
    struct wish wish = {0};
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        wish.confirm = wish.confirm || option == 'c';
        wish.hash = option == 'H' ? optarg : wish.hash;
    }
    if (argc - optind > (wish.hash == NULL)) {
        return cli_usage(cli, "one HASH at most");
    }
    wish.hash = optind < argc ? argv[optind] : wish.hash;
    if (wish.hash == NULL && !wish.confirm) {
        return cli_usage(cli, "give the HASH to test, or --confirm for what runs");
    }
    return run_wish(cli, &wish);
}

const struct cli_command cli_image_state_commands[] = {
    {"image test", "HASH", "start the image at the next reset; it reverts unless confirmed",
     "      --confirm BOOL   true: install it for good, as `image confirm HASH`\n", run_test},
    {"image confirm", "[HASH]", "keep the running image (or install HASH for good)", "",
     run_confirm},
    {"image state-write", "[HASH]", "image test and image confirm in smpmgr's word",
     "      --confirm        confirm HASH, or what runs; else HASH is tested\n"
     "      --hash HASH      the same as HASH\n",
     run_state},
    {0},
};
