/* SPDX-License-Identifier: Apache-2.0
 *
 * All commands, in the order in which help lists them.
 */
#include "command.h"
#include "config.h"
#include "help.h"
#include "operate.h"
#include "show.h"

static const struct arg show_config_args[] = {
    {ARG_FLAG, "candidate", VALUE_TEXT, NULL, false, "what commit would make running"},
    {ARG_FLAG, "running", VALUE_TEXT, NULL, false, "what is in force (the default)"},
    {ARG_FLAG, "--set", VALUE_TEXT, NULL, false, "as set commands"},
    {ARG_FLAG, "--json", VALUE_TEXT, NULL, false, "the data as JSON"},
    {.kind = ARG_END},
};

const struct command commands[] = {
    {"show", "WHAT [FILTER VALUE]... [--wide] [--json]", "what runs, as tables", SYNTAX_SHOW, NULL,
     show_run, false, false},
    {"show config", "[candidate] [PATH...] [--set] [--json]", "the configuration", SYNTAX_PATH,
     show_config_args, show_config_run, false, false},
    {"show fib-lookup", NULL, "what a packet to an address meets in a vrouter", SYNTAX_ARGS,
     fib_lookup_args, fib_lookup_run, false, false},
    {"watch", "WHAT [FILTER VALUE]... [interval N] [count N]",
     "a show again and again, counters with their rates", SYNTAX_SHOW, NULL, watch_run, false,
     false},
    {"set", "PATH... VALUE... | -", "change the candidate configuration; - reads lines", SYNTAX_SET,
     NULL, set_run, false, false},
    {"delete", "PATH...", "delete from the candidate", SYNTAX_PATH, NULL, delete_run, false, false},
    {"apply", NULL, "read set and delete lines from a file", SYNTAX_ARGS, apply_args, apply_run,
     false, false},
    {"compare", NULL, "what differs between candidate and running, or two revisions", SYNTAX_ARGS,
     compare_args, compare_run, false, false},
    {"validate", NULL, "check the candidate as commit would", SYNTAX_ARGS, NULL, validate_run,
     false, false},
    {"commit", NULL, "make the candidate running, whole or not at all", SYNTAX_ARGS, commit_args,
     commit_run, false, false},
    {"confirm", NULL, "let a commit with confirm stay", SYNTAX_ARGS, NULL, confirm_run, false,
     false},
    {"discard", NULL, "make the candidate equal to running again", SYNTAX_ARGS, NULL, discard_run,
     false, false},
    {"rollback", NULL, "set the candidate to an earlier revision", SYNTAX_ARGS, rollback_args,
     rollback_run, false, false},
    {"import", NULL, "load a whole configuration into the candidate", SYNTAX_ARGS, import_args,
     import_run, false, false},
    {"export", NULL, "write the running configuration as JSON", SYNTAX_ARGS, export_args,
     export_run, false, false},
    {"clear macs", NULL, "forget learned MAC addresses", SYNTAX_ARGS, clear_macs_args,
     clear_macs_run, false, false},
    {"clear bindings", NULL, "forget which MAC addresses have which IP addresses", SYNTAX_ARGS,
     clear_bindings_args, clear_bindings_run, false, false},
    {"clear neighbours", NULL, "forget ARP and IPv6 neighbours", SYNTAX_ARGS, clear_neighbours_args,
     clear_neighbours_run, false, false},
    {"clear counters", NULL, "count from zero again", SYNTAX_ARGS, NULL, clear_counters_run, false,
     false},
    {"ping", NULL, "ask a host for an echo, from a vrouter", SYNTAX_ARGS, ping_args, ping_run,
     false, false},
    {"traceroute", NULL, "the routers on the way to a host, from a vrouter", SYNTAX_ARGS,
     traceroute_args, traceroute_run, false, false},
    {"ip", "VFABRIC/VROUTER COMMAND...", "ip(8) in the vrouter's network namespace", SYNTAX_RAW,
     NULL, ip_run, false, false},
    {"trace", NULL, "packets as they pass the stages", SYNTAX_ARGS, trace_args, trace_run, false,
     false},
    {"capture", NULL, "packets into a pcapng file", SYNTAX_ARGS, capture_args, capture_run, false,
     false},
    {"events", NULL, "what happens: MACs learned and moved, ports up and down", SYNTAX_ARGS,
     events_args, events_run, false, false},
    {"help", "[COMMAND]", "this list, or one command in full", SYNTAX_COMMAND, NULL, help_run,
     false, false},
    {"exit", NULL, "leave the shell", SYNTAX_ARGS, NULL, exit_run, false, true},
    {"quit", NULL, "leave the shell", SYNTAX_ARGS, NULL, exit_run, true, true},
    {0},
};
