/* SPDX-License-Identifier: Apache-2.0 */
#include "silence.h"

#include <stdio.h>
#include <string.h>

/* ---- What a console's text tells ---------------------------------------------------------------
 */

/* Looked for in the last line, in this order. */
static const struct {
    const char *text;
    const char *why;
    const char *next;
} clues[] = {
    {"FATAL ERROR", "the firmware crashed", "reset it; its log has the reason"},
    {"Halting system", "the firmware crashed", "reset it; its log has the reason"},
    {"Unable to find bootable image", "no image on the device may run",
     "enter the bootloader's recovery (hold its button through a reset), then ferry update FILE"},
    {"Jumping to the first image slot", "the bootloader has just started the firmware",
     "wait until it has booted; if nothing follows, the firmware crashes or has no console here"},
    {"login:", "this is the console of an operating system", "give the device's SMP port"},
    {"~$", "a shell answers on this console, and no SMP server",
     "build SMP into the shell (Zephyr: CONFIG_MCUMGR_TRANSPORT_SHELL), or use the SMP port"},
};

static void explain_text(const struct silence *silence, struct silence_words *words)
{
    snprintf(words->seen, sizeof words->seen, "only console text was received, last: \"%s\"",
             silence->last_text);
    words->why = "the device lives but does not serve SMP here, or not yet";
    words->next = "wait until it has booted, or use its SMP port";
    for (size_t i = 0; i < sizeof clues / sizeof clues[0]; i++) {
        if (strstr(silence->last_text, clues[i].text) != NULL) {
            words->why = clues[i].why;
            words->next = clues[i].next;
            return;
        }
    }
}

/* ---- By what was seen ---------------------------------------------------------------------------
 */

static void explain_refused(const struct silence *silence, struct silence_words *words)
{
    snprintf(words->seen, sizeof words->seen, "the host says that nobody listens on this port");
    words->why = "the host is up, but no SMP server is bound to this UDP port";
    words->next = "check the port number (1337 is the usual one), and that the firmware has SMP "
                  "over UDP and has started it";
    if (silence->facts.link == FERRY_LINK_DTLS4 || silence->facts.link == FERRY_LINK_DTLS6) {
        words->next = "check the port number (1337 is the usual one), and that the firmware has "
                      "SMP over DTLS and has started it";
    }
}

static void explain_taken(const struct silence *silence, struct silence_words *words)
{
    snprintf(words->seen, sizeof words->seen, "nothing was received, and the port is open in %s",
             silence->holders);
    words->why = "what the device sends may go to that program";
    words->next = "close it, then try again";
}

static void explain_gone_quiet(const struct silence *silence, struct silence_words *words)
{
    (void)silence;
    snprintf(words->seen, sizeof words->seen, "it answered before, and then no more");
    words->why = "it has reset, hangs, lost its link, or is busy for longer than was waited";
    words->next = "look at the device, then ask again: ferry echo hello; a larger --timeout helps "
                  "where only the flash is slow";
}

static void explain_echo(const struct silence *silence, struct silence_words *words)
{
    snprintf(words->seen, sizeof words->seen, "what is sent comes back, %zu packet%s of it",
             silence->facts.echoed, silence->facts.echoed == 1 ? "" : "s");
    words->why = "TX and RX are joined, or a console echoes what it gets; no SMP server answers";
    words->next = "look at the wiring and the adapter; or give the port that the firmware has SMP "
                  "on";
}

static void explain_foreign(const struct silence *silence, struct silence_words *words)
{
    snprintf(words->seen, sizeof words->seen, "%zu packets came, none of them the answer",
             silence->facts.packets_received);
    words->why = "another program talks to the device on this wire, or it answers very late";
    words->next = "close other programs, and give a larger --timeout";
}

static void explain_damaged(const struct silence *silence, struct silence_words *words)
{
    snprintf(words->seen, sizeof words->seen, "%zu damaged frames were received",
             silence->facts.frames_dropped);
    words->why = "the rates differ, the line loses or changes bytes, or something else than SMP "
                 "is sent on it";
    words->next = "check the baud rate and the line's quality";
}

static void explain_odd(const struct silence *silence, struct silence_words *words)
{
    snprintf(words->seen, sizeof words->seen, "%zu bytes were received that are no text",
             silence->odd_bytes);
    words->why = "the baud rates of both sides differ, or the device sends bare packets";
    words->next = "give the device's rate: -d 'serial:PORT?baud=N'; or no framing: -d raw:PORT";
}

static void explain_nothing(const struct silence *silence, struct silence_words *words)
{
    snprintf(words->seen, sizeof words->seen, "nothing at all was received");
    words->why = "it is off, out of reach, or runs no SMP server on this wire";
    words->next = "check that the device is powered and runs an SMP server on this wire";
    if (silence->facts.link == FERRY_LINK_CONSOLE) {
        words->why = "no power, another port, another baud rate, or firmware without SMP here";
        words->next = "check cable, port and baud rate; the firmware must have SMP on this UART";
    } else if (silence->facts.link == FERRY_LINK_RAW) {
        words->why = "no power, another port or rate, or firmware that frames its packets";
        words->next =
            "check cable, port and baud rate; if the firmware frames its packets, use serial:";
    } else if (silence->facts.link == FERRY_LINK_UDP4 || silence->facts.link == FERRY_LINK_UDP6) {
        words->why = "no device has this address, a firewall drops UDP, or it is off";
        words->next =
            "ping the device; then check the port and firewalls between; or it speaks DTLS "
            "there: dtls:HOST:PORT";
    } else if (silence->facts.link == FERRY_LINK_BLE) {
        words->why = "it is connected, but its SMP server is stuck, or another device's attributes "
                     "are remembered for it";
        words->next = "reset the device; or have it forgotten: bluetoothctl remove ADDRESS";
    }
}

static void explain_broken(const struct silence *silence, struct silence_words *words)
{
    snprintf(words->seen, sizeof words->seen, "the handshake is not done");
    words->why = silence->broken;
    words->next = silence->remedy;
}

void silence_keep(struct silence *silence, const struct ferry_connection *connection)
{
    ferry_connection_facts(connection, &silence->facts);
    snprintf(silence->broken, sizeof silence->broken, "%s",
             ferry_connection_broken(connection, &silence->remedy));
}

void silence_explain(const struct silence *silence, struct silence_words *words)
{
    const struct ferry_connection_facts *facts = &silence->facts;
    bool odd = silence->odd_bytes * 4 > facts->text_bytes;

    if (silence->broken[0] != '\0' && facts->refusals == 0) {
        explain_broken(silence, words);
    } else if (silence->answered_before) {
        explain_gone_quiet(silence, words);
    } else if (facts->refusals > 0) {
        explain_refused(silence, words);
    } else if (facts->echoed > 0) {
        explain_echo(silence, words);
    } else if (facts->packets_received > 0) {
        explain_foreign(silence, words);
    } else if (facts->frames_dropped > 0) {
        explain_damaged(silence, words);
    } else if (facts->text_bytes > 0 && odd) {
        explain_odd(silence, words);
    } else if (facts->text_bytes > 0) {
        explain_text(silence, words);
    } else if (silence->holders[0] != '\0') {
        explain_taken(silence, words);
    } else {
        explain_nothing(silence, words);
    }
}
