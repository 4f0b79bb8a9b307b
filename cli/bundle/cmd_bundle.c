/* SPDX-License-Identifier: Apache-2.0 */
/* ferry bundle list, ferry bundle verify. */
#include "bundle_print.h"

#include <string.h>

/* A bundle and what was found in it: too large for the stack. */
struct opened {
    struct bundle bundle;
    struct bundle_images images;
    struct findings findings;
};

static int open_it(const struct cli *cli, const char *path, struct opened *o)
{
    int code = bundle_open(cli, path, &o->bundle);
    if (code == CLI_OK) {
        bundle_images_open(&o->bundle, &o->images);
    }
    return code;
}

static void close_it(struct opened *o)
{
    bundle_images_free(&o->images);
    bundle_free(&o->bundle);
}

static int run_list(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{0}};
    static struct opened o;
    optind = 0;
    if (cli_getopt(cli, argc, argv, "", own) != -1) {
        return CLI_USAGE;
    }
    if (argc - optind != 1) {
        return cli_usage(cli, "bundle list needs one FILE");
    }
    const char *path = argv[optind];
    int code = open_it(cli, path, &o);
    if (code != CLI_OK) {
        return code;
    }
    if (cli->json) {
        cli_print_json(bundle_json(path, &o.bundle, &o.images));
    } else {
        bundle_print(stdout, path, &o.bundle, &o.images);
    }
    close_it(&o);
    return CLI_OK;
}

/* ---- verify ------------------------------------------------------------------------- */

static void print_verified_json(const char *path, const struct opened *o, const struct key *key)
{
    cJSON *object = bundle_json(path, &o->bundle, &o->images);
    cJSON_AddBoolToObject(object, "verified", o->findings.problems == 0);
    cJSON_AddStringToObject(object, "signature", key != NULL ? key->type->name : "unchecked");
    cJSON_AddItemToObject(object, "problems", findings_json(&o->findings, false));
    cJSON_AddItemToObject(object, "notes", findings_json(&o->findings, true));
    if (o->findings.problems > 0) {
        cJSON *error = cJSON_AddObjectToObject(object, "error");
        cJSON_AddStringToObject(error, "what", "the bundle does not verify");
        cJSON_AddStringToObject(error, "why", findings_first(&o->findings));
        cJSON_AddStringToObject(error, "next", bundle_next);
        cJSON_AddNumberToObject(error, "exit", CLI_VERIFY);
    }
    cli_print_json(object);
}

static int verify_bundle(const struct cli *cli, const char *path, const struct bundle_trust *trust)
{
    static struct opened o;
    struct cli words = *cli;
    int code = open_it(cli, path, &o);
    if (code != CLI_OK) {
        return code;
    }
    words.json = false; /* there is one result: this command's */
    o.findings = (struct findings){0};
    bundle_check(&words, &o.bundle, &o.images, trust, &o.findings);
    if (cli->json) {
        print_verified_json(path, &o, trust->key);
    } else {
        bundle_print(stdout, path, &o.bundle, &o.images);
        findings_tell_notes(&o.findings);
    }
    if (o.findings.problems > 0) {
        code = bundle_refuse(&words, path, &o.findings);
    } else if (!cli->json) {
        printf("%s: good, signatures %s\n", path,
               trust->key != NULL ? "good" : "not checked (give -k KEY)");
    }
    close_it(&o);
    return code;
}

/* Whether a secret can be loaded at all, before it is tried on each image. */
static int try_secret(const struct cli *cli, const char *path)
{
    struct encrypt_key secret;
    int code = encrypt_key_load(cli, path, &secret);
    if (code == CLI_OK) {
        encrypt_key_free(&secret);
    }
    return code;
}

static int run_verify(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {
        {"key", required_argument, NULL, 'k'}, {"encrypt", required_argument, NULL, 'E'}, {0}};
    const char *key_path = NULL;
    struct bundle_trust trust = {0};
    struct key key = {0};
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "k:E:", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        key_path = option == 'k' ? optarg : key_path;
        trust.secret_path = option == 'E' ? optarg : trust.secret_path;
    }
    if (argc - optind != 1) {
        return cli_usage(cli, "bundle verify needs one FILE");
    }
    int code = key_path != NULL ? key_load(cli, key_path, &key) : CLI_OK;
    if (code == CLI_OK && trust.secret_path != NULL) {
        code = try_secret(cli, trust.secret_path);
    }
    trust.key = key_path != NULL ? &key : NULL;
    if (code == CLI_OK) {
        code = verify_bundle(cli, argv[optind], &trust);
    }
    key_free(&key);
    return code;
}

const struct cli_command cli_bundle_commands[] = {
    {"bundle list", "FILE", "what is in a bundle, in install order", "", run_list},
    {"bundle verify", "[-k KEY] FILE", "check a bundle: manifest, files, every image",
     "  -k, --key KEY      public or private key; without it signatures are not checked\n"
     "  -E, --encrypt KEY  the device's private key, which decrypts encrypted images\n",
     run_verify},
    {0},
};
