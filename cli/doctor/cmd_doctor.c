/* SPDX-License-Identifier: Apache-2.0 */
/* ferry doctor: why nothing answers, or how well it does, stage by stage. */
#include "doctor.h"
#include "cli/device/record.h"

#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

/* How long a server may take for an answer, here. Asked twice in each version. */
#define PATIENCE_MS 700

#define ANY (DOCTOR_TTY | DOCTOR_UDP | DOCTOR_STREAM | DOCTOR_RADIO)

/* In the order they are asked. */
static const struct doctor_stage stages[] = {
    {"port", DOCTOR_TTY, 0, doctor_port},
    {"permission", DOCTOR_TTY, DOCTOR_HAS_PORT, doctor_permission},
    {"free", DOCTOR_TTY, DOCTOR_HAS_ACCESS, doctor_free},
    {"bytes", DOCTOR_TTY, DOCTOR_HAS_WIRE, doctor_bytes},
    {"name", DOCTOR_UDP, 0, doctor_name},
    {"route", DOCTOR_UDP, DOCTOR_HAS_PORT, doctor_route},
    {"connect", DOCTOR_STREAM | DOCTOR_RADIO, 0, doctor_connect},
    {"answer", ANY, DOCTOR_HAS_WIRE, doctor_answer},
    {"framing", DOCTOR_TTY | DOCTOR_STREAM, DOCTOR_HAS_WIRE, doctor_framing},
    {"baud", DOCTOR_TTY, DOCTOR_HAS_WIRE, doctor_baud},
    {"server", ANY, DOCTOR_HAS_ANSWER, doctor_server},
    {"buffers", ANY, DOCTOR_HAS_ANSWER, doctor_buffers},
    {"lines", ANY, DOCTOR_HAS_ANSWER, doctor_lines},
    {"turnaround", ANY, DOCTOR_HAS_ANSWER, doctor_turnaround},
    {"speed", ANY, DOCTOR_HAS_ANSWER, doctor_speed},
    {"slots", ANY, DOCTOR_HAS_ANSWER, doctor_slots},
    {"file", ANY, 0, doctor_file},
};

/* ---- Findings ---------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 0))) static void
fill(struct doctor_finding *finding, enum doctor_status status, const char *format, va_list args)
{
    finding->status = status;
    vsnprintf(finding->fact, sizeof finding->fact, format, args);
}

void doctor_ok(struct doctor_finding *finding, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(finding, DOCTOR_OK, format, args);
    va_end(args);
}

void doctor_skip(struct doctor_finding *finding, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(finding, DOCTOR_SKIPPED, format, args);
    va_end(args);
}

static void advise(struct doctor_finding *finding, const char *why, const char *next)
{
    snprintf(finding->why, sizeof finding->why, "%s", why);
    snprintf(finding->next, sizeof finding->next, "%s", next);
}

void doctor_warn(struct doctor_finding *finding, const char *why, const char *next,
                 const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(finding, DOCTOR_WARNING, format, args);
    va_end(args);
    advise(finding, why, next);
}

void doctor_fail(struct doctor_finding *finding, int exit_code, const char *why, const char *next,
                 const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(finding, DOCTOR_FAILED, format, args);
    va_end(args);
    advise(finding, why, next);
    finding->exit = exit_code;
}

/* ---- Telling
 * ------------------------------------------------------------------------------------- */

#define NAME_WIDTH 10

static const char *const status_names[] = {"ok", "warning", "failed", "skipped"};

/* Stages that were skipped for one reason stand on one line, which ends with the next finding. */
static void print_skipped(const char *name, const char *fact)
{
    static char reason[sizeof((struct doctor_finding *)0)->fact];
    static bool open;
    static int width;

    if (open && (fact == NULL || strcmp(fact, reason) != 0)) {
        printf("%*s  %s\n", width < NAME_WIDTH ? NAME_WIDTH - width : 0, "", reason);
        open = false;
    }
    if (fact != NULL) {
        width = open ? width + printf(", %s", name) : printf("skipped  %s", name) - 9;
        snprintf(reason, sizeof reason, "%s", fact);
        open = true;
    }
}

static void print_finding(const char *name, const struct doctor_finding *finding)
{
    if (finding->status == DOCTOR_SKIPPED) {
        print_skipped(name, finding->fact);
        return;
    }
    print_skipped(NULL, NULL);
    printf("%-8s %-*s  %s\n", status_names[finding->status], NAME_WIDTH, name, finding->fact);
    if (finding->why[0] != '\0') {
        printf("         why:  %s\n", finding->why);
    }
    if (finding->next[0] != '\0') {
        printf("         next: %s\n", finding->next);
    }
    fflush(stdout);
}

static void add_finding(cJSON *list, const char *name, const struct doctor_finding *finding)
{
    cJSON *row = cJSON_CreateObject();

    cJSON_AddStringToObject(row, "stage", name);
    cJSON_AddBoolToObject(row, "ok", finding->status != DOCTOR_FAILED);
    cJSON_AddStringToObject(row, "status", status_names[finding->status]);
    cJSON_AddStringToObject(row, "fact", finding->fact);
    cJSON_AddStringToObject(row, "why", finding->why);
    cJSON_AddStringToObject(row, "next", finding->next);
    cJSON_AddItemToArray(list, row);
}

/* The first failure, and why: from a later stage, where one found the cause. */
struct verdict {
    const char *failed; /* a stage; NULL = none */
    int exit;
    char what[480], why[480], next[400];
    size_t warnings;
};

static void judge(struct verdict *verdict, const char *name, const struct doctor_finding *finding)
{
    bool first = verdict->failed == NULL;

    verdict->warnings += finding->status == DOCTOR_WARNING;
    if (finding->status != DOCTOR_FAILED || !(first || finding->is_cause)) {
        return;
    }
    if (first) {
        verdict->failed = name;
        verdict->exit = finding->exit;
        snprintf(verdict->what, sizeof verdict->what, "%s", finding->fact);
    }
    snprintf(verdict->why, sizeof verdict->why, "%s", first ? finding->why : finding->fact);
    snprintf(verdict->next, sizeof verdict->next, "%s", finding->next);
}

static void print_verdict(const struct verdict *verdict)
{
    print_skipped(NULL, NULL);
    if (verdict->failed != NULL) {
        printf("\nfailed: %s\n", verdict->what);
        if (verdict->why[0] != '\0') {
            printf("  why:  %s\n", verdict->why);
        }
        printf("  next: %s\n", verdict->next);
    } else if (verdict->warnings > 0) {
        printf("\nall well, but for %zu warning%s\n", verdict->warnings,
               verdict->warnings > 1 ? "s" : "");
    } else {
        puts("\nall well");
    }
}

static void print_json(struct doctor *doctor, cJSON *list, const struct verdict *verdict)
{
    cJSON *object = doctor->facts;

    cJSON_AddStringToObject(object, "uri", doctor->uri);
    cJSON_AddItemToObject(object, "stages", list);
    cJSON_AddStringToObject(object, "failed", verdict->failed != NULL ? verdict->failed : "");
    cJSON_AddNumberToObject(object, "warnings", (double)verdict->warnings);
    cJSON_AddNumberToObject(object, "exit", verdict->exit);
    if (verdict->failed != NULL) {
        cJSON *error = cJSON_AddObjectToObject(object, "error");
        cJSON_AddStringToObject(error, "what", verdict->what);
        cJSON_AddStringToObject(error, "why", verdict->why);
        cJSON_AddStringToObject(error, "next", verdict->next);
        cJSON_AddNumberToObject(error, "exit", verdict->exit);
    }
    cli_print_json(object);
}

/* ---- The conversation
 * ----------------------------------------------------------------------------- */

void doctor_hang_up(struct doctor *doctor)
{
    if (doctor->open) {
        session_close(&doctor->session);
        doctor->open = false;
    }
}

int doctor_dial(struct doctor *doctor, char *why, size_t cap)
{
    doctor_hang_up(doctor);
    doctor->quick.device = doctor->uri;
    int error = session_dial(&doctor->quick, &doctor->session, why, cap);
    doctor->open = error == FERRY_OK;
    return error;
}

/* ---- The command
 * ---------------------------------------------------------------------------------- */

static void examine(struct doctor *doctor, cJSON *list, struct verdict *verdict)
{
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        const struct doctor_stage *stage = &stages[i];
        struct doctor_finding finding = {0};
        if ((stage->wires & doctor->wire) == 0) {
            continue;
        }
        if ((stage->needs & ~doctor->has) != 0) {
            doctor_skip(&finding, (stage->needs & DOCTOR_HAS_ANSWER) != 0
                                      ? "nothing answers"
                                      : "there is no open wire");
        } else {
            stage->run(doctor, &finding);
        }
        cli_printable(finding.fact);
        cli_printable(finding.why);
        judge(verdict, stage->name, &finding);
        add_finding(list, stage->name, &finding);
        if (!doctor->cli->json) {
            print_finding(stage->name, &finding);
        }
    }
}

static enum doctor_wire wire_of(enum ferry_transport_medium medium)
{
    static const enum doctor_wire wires[] = {
        [FERRY_TRANSPORT_SERIAL] = DOCTOR_TTY, [FERRY_TRANSPORT_UDP] = DOCTOR_UDP,
        [FERRY_TRANSPORT_TCP] = DOCTOR_STREAM, [FERRY_TRANSPORT_UNIX] = DOCTOR_STREAM,
        [FERRY_TRANSPORT_BLE] = DOCTOR_RADIO,  [FERRY_TRANSPORT_DTLS] = DOCTOR_UDP,
    };

    return wires[medium];
}

/* For the prediction; 0 = no file, or none that can be looked at: its own stage says why. */
static size_t size_of(const char *file)
{
    struct stat found;
    return file != NULL && stat(file, &found) == 0 && found.st_size > 0 ? (size_t)found.st_size : 0;
}

static int doctor_run(struct cli *cli, const char *file)
{
    struct doctor doctor = {.cli = cli, .file = file, .quick = *cli, .kind = ""};
    struct verdict verdict = {.exit = CLI_OK};
    char why[320];
    int error = ferry_transport_parse(cli->device, &doctor.address, why, sizeof why);

    if (error != FERRY_OK) {
        return cli_fail(cli, CLI_USAGE, why, "cannot read the URI '%s'", cli->device);
    }
    doctor.wire = wire_of(doctor.address.medium);
    doctor.raw = doctor.address.framing == FERRY_FRAMING_RAW;
    doctor.quick.timeout_ms = cli->timeout_ms != 0 ? cli->timeout_ms : PATIENCE_MS;
    snprintf(doctor.uri, sizeof doctor.uri, "%s", cli->device);
    doctor.file_size = size_of(file);
    doctor.facts = cJSON_CreateObject();

    cJSON *list = cJSON_CreateArray();
    examine(&doctor, list, &verdict);
    doctor_hang_up(&doctor);
    if (cli->json) {
        print_json(&doctor, list, &verdict);
    } else {
        print_verdict(&verdict);
        cJSON_Delete(list);
        cJSON_Delete(doctor.facts);
    }
    return verdict.exit;
}

static int run_doctor(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{0}};

    optind = 0;
    if (cli_getopt(cli, argc, argv, "", own) != -1) {
        return CLI_USAGE;
    }
    if (argc - optind > 1) {
        return cli_usage(cli, "one FILE at most");
    }
    if (cli->device == NULL) {
        char ports[400];
        doctor_name_ports(ports, sizeof ports);
        return cli_fail_why(cli, CLI_USAGE, ports, "give -d URI, or set FERRY_DEVICE",
                            "which device?");
    }
    int code = record_start(cli);
    return code == CLI_OK ? doctor_run(cli, argc > optind ? argv[optind] : NULL) : code;
}

const struct cli_command cli_doctor_commands[] = {
    {"doctor", "[FILE]", "why nothing answers, stage by stage; FILE: what would be uploaded", "",
     run_doctor},
    {0},
};
