/* SPDX-License-Identifier: Apache-2.0
 * The generator's command line; main.c lists it. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "frames.h"

enum direction { ENCAP, DECAP, BOTH, WIRES };

#define QUEUES_MAX 8

struct options {
    struct bench_case frames;
    const char *left; /* memif sockets */
    const char *right;
    enum direction direction;
    uint16_t rx_queues;
    uint16_t tx_queues;
    bool full_table; /* of as many prefixes as flows */
    double new_macs; /* a second, of those sent from the left */
};

/* Ends the program with words when something is wrong. */
struct options options_parse(int argc, char **argv);
_Noreturn void fail(const char *what);

#endif
