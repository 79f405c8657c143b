/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands that act on what runs, or look at packets.
 */
#ifndef CLI_OPERATE_H
#define CLI_OPERATE_H

#include "command.h"

/* operate.c */
int clear_macs_run(struct cli *cli, const struct invocation *in);
int clear_bindings_run(struct cli *cli, const struct invocation *in);
int clear_neighbours_run(struct cli *cli, const struct invocation *in);
int clear_counters_run(struct cli *cli, const struct invocation *in);
extern const struct arg clear_macs_args[], clear_bindings_args[], clear_neighbours_args[];

/* ping.c */
int ping_run(struct cli *cli, const struct invocation *in);
extern const struct arg ping_args[];

/* traceroute.c */
int traceroute_run(struct cli *cli, const struct invocation *in);
extern const struct arg traceroute_args[];

/* ip.c */
int ip_run(struct cli *cli, const struct invocation *in);

/* fib_lookup.c */
int fib_lookup_run(struct cli *cli, const struct invocation *in);
extern const struct arg fib_lookup_args[];

/* stream.c */
int trace_run(struct cli *cli, const struct invocation *in);
int capture_run(struct cli *cli, const struct invocation *in);
int events_run(struct cli *cli, const struct invocation *in);
extern const struct arg trace_args[], capture_args[], events_args[];

#endif
